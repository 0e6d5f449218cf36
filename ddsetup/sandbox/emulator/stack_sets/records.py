"""What a StackSet consists of: its instances and its operations."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NO_ECHO = "****"


@dataclass(slots=True)
class Instance:
    """A stack in one account and region, or the attempt at one. `unit` is the target that it came by."""

    account: str
    region: str
    unit: str
    stack_id: str = ""
    status: str = "OUTDATED"
    detail: str = "PENDING"
    reason: str = ""
    overrides: dict[str, str] = field(default_factory=dict)
    operation: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.account, self.region


@dataclass(slots=True)
class Result:
    """What became of an instance in one operation."""

    instance: Instance
    status: str = "PENDING"
    reason: str = ""


@dataclass(slots=True)
class Operation:
    """One operation, which goes through its regions one after the other, or through all at once."""

    id: str
    action: str
    choose: Callable[[], list[Instance]]
    """What it is about, asked when it begins."""
    regions: list[str]
    preferences: Mapping[str, Any] = field(default_factory=dict)
    targets: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    retain: bool = False
    imports: bool = False
    """It takes in stacks that exist."""
    status: str = "QUEUED"
    reason: str = ""
    created: float = field(default_factory=time.time)
    ended: float = 0.0
    results: dict[tuple[str, str], Result] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether it is yet to end."""
        return not self.ended

    @property
    def failed(self) -> int:
        return sum(each.status == "FAILED" for each in self.results.values())


@dataclass(slots=True)
class StackSet:
    """A set of a management account in one region."""

    name: str
    region: str
    account: str
    template: str
    parameters: dict[str, str]
    hidden: frozenset[str]
    """Parameters that the template calls NoEcho."""
    capabilities: list[str]
    auto: Mapping[str, Any]
    managed: bool = False
    description: str = ""
    tags: list[dict[str, str]] = field(default_factory=list)
    token: str = ""
    number: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "ACTIVE"
    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    targets: dict[str, list[str]] = field(default_factory=dict)
    """Where accounts that join later get an instance, by unit: the regions."""

    @property
    def id(self) -> str:
        return f"{self.name}:{self.number}"

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stackset/{self.id}"

    @property
    def under_way(self) -> list[Operation]:
        return [each for each in self.operations.values() if each.open]

    def described(self) -> dict[str, Any]:
        """As DescribeStackSet answers."""
        return {
            "StackSetName": self.name,
            "StackSetId": self.id,
            "Description": self.description or None,
            "Status": self.status,
            "TemplateBody": self.template,
            "Parameters": _parameters(self.parameters, self.hidden),
            "Capabilities": self.capabilities,
            "Tags": self.tags,
            "StackSetARN": self.arn,
            "StackSetDriftDetectionDetails": {
                "DriftStatus": "NOT_CHECKED",
                "TotalStackInstancesCount": len(self.instances),
            },
            "AutoDeployment": self.auto,
            "PermissionModel": "SERVICE_MANAGED",
            "OrganizationalUnitIds": sorted({each.unit for each in self.instances.values()}),
            "ManagedExecution": {"Active": self.managed},
            "Regions": sorted({each.region for each in self.instances.values()}),
        }

    def summary(self) -> dict[str, Any]:
        """As ListStackSets answers."""
        return {
            "StackSetName": self.name,
            "StackSetId": self.id,
            "Description": self.description or None,
            "Status": self.status,
            "AutoDeployment": self.auto,
            "PermissionModel": "SERVICE_MANAGED",
            "DriftStatus": "NOT_CHECKED",
            "ManagedExecution": {"Active": self.managed},
        }

    def instance_summary(self, each: Instance) -> dict[str, Any]:
        """As ListStackInstances answers."""
        return {
            "StackSetId": self.id,
            "Region": each.region,
            "Account": each.account,
            "StackId": each.stack_id or None,
            "Status": each.status,
            "StatusReason": each.reason or None,
            "StackInstanceStatus": {"DetailedStatus": each.detail},
            "OrganizationalUnitId": each.unit,
            "DriftStatus": "NOT_CHECKED",
            "LastOperationId": each.operation,
        }

    def instance_described(self, each: Instance) -> dict[str, Any]:
        """As DescribeStackInstance answers."""
        return {**self.instance_summary(each), "ParameterOverrides": _parameters(each.overrides, self.hidden)}


def operation_summary(each: Operation) -> dict[str, Any]:
    """As ListStackSetOperations answers."""
    return {
        "OperationId": each.id,
        "Action": each.action,
        "Status": each.status,
        "CreationTimestamp": each.created,
        "EndTimestamp": each.ended or None,
        "StatusReason": each.reason or None,
        "StatusDetails": {"FailedStackInstancesCount": each.failed},
        "OperationPreferences": each.preferences,
    }


def operation_described(held: StackSet, each: Operation) -> dict[str, Any]:
    """As DescribeStackSetOperation answers."""
    deleting = {"RetainStacks": each.retain} if each.action == "DELETE" else {}
    said = {"StackSetId": held.id, "DeploymentTargets": each.targets, **deleting}
    return {**operation_summary(each), **said}


def result_summary(each: Result) -> dict[str, Any]:
    """As ListStackSetOperationResults answers."""
    return {
        "Account": each.instance.account,
        "Region": each.instance.region,
        "Status": each.status,
        "StatusReason": each.reason or None,
        "AccountGateResult": {"Status": "SKIPPED", "StatusReason": "Function not found"},
        "OrganizationalUnitId": each.instance.unit,
    }


def _parameters(values: Mapping[str, str], hidden: frozenset[str]) -> list[dict[str, str]]:
    return [
        {"ParameterKey": key, "ParameterValue": NO_ECHO if key in hidden else value}
        for key, value in values.items()
    ]

"""CloudFormation StackSets with service-managed permissions: stacks in the accounts of an organisation.

They live in the management account, in one region, also where a delegated administrator works on them: then
every call says so (`CallAs`). Shapes, errors and limits are those of botocore's `cloudformation` model.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ddsetup.gateways.aws.errors import Refused
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.stacks import CAPABILITIES, parameters_of, tags_of
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Json, Lane
from ddsetup.model.errors import GatewayError, SignedOut
from ddsetup.model.organisation import Instance, Targets

IMPORTED_AT_ONCE = 10
"""Stacks of one call of ImportStacksToStackSet."""
_TOKEN = ("NextToken", "NextToken")
_UNDER_WAY = ("RUNNING", "QUEUED", "STOPPING")


@dataclass(frozen=True, slots=True)
class Place:
    """The StackSet of this name, in the region of `lane`. `delegated`: as a delegated administrator."""

    aws: Aws
    lane: Lane
    name: str
    delegated: bool = False

    @property
    def call_as(self) -> str:
        """As whom every call is made."""
        return "DELEGATED_ADMIN" if self.delegated else "SELF"

    def call(self, operation: str, **parameters: Json) -> Json:
        """Make a call about it."""
        named: dict[str, Json] = {"StackSetName": self.name, "CallAs": self.call_as}
        return self.aws.call(f"cloudformation:{operation}", self.lane, **named, **parameters)

    def pages(self, operation: str, **parameters: Json) -> list[Json]:
        """All that a call about it lists."""
        named = {"StackSetName": self.name, "CallAs": self.call_as}
        action = f"cloudformation:{operation}"
        return self.aws.pages(action, self.lane, "Summaries", token=_TOKEN, **named, **parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A StackSet that is there. `template` is its template as it was given, `permissions` SERVICE_MANAGED or
    SELF_MANAGED. `automatic`: accounts that come into its units later get their stack by themselves, and lose
    it with their unit unless it `retains` them."""

    id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    permissions: str = "SERVICE_MANAGED"
    automatic: bool = True
    retains: bool = False
    parameters: tuple[str, ...] = ()


def trusted_access(place: Place) -> str:
    """Whether StackSets may work in the organisation: ENABLED, DISABLED or DISABLED_PERMANENTLY."""
    action = "cloudformation:DescribeOrganizationsAccess"
    return str(place.aws.call(action, place.lane, CallAs=place.call_as).get("Status") or "DISABLED")


def allow_access(place: Place) -> None:
    """Let StackSets work in the organisation's accounts; only the management account can."""
    place.aws.call("cloudformation:ActivateOrganizationsAccess", place.lane)


def read_stack_set(place: Place) -> Made | None:
    """The set, None if there is none."""
    try:
        found = place.call("DescribeStackSet")["StackSet"]
    except Refused as error:
        if error.code == "StackSetNotFoundException":
            return None
        raise
    automation = found.get("AutoDeployment") or {}
    return Made(
        id=found["StackSetId"],
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags") or ()},
        template=found.get("TemplateBody") or "",
        permissions=found.get("PermissionModel") or "SELF_MANAGED",
        automatic=bool(automation.get("Enabled")),
        retains=bool(automation.get("RetainStacksOnAccountRemoval")),
        parameters=tuple(each["ParameterKey"] for each in found.get("Parameters") or ()),
    )


def place_of(place: Place, regions: Sequence[str]) -> Place:
    """Where the set is, of all the regions that it might have been made in; as it is where it is in none.

    A set lives in one region, whichever ones its stacks are in. Regions that cannot be asked are passed over:
    nobody could have made one there.
    """

    def found(region: str) -> Place | None:
        there = replace(place, lane=replace(place.lane, region=region))
        try:
            return there if read_stack_set(there) is not None else None
        except SignedOut:
            raise
        except GatewayError:
            return None

    others = [region for region in regions if region != place.lane.region]
    return next((there for there in each(found, others) if there is not None), place)


def _automatic(*, retain: bool) -> Mapping[str, Json]:
    return {"Enabled": True, "RetainStacksOnAccountRemoval": retain}


def create_stack_set(
    place: Place,
    template: Mapping[str, str],
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    *,
    automatic: bool,
) -> str:
    """Make the set; its id. `template` is its TemplateURL or TemplateBody.

    `automatic`: accounts that come into the units later get their stack by themselves, and those that leave
    lose it. Operations that meet wait for each other.
    """
    return str(
        place.call(
            "CreateStackSet",
            Description="Made by ddsetup org rollout",
            Parameters=parameters_of(parameters),
            Tags=tags_of(tags),
            Capabilities=list(CAPABILITIES[:2]),
            PermissionModel="SERVICE_MANAGED",
            AutoDeployment=_automatic(retain=False) if automatic else {"Enabled": False},
            ManagedExecution={"Active": True},
            ClientRequestToken=str(uuid.uuid4()),
            **template,
        )["StackSetId"]
    )


def update_stack_set(
    place: Place, made: Made, template: Mapping[str, str], *, automatic: bool, **more: Json
) -> str:
    """Give the set, and all its stacks, another template, unless `template` is empty, and have accounts that
    come later get theirs, if that is to be `automatic` (and those that leave keep theirs, if `made` is to
    retain them); the id of the operation, as `start` has it.

    UpdateStackSet changes the set even where the operation fails (its API reference).
    """
    asked: dict[str, Json] = {
        "Capabilities": list(CAPABILITIES[:2]),
        # What is not named would be self-managed.
        "PermissionModel": "SERVICE_MANAGED",
        "Parameters": [{"ParameterKey": key, "UsePreviousValue": True} for key in made.parameters],
        **more,
    }
    asked |= template
    if not template:
        asked["UsePreviousTemplate"] = True
    if automatic:
        asked["AutoDeployment"] = _automatic(retain=made.retains)
    about = (made.id, "update", *template.values(), str(automatic), *(["retain"] if made.retains else []))
    return _once(place, "UpdateStackSet", about, asked)


def start(place: Place, made: str, operation: str, targets: Targets, **more: Json) -> str:
    """Start CreateStackInstances or DeleteStackInstances; the id of the operation.

    The id is made of what is asked for. So a call that is made again, by whoever was killed after the first
    one, finds that operation instead of starting another; one that has failed is no reason not to try again.
    """
    chosen: dict[str, Json] = {"OrganizationalUnitIds": list(targets.units)}
    if targets.accounts:
        chosen |= {"Accounts": list(targets.accounts), "AccountFilterType": targets.filter}
    asked = {"DeploymentTargets": chosen, "Regions": list(targets.regions), **more}
    return _once(place, operation, (made, operation, repr(sorted(chosen.items())), *targets.regions), asked)


def import_stacks(place: Place, made: str, units: Sequence[str], stacks: Sequence[str]) -> str:
    """Take up to ten stacks, by their ids, into the set; the id of the operation, as `start` has it."""
    asked = {"StackIds": list(stacks), "OrganizationalUnitIds": list(units)}
    return _once(place, "ImportStacksToStackSet", (made, "import", *stacks), asked)


def _once(place: Place, operation: str, about: Sequence[str], asked: Mapping[str, Json]) -> str:
    attempt = 0
    while True:
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(("ddsetup", *about, str(attempt)))))
        try:
            place.call(operation, OperationId=name, **asked)
        except Refused as error:
            if error.code != "OperationIdAlreadyExistsException":
                raise
            if operation_status(place, name)[0] not in _UNDER_WAY:
                attempt += 1
                continue
        return name


def operation_status(place: Place, operation: str) -> tuple[str, str]:
    """RUNNING, QUEUED, STOPPING, STOPPED, SUCCEEDED or FAILED, and the reason."""
    found = place.call("DescribeStackSetOperation", OperationId=operation)["StackSetOperation"]
    return str(found["Status"]), str(found.get("StatusReason") or "")


def is_under_way(status: str) -> bool:
    """Whether an operation in this status goes on."""
    return status in _UNDER_WAY


def operations_under_way(place: Place) -> tuple[str, ...]:
    """The ids of operations that go on."""
    found = place.pages("ListStackSetOperations")
    return tuple(item["OperationId"] for item in found if item["Status"] in _UNDER_WAY)


def instances(place: Place) -> tuple[Instance, ...]:
    """The stacks of the set, as far as it knows of them."""
    return tuple(
        Instance(
            account=item["Account"],
            region=item["Region"],
            detail=(item.get("StackInstanceStatus") or {}).get("DetailedStatus") or item["Status"],
            reason=item.get("StatusReason") or "",
            unit=item.get("OrganizationalUnitId") or "",
            stack=item.get("StackId") or "",
        )
        for item in place.pages("ListStackInstances")
    )


def delete_stack_set(place: Place) -> None:
    """Delete the set, which has no instances any more."""
    place.call("DeleteStackSet")

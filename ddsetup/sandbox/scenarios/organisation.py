"""An organisation of several accounts: what a platform team is responsible for."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ddsetup.sandbox.bootstrap import create_function_role
from ddsetup.sandbox.emulator import member_roles
from ddsetup.sandbox.emulator.org_tree import STATE_TAG
from ddsetup.sandbox.emulator.organizations import ROLE, STACK_SETS
from ddsetup.sandbox.emulator.stack_sets.member_stacks import role_name, service_role
from ddsetup.sandbox.model import ACCOUNT, member_account
from ddsetup.sandbox.scenarios import integration
from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ddsetup.sandbox.scenarios.world import World

PRODUCTION, DEVELOPMENT, LABS = "production", "development", "labs"
"""Organisational units; `labs` is inside of `development`."""
CONTROL_TOWER_ROLE = "AWSControlTowerExecution"
FOREIGN = "DatadogIntegration"
"""The StackSet of Datadog's own template, made by somebody else."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One account: its name, its unit, and in which state it is."""

    name: str
    unit: str
    functions: int = 2
    state: str = ""


ACCOUNTS = (
    Sample("coffee-orders", PRODUCTION, functions=3),
    Sample("coffee-payments", PRODUCTION),
    Sample("coffee-kitchen", PRODUCTION),
    Sample("coffee-logistics", PRODUCTION),
    Sample("coffee-invoices", PRODUCTION),
    Sample("coffee-tower", PRODUCTION),
    Sample("coffee-legacy", PRODUCTION),
    Sample("coffee-partner", PRODUCTION),
    Sample("coffee-dev", DEVELOPMENT),
    Sample("coffee-staging", DEVELOPMENT),
    Sample("coffee-abandoned", DEVELOPMENT, functions=1, state="SUSPENDED"),
    Sample("coffee-roasting-lab", LABS),
    Sample("coffee-empty", LABS, functions=0),
)
"""In the order in which they are made: the first is `member_account(management, 1)`."""
TOWER, LEGACY, PARTNER, LAB = "coffee-tower", "coffee-legacy", "coffee-partner", "coffee-roasting-lab"


def number_of(name: str) -> int:
    """Which account of the organisation has that name."""
    return 1 + [each.name for each in ACCOUNTS].index(name)


def _integrated(name: str, config_id: str, **more: object) -> dict[str, object]:
    plain = integration.SEED["accounts"][0]
    account = member_account(ACCOUNT, number_of(name))
    return {**plain, "id": config_id, "aws_account_id": account, **more}


SEED: Mapping[str, Any] = {
    "accounts": [
        _integrated(LEGACY, "2f0a1c64-58d1-4a0e-9d0f-6a1f0c8b7e11", account_tags=["team:legacy"]),
        _integrated(LAB, "5b7e9f10-3c42-4d6b-8a5e-0c9d1e2f3a4b", account_tags=[]),
    ]
}


def furnish(world: World) -> None:
    """The organisation, the roles that let its management account in, and functions in every account."""
    api = world.client("organizations", world.region)
    api.create_organization(FeatureSet="ALL")
    api.enable_aws_service_access(ServicePrincipal=STACK_SETS)
    root = api.list_roots()["Roots"][0]["Id"]
    units = {name: _unit(api, root, name) for name in (PRODUCTION, DEVELOPMENT)}
    units[LABS] = _unit(api, units[DEVELOPMENT], LABS)
    numbers = [_join(api, root, units, each) for each in ACCOUNTS]
    create(world, SampleFunction("coffee-billing", traffic="orders", tags={"team": "platform"}))
    create(world, SampleFunction("coffee-audit"))
    with ThreadPoolExecutor(5) as pool:
        # Most of its time it waits for StackSets.
        foreign = pool.submit(_furnish_foreign, world, units[LABS], numbers[number_of(LAB) - 1])
        inside = map(world.inside, numbers)
        list(pool.map(lambda there, each: furnish_account(there, world.account, each), inside, ACCOUNTS))
        foreign.result()
    for number, sample in zip(numbers, ACCOUNTS, strict=True):
        if sample.state:
            api.tag_resource(ResourceId=number, Tags=[{"Key": STATE_TAG, "Value": sample.state}])


def _unit(api: Any, parent: str, name: str) -> str:
    return str(api.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"])


def make(api: Any, sample: Sample) -> str:
    """Make the account, at the root; gives its number."""
    email = f"aws+{sample.name}@coffee.example"
    tags = [{"Key": "env", "Value": sample.unit}, {"Key": "team", "Value": sample.name.partition("-")[2]}]
    made = api.create_account(AccountName=sample.name, Email=email, Tags=tags)["CreateAccountStatus"]["Id"]
    status = api.describe_create_account_status(CreateAccountRequestId=made)["CreateAccountStatus"]
    return str(status["AccountId"])


def _join(api: Any, root: str, units: Mapping[str, str], sample: Sample) -> str:
    number = make(api, sample)
    api.move_account(AccountId=number, SourceParentId=root, DestinationParentId=units[sample.unit])
    return number


def furnish_account(world: World, management: str, sample: Sample) -> None:
    """What is in an account that is new."""
    iam = world.client("iam", world.region)
    create_function_role(iam)
    for index in range(sample.functions):
        function = SampleFunction(f"{sample.name}-{('api', 'worker', 'report')[index]}")
        create(world, function if index else replace(function, traffic="orders"))
    if sample.name == TOWER:
        _enrol(iam)
    if sample.name == PARTNER:
        refuse(iam, management, world.account)
    if sample.name == LEGACY:
        integration.furnish(world)


def refuse(iam: Any, management: str, account: str) -> None:
    """Let nobody of the management account into an account, StackSets neither."""
    for role in (ROLE, role_name(management)):
        _trust(iam, role, f"arn:aws:iam::{account}:root")


def admit(iam: Any, management: str) -> None:
    """Let them in again."""
    _trust(iam, ROLE, f"arn:aws:iam::{management}:root")
    _trust(iam, role_name(management), service_role(management))


def _trust(iam: Any, role: str, principal: str) -> None:
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=member_roles.trust(principal))


def _furnish_foreign(world: World, unit: str, account: str) -> None:
    """Datadog's own way into one account: a StackSet from the template for organisations."""
    stack_sets = world.client("cloudformation", world.region)
    stack_sets.create_stack_set(
        StackSetName=FOREIGN,
        TemplateBody=json.dumps(_FOREIGN_TEMPLATE),
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": False},
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": "0" * 32} for key in _KEYS],
    )
    operation = stack_sets.create_stack_instances(
        StackSetName=FOREIGN,
        DeploymentTargets={
            "OrganizationalUnitIds": [unit],
            "Accounts": [account],
            "AccountFilterType": "INTERSECTION",
        },
        Regions=[world.region],
    )["OperationId"]
    named = {"StackSetName": FOREIGN, "OperationId": operation}
    while stack_sets.describe_stack_set_operation(**named)["StackSetOperation"]["Status"] == "RUNNING":
        time.sleep(_LOOK_SECONDS)


_LOOK_SECONDS = 0.2
_KEYS = ("DatadogApiKey", "DatadogAppKey")
_FOREIGN_TEMPLATE: Mapping[str, Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "Configures the Datadog AWS Integration",
    "Parameters": {
        **{key: {"Type": "String", "NoEcho": True, "Default": ""} for key in _KEYS},
        "DatadogSite": {"Type": "String", "Default": "datadoghq.com"},
        "IAMRoleName": {"Type": "String", "Default": integration.ROLE},
        **{
            name: {"Type": "String", "AllowedValues": ["true", "false"], "Default": "false"}
            for name in (
                "DisableMetricCollection",
                "DisableResourceCollection",
                "CloudSecurityPostureManagement",
            )
        },
    },
    "Resources": {
        "DatadogIntegrationRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": {"Ref": "IAMRoleName"},
                "AssumeRolePolicyDocument": integration.TRUST,
                "Policies": [
                    {"PolicyName": "DatadogAWSIntegrationPolicy", "PolicyDocument": integration.POLICY}
                ],
            },
        }
    },
}
"""Parameters and the role of the template that Datadog has for organisations (`main_organizations.yaml`);
what it does at Datadog by functions of its own has been done."""


def _enrol(iam: Any) -> None:
    """An account that Control Tower manages and that was invited: its role is there, and no other."""
    role = iam.get_role(RoleName=ROLE)["Role"]
    trust = json.dumps(role["AssumeRolePolicyDocument"])
    iam.create_role(RoleName=CONTROL_TOWER_ROLE, AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName=CONTROL_TOWER_ROLE, PolicyArn=member_roles.ADMINISTRATOR)
    iam.detach_role_policy(RoleName=ROLE, PolicyArn=member_roles.ADMINISTRATOR)
    iam.delete_role(RoleName=ROLE)

"""StackSets of the scenario `organisation`: what an operation does, and what may come between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.sandbox import aws, faults
from ddsetup.sandbox.control import start
from ddsetup.sandbox.emulator.organizations import STACK_SETS
from ddsetup.sandbox.membership import change
from ddsetup.sandbox.model import Keys, Sandbox, SandboxOptions, member_account
from ddsetup.sandbox.scenarios.organisation import FOREIGN, LAB, LEGACY, PARTNER, PRODUCTION, TOWER, number_of
from ddsetup.sandbox.traffic import traffic
from tests.gateways.emulated import code_of
from tests.patience import until
from tests.sandbox_chain import datadog

REGION = "us-east-1"
_ENTER = {"Sid": "Enter", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [_ENTER]}
TEMPLATE = json.dumps(
    {
        "Parameters": {"Name": {"Type": "String"}, "Key": {"Type": "String", "NoEcho": True, "Default": "k"}},
        "Resources": {
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Ref": "Name"}}}
        },
    }
)


class Place:
    """The management account's StackSets, as its root has them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.api = self.client("cloudformation", sandbox.root)
        self.root = self.client("organizations", sandbox.root).list_roots()["Roots"][0]["Id"]
        units = self.client("organizations", sandbox.root).list_organizational_units_for_parent(
            ParentId=self.root
        )["OrganizationalUnits"]
        self.units = {each["Name"]: each["Id"] for each in units}

    def client(self, service: str, keys: Keys) -> Any:
        return aws.client(service, self.sandbox.aws_endpoint_url, REGION, keys)

    def account(self, name: str) -> str:
        return member_account(self.sandbox.account, number_of(name))

    def inside(self, account: str, service: str) -> Any:
        return self.client(service, Keys(account, "root"))

    def groups(self, account: str, name: str) -> list[str]:
        found = self.inside(account, "logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return [each["logGroupName"] for each in found]

    def make(self, name: str, *, managed: bool = False, auto: bool = False, template: str = TEMPLATE) -> None:
        self.api.create_stack_set(
            StackSetName=name,
            TemplateBody=template,
            PermissionModel="SERVICE_MANAGED",
            AutoDeployment={"Enabled": auto, **({"RetainStacksOnAccountRemoval": False} if auto else {})},
            ManagedExecution={"Active": managed},
            Parameters=[{"ParameterKey": "Name", "ParameterValue": f"/made/{name}"}],
        )

    def add(self, name: str, unit: str, names: tuple[str, ...] = (), **more: Any) -> str:
        return str(
            self.api.create_stack_instances(
                StackSetName=name, DeploymentTargets=self.targets(unit, names), Regions=[REGION], **more
            )["OperationId"]
        )

    def targets(self, unit: str, names: tuple[str, ...], way: str = "INTERSECTION") -> dict[str, Any]:
        chosen = {"Accounts": [self.account(each) for each in names], "AccountFilterType": way}
        return {"OrganizationalUnitIds": [unit], **(chosen if names else {})}

    def status(self, name: str, operation: str) -> str:
        asked = {"StackSetName": name, "OperationId": operation}
        return str(self.api.describe_stack_set_operation(**asked)["StackSetOperation"]["Status"])

    def end(self, name: str, operation: str) -> str:
        def ended() -> str:
            status = self.status(name, operation)
            return "" if status in {"RUNNING", "QUEUED", "STOPPING"} else status

        return until(ended, "the operation's end")

    def results(self, name: str, operation: str) -> dict[str, str]:
        asked = {"StackSetName": name, "OperationId": operation}
        found = self.api.list_stack_set_operation_results(**asked)["Summaries"]
        return {each["Account"]: each["Status"] for each in found}

    def details(self, name: str) -> dict[str, str]:
        pages = self.api.get_paginator("list_stack_instances").paginate(StackSetName=name)
        found = [each for page in pages for each in page["Summaries"]]
        return {each["Account"]: each["StackInstanceStatus"]["DetailedStatus"] for each in found}

    def remove(self, name: str) -> None:
        """All of a set; where nobody gets in, the stack that is not there is left."""
        for retain in (False, True):
            operation = self.api.delete_stack_instances(
                StackSetName=name,
                DeploymentTargets={"OrganizationalUnitIds": [self.root]},
                Regions=[REGION],
                RetainStacks=retain,
                OperationPreferences={"FailureToleranceCount": 20, "MaxConcurrentCount": 20},
            )["OperationId"]
            assert self.end(name, operation) == "SUCCEEDED"
            if not self.details(name):
                break
        self.api.delete_stack_set(StackSetName=name)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with start(SandboxOptions(POLICY, scenarios=("organisation",))) as running:
        yield Place(running)


def logs_of(sandbox: Sandbox, account: str) -> list[dict[str, Any]]:
    """What Datadog has of an account's logs."""
    asked = {"filter": {"query": f"aws_account:{account}", "from": "now-1h", "to": "now"}}
    found: list[dict[str, Any]] = datadog(sandbox, "POST", "/api/v2/logs/events/search", asked)["data"]
    return found


def test_a_canary_and_then_the_rest_of_a_unit(place: Place) -> None:
    place.make("roll-out")
    unit, canary = place.units[PRODUCTION], "coffee-orders"
    own = {"OperationId": "11111111-2222-4333-8444-555555555555"}
    operation = place.add("roll-out", unit, (canary,), **own)
    assert place.status("roll-out", operation) == "RUNNING"
    assert code_of(place.add, name="roll-out", unit=unit, **own) == "OperationIdAlreadyExistsException"
    assert code_of(place.add, name="roll-out", unit=unit) == "OperationInProgressException"
    assert place.end("roll-out", operation) == "SUCCEEDED"
    account = place.account(canary)
    assert place.results("roll-out", operation) == {account: "SUCCEEDED"}
    assert place.groups(account, "/made/roll-out") == ["/made/roll-out"]
    described = place.api.describe_stack_instance(
        StackSetName="roll-out", StackInstanceAccount=account, StackInstanceRegion=REGION
    )["StackInstance"]
    assert (described["Status"], described["OrganizationalUnitId"]) == ("CURRENT", unit)
    assert f":{account}:stack/StackSet-roll-out-" in described["StackId"]
    rest = place.api.create_stack_instances(
        StackSetName="roll-out",
        DeploymentTargets=place.targets(unit, (LEGACY, canary), "DIFFERENCE"),
        Regions=[REGION],
        OperationPreferences={"FailureToleranceCount": 1, "MaxConcurrentCount": 10},
    )["OperationId"]
    assert place.end("roll-out", rest) == "SUCCEEDED"
    results = place.results("roll-out", rest)
    assert {status for account, status in results.items() if account != place.account(PARTNER)} == {
        "SUCCEEDED"
    }
    assert results[place.account(PARTNER)] == "FAILED"
    assert not {place.account(LEGACY), account, place.sandbox.account} & set(results)
    assert code_of(place.api.delete_stack_set, StackSetName="roll-out") == "StackSetNotEmptyException"
    place.remove("roll-out")
    assert place.groups(account, "/made/roll-out") == []
    assert code_of(place.api.describe_stack_set, StackSetName="roll-out") == "StackSetNotFoundException"


def test_too_many_failures_cancel_the_rest_and_suspended_accounts_are_skipped(place: Place) -> None:
    place.make("failing")
    reason = "ResourceLogicalId:Group, ResourceType:AWS::Logs::LogGroup, ResourceStatusReason:no."
    faults.inject(place.sandbox, faults.stack_instance_fails("failing", reason, times=1))
    operation = place.add("failing", place.units[PRODUCTION])
    assert place.end("failing", operation) == "FAILED"
    faults.inject(place.sandbox)
    statuses = list(place.results("failing", operation).values())
    assert (statuses.count("FAILED"), statuses.count("CANCELLED")) == (1, len(statuses) - 1)
    asked = {"StackSetName": "failing", "Filters": [{"Name": "DETAILED_STATUS", "Values": "FAILED"}]}
    failed = place.api.list_stack_instances(**asked)["Summaries"]
    assert [(each["Status"], each["StatusReason"]) for each in failed] == [("OUTDATED", reason)]
    operation = place.add("failing", place.units["development"])
    assert place.end("failing", operation) == "SUCCEEDED"
    assert place.details("failing")[place.account("coffee-abandoned")] == "SKIPPED_SUSPENDED_ACCOUNT"
    place.remove("failing")


def test_managed_execution_queues_and_an_operation_can_be_stopped(place: Place) -> None:
    place.make("queue", managed=True)
    first = place.add("queue", place.units[PRODUCTION], (LEGACY,))
    second = place.add("queue", place.units[PRODUCTION])
    assert (place.status("queue", first), place.status("queue", second)) == ("RUNNING", "QUEUED")
    assert place.end("queue", first) == "SUCCEEDED"
    place.api.stop_stack_set_operation(StackSetName="queue", OperationId=second)
    assert place.end("queue", second) == "STOPPED"
    assert "CANCELLED" in place.results("queue", second).values()
    stop = place.api.stop_stack_set_operation
    assert code_of(stop, StackSetName="queue", OperationId=second) == "InvalidOperationException"
    place.remove("queue")


def test_an_account_that_joins_gets_it_and_one_that_leaves_loses_it(place: Place) -> None:
    place.make("joining", auto=True)
    unit = place.units[PRODUCTION]
    place.end("joining", place.add("joining", unit, (LEGACY,)))
    targets = place.api.list_stack_set_auto_deployment_targets(StackSetName="joining")["Summaries"]
    assert targets == [{"OrganizationalUnitId": unit, "Regions": [REGION]}]
    organizations = place.client("organizations", place.sandbox.root)
    late = change(place.sandbox, "coffee-late", PRODUCTION)
    account = late.number
    assert late.deeds == ("made", "moved into production")
    assert change(place.sandbox, "coffee-late", PRODUCTION).deeds == ()
    newest = place.api.list_stack_set_operations(StackSetName="joining")["Summaries"][0]
    assert (newest["Action"], place.end("joining", newest["OperationId"])) == ("CREATE", "SUCCEEDED")
    assert place.details("joining") == {place.account(LEGACY): "SUCCEEDED", account: "SUCCEEDED"}
    assert place.groups(account, "/made") == ["/made/joining"]
    organizations.move_account(AccountId=account, SourceParentId=unit, DestinationParentId=place.root)
    newest = place.api.list_stack_set_operations(StackSetName="joining")["Summaries"][0]
    assert (newest["Action"], place.end("joining", newest["OperationId"])) == ("DELETE", "SUCCEEDED")
    assert place.groups(account, "/made") == []
    place.remove("joining")
    with pytest.raises(UsageError, match="no unit"):
        change(place.sandbox, "coffee-late", "nowhere")
    with pytest.raises(UsageError, match="management"):
        change(place.sandbox, "management", PRODUCTION)


def test_an_account_may_refuse_and_admit_again(place: Place) -> None:
    place.make("refused")
    unit, name = place.units[PRODUCTION], "coffee-payments"
    assert change(place.sandbox, name, refuses=True).deeds == ("refuses",)
    assert place.end("refused", place.add("refused", unit, (name,))) == "FAILED"
    enter = place.client("sts", place.sandbox.operator).assume_role
    role = f"arn:aws:iam::{place.account(name)}:role/OrganizationAccountAccessRole"
    assert code_of(enter, RoleArn=role, RoleSessionName="test") == "AccessDenied"
    assert change(place.sandbox, name, refuses=False).deeds == ("admits",)
    assert place.end("refused", place.add("refused", unit, (name,))) == "SUCCEEDED"
    assert enter(RoleArn=role, RoleSessionName="test")["Credentials"]
    with pytest.raises(UsageError, match="no role"):
        change(place.sandbox, TOWER, refuses=True)
    place.remove("refused")


def test_the_forwarder_of_a_set_sends_what_is_logged_in_its_account(place: Place) -> None:
    name, sandbox = "coffee-orders", place.sandbox
    place.api.create_stack_set(
        StackSetName="datadog-forwarder",
        TemplateURL=sandbox.forwarder_template_url,
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": False},
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": "DdApiKey", "ParameterValue": sandbox.api_key},
            {"ParameterKey": "FunctionName", "ParameterValue": "datadog-forwarder"},
        ],
    )
    operation = place.add("datadog-forwarder", place.units[PRODUCTION], (name,))
    assert place.end("datadog-forwarder", operation) == "SUCCEEDED"
    account, group = place.account(name), f"/aws/lambda/{name}-api"
    logs = place.inside(account, "logs")
    logs.create_log_group(logGroupName=group)
    logs.put_subscription_filter(
        logGroupName=group,
        filterName="to-datadog",
        filterPattern="",
        destinationArn=f"arn:aws:lambda:{REGION}:{account}:function:datadog-forwarder",
    )
    traffic(sandbox, [f"{name}-api"])
    found = until(lambda: logs_of(sandbox, account), "its log")
    assert found[0]["attributes"]["service"] == f"{name}-api"


def test_updates_overrides_and_what_is_not_echoed(place: Place) -> None:
    place.make("changing")
    unit = place.units[PRODUCTION]
    own = [{"ParameterKey": "Name", "ParameterValue": "/made/own"}]
    place.end("changing", place.add("changing", unit, (LEGACY,), ParameterOverrides=own))
    account = place.account(LEGACY)
    assert place.groups(account, "/made") == ["/made/own"]
    shown = place.api.describe_stack_set(StackSetName="changing")["StackSet"]["Parameters"]
    assert {each["ParameterKey"]: each["ParameterValue"] for each in shown}["Key"] == "****"
    update = place.api.update_stack_set(
        StackSetName="changing",
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": "Name", "UsePreviousValue": True},
            {"ParameterKey": "Key", "ParameterValue": "other"},
        ],
    )["OperationId"]
    assert place.end("changing", update) == "SUCCEEDED"
    assert place.details("changing") == {account: "SUCCEEDED"}
    wrong = [{"ParameterKey": "Other", "ParameterValue": "x"}]
    refused = code_of(place.add, name="changing", unit=unit, ParameterOverrides=wrong)
    assert refused == "ValidationError"
    kept = place.api.delete_stack_instances(
        StackSetName="changing",
        DeploymentTargets={"OrganizationalUnitIds": [unit]},
        Regions=[REGION],
        RetainStacks=True,
    )["OperationId"]
    assert place.end("changing", kept) == "SUCCEEDED"
    assert place.groups(account, "/made") == ["/made/own"]
    place.api.delete_stack_set(StackSetName="changing")


def by_hand(place: Place, name: str, template: str) -> str:
    """A stack that somebody made in an account; its id."""
    stacks = place.inside(place.account(name), "cloudformation")
    parameters = [{"ParameterKey": "Name", "ParameterValue": "/by/hand"}]
    made = stacks.create_stack(StackName="by-hand", TemplateBody=template, Parameters=parameters)["StackId"]
    stacks.get_waiter("stack_create_complete").wait(StackName="by-hand", WaiterConfig={"Delay": 1})
    return str(made)


def test_a_stack_that_exists_can_be_taken_in(place: Place) -> None:
    account = place.account("coffee-kitchen")
    plain = TEMPLATE.replace('"NoEcho": true, ', "")
    own = by_hand(place, "coffee-kitchen", plain)
    place.make("taking-in", template=plain)
    unit, other = place.units[PRODUCTION], place.units["development"]
    take = place.api.import_stacks_to_stack_set
    asked = {"StackSetName": "taking-in", "StackIds": [own], "OrganizationalUnitIds": [place.root, unit]}
    assert code_of(take, **{**asked, "OrganizationalUnitIds": [other]}) == "StackNotFoundException"
    assert code_of(take, **{**asked, "OrganizationalUnitIds": []}) == "ValidationError"
    assert code_of(take, **{**asked, "StackIds": [own] * 11}) == "LimitExceededException"
    assert place.end("taking-in", take(**asked)["OperationId"]) == "SUCCEEDED"
    found = place.api.describe_stack_instance(
        StackSetName="taking-in", StackInstanceAccount=account, StackInstanceRegion=REGION
    )["StackInstance"]
    assert (found["StackId"], found["Status"], found["OrganizationalUnitId"]) == (own, "CURRENT", unit)
    assert code_of(take, **asked) == "InvalidOperationException"
    assert (
        code_of(take, **{**asked, "StackIds": [own.replace("by-hand", "none")]}) == "StackNotFoundException"
    )
    place.remove("taking-in")
    assert place.groups(account, "/by/hand") == []


def test_a_stack_with_parameters_that_are_not_echoed_or_of_another_template_is_not_taken_in(
    place: Place,
) -> None:
    place.make("not-taking-in")
    account, unit = place.account("coffee-invoices"), place.units[PRODUCTION]
    own = by_hand(place, "coffee-invoices", TEMPLATE)
    take = place.api.import_stacks_to_stack_set
    asked = {"StackSetName": "not-taking-in", "StackIds": [own], "OrganizationalUnitIds": [unit]}
    assert place.end("not-taking-in", take(**asked)["OperationId"]) == "FAILED"
    assert place.details("not-taking-in") == {account: "FAILED_IMPORT"}
    (found,) = place.api.list_stack_instances(StackSetName="not-taking-in")["Summaries"]
    assert "NoEcho" in found["StatusReason"]
    plain = TEMPLATE.replace('"NoEcho": true, ', "")
    place.inside(account, "cloudformation").delete_stack(StackName="by-hand")
    asked["StackIds"] = [by_hand(place, "coffee-invoices", plain)]
    struck = place.api.delete_stack_instances(
        StackSetName="not-taking-in",
        DeploymentTargets=place.targets(unit, ("coffee-invoices",)),
        Regions=[REGION],
        RetainStacks=True,
    )
    place.end("not-taking-in", struck["OperationId"])
    for _ in range(2):
        assert place.end("not-taking-in", take(**asked)["OperationId"]) == "FAILED"
        (found,) = place.api.list_stack_instances(StackSetName="not-taking-in")["Summaries"]
        assert "does not match" in found["StatusReason"], "it can be tried again, and fails again"
    place.remove("not-taking-in")


def test_who_may_act_for_the_organisation(place: Place) -> None:
    member, organizations = place.account(LEGACY), place.client("organizations", place.sandbox.root)
    theirs = place.inside(member, "cloudformation")
    asked = {"StackSetName": FOREIGN}
    assert code_of(theirs.describe_stack_set, **asked) == "StackSetNotFoundException"
    delegated = {**asked, "CallAs": "DELEGATED_ADMIN"}
    assert code_of(theirs.describe_stack_set, **delegated) == "ValidationError"
    assert code_of(place.api.describe_stack_set, **delegated) == "ValidationError"
    organizations.register_delegated_administrator(AccountId=member, ServicePrincipal=STACK_SETS)
    found = theirs.describe_stack_set(**delegated)["StackSet"]
    assert f":{place.sandbox.account}:stackset/{FOREIGN}:" in found["StackSetARN"]
    assert place.details(FOREIGN) == {place.account(LAB): "SUCCEEDED"}
    for call_as in ({}, delegated):
        made = {
            "StackSetName": "theirs",
            "TemplateBody": TEMPLATE,
            "PermissionModel": "SELF_MANAGED",
            **call_as,
        }
        assert code_of(theirs.create_stack_set, **made) == "ValidationError", "there are none here"
    for wrong in (theirs.describe_organizations_access, theirs.activate_organizations_access):
        assert code_of(wrong) == "ValidationError", "a delegated administrator says so in every call"
    assert theirs.describe_organizations_access(CallAs="DELEGATED_ADMIN")["Status"] == "ENABLED"
    place.api.deactivate_organizations_access()
    assert place.api.describe_organizations_access()["Status"] == "DISABLED"
    assert code_of(place.make, name="not-trusted") == "ValidationError"
    place.api.activate_organizations_access()
    assert place.api.describe_organizations_access()["Status"] == "ENABLED"


def test_moto_answers_in_the_same_words(place: Place) -> None:
    from moto import mock_aws

    def walk(api: Any, unit: str) -> dict[str, Any]:
        targets = {"OrganizationalUnitIds": [unit], "Accounts": [], "AccountFilterType": "NONE"}
        operation = api.create_stack_instances(
            StackSetName="words", DeploymentTargets=targets, Regions=[REGION]
        )["OperationId"]
        asked = {"StackSetName": "words", "OperationId": operation}
        until(lambda: api.describe_stack_set_operation(**asked)["StackSetOperation"]["Status"] != "RUNNING")
        return {
            "set": api.describe_stack_set(StackSetName="words")["StackSet"],
            "sets": api.list_stack_sets()["Summaries"][-1],
            "operation": api.describe_stack_set_operation(**asked)["StackSetOperation"],
            "instance": api.list_stack_instances(StackSetName="words")["Summaries"][0],
        }

    place.make("words")
    ours = walk(place.api, place.units[PRODUCTION])
    with mock_aws():
        import boto3

        session: Any = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x")
        organizations, api = session.client("organizations"), session.client("cloudformation", REGION)
        organizations.create_organization(FeatureSet="ALL")
        organizations.create_account(AccountName="one", Email="one@coffee.example")
        root = organizations.list_roots()["Roots"][0]["Id"]
        settings = {"PermissionModel": "SERVICE_MANAGED", "AutoDeployment": {"Enabled": False}}
        parameters = [{"ParameterKey": "Name", "ParameterValue": "/made/words"}]
        api.create_stack_set(StackSetName="words", TemplateBody=TEMPLATE, Parameters=parameters, **settings)
        theirs = walk(api, root)
    other = {"AdministrationRoleARN", "ExecutionRoleName"}
    for name, answer in theirs.items():
        assert set(answer) - set(ours[name]) <= other, name

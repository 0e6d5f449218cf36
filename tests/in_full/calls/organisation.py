"""Calls about StackSets, as a delegated administrator: each one has to say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddsetup.gateways.aws import organizations, stack_sets, stacks
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.stack_sets import Made, Place
from ddsetup.model.organisation import Targets
from tests.gateways.aws_stand import ACCOUNT
from tests.in_full.calls.world import LANE, Call

TARGETS = Targets(units=("ou-1",), regions=("eu-west-1",), accounts=("2",), filter="DIFFERENCE")
SET = {
    "StackSetId": "s:1",
    "TemplateBody": "{}",
    "PermissionModel": "SERVICE_MANAGED",
    "Tags": [{"Key": "k", "Value": "v"}],
    "AutoDeployment": {"Enabled": True},
    "Parameters": [{"ParameterKey": "A", "ParameterValue": "****"}],
}
MADE = Made(id="s:1", parameters=("A",))
STACK = "arn:aws:cloudformation:eu-west-1:222222222222:stack/datadog-forwarder/1"


def place(aws: Aws) -> Place:
    return Place(aws, LANE, "s", delegated=True)


def status(name: str) -> dict[str, list[Mapping[str, Any]]]:
    return {"DescribeStackSetOperation": [{"StackSetOperation": {"Status": name}}]}


BEGUN = {"refused": ("OperationIdAlreadyExistsException", "begun", 409)}

ORGANISATION: Mapping[str, Call] = {
    "organisation": (
        organizations.read_organisation,
        {
            "DescribeOrganization": [
                {"Organization": {"Id": "o-1", "MasterAccountId": "1", "FeatureSet": "ALL"}}
            ]
        },
    ),
    "delegated administrator": (
        lambda aws: organizations.administers_stack_sets(aws, ACCOUNT),
        {
            "ListDelegatedAdministrators": [
                {"DelegatedAdministrators": [{"Id": "2"}], "NextToken": "t"},
                {"DelegatedAdministrators": [{"Id": ACCOUNT}]},
            ]
        },
    ),
    "trusted access": (
        lambda aws: stack_sets.trusted_access(place(aws)),
        {"DescribeOrganizationsAccess": [{"Status": "DISABLED_PERMANENTLY"}]},
    ),
    "trusted access, not told": (
        lambda aws: stack_sets.trusted_access(place(aws)),
        {"DescribeOrganizationsAccess": [{}]},
    ),
    "allow access": (
        lambda aws: stack_sets.allow_access(Place(aws, LANE, "s")),
        {"ActivateOrganizationsAccess": [{}]},
    ),
    "stack set": (
        lambda aws: stack_sets.read_stack_set(place(aws)),
        {"DescribeStackSet": [{"StackSet": SET}]},
    ),
    "stack set, bare": (
        lambda aws: stack_sets.read_stack_set(place(aws)),
        {"DescribeStackSet": [{"StackSet": {"StackSetId": "s:1"}}]},
    ),
    "create stack set": (
        lambda aws: stack_sets.create_stack_set(
            place(aws), {"TemplateBody": "{}"}, {"A": "b"}, {"k": "v"}, automatic=True
        ),
        {"CreateStackSet": [{"StackSetId": "s:1"}]},
    ),
    "update stack set": (
        lambda aws: stack_sets.update_stack_set(place(aws), MADE, {"TemplateBody": "{}"}, automatic=False),
        {"UpdateStackSet": [{"OperationId": "1"}]},
    ),
    "later accounts, too": (
        lambda aws: stack_sets.update_stack_set(place(aws), MADE, {}, automatic=True),
        {"UpdateStackSet": [{"OperationId": "1"}]},
    ),
    "create instances": (
        lambda aws: stack_sets.start(place(aws), "s:1", "CreateStackInstances", TARGETS),
        {"CreateStackInstances": [{"OperationId": "1"}]},
    ),
    "create instances, asked again while it is done": (
        lambda aws: stack_sets.start(place(aws), "s:1", "CreateStackInstances", TARGETS),
        {"CreateStackInstances": [BEGUN], **status("RUNNING")},
    ),
    "create instances, asked again after it failed": (
        lambda aws: stack_sets.start(place(aws), "s:1", "CreateStackInstances", TARGETS),
        {"CreateStackInstances": [BEGUN, {"OperationId": "2"}], **status("FAILED")},
    ),
    "delete instances": (
        lambda aws: stack_sets.start(place(aws), "s:1", "DeleteStackInstances", TARGETS, RetainStacks=True),
        {"DeleteStackInstances": [{"OperationId": "1"}]},
    ),
    "import stacks": (
        lambda aws: stack_sets.import_stacks(place(aws), "s:1", ("ou-1",), (STACK,)),
        {"ImportStacksToStackSet": [{"OperationId": "1"}]},
    ),
    "operation": (lambda aws: stack_sets.operation_status(place(aws), "1"), status("QUEUED")),
    "operations": (
        lambda aws: stack_sets.operations_under_way(place(aws)),
        {
            "ListStackSetOperations": [
                {"Summaries": [{"OperationId": "1", "Status": "SUCCEEDED"}], "NextToken": "t"},
                {"Summaries": [{"OperationId": "2", "Status": "QUEUED"}]},
            ]
        },
    ),
    "instances": (
        lambda aws: stack_sets.instances(place(aws)),
        {
            "ListStackInstances": [
                {
                    "Summaries": [
                        {
                            "Account": "2",
                            "Region": "eu-west-1",
                            "Status": "INOPERABLE",
                            "StackInstanceStatus": {"DetailedStatus": "FAILED_IMPORT"},
                            "StatusReason": "no",
                            "OrganizationalUnitId": "ou-1",
                            "StackId": STACK,
                        }
                    ],
                    "NextToken": "t",
                },
                {"Summaries": [{"Account": "3", "Region": "eu-west-1", "Status": "CURRENT"}]},
            ]
        },
    ),
    "delete stack set": (lambda aws: stack_sets.delete_stack_set(place(aws)), {"DeleteStackSet": [{}]}),
    "hidden parameters": (
        lambda aws: stacks.hidden_parameters(aws, LANE, StackName="s"),
        {
            "GetTemplateSummary": [
                {"Parameters": [{"ParameterKey": "A", "NoEcho": True}, {"ParameterKey": "B"}]}
            ]
        },
    ),
}

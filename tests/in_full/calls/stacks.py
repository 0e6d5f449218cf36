"""Calls about secrets and stacks."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.gateways.aws import secrets, stacks
from ddsetup.model.states import SecretState
from tests.in_full.calls.world import AT, EVENTS, LANE, SECRET, STACK, Call

STACKS: Mapping[str, Call] = {
    "secret": (
        lambda aws: secrets.read_secret(aws, LANE, "key"),
        {
            "DescribeSecret": [
                {"Name": "key", "ARN": SECRET, "Tags": [{"Key": "k", "Value": "v"}], "DeletedDate": AT}
            ]
        },
    ),
    "secret, bare": (
        lambda aws: secrets.read_secret(aws, LANE, "key"),
        {"DescribeSecret": [{"ARN": SECRET}]},
    ),
    "secret, a tag without a value": (
        lambda aws: secrets.read_secret(aws, LANE, "key"),
        {"DescribeSecret": [{"ARN": SECRET, "Tags": [{"Key": "k"}]}]},
    ),
    "secret's value": (
        lambda aws: secrets.read_secret_value(aws, SECRET),
        {"GetSecretValue": [{"SecretString": "v"}]},
    ),
    "no secret's arn": (lambda aws: secrets.read_secret_value(aws, "key"), {}),
    "create secret": (
        lambda aws: secrets.create_secret(
            aws, LANE, SecretState(name="key", description="d", tags={"k": "v"}), "x"
        ),
        {"CreateSecret": [{"ARN": SECRET}]},
    ),
    "restore secret": (
        lambda aws: secrets.restore_secret(aws, LANE, "key"),
        {"RestoreSecret": [{"ARN": SECRET}]},
    ),
    "fill secret": (lambda aws: secrets.put_secret_value(aws, LANE, "key", "x"), {"PutSecretValue": [{}]}),
    "delete secret": (
        lambda aws: secrets.delete_secret(aws, LANE, "key", force=True),
        {"DeleteSecret": [{}]},
    ),
    "stacks": (
        lambda aws: stacks.list_stacks(aws, LANE),
        {"DescribeStacks": [{"Stacks": [STACK], "NextToken": "t"}, {"Stacks": [{"StackName": "bare"}]}]},
    ),
    "stack": (lambda aws: stacks.read_stack(aws, LANE, "s"), {"DescribeStacks": [{"Stacks": [STACK]}]}),
    "template": (
        lambda aws: stacks.template_parameters(aws, LANE, "https://t"),
        {"GetTemplateSummary": [{"Parameters": [{"ParameterKey": "A"}]}]},
    ),
    "create stack": (
        lambda aws: stacks.create_stack(aws, LANE, "s", "https://t", {"A": "b"}, {"k": "v"}),
        {"CreateStack": [{"StackId": "arn:stack"}]},
    ),
    "update stack": (
        lambda aws: stacks.update_stack(aws, LANE, "s", "", {"A": None, "B": "c"}, {}),
        {"UpdateStack": [{}]},
    ),
    "upgrade stack": (
        lambda aws: stacks.update_stack(aws, LANE, "s", "https://t", {}, {"k": "v"}),
        {"UpdateStack": [{}]},
    ),
    "delete stack": (lambda aws: stacks.delete_stack(aws, LANE, "s"), {"DeleteStack": [{}]}),
    "events": (
        lambda aws: stacks.stack_events(aws, LANE, "s"),
        {"DescribeStackEvents": [{"StackEvents": EVENTS[:2], "NextToken": "t"}, {"StackEvents": EVENTS[2:]}]},
    ),
    "newer events": (
        lambda aws: stacks.stack_events(aws, LANE, "s", "e2"),
        {"DescribeStackEvents": [{"StackEvents": EVENTS}]},
    ),
}

"""The cause of a failed stack, from its events."""

from __future__ import annotations

import pytest

from ddsetup.apply.writers.stack_failures import explain, first_failure
from ddsetup.gateways.aws.stacks import StackEvent
from tests.unit.world import AT


def event(
    logical_id: str, status: str, reason: str = "", resource_type: str = "AWS::Lambda::Function"
) -> StackEvent:
    return StackEvent(AT, logical_id, resource_type, status, reason, f"{logical_id}-{status}")


CANCELLED = event("ForwarderRole", "CREATE_FAILED", "Resource creation cancelled")


def test_the_first_failure_is_the_cause_and_cancelled_ones_are_not() -> None:
    cause = event("Forwarder", "CREATE_FAILED", "something new")
    later = event("ForwarderBucket", "CREATE_FAILED", "something else")
    assert first_failure([event("s", "CREATE_IN_PROGRESS"), CANCELLED, cause, later]) == cause
    said = explain([CANCELLED, cause, later], "ROLLBACK_COMPLETE")
    assert said.reason == "Forwarder (AWS::Lambda::Function) CREATE_FAILED: something new"
    assert said.fix == ""


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        (
            "User: arn:aws:iam::1:user/a is not authorized to perform: lambda:GetLayerVersion on resource: x",
            "InstallAsLayer=false",
        ),
        (
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of [100].",
            "ReservedConcurrency",
        ),
        ("datadog-forwarder already exists in stack arn:aws:cloudformation:x", "--forwarder-stack"),
        ("a secret with this name is already scheduled for deletion", "restore-secret"),
        ("API: iam:CreateRole User: x is not authorized to perform: iam:CreateRole", "ddsetup policy"),
        ("The bucket you tried to delete is not empty", "run this again"),
    ],
)
def test_frequent_failures_come_with_what_to_do(reason: str, fix: str) -> None:
    said = explain([event("Forwarder", "CREATE_FAILED", reason)], "ROLLBACK_COMPLETE")
    assert reason in said.reason
    assert fix in said.fix


def test_without_events_the_stack_speaks_for_itself() -> None:
    said = explain([], "ROLLBACK_COMPLETE", "The following resource(s) failed to create: [Forwarder].")
    assert said.reason.startswith("CloudFormation ended in ROLLBACK_COMPLETE: The following")

"""What of Datadog is in one account among many, and who is told to have put it there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.ownership import STACK_TAG
from ddsetup.model.account import Integration, Layer, Role, Unreadable
from ddsetup.plan.accounts_at_a_glance import account_row, called
from ddsetup.plan.steps.api_key import OWN_TAGS
from tests import builders as b

REFUSED = Unreadable("iam:GetRole", "not allowed")
FORWARDER = b.forwarder()
OF_A_SET = "StackSet-datadog-forwarder-0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("", ""),
        ("datadog", "stack datadog"),
        (OF_A_SET, "StackSet datadog-forwarder"),
        ("StackSet-dd-0a1b2c3d4e5f", "StackSet dd"),
        ("StackSet-dd-0a1b", "stack StackSet-dd-0a1b"),
        (f"{OF_A_SET}-Nested", f"stack {OF_A_SET}-Nested"),
        (f"my-{OF_A_SET}", f"stack my-{OF_A_SET}"),
    ],
)
def test_stacks_are_called_by_the_set_that_made_them(stack: str, expected: str) -> None:
    assert called(stack) == expected


def row(
    *, role: Role | Unreadable | None = None, known: Integration | Unreadable | None = None, **lane: Any
) -> Any:
    account = b.account_snapshot(role=role, integration=known)
    return account_row(b.snapshot(b.lane_snapshot(**lane), accounts=[account]), b.ACCOUNT)


@pytest.mark.parametrize(
    ("known", "role", "expected"),
    [
        (None, None, ("no", "", "")),
        (None, b.role(), ("no", "DatadogIntegrationRole", "")),
        (REFUSED, b.role(), ("unreadable", "", "")),
        (b.integration(), None, ("yes", "DatadogIntegrationRole", "by hand")),
        (b.integration(role_name=None), REFUSED, ("yes", "", "by hand")),
        (b.integration(), b.role(tags=OWN_TAGS), ("yes", "DatadogIntegrationRole", "ddsetup")),
        (
            b.integration(),
            b.role(tags={STACK_TAG: "datadog"}),
            ("yes", "DatadogIntegrationRole", "stack datadog"),
        ),
        (
            b.integration(),
            b.role(tags={STACK_TAG: OF_A_SET}),
            ("yes", "DatadogIntegrationRole", "StackSet datadog-forwarder"),
        ),
    ],
)
def test_the_integration_and_whose_role_it_has(
    known: Integration | Unreadable | None, role: Role | Unreadable | None, expected: tuple[str, str, str]
) -> None:
    found = row(role=role, known=known)
    assert (found["integrated"], found["integration_role"], found["integration_by"]) == expected


@pytest.mark.parametrize(("named", "by"), [("DatadogIntegrationRole", "stack for-all"), ("Other", "by hand")])
def test_the_stack_whose_parameter_names_the_role_has_it(named: str, by: str) -> None:
    stack = b.stack("for-all", parameters={"IAMRoleName": named})
    stacks = (b.stack("another"), stack)
    assert row(known=b.integration(), stacks=stacks)["integration_by"] == by
    assert row(known=b.integration(), stacks=REFUSED)["integration_by"] == "by hand"


@pytest.mark.parametrize(
    ("stack", "by"),
    [
        (b.stack(), "stack datadog-forwarder"),
        (b.stack(tags=OWN_TAGS), "ddsetup"),
        (b.stack(OF_A_SET), "StackSet datadog-forwarder"),
        (b.stack(OF_A_SET, tags=OWN_TAGS), "StackSet datadog-forwarder"),
    ],
)
def test_a_forwarder_is_of_its_stack(stack: Any, by: str) -> None:
    forwarder = replace(FORWARDER, stack=stack.name)
    others = (b.stack("before", tags=OWN_TAGS), stack)
    (found,) = row(forwarders=(forwarder,), stacks=others)["forwarders"]
    assert found == {
        "name": "datadog-forwarder",
        "region": b.REGION,
        "version": "5.4.11",
        "registered": False,
        "by": by,
    }


def test_forwarders_without_a_stack_or_that_cannot_be_read() -> None:
    bare = replace(FORWARDER, stack=None, version=None)
    registered = b.integration(lambdas=(FORWARDER.arn,))
    (found,) = row(forwarders=(bare,), known=registered)["forwarders"]
    assert (found["version"], found["registered"], found["by"]) == ("", True, "by hand")
    (unread,) = row(forwarders=(FORWARDER,), known=registered, stacks=REFUSED)["forwarders"]
    assert unread["by"] == "stack datadog-forwarder"
    assert row(forwarders=REFUSED)["forwarders"] == []


def test_functions_are_counted_and_regions_named() -> None:
    extension = Layer(f"arn:aws:lambda:{b.REGION}:464622532012:layer:Datadog-Extension:90")
    wrapped = {"handler": "datadog_lambda.handler.handler", "env": {"DD_LAMBDA_HANDLER": "app.handler"}}
    functions = (b.function("a", layers=(extension,)), b.function("b", **wrapped), b.function("c"))
    east = b.lane_snapshot(b.function("d", region="us-east-1"))
    foreign = b.lane_snapshot(lane=b.lane(b.OTHER_ACCOUNT))
    seen = b.snapshot(b.lane_snapshot(*functions, forwarders=(FORWARDER,)), east, foreign)
    seen = replace(seen, left_out={b.lane(region="ap-south-1"): REFUSED})
    found = account_row(seen, b.ACCOUNT)
    assert (found["functions"], found["with_datadog"], found["without_datadog"]) == (4, 2, 2)
    assert (found["regions"], found["unreadable"]) == ([b.REGION, "us-east-1"], ["ap-south-1: not allowed"])

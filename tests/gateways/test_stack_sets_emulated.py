"""The parts of the emulated StackSets that need nobody to run: whom an operation is about, how far it goes,
and how its requests and answers are written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ddsetup.sandbox.emulator import org_tree
from ddsetup.sandbox.emulator.org_tree import Member, Organization
from ddsetup.sandbox.emulator.refusals import Refusal
from ddsetup.sandbox.emulator.stack_sets import running, targets, wire
from ddsetup.sandbox.emulator.stack_sets.records import Instance, Operation, StackSet
from ddsetup.sandbox.model import ACCOUNT
from tests.gateways.emulated import REGION


@pytest.fixture
def organization() -> Iterator[Organization]:
    made = org_tree.create(ACCOUNT, "ALL")
    for unit, names in {"outer": "ab", "other": "c"}.items():
        held = made.add_unit(made.root, unit)
        made.members |= {name: Member(name, name, name, held.id) for name in names}
    inner = made.add_unit(made.members["a"].parent, "inner")
    made.members["d"] = Member("d", "d", "d", inner.id)
    yield made
    org_tree.forget()


@pytest.mark.parametrize(
    ("way", "named", "found"),
    [
        (None, "", "abd"),
        ("NONE", "", "abd"),
        ("INTERSECTION", "ac", "a"),
        ("DIFFERENCE", "ac", "bd"),
        ("UNION", "ac", "abcd"),
    ],
)
def test_targets_are_those_below_a_unit_filtered(
    organization: Organization, way: str | None, named: str, found: str
) -> None:
    unit = organization.members["a"].parent
    asked = {"OrganizationalUnitIds": [unit], "Accounts": list(named), "AccountFilterType": way}
    assert set(targets.accounts(organization, asked)) == set(found)


def test_the_management_account_is_no_target(organization: Organization) -> None:
    for way in ("NONE", "UNION"):
        asked = {
            "OrganizationalUnitIds": [organization.root],
            "Accounts": [ACCOUNT],
            "AccountFilterType": way,
        }
        assert set(targets.accounts(organization, asked)) == set("abcd")


@pytest.mark.parametrize(
    "asked",
    [
        {"Accounts": ["a"]},
        {"OrganizationalUnitIds": ["ou-none-00000000"]},
        {"OrganizationalUnitIds": ["r"] * 51},
        {"OrganizationalUnitIds": ["ROOT"], "Accounts": ["a"]},
    ],
)
def test_targets_that_make_no_sense_are_refused(organization: Organization, asked: dict[str, Any]) -> None:
    units = [organization.root if each == "ROOT" else each for each in asked.get("OrganizationalUnitIds", [])]
    with pytest.raises(Refusal) as caught:
        targets.checked(organization, {**asked, "OrganizationalUnitIds": units}, "CREATE")
    assert caught.value.code == "ValidationError"


@pytest.mark.parametrize(
    ("preferences", "limits"),
    [
        ({}, (0, 1)),
        ({"FailureToleranceCount": 3, "MaxConcurrentCount": 4}, (3, 4)),
        ({"FailureTolerancePercentage": 15, "MaxConcurrentPercentage": 25}, (1, 2)),
        ({"FailureTolerancePercentage": 5, "MaxConcurrentPercentage": 5}, (0, 1)),
    ],
)
def test_percentages_are_rounded_down_and_one_is_always_worked_on(
    preferences: dict[str, int], limits: tuple[int, int]
) -> None:
    operation = Operation("id", "CREATE", list, [], preferences=preferences)
    assert running._limits(operation, 10) == limits


def test_regions_come_in_the_order_that_is_asked_for() -> None:
    assert running.order(["a", "b", "c"], {"RegionOrder": ["c", "x", "a"]}) == ["c", "a", "b"]
    assert running.order(["a", "b"], {}) == ["a", "b"]


@pytest.mark.parametrize("way", ["PARALLEL", "SEQUENTIAL"])
def test_an_operation_that_breaks_off_has_failed_and_ends(organization: Organization, way: str) -> None:
    def strike(_set: str, _account: str, _region: str) -> str:
        raise RuntimeError("nobody reckoned with it")

    async def run() -> None:
        running.Runner(strike).start(held, operation)
        (task,) = running._tasks
        await asyncio.wait([task])
        assert isinstance(task.exception(), RuntimeError)

    held = StackSet("set", REGION, ACCOUNT, "", {}, frozenset(), [], {})
    instance = Instance("a", REGION, organization.members["a"].parent)
    preferences = {"RegionConcurrencyType": way}
    operation = Operation("id", "DELETE", lambda: [instance], [REGION], preferences=preferences, retain=True)
    asyncio.run(run())
    assert (operation.status, held.under_way) == ("FAILED", [])


def test_requests_and_answers_have_the_shapes_of_the_model() -> None:
    flat = {
        "Action": ["CreateStackInstances"],
        "StackSetName": ["s"],
        "Regions.member.1": ["eu-west-1"],
        "Regions.member.2": ["us-east-1"],
        "DeploymentTargets.OrganizationalUnitIds.member.1": ["ou-1"],
        "OperationPreferences.MaxConcurrentCount": ["5"],
        "ParameterOverrides.member.1.ParameterKey": ["Key"],
        "ParameterOverrides.member.1.UsePreviousValue": ["true"],
    }
    assert wire.request("CreateStackInstances", flat) == {
        "StackSetName": "s",
        "Regions": ["eu-west-1", "us-east-1"],
        "DeploymentTargets": {"OrganizationalUnitIds": ["ou-1"]},
        "OperationPreferences": {"MaxConcurrentCount": 5},
        "ParameterOverrides": [{"ParameterKey": "Key", "UsePreviousValue": True}],
    }
    with pytest.raises(KeyError):
        wire.answer("DescribeStackSetOperation", {"StackSetOperation": {"Nonsense": 1}})
    status, _, body = wire.refusal(Refusal("OperationInProgressException", "a < b"))
    assert (status, b"a &lt; b" in body) == (409, True)


def test_an_instance_is_known_by_account_and_region() -> None:
    assert Instance("1", "eu-west-1", "ou").key == ("1", "eu-west-1")

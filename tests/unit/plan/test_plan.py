"""The steps together: in order, each change after what it needs, and nothing left to do once it is done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.model.account import Stack, Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.whole import STEPS, make_plan
from tests import builders as b

FUNCTIONS = (b.function("orders"), b.function("pay"), b.function("there", region="us-east-1"))


def world(**account: Any) -> Snapshot:
    lanes = (b.lane_snapshot(*FUNCTIONS[:2]), b.lane_snapshot(FUNCTIONS[2]))
    return b.snapshot(*lanes, accounts=[b.account_snapshot(**account)])


def test_an_untouched_account_is_set_up_in_the_order_of_the_steps() -> None:
    plan = make_plan(world(), b.answers(), FUNCTIONS)
    steps = list(dict.fromkeys(change.step for change in plan.changes))
    assert steps == [name for name, _step in STEPS if name in steps]
    assert set(steps) >= {"integration", "forwarder", "collection", "instrument"}


@pytest.mark.parametrize("answers", [{}, {"via": "extension"}, {"subscribe": "direct"}])
def test_what_a_change_needs_comes_before_it(answers: dict[str, Any]) -> None:
    seen: set[ResourceId] = set()
    changes = make_plan(world(), b.answers(**answers), FUNCTIONS).changes
    assert any(change.needs for change in changes)
    for change in changes:
        planned_later = {c.resource for c in changes} - seen
        assert not planned_later & set(change.needs), change
        seen.add(change.resource)


def test_no_resource_is_changed_twice() -> None:
    resources = [c.resource for c in make_plan(world(), b.answers(), FUNCTIONS).changes]
    assert len(set(resources)) == len(resources)


def test_every_change_of_a_region_says_so() -> None:
    changes = make_plan(world(), b.answers(), FUNCTIONS).changes
    assert {bool(change.resource.region) for change in changes} == {True, False}
    for change in changes:
        everywhere = change.resource.kind in ("iam_role", "integration", "log_collection", "role_policy")
        assert bool(change.resource.region) is not everywhere
        assert change.resource.account == b.ACCOUNT


def test_a_datadog_that_cannot_be_read_still_lets_functions_be_instrumented() -> None:
    plan = make_plan(world(integration=Unreadable("aws_configuration_read", "no")), b.answers(), FUNCTIONS)
    assert {c.step for c in plan.changes} == {"forwarder", "instrument"}


def test_warnings_are_said_once() -> None:
    old = b.datadog_snapshot(fallbacks=("log_services",))
    snapshot = replace(world(), datadog=old)
    plan = make_plan(snapshot, b.answers(log_sources=("lambda", "newer")), FUNCTIONS)
    assert len(set(plan.warnings)) == len(plan.warnings)
    assert any("newer" in warning for warning in plan.warnings)


def test_what_ddsetup_may_not_see_is_a_warning() -> None:
    plan = make_plan(world(simulated={"cloudwatch:ListMetrics": "denied"}), b.answers(), FUNCTIONS)
    assert any("cloudwatch:ListMetrics" in warning for warning in plan.warnings)


def test_a_keeper_of_another_site_would_lead_back_what_is_set_up() -> None:
    def said(site: str, **tags: str) -> list[str]:
        keeper = Stack(name="ddsetup-keep", status="CREATE_COMPLETE", tags={"datadog_site": site, **tags})
        seen = b.snapshot(b.lane_snapshot(*FUNCTIONS[:2], stacks=(keeper,)))
        return [each for each in make_plan(seen, b.answers(), FUNCTIONS[:2]).warnings if "keeper" in each]

    (warning,) = said("us5.datadoghq.com", created_by="ddsetup")
    assert "ddsetup keep install" in warning
    assert said(b.answers().site, created_by="ddsetup") == []
    assert said("us5.datadoghq.com") == [], "a stack of somebody else's"

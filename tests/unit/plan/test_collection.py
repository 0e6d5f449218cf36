"""Log collection: Forwarders and sources added to what others registered."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.model.account import Unreadable
from ddsetup.model.change import Change, Plan
from ddsetup.model.errors import UsageError
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import LogCollectionState
from ddsetup.plan.steps import collection
from tests import builders as b

FUNCTION = b.function("orders")
FORWARDER = b.function_arn("datadog-forwarder")
OTHER = b.function_arn("other-forwarder")


def world(account: dict[str, Any] | None = None, **lane: Any) -> Snapshot:
    if account is None:
        account = {"integration": b.integration(), "role": b.role()}
    held = b.account_snapshot(**account)
    return b.snapshot(b.lane_snapshot(FUNCTION, **lane), accounts=[held])


def planned(snapshot: Snapshot | None = None, /, **answers: Any) -> Plan:
    return collection.plan(snapshot or world(), b.answers(**answers), (FUNCTION,))


def only(plan: Plan) -> tuple[Change, LogCollectionState, LogCollectionState]:
    (change,) = plan.changes
    assert isinstance(change.before, LogCollectionState)
    assert isinstance(change.after, LogCollectionState)
    return change, change.before, change.after


def registered(*arns: str, sources: tuple[str, ...] = ("lambda",), **lane: Any) -> Snapshot:
    live = b.integration(lambdas=arns, sources=sources)
    return world({"integration": live, "role": b.role()}, **lane)


def test_the_forwarder_about_to_be_deployed_is_registered_after_it() -> None:
    change, before, after = only(planned())
    assert before == LogCollectionState()
    assert after == LogCollectionState(lambdas=(FORWARDER,), sources=("lambda",))
    assert [n.kind for n in change.needs] == ["stack"]


def test_an_account_not_yet_integrated_is_registered_first() -> None:
    change, _before, _after = only(planned(world({})))
    assert [n.kind for n in change.needs] == ["stack", "integration"]


def test_what_others_registered_is_no_part_of_the_change() -> None:
    elsewhere = b.function_arn("fwd", region="us-east-1")
    _change, before, after = only(planned(registered(elsewhere, sources=("s3",))))
    assert before == LogCollectionState()
    assert after == LogCollectionState(lambdas=(FORWARDER,), sources=("lambda",))


def test_what_is_there_of_ours_is_on_both_sides() -> None:
    snapshot = registered(FORWARDER, sources=("lambda",), forwarders=(b.forwarder(),))
    _change, before, after = only(planned(snapshot, log_sources=("lambda", "s3")))
    assert before == LogCollectionState(lambdas=(FORWARDER,), sources=("lambda",))
    assert after == LogCollectionState(lambdas=(FORWARDER,), sources=("lambda", "s3"))


def test_nothing_to_do_when_all_is_registered() -> None:
    plan = planned(registered(FORWARDER, forwarders=(b.forwarder(),)))
    assert plan.changes == ()
    assert plan.skipped[0].status == "unchanged"


def test_a_registered_forwarder_that_is_gone_makes_room() -> None:
    change, before, after = only(planned(registered(OTHER)))
    assert before.lambdas == (OTHER,)
    assert after.lambdas == (FORWARDER,)
    assert OTHER in change.note


def test_a_second_forwarder_of_a_region_is_not_registered_beside_the_first() -> None:
    snapshot = registered(OTHER, forwarders=(b.forwarder("other-forwarder"),))
    plan = planned(snapshot, forwarder_arns=(FORWARDER,))
    assert plan.changes == ()
    assert OTHER in plan.skipped[0].fix


def test_beside_a_second_forwarder_one_that_is_registered_already_stays() -> None:
    there = (b.forwarder(), b.forwarder("other-forwarder"))
    snapshot = registered(OTHER, FORWARDER, sources=(), forwarders=there)
    plan = planned(snapshot, forwarder_arns=(FORWARDER,))
    assert plan.skipped == ()
    assert only(plan)[1:] == (
        LogCollectionState(lambdas=(FORWARDER,)),
        LogCollectionState(lambdas=(FORWARDER,), sources=("lambda",)),
    )


def test_metrics_travel_in_logs_so_no_logs_still_registers() -> None:
    assert planned(logs=False).changes
    assert not planned(logs=False, traces=False, enhanced_metrics=False).changes


def test_with_nothing_to_send_a_named_forwarder_is_still_registered() -> None:
    there = b.function("there", region="us-east-1")
    account = b.account_snapshot(integration=b.integration(), role=b.role())
    snapshot = b.snapshot(b.lane_snapshot(FUNCTION), b.lane_snapshot(there), accounts=[account])
    quiet = b.answers(logs=False, traces=False, enhanced_metrics=False, forwarder_arns=(FORWARDER,))
    assert only(collection.plan(snapshot, quiet, (FUNCTION, there)))[2].lambdas == (FORWARDER,)


@pytest.mark.parametrize("answers", [{"via": "extension"}, {"subscribe": "none"}, {"subscribe": "direct"}])
def test_nothing_is_registered_unless_datadog_is_to_subscribe(answers: dict[str, Any]) -> None:
    assert planned(**answers) == Plan()


def test_direct_filters_beside_automatic_ones_are_warned_about() -> None:
    elsewhere = b.function_arn("fwd", region="us-east-1")
    snapshot = registered(FORWARDER, elsewhere, forwarders=(b.forwarder(),))
    plan = planned(snapshot, subscribe="direct")
    assert plan.changes == ()
    assert b.REGION in plan.warnings[0]
    assert planned(registered(elsewhere), subscribe="direct") == Plan()
    assert planned(registered(FORWARDER, sources=("s3",)), subscribe="direct") == Plan()


def test_an_unreadable_record_is_not_planned_over() -> None:
    plan = planned(world({"integration": Unreadable("aws_configuration_read", "Forbidden")}))
    assert (plan.changes, plan.skipped[0].status) == ((), "skipped")


def test_without_an_integration_in_sight_nothing_is_registered() -> None:
    assert planned(world({"role": b.role()})).changes == ()


def test_without_a_forwarder_nothing_is_registered() -> None:
    assert "no Forwarder" in planned(world(stacks=Unreadable("x", "denied"))).skipped[0].reason


def test_a_source_that_datadog_does_not_list_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no log source 'lamda'") as refused:
        planned(log_sources=("lamda",))
    assert refused.value.fix.startswith("did you mean lambda?")


def test_the_bundled_list_may_be_too_old_to_leave_a_source_out() -> None:
    datadog = b.datadog_snapshot(fallbacks=("log_services",))
    account = b.account_snapshot(integration=b.integration(), role=b.role())
    snapshot = b.snapshot(b.lane_snapshot(FUNCTION), accounts=[account], datadog=datadog)
    plan = planned(snapshot, log_sources=("lambda", "newer"))
    assert only(plan)[2].sources == ("lambda", "newer")
    assert "newer" in plan.warnings[0]

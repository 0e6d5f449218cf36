"""How many calls a run makes for each function: what its speed depends on, since AWS rations calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.flow import verbs
from ddsetup.flow.guided import Guide
from ddsetup.flow.keeping import look_for_drift
from ddsetup.model.change import Outcome
from ddsetup.observe.in_bulk import GLANCE
from ddsetup.plan.whole import make_plan
from ddsetup.settings.given import from_flags
from tests.gateways.crowd import REGION, Bench, N, bench
from tests.patience import PATIENCE

__all__ = ["bench"]

SOME = {
    "filterPattern": "",
    "destinationArn": "arn:aws:firehose:us-east-1:000000000042:deliverystream/theirs",
}


def statuses(outcomes: tuple[Outcome, ...], kind: str) -> set[str]:
    return {o.status for o in outcomes if o.resource.kind == kind}


def test_a_first_run_updates_and_looks_once_for_each_function_and_reads_no_filters_in_vain(
    bench: Bench,
) -> None:
    first = bench.set_up()
    assert statuses(first.outcomes, "function") == {"applied"}
    assert first.calls["lambda:UpdateFunctionConfiguration"] == N
    assert first.calls["logs:DescribeSubscriptionFilters"] == 0
    assert first.total <= 2.2 * N + 60, first.calls
    assert first.calls["lambda:ListAliases"] == 0
    assert first.calls["tag:TagResources"] <= N / 20 + 2

    again = bench.set_up()
    assert again.before.plan.changes == ()
    assert again.writes == set()
    assert again.total <= N / 25 + 40, again.calls


def test_thorough_reads_the_filters_of_every_log_group(bench: Bench) -> None:
    run = bench.set_up(thorough=True)
    assert run.calls["logs:DescribeSubscriptionFilters"] == N


def test_direct_filters_take_one_write_for_each_group_and_no_look(bench: Bench) -> None:
    account = bench.memory.account
    idle = "/aws/lambda/service-00007"
    account.filters[idle] = {
        n: {**SOME, "filterName": n, "logGroupName": idle} for n in ("alarms", "archive")
    }
    run = bench.set_up(subscribe="direct")
    assert run.total <= 3.2 * N + 60, run.calls
    # CloudWatch knows nothing of two filters that never delivered: AWS refuses a third, and all is well.
    assert run.calls["logs:DescribeSubscriptionFilters"] == 1
    assert [o.resource.name.partition(":")[0] for o in run.outcomes if "is full" in o.reason] == [idle]
    ours = [g for g, filters in account.filters.items() if any(n.startswith("ddsetup-") for n in filters)]
    full = [g for g, filters in account.filters.items() if {"archive", "alarms"} <= set(filters)]
    assert len(ours) + len(full) == N
    assert not set(ours) & set(full)
    assert len(full) == N / 50 + 1

    again = bench.set_up(subscribe="direct")
    assert again.writes == set()
    assert again.total <= N / 25 + 40 + 1, again.calls


def test_a_plan_made_on_the_way_is_the_one_that_is_made_with_everything_known(bench: Bench) -> None:
    session = bench.session()
    flags = {"all": True, "site": "datadoghq.com", "region": (REGION,), "subscribe": "direct"}
    flags |= {"thorough": True}
    whole = verbs.prepare(session, from_flags(flags))
    run = bench.set_up(subscribe="direct", on_conflict="replace", thorough=True)
    answers = replace(whole.answers, on_conflict="replace")
    wanted = make_plan(whole.snapshot, answers, whole.selected)
    assert len(run.before.plan.changes) < len(wanted.changes)
    assert run.after.plan == wanted
    key = lambda resource: (resource.kind, resource.id)  # noqa: E731 - an order for both
    carried_out = sorted((o.resource for o in run.outcomes), key=key)
    assert carried_out == sorted((c.resource for c in wanted.changes), key=key)


def test_a_foreign_filter_stays_unless_it_was_given_away(bench: Bench) -> None:
    before = {group: set(filters) for group, filters in bench.memory.account.filters.items()}
    bench.set_up(subscribe="direct")
    after = bench.memory.account.filters
    assert any(before.values())
    assert all(names <= set(after[group]) for group, names in before.items())


def test_a_status_reads_pages_only(bench: Bench) -> None:
    session = bench.session()
    verbs.look(session, fields=GLANCE)
    assert sum(session.aws.calls.values()) <= N / 25 + 20, session.aws.calls
    assert session.aws.calls["logs:DescribeLogGroups"] == 0


@pytest.mark.parametrize("subscribe", ["automatic", "direct"])
def test_drift_is_told_from_pages_and_who_did_it_from_the_trail(bench: Bench, subscribe: str) -> None:
    bench.set_up(subscribe=subscribe)
    flags = {"all": True, "site": "datadoghq.com", "region": (REGION,), "subscribe": subscribe}
    calm = bench.session()
    assert look_for_drift(calm, from_flags(flags)).drift == ()
    assert sum(calm.aws.calls.values()) <= N / 50 + 20, calm.aws.calls

    lost = bench.memory.account.functions["service-00009"]
    lost["Layers"], lost["Handler"], lost["Environment"] = [], "app.handler", {"Variables": {"TABLE": "x"}}
    session = bench.session()
    (found,) = look_for_drift(session, from_flags(flags)).drift
    assert (found.kind, found.resource.name) == ("lost", "service-00009")
    assert sum(session.aws.calls.values()) <= N / 50 + 20, session.aws.calls


def _gives_up(session: verbs.Session, prepared: verbs.Prepared) -> None:
    """As a run does at which nobody is there to agree to the plan."""
    call: Any = None
    Guide(call, session.host).put_back(prepared)


def _closes(_session: verbs.Session, prepared: verbs.Prepared) -> None:
    assert prepared.sweep is not None
    prepared.sweep.close()


@pytest.mark.parametrize("leave", [_closes, _gives_up])
def test_leaving_before_the_end_ends_the_reading_too(
    bench: Bench, leave: Callable[[verbs.Session, verbs.Prepared], None]
) -> None:
    session = bench.session(rate_scale=4)
    given = from_flags({"all": True, "site": "datadoghq.com", "region": (REGION,), "thorough": True})
    prepared = verbs.prepare(session, given, late=True)
    assert prepared.sweep is not None
    assert prepared.sweep.left > 0
    leave(session, prepared)
    assert prepared.sweep.left == 0
    for thread in threading.enumerate():
        if thread.name.startswith("sweep"):
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_filters_that_cannot_be_read_on_the_way_are_reported_group_by_group(bench: Bench) -> None:
    bench.front.refuse("logs:DescribeSubscriptionFilters", after=20)
    run = bench.set_up(subscribe="direct", thorough=True)
    unread = [s for s in run.after.plan.skipped if "logs:DescribeSubscriptionFilters" in s.reason]
    assert statuses(run.outcomes, "function") == {"applied"}
    assert len(unread) >= N - 40
    assert {s.status for s in unread} == {"skipped"}

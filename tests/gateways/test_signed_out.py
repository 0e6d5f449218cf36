"""Credentials that end in the middle: said once for the whole run, and told in full after changes."""

from __future__ import annotations

import pytest

from ddsetup.flow import verbs
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.errors import CredentialsError, SignedOut
from ddsetup.settings.given import from_flags
from ddsetup.verify.invoke_again import wait_for_subscriptions
from ddsetup.verify.progress import Watch
from ddsetup.verify.watch import cloudwatch_traffic
from tests.gateways.aws_stand import FakeTime
from tests.gateways.crowd import REGION, Bench, N, bench

__all__ = ["bench"]

GIVEN = {"all": True, "site": "datadoghq.com", "region": (REGION,)}


@pytest.mark.parametrize("after", [0, 1, 5, 9, 14])
def test_whatever_read_it_hits_a_look_ends_and_says_so_once(bench: Bench, after: int) -> None:
    session = bench.session()
    bench.front.expire(after=after)
    with pytest.raises(SignedOut, match="the temporary AWS credentials have expired") as caught:
        verbs.look(session)
    assert isinstance(caught.value, CredentialsError)
    assert caught.value.exit_code == 4
    assert caught.value.fix


def test_what_is_read_only_if_it_may_be_does_not_hide_it(bench: Bench) -> None:
    session = bench.session()
    snapshot = verbs.look(session)
    for after in range(0, 12, 3):
        bench.front.expire(after=after)
        with pytest.raises(SignedOut):
            verbs.prepare(session, from_flags({**GIVEN, "thorough": True}), seen=snapshot)


def test_before_the_plan_it_stops_the_reading_of_filters_without_another_call(bench: Bench) -> None:
    session = bench.session()
    snapshot = verbs.look(session)
    bench.front.reset()
    bench.front.refuse("logs:DescribeSubscriptionFilters", code="ExpiredTokenException")
    with pytest.raises(SignedOut):
        verbs.prepare(session, from_flags({**GIVEN, "thorough": True}), seen=snapshot, late=True)
    assert bench.front.tally.calls["logs:DescribeSubscriptionFilters"] < N / 5


def test_while_changes_are_made_nothing_further_is_sent_and_each_says_why(bench: Bench) -> None:
    session = bench.session()
    prepared = verbs.prepare(session, from_flags({**GIVEN, "subscribe": "direct"}), late=True)
    bench.front.reset()
    bench.front.expire(after=250)
    applied = verbs.carry_out(
        session, prepared.plan.changes, prepared.snapshot, command="setup", late=prepared.late
    )
    sent = sum(bench.front.tally.calls.values())
    ended = {o.status for o in applied.outcomes}
    assert {"applied", "failed", "skipped"} <= ended
    assert all(
        "expired" in o.reason or o.reason.startswith("needs")
        for o in applied.outcomes
        if o.status == "failed"
    )
    skipped = [o for o in applied.outcomes if o.status == "skipped"]
    assert any("not sent: the temporary AWS credentials have expired" in o.reason for o in skipped)
    assert sent < 250 + 150, "what was under way, and no more"
    bench.front.expire(after=10**9)
    again = bench.set_up(subscribe="direct")
    assert {o.status for o in again.outcomes} <= {"applied", "unchanged"}
    assert bench.set_up(subscribe="direct").before.plan.changes == ()


def test_after_the_changes_it_is_a_state_of_what_is_told(bench: Bench) -> None:
    session = bench.session()
    snapshot = verbs.look(session)
    bench.front.expire()
    function = snapshot.functions()[0]
    counts = cloudwatch_traffic(session.aws)(Lane(function.account, REGION), [function.name], 60)
    assert isinstance(counts, Unreadable)
    assert not wait_for_subscriptions(session.aws, [function], FakeTime().clock)
    answers = Answers(site="datadoghq.com", regions=(REGION,))
    watched = Watch(functions=(function,), answers=answers, since=session.host.clock.now())
    signals = verbs.prove(session, watched, wait_seconds=0, on_update=lambda _signals: None)
    assert signals

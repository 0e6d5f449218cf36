"""The proof, against the stand-in for Datadog: what arrived is seen, and what did not is explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from benchmarks import queries
from ddsetup.gateways.datadog.events import log_carriers
from ddsetup.gateways.datadog.sightings import MOST_GROUPS
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.errors import UsageError
from ddsetup.model.report import Signal
from ddsetup.sandbox.datadog.limits import HOURLY_LIMITS
from ddsetup.verify.progress import Watch, others_than
from ddsetup.verify.watch import observe_signals, watch
from tests.builders import OTHER_ACCOUNT, answers, function
from tests.gateways.datadog_world import (
    World,
    cloudwatch_metric,
    cloudwatch_metrics,
    datadog,
    invocation,
    library_metric,
    library_metrics,
    log,
    logs,
    metric,
    span,
    spans,
    tags_of,
)

EVERYTHING = {"cloudwatch_metrics", "enhanced_metrics", "cold_start", "logs", "traces"}
ORDERS = function("Orders")


@pytest.fixture
def world() -> Iterator[World]:
    with datadog() as started:
        yield started


@dataclass
class Traffic:
    """CloudWatch's count: `invoked` maps a function's name to how many minutes ago each invocation was."""

    invoked: Mapping[str, Sequence[float]] = field(default_factory=dict)
    asked: list[tuple[Lane, tuple[str, ...], int]] = field(default_factory=list)

    def __call__(self, lane: Lane, names: Sequence[str], minutes: int) -> Mapping[str, float]:
        self.asked.append((lane, tuple(names), minutes))
        return {n: float(sum(ago <= minutes for ago in self.invoked.get(n, ()))) for n in names}


def denied(lane: Lane, names: Sequence[str], minutes: int) -> Unreadable:
    return Unreadable("cloudwatch:GetMetricData", "denied")


def of(world: World, *functions: Function, ago: float = 60, **over: object) -> Watch:
    """Watching these functions since a minute ago, or `ago` seconds."""
    return Watch(functions=functions, answers=answers(**over), since=world.now() - timedelta(seconds=ago))


def by_signal(signals: Sequence[Signal]) -> dict[str, Signal]:
    return {signal.signal: signal for signal in signals}


def statuses(signals: Sequence[Signal]) -> dict[str, str]:
    return {signal.signal: signal.status for signal in signals}


def test_all_signals_of_a_healthy_function_are_seen(world: World) -> None:
    invocation(world, ORDERS)
    cloudwatch_metric(world, ORDERS)
    found = by_signal(observe_signals(world.connect(), Traffic(), of(world, ORDERS), clock=world.clock))
    assert {name: signal.status for name, signal in found.items()} == dict.fromkeys(EVERYTHING, "arrived")
    assert found["cloudwatch_metrics"].path == "cloudwatch"
    assert {found[name].path for name in EVERYTHING - {"cloudwatch_metrics"}} == {"forwarder"}
    assert {(signal.function, signal.region) for signal in found.values()} == {("Orders", "eu-west-1")}
    assert found["logs"].at == world.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def test_functions_that_arrive_one_after_the_other_are_all_seen_within_datadogs_limits() -> None:
    """A third of them each minute; the stand-in refuses what Datadog would."""
    functions = queries.spread(240, 3)
    with datadog({"limits": dict(HOURLY_LIMITS)}) as world:
        found = queries.staggered(world, functions, 3)
        refused = [call for call in world.calls() if call["status"] == 429]
    assert Counter(signal.status for signal in found) == {"arrived": len(EVERYTHING) * len(functions)}
    assert refused == []


def test_the_extensions_data_is_told_from_the_forwarders(world: World) -> None:
    invocation(world, ORDERS, forwarded=False)
    wanted = of(world, ORDERS, via="extension")
    found = by_signal(observe_signals(world.connect(), Traffic(), wanted, clock=world.clock))
    assert {found[name].path for name in EVERYTHING - {"cloudwatch_metrics"}} == {"extension"}


def test_what_is_older_than_the_run_proves_nothing(world: World) -> None:
    invocation(world, ORDERS)
    cloudwatch_metric(world, ORDERS)
    world.sleep(120)
    found = observe_signals(world.connect(), denied, of(world, ORDERS), clock=world.clock)
    assert set(statuses(found).values()) == {"waiting"}


def test_no_traffic_is_neither_waiting_nor_missing(world: World) -> None:
    wanted = of(world, ORDERS, ago=3600)
    found = observe_signals(world.connect(), Traffic(), wanted, clock=world.clock)
    assert set(statuses(found).values()) == {"no_traffic"}
    assert "no invocation since" in found[0].reason


def test_a_count_of_zero_is_no_arrival(world: World) -> None:
    metric(world, "aws.lambda.enhanced.invocations", 0, tags_of(ORDERS, forwarded=True))
    found = observe_signals(world.connect(), Traffic(), of(world, ORDERS), clock=world.clock)
    assert "arrived" not in statuses(found).values()


def test_what_should_long_be_there_is_missing(world: World) -> None:
    wanted = of(world, ORDERS, ago=7200)
    found = statuses(observe_signals(world.connect(), Traffic({"Orders": [110]}), wanted, clock=world.clock))
    assert set(found.values()) == {"missing"}


def test_cloudwatch_is_given_an_hour_where_datadog_reads_nothing_of_it_yet(world: World) -> None:
    wanted = of(world, ORDERS, ago=3600)

    def judged() -> Signal:
        found = observe_signals(world.connect(), Traffic({"Orders": [50]}), wanted, clock=world.clock)
        return by_signal(found)["cloudwatch_metrics"]

    assert judged().status == "waiting"
    assert "once an hour" in judged().reason
    cloudwatch_metric(world, function("other", region="us-east-1"))
    assert judged().status == "waiting"
    cloudwatch_metric(world, function("other"))
    assert judged().status == "missing"


def test_cloudwatch_is_given_five_minutes_where_a_metric_stream_brings_it(world: World) -> None:
    other = function("other", region="us-east-1")
    wanted = replace(of(world, ORDERS, other, ago=600), streamed=frozenset({ORDERS.lane}))
    ran_before = Traffic({"Orders": [8], "other": [8]})
    found = observe_signals(world.connect(), ran_before, wanted, clock=world.clock)
    judged = {s.function: s for s in found if s.signal == "cloudwatch_metrics"}
    assert judged["Orders"].status == "missing"
    assert "usual 5 minutes" in judged["Orders"].reason
    assert judged["other"].status == "waiting"
    just_now = Traffic({"Orders": [2]})
    found = observe_signals(world.connect(), just_now, wanted, clock=world.clock)
    assert by_signal([s for s in found if s.function == "Orders"])["cloudwatch_metrics"].status == "waiting"


def test_an_invocation_of_just_now_is_waited_for_however_long_the_window(world: World) -> None:
    wanted = of(world, ORDERS, ago=3600)
    found = observe_signals(world.connect(), Traffic({"Orders": [1]}), wanted, clock=world.clock)
    assert set(statuses(found).values()) == {"waiting"}
    ten_minutes = Traffic({"Orders": [10]})  # late for the Forwarder, early for CloudWatch's crawl
    found = observe_signals(world.connect(), ten_minutes, wanted, clock=world.clock)
    assert statuses(found) == dict.fromkeys(EVERYTHING, "missing") | {"cloudwatch_metrics": "waiting"}


def test_what_arrived_proves_an_invocation_that_cloudwatch_has_not_counted(world: World) -> None:
    log(world, ORDERS)
    found = statuses(observe_signals(world.connect(), Traffic(), of(world, ORDERS), clock=world.clock))
    assert found == dict.fromkeys(EVERYTHING, "waiting") | {"logs": "arrived"}


def test_without_cloudwatch_absence_is_still_judged_by_time(world: World) -> None:
    wanted = of(world, ORDERS, ago=3600)
    (found,) = {s.reason for s in observe_signals(world.connect(), denied, wanted) if s.signal == "logs"}
    assert "unknown whether it was invoked" in found


def test_a_missing_permission_touches_only_its_signal() -> None:
    with datadog({"app_keys": {"c" * 40: ["timeseries_query", "apm_read"]}}) as world:
        invocation(world, ORDERS)
        dd = world.connect(app_key="c" * 40)
        found = by_signal(watch(dd, Traffic(), of(world, ORDERS), wait_seconds=20, clock=world.clock))
        assert found["logs"].status == "unreadable"
        assert "logs_read_data" in found["logs"].reason
        assert found["traces"].status == found["enhanced_metrics"].status == "arrived"
        assert len(world.calls("/api/v2/logs/analytics")) == 1


@pytest.mark.parametrize("name", ["billing__nightly", "Job_", "2fast__", "a-b_C"])
@pytest.mark.parametrize("via", ["forwarder", "extension"])
def test_names_that_datadog_spells_otherwise_are_found(world: World, name: str, via: str) -> None:
    odd = function(name)
    invocation(world, odd, forwarded=via == "forwarder")
    cloudwatch_metric(world, odd)
    found = observe_signals(world.connect(), Traffic(), of(world, odd, via=via), clock=world.clock)
    assert [s for s in found if s.status != "arrived"] == []
    assert {s.function for s in found} == {name}


def test_what_is_kept_with_the_start_of_its_ten_seconds_is_found(world: World) -> None:
    world.standin.clock.now += 8 - world.standin.clock.now % 10
    invocation(world, ORDERS)
    wanted = of(world, ORDERS, ago=1)
    found = statuses(observe_signals(world.connect(), Traffic(), wanted, clock=world.clock))
    assert found == dict.fromkeys(EVERYTHING, "arrived") | {"cloudwatch_metrics": "waiting"}


def test_namesakes_of_other_regions_and_accounts_do_not_count(world: World) -> None:
    elsewhere = function("Orders", region="us-east-1")
    foreign = function("Orders", account=OTHER_ACCOUNT)
    invocation(world, elsewhere)
    cloudwatch_metric(world, elsewhere)
    invocation(world, foreign)
    cloudwatch_metric(world, foreign)
    found = observe_signals(world.connect(), Traffic({"Orders": [0]}), of(world, ORDERS), clock=world.clock)
    assert set(statuses(found).values()) == {"waiting"}


def test_namesakes_in_one_run_are_told_apart(world: World) -> None:
    elsewhere = function("Orders", region="us-east-1")
    foreign = function("Orders", account=OTHER_ACCOUNT)
    invocation(world, elsewhere)
    cloudwatch_metric(world, elsewhere)
    wanted = of(world, ORDERS, elsewhere, foreign)
    found = observe_signals(world.connect(), Traffic(), wanted, clock=world.clock)
    arrived = [signal for signal in found if signal.status == "arrived"]
    assert {signal.region for signal in arrived} == {"us-east-1"}
    assert {signal.signal for signal in arrived} == EVERYTHING


@pytest.mark.parametrize(
    "other", [function("Orders", region="us-east-1"), function("Orders", account=OTHER_ACCOUNT)]
)
def test_namesakes_that_come_one_after_the_other_are_all_seen(world: World, other: Function) -> None:
    def arrive() -> None:
        invocation(world, other)
        cloudwatch_metric(world, other)

    invocation(world, ORDERS)
    cloudwatch_metric(world, ORDERS)
    wanted = of(world, ORDERS, other)
    on_update = later(world, 20, arrive)
    found = watch(world.connect(), denied, wanted, wait_seconds=120, clock=world.clock, on_update=on_update)
    assert len(found) == 2 * len(EVERYTHING)
    assert [s for s in found if s.status != "arrived"] == []


def test_the_forwarders_own_metrics_alone_point_at_the_library(world: World) -> None:
    metric(world, "aws.lambda.enhanced.duration", 0.2, tags_of(ORDERS, forwarded=True))
    log(world, ORDERS)
    wanted = of(world, ORDERS, ago=3600)
    found = by_signal(observe_signals(world.connect(), Traffic({"Orders": [50]}), wanted, clock=world.clock))
    assert found["enhanced_metrics"].status == "missing"
    assert "the library in the function sends none" in found["enhanced_metrics"].reason


def test_a_warm_function_has_no_cold_start_to_show(world: World) -> None:
    library_metric(world, ORDERS, cold=False)
    wanted = of(world, ORDERS, ago=3600)
    found = by_signal(observe_signals(world.connect(), Traffic({"Orders": [50]}), wanted, clock=world.clock))
    assert found["enhanced_metrics"].status == "arrived"
    assert (found["cold_start"].status, "warm" in found["cold_start"].reason) == ("no_traffic", True)


def test_a_custom_metric_is_found_by_its_name(world: World) -> None:
    metric(world, "coffee_house.order_value", 12.45, ["product:latte"])
    since = world.now() - timedelta(minutes=1)
    names = ("coffee_house.order_value", "coffee_house.tips")
    wanted = Watch(functions=(), answers=answers(), since=since, custom_metrics=names)
    found = observe_signals(world.connect(), Traffic(), wanted, clock=world.clock)
    assert [(s.metric, s.status) for s in found] == [(names[0], "arrived"), (names[1], "waiting")]


def test_an_impossible_metric_name_is_a_usage_error(world: World) -> None:
    since = world.now()
    wanted = Watch(functions=(), answers=answers(), since=since, custom_metrics=("a{b}",))
    with pytest.raises(UsageError, match="cannot be the name of a metric"):
        observe_signals(world.connect(), Traffic(), wanted, clock=world.clock)


def later(world: World, after: float, happen: Callable[[], None]) -> Callable[[object], None]:
    """Makes something happen once that many seconds have passed; to be called after each look."""
    done: list[bool] = []
    start = world.standin.clock.now

    def on_update(_: object) -> None:
        if not done and world.standin.clock.now - start >= after:
            done.append(True)
            happen()

    return on_update


def test_waiting_ends_when_all_has_arrived(world: World) -> None:
    def arrive() -> None:
        invocation(world, ORDERS)
        cloudwatch_metric(world, ORDERS)

    wanted = of(world, ORDERS, ago=1)
    on_update = later(world, 40, arrive)
    found = watch(world.connect(), denied, wanted, wait_seconds=600, clock=world.clock, on_update=on_update)
    assert set(statuses(found).values()) == {"arrived"}
    assert 40 <= sum(world.slept) < 100
    assert world.slept[:3] == [2.0, 3.0, 4.5]
    assert max(world.slept) <= 30.0
    assert sorted(world.slept) == world.slept


def test_what_has_arrived_is_not_asked_for_again(world: World) -> None:
    log(world, ORDERS)
    span(world, ORDERS)
    watch(world.connect(), denied, of(world, ORDERS), wait_seconds=60, clock=world.clock)
    assert len(world.calls("/api/v2/logs/analytics")) == 1
    assert len(world.calls("/api/v2/spans/analytics")) == 1
    assert len(world.calls("/api/v2/query/scalar")) > 2


def test_waiting_ends_with_its_time(world: World) -> None:
    found = watch(world.connect(), denied, of(world, ORDERS), wait_seconds=33, clock=world.clock)
    assert sum(world.slept) == pytest.approx(33)
    assert set(statuses(found).values()) == {"waiting"}


def test_an_idle_function_is_not_waited_for_once_cloudwatch_would_know(world: World) -> None:
    wanted = replace(of(world, ORDERS, ago=1), awaited=True)
    watch(world.connect(), Traffic(), wanted, wait_seconds=3600, clock=world.clock)
    assert 180 <= sum(world.slept) <= 215


def test_nobody_waits_for_functions_that_did_not_run_of_late(world: World) -> None:
    payments = function("payments")
    wanted = of(world, ORDERS, payments, ago=1)
    found = watch(world.connect(), Traffic(), wanted, wait_seconds=3600, clock=world.clock)
    assert {s.status for s in found} == {"no_traffic"}
    assert world.slept == []
    watch(world.connect(), Traffic({"payments": [30]}), wanted, wait_seconds=3600, clock=world.clock)
    assert 180 <= sum(world.slept) <= 215


def test_a_fault_of_the_moment_is_asked_again(world: World) -> None:
    invocation(world, ORDERS)
    cloudwatch_metric(world, ORDERS)
    world.fault("/api/v2/logs/analytics/aggregate", status=500, times=4)
    found = watch(world.connect(), denied, of(world, ORDERS), wait_seconds=60, clock=world.clock)
    assert set(statuses(found).values()) == {"arrived"}


def test_a_fault_that_stays_is_told_at_the_end(world: World) -> None:
    world.fault("/api/v2/logs/analytics/aggregate", status=500, times=99)
    found = by_signal(watch(world.connect(), denied, of(world, ORDERS), wait_seconds=10, clock=world.clock))
    assert found["logs"].status == "unreadable"
    assert "500" in found["logs"].reason


def test_a_low_rate_limit_slows_the_polls_down() -> None:
    with datadog({"limits": {"logs_aggregate": 40}}) as world:
        watch(world.connect(), denied, of(world, ORDERS), wait_seconds=3600, clock=world.clock)
        statuses_seen = {call["status"] for call in world.calls("/api/v2/logs/analytics")}
        assert statuses_seen == {200}
        assert max(world.slept) > 100


def test_a_thousand_functions_take_a_handful_of_calls(world: World) -> None:
    functions = [function(f"f{i}") for i in range(1000)]
    logs(world, functions[:997])
    wanted = of(world, *functions, traces=False, enhanced_metrics=False)
    found = observe_signals(world.connect(), denied, wanted, clock=world.clock)
    seen = {s.function for s in found if s.signal == "logs" and s.status == "arrived"}
    assert seen == {one.name for one in functions[:997]}
    assert world.queries() <= 3


def spread(regions: int, each: int) -> list[Function]:
    """Functions of the same names in every one of some regions."""
    return [function(f"f{n}", region=f"region-{r}") for r in range(regions) for n in range(each)]


@pytest.mark.parametrize(("regions", "each"), [(1, 3_400), (3, 300), (17, 12), (17, 40)])
def test_at_most_four_calls_and_one_for_each_region_see_all(regions: int, each: int) -> None:
    functions = spread(regions, each)
    seed = {"limits": {"logs_aggregate": 4 + regions, "spans_aggregate": 4, "timeseries_query": 4 + regions}}
    with datadog(seed) as world:
        library_metrics(world, functions)
        logs(world, functions)
        spans(world, functions)
        cloudwatch_metrics(world, functions)
        found = observe_signals(world.connect(), denied, of(world, *functions), clock=world.clock)
        assert [s for s in found if s.status != "arrived"] == []
        assert {s.path for s in found if s.signal in ("logs", "traces")} == {"forwarder"}


def test_what_was_found_before_a_refusal_is_kept() -> None:
    functions = spread(2, 150)
    with datadog({"limits": {"logs_aggregate": 1}}) as world:
        logs(world, functions)
        wanted = of(world, *functions, traces=False, enhanced_metrics=False)
        found = observe_signals(world.connect(), denied, wanted, clock=world.clock)
        counted = Counter(s.status for s in found if s.signal == "logs")
        assert counted["arrived"] >= 100
        assert counted["arrived"] + counted["unreadable"] == 300


def test_answers_that_are_cut_off_are_asked_for_again_by_name() -> None:
    functions = [function(f"f{n}") for n in range(1000)]
    with datadog({"metric_groups": 500}) as world:
        library_metrics(world, functions)
        cloudwatch_metrics(world, functions)
        wanted = of(world, *functions, logs=False, traces=False)
        found = observe_signals(world.connect(), denied, wanted, clock=world.clock)
        assert [s for s in found if s.status != "arrived"] == []
        assert len(world.calls("/query/")) <= 2 * (4 + 1)


def test_a_choice_of_functions_is_asked_for_by_name(world: World) -> None:
    logs(world, [function(f"other{n}") for n in range(4_000)])
    chosen = [function(f"f{n}") for n in range(150)]
    logs(world, chosen)
    wanted = of(world, *chosen, traces=False, enhanced_metrics=False)
    found = observe_signals(world.connect(), denied, wanted, clock=world.clock)
    assert {s.function for s in found if s.status == "arrived"} == {f.name for f in chosen}
    assert len(world.calls("/analytics/")) == 2


def test_more_functions_than_groups_are_still_all_seen(world: World) -> None:
    ours = [function(f"f{i}") for i in range(450)]
    logs(world, [ours[0], ours[449]])
    others = [function(f"other{i}") for i in range(MOST_GROUPS)]
    logs(world, others, each=2)  # noisier than ours, and first in the groups
    wanted = of(world, *ours, traces=False, enhanced_metrics=False)
    found = observe_signals(world.connect(), denied, wanted, clock=world.clock)
    assert {s.function for s in found if s.signal == "logs" and s.status == "arrived"} == {"f0", "f449"}


def test_an_organisation_without_a_facet_still_sees_names(world: World) -> None:
    log(world, ORDERS)
    world.fault("/api/v2/logs/analytics/aggregate", status=400, body={"errors": ["unknown facet"]})
    found = by_signal(observe_signals(world.connect(), denied, of(world, ORDERS), clock=world.clock))
    assert (found["logs"].status, found["logs"].path) == ("arrived", "")


def test_the_forwarders_that_logs_came_through_are_known(world: World) -> None:
    payments = function("payments")
    log(world, ORDERS)
    log(world, ORDERS, forwarded=False)
    log(world, payments)
    older = ",".join([*tags_of(payments, forwarded=False), "forwardername:older"])
    world.standin.call("POST", "/api/v2/logs", [{"ddsource": "lambda", "ddtags": older, "message": "x"}])
    log(world, function("direct"), forwarded=False)
    window = Window(world.now() - timedelta(minutes=1), world.now() + timedelta(seconds=1))
    assert log_carriers(world.connect(), window) == {
        "orders": frozenset({"datadog-forwarder"}),
        "payments": frozenset({"datadog-forwarder", "older"}),
    }


def of_accounts(accounts: int, each: int, *, alike: bool) -> list[Function]:
    """Functions of some accounts, with the same names in all of them or with names of their own."""
    own = [(f"1{a:011}", f"f{n}" if alike else f"f{a}-{n}") for a in range(accounts) for n in range(each)]
    return [function(name, account=account) for account, name in own]


@pytest.mark.parametrize(
    ("accounts", "each", "alike"), [(3, 150, False), (90, 5, False), (90, 5, True), (130, 4, True)]
)
def test_how_many_accounts_they_are_in_makes_no_difference(accounts: int, each: int, alike: bool) -> None:
    functions = of_accounts(accounts, each, alike=alike)
    seed = {"limits": {"logs_aggregate": 6, "spans_aggregate": 4, "timeseries_query": 4}}
    with datadog(seed) as world:
        library_metrics(world, functions)
        logs(world, functions)
        spans(world, functions)
        cloudwatch_metrics(world, functions)
        found = observe_signals(world.connect(), denied, of(world, *functions), clock=world.clock)
        assert [s for s in found if s.status != "arrived"] == []
        assert {s.path for s in found if s.signal in ("logs", "traces")} == {"forwarder"}


@pytest.mark.parametrize("alike", [True, False])
def test_what_arrived_of_one_account_is_no_proof_of_another(alike: bool) -> None:
    functions = of_accounts(10, 6, alike=alike)
    there = functions[6:12]
    foreign = [function(f.name, account="999999999999") for f in functions[:6]]
    with datadog() as world:
        for part in (there, foreign):
            library_metrics(world, part)
            logs(world, part)
            spans(world, part)
            cloudwatch_metrics(world, part)
        wanted = of(world, *functions)
        found = observe_signals(world.connect(), denied, wanted, clock=world.clock)
        seen = {e.account for e, s in zip(wanted.expected(), found, strict=True) if s.status == "arrived"}
        assert seen == {there[0].account}
        assert sum(s.status == "arrived" for s in found) == 6 * len(EVERYTHING)


@pytest.mark.parametrize("of_watched_lane", [True, False])
def test_what_arrived_of_a_namesake_that_is_not_watched_is_no_proof(of_watched_lane: bool) -> None:
    silent = function("twice", account="100000000000", region="region-0")
    functions = [silent, *of_accounts(60, 8, alike=False)]
    functions += [function(f"other-{n}", account="100000000001", region="region-1") for n in range(8)]
    place = ("100000000001", "region-1") if of_watched_lane else ("100000000002", "region-1")
    namesake = function("twice", account=place[0], region=place[1])
    others = others_than(functions, [*functions, namesake] if of_watched_lane else functions)
    with datadog({"limits": {"logs_aggregate": 8}}) as world:
        logs(world, [namesake, *functions[1:]])
        watched = replace(of(world, *functions), others=others)
        found = observe_signals(world.connect(), denied, watched, clock=world.clock)
        there = {
            e.function.arn: s.status
            for e, s in zip(watched.expected(), found, strict=True)
            if s.signal == "logs" and e.function is not None
        }
        assert there.pop(silent.arn) != "arrived"
        assert set(there.values()) == {"arrived"}

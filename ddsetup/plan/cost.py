"""What a plan costs, in quantities: from how data flows and what CloudWatch counts. Pure.

Whatever is not known stays unknown: a sum of which a part is missing says that it is at least so much. A
month has 30 days. Datadog bills functions by how many ran in an average hour, and includes 150,000 indexed
spans and 5 custom metrics for each (Datadog's documentation, serverless billing).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import nlargest
from typing import Literal, TypeAlias

from ddsetup.model.account import Function, Lane
from ddsetup.model.answers import Answers
from ddsetup.model.cost import DAYS, MONTH, Amount, Cost, Group, Offer, Quantity, QuantityName, Traffic
from ddsetup.model.lines import counted
from ddsetup.plan.flows import Flows, FunctionFlow, LogFlow

Side: TypeAlias = Literal["now", "after"]

MOST_BEYOND = 2_000
"""Log groups of functions that were not chosen that are counted in a region, the largest of them."""
START_AND_END = "^(START|END) RequestId: "
"""The lines that Lambda writes around each invocation and that say nothing more; of the third one, REPORT,
the Forwarder makes metrics."""
_BYTES_OF_GB = 10**9
_TIMES = MONTH / DAYS
_WORTH_IT = 0.1
"""From which share of all log events on it is worth to leave out START and END."""
_MANY_SPANS = 1_000_000
_KEPT = 0.1
_METRICS = 4
"""Invocations, errors, throttles and durations (AWS Lambda developer guide, "Types of metrics")."""
_SMALL = 0.1
"""Gigabytes of which nobody need hear."""


def wanted(flows: Flows) -> tuple[tuple[Function, ...], tuple[Group, ...]]:
    """The functions and the log groups whose traffic decides, each once; of log groups beside the chosen ones
    the largest `MOST_BEYOND` of a lane."""
    logs = [*(flow for flow in flows.logs if flow.chosen), *_largest(flows.logs)]
    functions = {flow.function.arn: flow.function for flow in flows.functions}
    functions |= {function.arn: function for flow in logs for function in flow.functions}
    return tuple(functions.values()), tuple(flow.group for flow in logs if flow.there)


def _largest(logs: Iterable[LogFlow]) -> Iterator[LogFlow]:
    by_lane: dict[Lane, list[LogFlow]] = {}
    for flow in logs:
        if not flow.chosen:
            by_lane.setdefault(flow.group[0], []).append(flow)
    for found in by_lane.values():
        yield from nlargest(MOST_BEYOND, found, key=lambda flow: flow.stored)


def cost(flows: Flows, traffic: Traffic, answers: Answers) -> Cost:
    """What arrives each month, now and afterwards, and what would make it less."""
    quantities = tuple(
        Quantity(name, _amount(name, flows, traffic, "now"), _amount(name, flows, traffic, "after"))
        for name in (*_NAMES, *(_STREAMED if answers.metrics == "stream" else ()))
    )
    streamed = answers.streams_logs
    beyond = tuple(f for f in flows.logs if not f.chosen and (f.forwarded_after or streamed))
    beyond_gb = _logs(beyond, traffic.log_bytes, "after", _BYTES_OF_GB).value if beyond else None
    doubled = tuple(flow.group[1] for flow in flows.logs if (flow.after or 0) > 1)
    found = Cost(
        quantities=quantities,
        automatic=tuple(flow.group[1] for flow in beyond),
        automatic_gb=beyond_gb,
        doubled=doubled,
        unknown=tuple(_unknown(flows, traffic, answers)),
    )
    return replace(found, offers=tuple(_offers(found, flows, traffic, answers)))


_NAMES: tuple[QuantityName, ...] = (
    "functions",
    "logs_gb",
    "log_events",
    "spans",
    "custom_metrics",
    "forwarder_invocations",
)


_STREAMED: tuple[QuantityName, ...] = ("metric_updates",)


def _amount(name: QuantityName, flows: Flows, traffic: Traffic, side: Side) -> Amount:
    match name:
        case "functions":
            return _functions(flows.functions, traffic, side)
        case "logs_gb":
            return _logs(flows.logs, traffic.log_bytes, side, _BYTES_OF_GB)
        case "log_events":
            return _logs(flows.logs, traffic.log_events, side)
        case "spans":
            return _spans(flows.functions, traffic, side)
        case "forwarder_invocations":
            return _sum((_deliveries(flow, traffic, side) for flow in flows.logs), _TIMES)
        case "custom_metrics":
            return Amount(None)
        case "metric_updates":
            return _updates(flows.functions, traffic) if side == "after" else Amount(None)


def _sum(parts: Iterable[float | None], times: float, *, more: bool = False) -> Amount:
    """The sum of what is known; unknown if nothing of it is."""
    every = list(parts)
    known = [part for part in every if part is not None]
    if every and not known:
        return Amount(None)
    return Amount(times * sum(known), more or len(known) < len(every))


def _functions(functions: Sequence[FunctionFlow], traffic: Traffic, side: Side) -> Amount:
    """How many of the monitored functions run in an average hour."""
    monitored = [f for f in functions if (f.monitored_now if side == "now" else f.monitored_after)]
    return _sum((traffic.hours.get(each.function.arn) for each in monitored), 1 / (24 * DAYS))


def _updates(functions: Sequence[FunctionFlow], traffic: Traffic) -> Amount:
    """One for each metric in each minute in which a function runs, of the four that every function has; there
    are more by version and alias, of other functions of the region, and of other namespaces."""
    minutes = (_minutes(each.function, traffic) for each in functions)
    return replace(_sum(minutes, _METRICS * _TIMES), at_least=True)


def _minutes(function: Function, traffic: Traffic) -> float | None:
    """In how many minutes of a week it may run: one for each invocation, or whole hours."""
    invocations, hours = traffic.invocations.get(function.arn), traffic.hours.get(function.arn)
    return None if invocations is None or hours is None else min(invocations, hours * 60.0)


def _logs(flows: Iterable[LogFlow], sizes: Mapping[Group, float], side: Side, unit: float = 1) -> Amount:
    every = list(flows)
    more = side == "after" and any(flow.after is None and flow.forwarded_after for flow in every)
    return _sum((_lines(flow, sizes, side) for flow in every), _TIMES / unit, more=more)


def _lines(flow: LogFlow, sizes: Mapping[Group, float], side: Side) -> float | None:
    """What of a log group reaches Datadog, each copy of it counted."""
    copies = flow.now if side == "now" else flow.after
    if copies is None and side == "after" and flow.forwarded_after:
        copies = 1
    if copies == 0 or flow.there is False:
        return 0.0
    amount = sizes.get(flow.group)
    return None if copies is None or amount is None else copies * amount


def _spans(functions: Sequence[FunctionFlow], traffic: Traffic, side: Side) -> Amount:
    """One for each invocation that is traced; how many more there are inside it depends on the code."""
    found = _sum((_traced(each, traffic, side) for each in functions), _TIMES)
    return replace(found, at_least=bool(found.value))


def _traced(flow: FunctionFlow, traffic: Traffic, side: Side) -> float | None:
    share = flow.traced_now if side == "now" else flow.traced_after
    if share == 0:
        return 0.0
    invocations = traffic.invocations.get(flow.function.arn)
    return None if share is None or invocations is None else share * invocations


def _deliveries(flow: LogFlow, traffic: Traffic, side: Side) -> float | None:
    """About one for each invocation: CloudWatch Logs delivers the lines that come together at once."""
    forwarded = flow.forwarded_now if side == "now" else flow.forwarded_after
    if forwarded is False or flow.there is False:
        return 0.0
    if forwarded is None or not flow.functions:
        return 0.0 if traffic.log_events.get(flow.group) == 0 else None
    counts = [traffic.invocations.get(function.arn) for function in flow.functions]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _unknown(flows: Flows, traffic: Traffic, answers: Answers) -> Iterator[str]:
    for lane, why in sorted(traffic.unreadable.items()):
        yield f"{lane.region}: nothing was counted: {why.reason}"
    beyond = sum(not flow.chosen for flow in flows.logs)
    largest = sum(1 for _ in _largest(flows.logs))
    if largest < beyond:
        yield f"of {beyond:,} log groups beside the chosen ones the largest {largest:,} are counted"
    unread = sum(flow.now is None for flow in flows.logs)
    if unread:
        groups = counted(unread, "log group")
        yield f"whether the lines of {groups} arrive already: subscription filters were not read"
    if answers.exclude_at_match:
        yield "how many lines --exclude-at-match leaves out: logs are told with them"
    yield "custom metrics: the code decides; each counts once for every combination of its tags' values"


def _offers(found: Cost, flows: Flows, traffic: Traffic, answers: Answers) -> Iterator[Offer]:
    after = {quantity.name: quantity.after.value or 0.0 for quantity in found.quantities}
    around = _TIMES * sum(_around(flow, traffic) for flow in flows.logs)
    excluded = answers.exclude_at_match or "ExcludeAtMatch" in answers.forwarder_params
    if not excluded and after["log_events"] and around >= _WORTH_IT * after["log_events"]:
        yield Offer(
            what="START and END, which Lambda writes around each invocation, say nothing more",
            option=f"--exclude-at-match '{START_AND_END}'",
            saves=f"{around / after['log_events']:.0%} of the log events",
        )
    if answers.tracing.sample_rate is None and after["spans"] >= _MANY_SPANS:
        yield Offer(
            what="every invocation is traced",
            option=f"--trace-sample-rate {_KEPT}",
            saves=f"{1 - _KEPT:.0%} of the spans; metrics still count all",
        )
    if found.automatic and answers.subscribe in ("automatic", "account"):
        gigabytes = found.automatic_gb or 0.0
        size = f", {gigabytes:,.1f} GB a month" if gigabytes >= _SMALL else ""
        yield Offer(
            what="more log groups are subscribed than those of the chosen functions",
            option="--subscribe automatic" if answers.streams_logs else "--subscribe direct",
            saves=f"{counted(len(found.automatic), 'log group')}{size}",
        )
    if found.doubled:
        yield Offer(
            what="lines of some log groups arrive more than once",
            option="ddsetup doctor",
            saves=f"the second copy of {counted(len(found.doubled), 'log group')}",
        )


def _around(flow: LogFlow, traffic: Traffic) -> float:
    """How many START and END lines the Forwarder gets of functions that log as text."""
    if not flow.forwarded_after:
        return 0.0
    return sum(2 * traffic.invocations.get(f.arn, 0.0) for f in flow.functions if f.log_format == "Text")

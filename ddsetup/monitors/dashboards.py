"""Dashboards: an overview of functions, one of custom metrics, and what it takes for them to be there. Pure.

Metric names and queries are those of Datadog's enhanced Lambda metrics and of its AWS integration.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ddsetup.gateways.datadog.dashboards import CLONED, MARK, LiveDashboard, differing
from ddsetup.model.account import Json
from ddsetup.model.change import Plan, ResourceId, Step
from ddsetup.model.lines import names
from ddsetup.model.states import DashboardState
from ddsetup.monitors.edits import edits_of, stamped, unstamped
from ddsetup.monitors.graphs import Graph, bars, group, line, lines
from ddsetup.monitors.scope import MonitorScope
from ddsetup.monitors.service_graphs import service_groups

TITLE = "Serverless overview"
STEP = Step("dashboards")
OVERVIEW = "one page for cold starts, errors, durations, cost and throttles"
OF_METRICS = "one page for these metrics"
"""What a dashboard is for."""
PERCENTILES = ("p50", "p95", "p99")

_VARIABLES = (("env", "env"), ("service", "service"), ("function", "functionname"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMetric:
    """A custom metric on a dashboard. Only distributions have a count, and percentiles if they are on."""

    name: str
    distribution: bool = False
    percentiles: bool = False


def overview(title: str, scope: MonitorScope, in_use: Collection[str] = ()) -> DashboardState:
    """The dashboard for a scope. `in_use` are those of `service_graphs.SEEN` that have data."""
    widgets = [
        group("Invocations and errors", _invocations(scope)),
        group("Time and cost", _time_and_cost(scope)),
        *service_groups(in_use),
    ]
    return _dashboard(title, "Lambda functions at a glance.", scope, widgets)


def of_metrics(
    title: str, scope: MonitorScope, metrics: Sequence[ShownMetric], by: str = ""
) -> DashboardState:
    """A dashboard of custom metrics, a group for each; `by` is a tag key to tell apart."""
    widgets = [group(metric.name, _of_metric(metric, _where(scope), by)) for metric in metrics]
    return _dashboard(title, "Custom metrics at a glance.", scope, widgets)


def clone_of(source: DashboardState, title: str) -> DashboardState:
    """A copy that is its owner's: ddsetup does not change it again, only `undo` takes it back."""
    described = unstamped(source.description).replace(MARK, "From a dashboard made by ddsetup")
    return replace(source, title=title, description=f"{described} {CLONED} from {source.title}.".strip())


def plan_dashboard(
    wanted: DashboardState,
    live: LiveDashboard | None,
    account: str,
    why: str = OVERVIEW,
    *,
    keep: bool = True,
) -> Plan:
    """Create it, which is for `why`, bring it up to date, or leave it as it is; `keep` what was changed by
    hand."""
    resource = ResourceId("dashboard", wanted.title, account=account)
    if live is None:
        return STEP.change(resource, None, stamped(wanted), why)
    edits = edits_of(live.state, wanted)
    by_hand = names(edits.names, 5)
    after = edits.kept if keep else stamped(wanted)
    if off := _differing(live.state, after):
        note = f"{'kept' if keep else 'replaced'}, as edited by hand: {by_hand}" if by_hand else ""
        return STEP.change(resource, live.state, after, f"differs in {', '.join(off)}", note=note)
    kept = f"; kept as edited by hand: {by_hand}" if by_hand else ""
    return STEP.keep(resource, f"it is as wanted{kept}")


def plan_clone(wanted: DashboardState, live: LiveDashboard | None, account: str) -> Plan:
    """Create it; one that is there is its owner's."""
    resource = ResourceId("dashboard", wanted.title, account=account)
    if live is not None:
        return STEP.keep(resource, "a clone of this title is there; it is yours and stays as it is")
    return STEP.change(resource, None, wanted, "a copy to change as you like")


def _differing(live: DashboardState, after: DashboardState) -> tuple[str, ...]:
    """What differs; fingerprints are no difference that anybody sees, unless there is no other."""
    off = differing(live, after)
    plain = differing(
        replace(live, description=unstamped(live.description)),
        replace(after, description=unstamped(after.description)),
    )
    return plain or off


def _dashboard(title: str, about: str, scope: MonitorScope, widgets: list[Json]) -> DashboardState:
    label = f" Scope: {scope.label}." if scope.label != "all" else ""
    return DashboardState(
        title=title,
        description=f"{about}{label} {MARK}: `ddsetup dashboards create` updates it.",
        widgets=widgets,
        template_variables=[{"name": name, "prefix": prefix, "default": "*"} for name, prefix in _VARIABLES],
    )


def _invocations(scope: MonitorScope) -> Sequence[Graph]:
    where = _where(scope)
    by = "by {functionname}"
    invocations = f"sum:aws.lambda.enhanced.invocations{{{where}}} {by}.as_count()"
    errors = f"sum:aws.lambda.enhanced.errors{{{where}}} {by}.as_count()"
    cold = f"sum:aws.lambda.enhanced.invocations{{{_where(scope, 'cold_start:true')}}} {by}.as_count()"
    throttles = f"sum:aws.lambda.throttles{{{where}}} {by}.as_count()"
    return (
        bars("Invocations by function", invocations),
        bars("Cold starts by function", cold),
        Graph("Share of cold starts by function (%)", (cold, invocations), ("a / b * 100",)),
        bars("Errors by function", errors),
        Graph("Share of errors by function (%)", (errors, invocations), ("a / b * 100",)),
        bars("Throttles by function", throttles),
    )


def _time_and_cost(scope: MonitorScope) -> Sequence[Graph]:
    where = _where(scope)
    by = "by {functionname}"

    def enhanced(aggregate: str, name: str, suffix: str = "") -> str:
        return f"{aggregate}:aws.lambda.enhanced.{name}{{{where}}} {by}{suffix}"

    costs = enhanced("sum", "estimated_cost", ".as_count()")
    cost = (bars("Estimated cost by function (USD)", costs),) if scope.priced else ()
    return (
        line("Mean duration by function (s)", enhanced("avg", "duration")),
        line("Duration by function, p95 (ms)", f"max:aws.lambda.duration.p95{{{where}}} {by}"),
        line("Longest duration by function (s)", enhanced("max", "duration")),
        line("Initialization of cold starts by function (s)", enhanced("avg", "init_duration")),
        line("Most memory used by function (MB)", enhanced("max", "max_memory_used")),
        *cost,
        bars("Timeouts by function", enhanced("sum", "timeouts", ".as_count()")),
    )


def _of_metric(metric: ShownMetric, where: str, by: str) -> Sequence[Graph]:
    name, apart = metric.name, f" by {{{by}}}" if by else ""
    ways = [f"{how}:{name}{{{where}}}" for how in ("min", "avg", "max")]
    found = [
        lines("Smallest, mean and largest", *ways),
        bars(f"Sum by {by}" if by else "Sum", f"sum:{name}{{{where}}}{apart}"),
    ]
    if by:
        found.append(line(f"Mean by {by}", f"avg:{name}{{{where}}}{apart}"))
    if metric.distribution:
        found.append(bars(f"Count by {by}" if by else "Count", f"count:{name}{{{where}}}{apart}.as_count()"))
    if metric.percentiles:
        found.append(lines("p50, p95, p99", *(f"{p}:{name}{{{where}}}" for p in PERCENTILES)))
    return found


def _where(scope: MonitorScope, *conditions: str) -> str:
    """The scope with the variables of the dashboard, which stand for anything until one is chosen."""
    own = scope.query(*conditions)
    parts = ([] if own == "*" else [own]) + ["$env", "$service", "$function"]
    return " AND ".join(parts) if scope.functions else ",".join(parts).replace(" AND ", ",")

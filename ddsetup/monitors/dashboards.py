"""The dashboard "Serverless overview", and what it takes for it to be there. Pure.

Metric names and queries are those of Datadog's enhanced Lambda metrics and of its AWS integration.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ddsetup.gateways.datadog.dashboards import MARK, LiveDashboard, differing
from ddsetup.model.account import Json
from ddsetup.model.change import Change, Plan, ResourceId, Skipped
from ddsetup.model.states import DashboardState
from ddsetup.monitors.scope import MonitorScope

TITLE = "Serverless overview"
STEP = "dashboards"

DYNAMODB = "aws.dynamodb.successful_request_latency"
SQS = "aws.sqs.number_of_messages_sent"
NEIGHBOURS = (DYNAMODB, SQS)
"""Metrics by which one sees whether DynamoDB and SQS are used; their part is left out if they are not."""


@dataclass(frozen=True, slots=True)
class _Graph:
    """A graph: its title, its queries by name, a formula of them, and how it is drawn."""

    title: str
    queries: tuple[str, ...]
    formula: str = "a"
    drawn: str = "line"


def overview(title: str, scope: MonitorScope, in_use: Collection[str] = ()) -> DashboardState:
    """The dashboard for a scope. `in_use` are those of `NEIGHBOURS` that have data."""
    label = f" Scope: {scope.label}." if scope.label != "all" else ""
    widgets = [
        _group("Invocations and errors", _invocations(scope)),
        _group("Time and cost", _time_and_cost(scope)),
        *([_group("DynamoDB", _DYNAMODB)] if DYNAMODB in in_use else []),
        *([_group("SQS", _SQS)] if SQS in in_use else []),
    ]
    return DashboardState(
        title=title,
        description=f"Lambda functions at a glance.{label} {MARK}: `ddsetup dashboards create` updates it.",
        widgets=widgets,
        template_variables=[
            {"name": name, "prefix": prefix, "default": "*"}
            for name, prefix in (("env", "env"), ("service", "service"), ("function", "functionname"))
        ],
    )


def plan_dashboard(wanted: DashboardState, live: LiveDashboard | None, account: str) -> Plan:
    """Create it, bring it up to date, or leave it as it is."""
    resource = ResourceId("dashboard", wanted.title, account=account)
    if live is None:
        why = "one page for cold starts, errors, durations, cost and throttles"
        return Plan(changes=(Change(step=STEP, resource=resource, before=None, after=wanted, why=why),))
    if off := differing(live.state, wanted):
        why = f"differs in {', '.join(off)}"
        note = "what was changed by hand on this dashboard is replaced"
        change = Change(step=STEP, resource=resource, before=live.state, after=wanted, why=why, note=note)
        return Plan(changes=(change,))
    return Plan(
        skipped=(Skipped(resource=resource, status="unchanged", reason="it is as wanted", step=STEP),)
    )


def _invocations(scope: MonitorScope) -> Sequence[_Graph]:
    where = _where(scope)
    by = "by {functionname}"
    invocations = f"sum:aws.lambda.enhanced.invocations{{{where}}} {by}.as_count()"
    errors = f"sum:aws.lambda.enhanced.errors{{{where}}} {by}.as_count()"
    cold = f"sum:aws.lambda.enhanced.invocations{{{_where(scope, 'cold_start:true')}}} {by}.as_count()"
    throttles = f"sum:aws.lambda.throttles{{{where}}} {by}.as_count()"
    return (
        _Graph("Invocations by function", (invocations,), drawn="bars"),
        _Graph("Cold starts by function", (cold,), drawn="bars"),
        _Graph("Share of cold starts by function (%)", (cold, invocations), "a / b * 100"),
        _Graph("Errors by function", (errors,), drawn="bars"),
        _Graph("Share of errors by function (%)", (errors, invocations), "a / b * 100"),
        _Graph("Throttles by function", (throttles,), drawn="bars"),
    )


def _time_and_cost(scope: MonitorScope) -> Sequence[_Graph]:
    where = _where(scope)
    by = "by {functionname}"

    def enhanced(aggregate: str, name: str, suffix: str = "") -> str:
        return f"{aggregate}:aws.lambda.enhanced.{name}{{{where}}} {by}{suffix}"

    costs = (enhanced("sum", "estimated_cost", ".as_count()"),)
    cost = (_Graph("Estimated cost by function (USD)", costs, drawn="bars"),) if scope.priced else ()
    return (
        _Graph("Mean duration by function (s)", (enhanced("avg", "duration"),)),
        _Graph("Longest duration by function (s)", (enhanced("max", "duration"),)),
        _Graph("Initialization of cold starts by function (s)", (enhanced("avg", "init_duration"),)),
        _Graph("Most memory used by function (MB)", (enhanced("max", "max_memory_used"),)),
        *cost,
        _Graph("Timeouts by function", (enhanced("sum", "timeouts", ".as_count()"),), drawn="bars"),
    )


_DYNAMODB = (
    _Graph("Latency of requests by table (ms)", (f"avg:{DYNAMODB}{{*}} by {{tablename}}",)),
    _Graph(
        "Throttled requests by table",
        ("sum:aws.dynamodb.throttled_requests{*} by {tablename}.as_count()",),
        drawn="bars",
    ),
)
_SQS = (
    _Graph("Messages sent by queue", (f"sum:{SQS}{{*}} by {{queuename}}.as_count()",), drawn="bars"),
    _Graph(
        "Age of the oldest message by queue (s)",
        ("max:aws.sqs.approximate_age_of_oldest_message{*} by {queuename}",),
    ),
)


def _where(scope: MonitorScope, *conditions: str) -> str:
    """The scope with the variables of the dashboard, which stand for anything until one is chosen."""
    own = scope.query(*conditions)
    parts = ([] if own == "*" else [own]) + ["$env", "$service", "$function"]
    return " AND ".join(parts) if scope.functions else ",".join(parts).replace(" AND ", ",")


def _group(title: str, graphs: Sequence[_Graph]) -> Json:
    return {
        "definition": {
            "type": "group",
            "title": title,
            "layout_type": "ordered",
            "widgets": [_widget(graph) for graph in graphs],
        }
    }


def _widget(graph: _Graph) -> Json:
    names = "abcdef"
    queries = [
        {"data_source": "metrics", "name": name, "query": query}
        for name, query in zip(names, graph.queries, strict=False)
    ]
    request = {
        "response_format": "timeseries",
        "queries": queries,
        "formulas": [{"formula": graph.formula}],
        "display_type": graph.drawn,
    }
    return {"definition": {"type": "timeseries", "title": graph.title, "requests": [request]}}

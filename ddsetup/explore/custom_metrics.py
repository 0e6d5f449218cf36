"""Custom metrics of functions: which there are, whether they arrived, and percentiles.

They are distributions (`lambda_metric` of Datadog's libraries), tagged with the function that sent them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.explore.drawing import number
from ddsetup.explore.metrics import check_metric
from ddsetup.facts.searches import datadog_name
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.metric_tags import TAGS_OF_DAYS, ListedMetric, list_distributions
from ddsetup.gateways.datadog.telemetry import Window, grouped_values
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.change import Change, Plan, ResourceId, Step
from ddsetup.model.clock import iso
from ddsetup.model.lines import Look, Span, counted, line, names
from ddsetup.model.nearest import nearest
from ddsetup.model.states import MetricTagsState

STEP = Step("metrics")
OF_DATADOG = ("aws.lambda.enhanced.", "aws.dd_forwarder.", "datadog.", "runtime.")
"""How the names of distributions begin that Datadog's own parts send."""

_PERMANENT = ("functionname", "region", "aws_account")


def listed(dd: Datadog, window: Window, whose: Whose, *, enhanced: bool) -> Mapping[str, Json]:
    """The `data` of `metrics list`. Raises Denied when `metrics_read` is missing."""
    seconds = max(60, int((window.end - window.start).total_seconds()))
    found = list_distributions(dd, _tags(whose), seconds)
    shown = [metric for metric in found if enhanced or not metric.name.startswith(OF_DATADOG)]
    return {
        "from": iso(window.start),
        "to": iso(window.end),
        "distributions": [_row(metric) for metric in shown],
        "left_out": len(found) - len(shown),
    }


def _tags(whose: Whose) -> str:
    """The filter of the list of metrics: the functions, or the account's if they are too many to name."""
    if whose.named:
        return " OR ".join(f"functionname:{name}" for name in sorted(whose.known_as))
    return f"aws_account:{whose.account} OR account_id:{whose.account}"


def _row(metric: ListedMetric) -> Json:
    held = metric.configuration
    return {
        "metric": metric.name,
        "percentiles": bool(held and held.include_percentiles),
        "tags": "all" if held is None else "all but some" if held.exclude_tags_mode else list(held.tags),
    }


def metric_list_blocks(data: Mapping[str, Json], _look: Look) -> list[Block]:
    """A row for each distribution: percentiles, and the tag keys that can be queried."""
    if "distributions" not in data:
        return []
    rows = data["distributions"]
    found: list[Block] = [line(Span(f"{counted(len(rows), 'distribution')} from these functions", "bold"))]
    if rows:
        cells = [
            [
                Span(row["metric"]),
                Span("yes" if row["percentiles"] else "no", "good" if row["percentiles"] else "dim"),
                Span(row["tags"] if isinstance(row["tags"], str) else names(row["tags"], 6)),
            ]
            for row in rows
        ]
        found.extend(table(["Metric", "Percentiles", "Tags that can be queried"], cells))
    if data["left_out"]:
        rest = counted(data["left_out"], "metric")
        found.append(line(Span(f"  {rest} of Datadog's own left out (--enhanced shows them)", "dim")))
    return found


def proofs(dd: Datadog, window: Window, metrics: Sequence[str], whose: Whose) -> Sequence[Mapping[str, Json]]:
    """For each metric, from which functions points arrived in the window; one call for each.

    Raises UsageError for what cannot be a metric, Denied when `timeseries_query` is missing.
    """
    return [_proof(dd, window, check_metric(metric), whose) for metric in metrics]


def _proof(dd: Datadog, window: Window, metric: str, whose: Whose) -> Mapping[str, Json]:
    ways = {"avg": "avg", "min": "min", "max": "max", "sum": "sum", "count": "sum"}
    queries = {
        way: (f"{way}:{metric}{{{whose.senders()}}} by {{functionname}}", over) for way, over in ways.items()
    }
    groups = grouped_values(dd, window, queries, ("functionname",))
    rows = [
        {"function": name, **{way: values.get(way) for way in ways}}
        for (name,), values in sorted(groups.items())
        if not name or whose.has(name)
    ]
    seen = {row["function"] for row in rows}
    return {
        "metric": metric,
        "status": "arrived" if rows else "missing",
        "functions": rows,
        "missing_from": [name for name in whose.functions if datadog_name(name) not in seen],
    }


def proof_data(
    found: Sequence[Mapping[str, Json]], known: Sequence[str], window: Window
) -> Mapping[str, Json]:
    """The `data` of `metrics verify`. `known` are distributions that did arrive: a name may be misspelt."""
    rows = []
    for proof in found:
        similar = nearest(proof["metric"], known, cutoff=0.8) if not proof["functions"] else ""
        rows.append({**proof, "similar": similar})
    return {"from": iso(window.start), "to": iso(window.end), "metrics": rows}


_WHY_MISSING = (
    "was the function invoked since, and does it reach the line that sends it?",
    "the value must be a number, and the call must happen inside the handler",
    "through the Forwarder: DD_FLUSH_TO_LOG=true, and the log group subscribed (ddsetup verify)",
)


def metric_proof_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """Each metric with the functions that sent it, or what to look at if none did."""
    found: list[Block] = []
    for proof in data.get("metrics", ()):
        if proof["status"] == "arrived":
            found.append(line(Span("✓ ", "good"), Span(proof["metric"], "bold"), " arrived"))
            cells = [
                [Span(row["function"] or "(no function)"), *(Span(number(row.get(way))) for way in _FIGURES)]
                for row in proof["functions"]
            ]
            found.extend(table(["Function", *_FIGURES], cells))
            if proof["missing_from"]:
                who = names(proof["missing_from"], 0 if look.verbose else 5)
                found.append(line(Span("  – ", "warn"), f"nothing from {who}"))
            continue
        found.append(line(Span("✗ ", "bad"), Span(proof["metric"], "bold"), " did not arrive in this time"))
        if proof["similar"]:
            found.append(line("    ", f"{proof['similar']} did: is the name spelt right?"))
        found.extend(line("    ", Span(why, "dim")) for why in _WHY_MISSING)
    return found


_FIGURES = ("avg", "min", "max", "sum", "count")


def plan_percentiles(
    metric: str, live: MetricTagsState | None, keys: Sequence[str], chosen: Sequence[str], account: str
) -> Plan:
    """Turn percentiles on. `keys` are all tag keys that the metric came with, `chosen` those that stay.

    A tag configuration is an allow-list, so the plan says which keys can no longer be queried.
    """
    resource = ResourceId("metric_tags", metric, account=account)
    after = MetricTagsState(
        metric=metric,
        tags=_kept(live, keys, chosen),
        include_percentiles=True,
        exclude_tags_mode=live.exclude_tags_mode if live and not chosen else None,
    )
    if live == after:
        return STEP.keep(resource, "it has percentiles")
    change = Change(
        step=STEP,
        resource=resource,
        before=live,
        after=after,
        why="percentiles (p50 to p99) of this distribution; Datadog bills the series that they add",
    )
    return Plan(changes=(change,), warnings=_consequences(metric, live, after, keys))


def _kept(live: MetricTagsState | None, keys: Sequence[str], chosen: Sequence[str]) -> tuple[str, ...]:
    if chosen:
        return tuple(sorted(set(chosen)))
    return live.tags if live is not None else tuple(sorted(keys))


def _consequences(
    metric: str, live: MetricTagsState | None, after: MetricTagsState, keys: Sequence[str]
) -> tuple[str, ...]:
    """What can no longer be queried, and what later tags will not be."""
    if after.exclude_tags_mode:
        return ()
    could = set(keys) if live is None else set(live.tags) & set(keys)
    gone = sorted(could - set(after.tags))
    found = [f"of {metric}, these tag keys can no longer be queried: {', '.join(gone)}"] if gone else []
    lost = [key for key in _PERMANENT if key in gone]
    if lost:
        found.append(f"without {', '.join(lost)} it cannot be told which function sent {metric}")
    if live is None:
        found.append(
            f"from then on only {counted(len(after.tags), 'tag key')} of {metric} can be queried, those "
            f"listed, which it came with in the last {TAGS_OF_DAYS} days; others have to be added"
        )
    return tuple(found)


def plan_without_percentiles(metric: str, live: MetricTagsState | None, account: str) -> Plan:
    """Turn percentiles off, and leave the list of tag keys as it is."""
    resource = ResourceId("metric_tags", metric, account=account)
    if live is None or not live.include_percentiles:
        return STEP.keep(resource, "it has none")
    after = MetricTagsState(
        metric=metric,
        metric_type=live.metric_type,
        tags=live.tags,
        include_percentiles=False,
        exclude_tags_mode=live.exclude_tags_mode,
    )
    note = "the list of tag keys stays; `ddsetup undo` of the run that made it takes it away"
    return STEP.change(resource, live, after, "no percentiles", note=note)

"""A plan at a glance: an example of every kind of change, for whom else it holds, and its costs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ddsetup.facts.kinds import CHOSEN, kind_name
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, Skipped
from ddsetup.model.lines import Line, Look, Span, counted, line, names
from ddsetup.model.states import FunctionState
from ddsetup.show.plan_lines import FOLD_AFTER, STEPS, by_step, change_lines, summary

_DONE = {"create": ("+", "create"), "update": ("~", "change"), "delete": ("-", "delete")}
_EXAMPLE_LINES = 9
"""How long an example may be; what is longer is for the full view."""
_CONFIGURED = ("iam_role", "integration")
"""Kinds that are always shown whole: there is one of each, and everybody asks what it may do."""


def brief_lines(plan: Plan, answers: Answers, look: Look) -> list[Line]:
    """The changes by step, what is left alone and why, warnings, what becomes billable, and all in short."""
    found: list[Line] = []
    for step, changes in by_step(plan.changes).items():
        found.append(line(Span(STEPS.get(step, step), "heading")))
        found.extend(_step(changes, look))
        found.append(())
    found.extend(_left_alone(plan.skipped))
    found.extend(line(Span("! ", "warn"), warning) for warning in plan.warnings)
    if plan.warnings:
        found.append(())
    costs = billable(plan, answers)
    if costs:
        found.append(line(Span("What becomes billable", "heading")))
        found.extend(line("  ", text) for text in costs)
        found.append(())
    found.extend(_in_short(plan.changes))
    return found[:-1]


def _in_short(changes: Sequence[Change]) -> list[Line]:
    """A line for each step: what of a long plan is still on the screen when it is to be agreed to."""
    steps = by_step(changes)
    titles = [STEPS.get(step, step).split(":", 1)[0] for step in steps]
    if len(titles) < 2:
        return []
    width = max(map(len, titles))
    found = [line(Span("In short", "heading"))]
    for title, alike in zip(titles, steps.values(), strict=True):
        found.append(line("  ", f"{title:<{width}}  ", summary(Plan(changes=tuple(alike)))))
    return [*found, ()]


def _step(changes: Sequence[Change], look: Look) -> list[Line]:
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.resource.kind, change.action), []).append(change)
    found: list[Line] = []
    for (kind, action), alike in groups.items():
        if kind in _CONFIGURED or len(alike) == 1:
            found.extend(spans for change in alike for spans in _example(change, look))
            continue
        mark, done = _DONE[action]
        style = {"+": "added", "~": "warn", "-": "removed"}[mark]
        head = f" {len(alike):,} {kind_name(kind, len(alike))} to {done}: "
        said = names([change.resource.name for change in alike], FOLD_AFTER)
        found.append(line("  ", Span(mark, style), Span(head, "bold"), said))  # type: ignore[arg-type]
        found.append(line("    ", Span("for example", "dim")))
        found.extend(line("  ", *spans) for spans in _example(alike[0], look))
    return found


def _example(change: Change, look: Look) -> list[Line]:
    lines = change_lines(change, look)
    if len(lines) <= _EXAMPLE_LINES:
        return lines
    rest = len(lines) - _EXAMPLE_LINES + 1
    return [*lines[: _EXAMPLE_LINES - 1], line("      ", Span(f"and {counted(rest, 'line')} more", "dim"))]


def _left_alone(skipped: Sequence[Skipped]) -> list[Line]:
    """A line for everything that is skipped, a count of what is as it should be."""
    unchanged = sum(item.status == "unchanged" for item in skipped)
    left = [item for item in skipped if item.status == "skipped"]
    if not left and not unchanged:
        return []
    found = [line(Span("Left alone", "heading"))]
    reasons: dict[tuple[str, str], list[str]] = {}
    for item in left:
        reasons.setdefault((item.resource.kind, item.reason), []).append(item.resource.name)
    for (kind, reason), who in reasons.items():
        what = f"{kind_name(kind, len(who))} {names(who, FOLD_AFTER)}"
        found.append(line("  ", Span("! ", "warn"), f"{what}: {reason}"))
    if unchanged:
        found.append(line("  ", Span("= ", "dim"), f"{unchanged:,} already as wanted"))
    return [*found, ()]


def billable(plan: Plan, answers: Answers) -> list[str]:
    """What will be charged once the plan is carried out, and by whom; nothing that is there already."""
    kinds = {(change.step, change.resource.kind) for change in plan.changes if change.action == "create"}
    found = []
    by_aws = []
    if ("forwarder", "stack") in kinds:
        by_aws.append("the Forwarder's invocations and run time")
    if ("integration", "integration") in kinds:
        by_aws.append("Datadog's reading of CloudWatch metrics")
    if any(kind == "secret" for _, kind in kinds):
        by_aws.append("a secret in each region")
    kinds_changed = {change.resource.kind for change in plan.changes}
    by_aws += [row.bills for kind, row in CHOSEN.items() if kind in kinds_changed]
    if by_aws:
        found.append(f"AWS: {', '.join(by_aws)}")
    functions = sum(
        isinstance(change.after, FunctionState) and change.resource.kind == "function"
        for change in plan.changes
    )
    if functions:
        enhanced = " with enhanced metrics" if answers.enhanced_metrics else ""
        parts = [f"{counted(functions, 'function')} under serverless monitoring{enhanced}"]
        automatic = answers.datadog_subscribes
        every = " (of every function that Datadog subscribes)" if automatic else ""
        parts += [f"ingested and indexed logs{every}"] if answers.logs else []
        parts += ["ingested and indexed spans"] if answers.traces else []
        found.append(f"Datadog, by your organisation's plan: {', '.join(parts)}")
    return found

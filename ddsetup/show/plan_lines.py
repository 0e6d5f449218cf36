"""A plan as a diff that can be read: what each resource is, and what it will be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ddsetup.facts.disclose import MASK, disclosed
from ddsetup.facts.kinds import kind_name
from ddsetup.model.account import Json
from ddsetup.model.change import Change, Plan, ResourceId, Skipped
from ddsetup.model.lines import Line, Look, Span, counted, line, names
from ddsetup.model.states import REF_EXTERNAL_ID, REF_SECRET, REF_VERSION, FunctionState

FOLD_AFTER = 5
"""How many changes of one kind in one step are shown before the rest is only counted."""

STEPS: Mapping[str, str] = {
    "integration": "AWS integration: Datadog reads CloudWatch metrics",
    "forwarder": "Forwarder: sends logs, metrics and traces from log groups to Datadog",
    "collection": "Log collection: Datadog subscribes the Forwarder to log groups",
    "instrument": "Functions",
    "metric_stream": "Metric stream: CloudWatch brings metrics to Datadog within minutes",
    "subscriptions": "Log subscriptions",
    "sources": "Other services: state machines and APIs",
    "macro": "Macro: CloudFormation adds Datadog to functions while their stacks are deployed",
    "uninstrument": "Functions: take Datadog out",
    "prune": "No longer wanted",
    "keep": "Keep it so: ddsetup keep apply runs in AWS by itself",
    "teardown": "Teardown: all of Datadog's goes",
    "metrics": "Metrics: which tags can be queried",
    "monitors": "Monitors",
    "dashboards": "Dashboards",
}

_IN_TITLE = (
    "name",
    "function",
    "alias",
    "log_group",
    "role_name",
    "policy_name",
    "aws_account_id",
    "metric",
    "title",
    "key",
    "scope",
)
"""Parts of a state that the title of its change says already."""

_MARKS: Mapping[str, Span] = {
    "create": Span("+", "added"),
    "update": Span("~", "warn"),
    "delete": Span("-", "removed"),
}
_DONE: Mapping[str, str] = {"create": "create", "update": "change", "delete": "delete"}


def resource_text(resource: ResourceId) -> str:
    """A resource as people say it, with its region where it has one."""
    where = f" ({resource.region})" if resource.region else ""
    return f"{kind_name(resource.kind)} {resource.name}{where}"


def plan_lines(plan: Plan, look: Look) -> list[Line]:
    """The whole plan: changes by step, then what is left alone and why, then warnings and the sum."""
    found: list[Line] = []
    for step, changes in by_step(plan.changes).items():
        found.append(line(Span(STEPS.get(step, step), "heading")))
        found.extend(_step_lines(changes, look))
        found.append(())
    found.extend(skipped_lines(plan.skipped, look))
    found.extend(line(Span("! ", "warn"), warning) for warning in plan.warnings)
    if plan.warnings:
        found.append(())
    found.append(line(Span(summary(plan), "bold")))
    return found


def by_step(changes: Iterable[Change]) -> Mapping[str, Sequence[Change]]:
    """The changes of each step together: an undo has those of a function and of its log group in turns."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.step, []).append(change)
    return found


def summary(plan: Plan) -> str:
    """`3 to create, 5 to change, 1 unchanged, 2 skipped`; says so if there is nothing to do."""
    said = counts_of(plan)
    return ("" if plan.changes else "Nothing to do" + (": " if said else "")) + said


def counts_of(plan: Plan) -> str:
    """How many changes there are, and what is not changed: `3 to create, 1 unchanged`."""
    counts = {
        "to create": sum(c.action == "create" for c in plan.changes),
        "to change": sum(c.action == "update" for c in plan.changes),
        "to delete": sum(c.action == "delete" for c in plan.changes),
        "unchanged": sum(s.status == "unchanged" for s in plan.skipped),
        "skipped": sum(s.status == "skipped" for s in plan.skipped),
    }
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)


def _step_lines(changes: Sequence[Change], look: Look) -> list[Line]:
    found: list[Line] = []
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.resource.kind, change.action), []).append(change)
    for (kind, action), alike in groups.items():
        shown = alike if look.verbose else alike[:FOLD_AFTER]
        for change in shown:
            found.extend(change_lines(change, look))
        rest = alike[len(shown) :]
        if rest:
            who = f"{kind_name(kind, len(rest))} {names([c.resource.name for c in rest], FOLD_AFTER)}"
            what = f"and {len(rest):,} more to {_DONE[action]}: {who} (-v shows all)"
            found.append(line("  ", _MARKS[action], Span(f" … {what}", "dim")))
    return found


def change_lines(change: Change, look: Look) -> list[Line]:
    """One change: what it is about, each part that differs, and why."""
    title = Span(resource_text(change.resource), "bold")
    found = [line("  ", _MARKS[change.action], " ", title, Span(f"  {change.why}", "dim"))]
    before, after = disclosed(change.before) or {}, disclosed(change.after) or {}
    hidden = _hidden(change)
    for name in dict.fromkeys((*before, *after)):
        old, new = _short(before.get(name), look), _short(after.get(name), look)
        if name not in _IN_TITLE:
            found.extend(_field_lines(name, old, new, hidden))
    if change.note:
        found.append(line("      ", Span("! ", "warn"), change.note))
    return found


def _hidden(change: Change) -> frozenset[str]:
    """Variables that change although their masked values look alike."""
    if not isinstance(change.before, FunctionState) or not isinstance(change.after, FunctionState):
        return frozenset()
    old, new = change.before.env, change.after.env
    return frozenset(name for name in old if name in new and old[name] != new[name])


def _field_lines(name: str, before: Json, after: Json, hidden: frozenset[str]) -> list[Line]:
    label = name.replace("_", " ")
    # Both sides: a plan file may hold any value, and is shown whole.
    if (before or after) and isinstance(before or {}, dict) and isinstance(after or {}, dict):
        return _mapping_lines(label, before or {}, after or {}, hidden)
    if (before or after) and isinstance(before or [], list) and isinstance(after or [], list):
        return _list_lines(label, before or [], after or [])
    if before == after or (not before and not after):
        return []
    return [_differs(label, before, after)]


def _differs(label: str, before: Json, after: Json) -> Line:
    """`label  before → after`, or only the side that there is."""
    head = f"      {label:<16} "
    if before in (None, ""):
        return line(head, Span("+ ", "added"), Span(_value(after), "added"))
    if after in (None, ""):
        return line(head, Span("- ", "removed"), Span(_value(before), "removed"))
    return line(head, Span(_value(before), "removed"), " → ", Span(_value(after), "added"))


def _mapping_lines(
    label: str, before: Mapping[str, Json], after: Mapping[str, Json], hidden: frozenset[str]
) -> list[Line]:
    found: list[Line] = []
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        head = f"      {label:<16} "
        if key not in after:
            found.append(line(head, Span(f"- {key} = {_value(old)}", "removed")))
        elif key not in before:
            found.append(line(head, Span(f"+ {key} = {_value(new)}", "added")))
        elif old != new:
            found.append(
                line(head, f"~ {key}: ", Span(_value(old), "removed"), " → ", Span(_value(new), "added"))
            )
        elif old == MASK and key in hidden:
            found.append(line(head, f"~ {key} = {MASK} (another value)"))
        else:
            continue
        label = ""
    return found


def _list_lines(label: str, before: Sequence[Json], after: Sequence[Json]) -> list[Line]:
    found: list[Line] = []
    head = f"      {label:<16} "
    for item in (*(b for b in before if b not in after), *(a for a in after if a not in before)):
        gone = item in before
        found.append(
            line(head, Span(f"{'-' if gone else '+'} {_value(item)}", "removed" if gone else "added"))
        )
        head = " " * len(head)
    if not found and list(before) != list(after):
        found.append(line(head, "the same, in another order"))
    return found


def _value(value: Json) -> str:
    """A value in one line, references spelled out."""
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(item)}" for name, item in value.items())
    text = " ".join(str(value).split())
    if text == REF_EXTERNAL_ID:
        return "(issued by Datadog)"
    if text == REF_VERSION:
        return "(the version that is published)"
    if text.startswith(REF_SECRET):
        return f"(the ARN of secret {text.removeprefix(REF_SECRET)})"
    return text or "(empty)"


def _short(value: Json, look: Look) -> Json:
    """Policies as a sum of what they allow, anything else as it is."""
    if isinstance(value, dict) and "Statement" in value:
        return _policy(value, look)
    if isinstance(value, dict) and "Resources" in value:
        made = value["Resources"]
        return f"a template of {counted(len(made), 'resource')}: {names(sorted(made), 0)}"
    if isinstance(value, dict) and "definition" in value:
        return _widget(value["definition"])
    if isinstance(value, dict) and {"name", "prefix"} <= set(value):
        return f"${value['name']} ({value['prefix']})"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [_short(item, look) for item in value]
    if isinstance(value, dict):
        return {key: _short(item, look) for key, item in value.items()}
    return value


def _widget(definition: Json) -> str:
    """The widget of a dashboard by its title and kind; of a group, those in it too."""
    if not isinstance(definition, dict):
        return _value(definition)
    within = definition.get("widgets")
    widgets = within if isinstance(within, list) else []
    inner = [_widget(each.get("definition") if isinstance(each, dict) else each) for each in widgets]
    said = f"{definition.get('title') or definition.get('type')}"
    return f"{said}: {', '.join(inner)}" if inner else said


def _policy(document: Mapping[str, Json], look: Look) -> str:
    statements = document.get("Statement", [])
    actions: list[str] = []
    for statement in statements if isinstance(statements, list) else [statements]:
        allowed = statement.get("Action", []) if isinstance(statement, dict) else []
        actions.extend(map(str, allowed if isinstance(allowed, list) else [allowed]))
    return f"a policy of {counted(len(actions), 'action')}: {names(actions, 0 if look.verbose else 3)}"


def skipped_lines(skipped: Iterable[Skipped], look: Look, *, unchanged: bool = True) -> list[Line]:
    """What is left alone, together where the reason is the same."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for item in skipped:
        if unchanged or item.status != "unchanged":
            key = (item.status, item.reason, item.fix, item.resource.kind)
            groups.setdefault(key, []).append(_name(item.resource))
    found: list[Line] = []
    for status, title in (("unchanged", "Unchanged"), ("skipped", "Skipped")):
        of_status = {key: who for key, who in groups.items() if key[0] == status}
        if not of_status:
            continue
        found.append(line(Span(title, "heading")))
        mark = Span("= ", "dim") if status == "unchanged" else Span("! ", "warn")
        for (_, reason, fix, kind), who in of_status.items():
            shown = 0 if look.verbose else FOLD_AFTER
            found.append(line("  ", mark, f"{kind_name(kind, len(who))} {names(who, shown)}"))
            found.append(line("      ", Span(reason, "dim")))
            if fix:
                found.append(line("      ", Span("do: ", "bold"), fix))
        found.append(())
    return found


def _name(resource: ResourceId) -> str:
    return f"{resource.name} ({resource.region})" if resource.region else resource.name

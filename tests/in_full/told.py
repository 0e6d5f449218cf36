"""Plans and findings as lines of text that say everything, for comparison with what a person has read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from ddsetup.doctor.diagnose import Diagnosis, Found
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.model.states import State, to_json


def plan_lines(plan: Plan) -> list[str]:
    """Every change with every field, all that is left alone, and the warnings."""
    lines = []
    for change in plan.changes:
        lines += _change(change)
    for skipped in plan.skipped:
        parts = [f"fix: {skipped.fix}"] if skipped.fix else []
        parts += [f"permission: {skipped.permission}"] if skipped.permission else []
        said = "; ".join([skipped.reason, *parts])
        lines.append(f"{skipped.step}: {skipped.status} {named(skipped.resource)}: {said}")
    return [*lines, *(f"warning: {warning}" for warning in plan.warnings)]


def finding_lines(diagnosis: Diagnosis) -> list[str]:
    """Every finding with its severity, what to do, whom it concerns and what `--fix` would change."""
    lines = []
    for cause in diagnosis.causes:
        lines += _found(cause.found, "")
        for each in cause.consequences:
            lines += _found(each, "  so ")
    return lines + [f"blind: {c.id}: {named(b.resource)}: {shown(b.unreadable)}" for c, b in diagnosis.blind]


def differing(lines: Iterable[str], usual: Iterable[str]) -> list[str]:
    """The lines that are not the usual ones, and those of the usual ones that are missing, which are one line
    where a step has none of them."""
    here, there = list(lines), list(usual)
    gone = [line for line in there if line not in here]
    steps = dict.fromkeys(line.partition(":")[0] for line in gone)
    lines = [f"+ {line}" for line in here if line not in there]
    for step in steps:
        usual_ones = [line for line in there if line.startswith(f"{step}:")]
        mine = [line for line in gone if line.startswith(f"{step}:")]
        whole = len(mine) == len(usual_ones) > 2
        lines += [f"- {step}: all that is usual"] if whole else [f"- {line}" for line in mine]
    return lines


def shown(value: Any) -> str:
    """A value in full, but for the fields of records that are as they are by default."""
    if is_dataclass(value) and not isinstance(value, type):
        set_ = ((f.name, getattr(value, f.name)) for f in fields(value) if f.repr)
        usual = {f.name: _default(f) for f in fields(value)}
        inside = ", ".join(f"{name}={shown(held)}" for name, held in set_ if held != usual[name])
        return f"{type(value).__name__}({inside})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {shown(held)}' for key, held in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(shown, value))}]"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def named(resource: ResourceId) -> str:
    where = f" {resource.region or 'global'}" if resource.kind != "signal" else ""
    return f"{resource.kind} {resource.name}{where}"


def _change(change: Change) -> list[str]:
    head = f"{change.step}: {change.action} {named(change.resource)}"
    before, after = _fields(change.before), _fields(change.after)
    lines = [f"{head}: {change.why}"]
    if change.precondition:
        lines.append(f"{head}: on {change.precondition}")
    if change.needs:
        lines.append(f"{head}: needs {', '.join(map(named, change.needs))}")
    if change.note:
        lines.append(f"{head}: note: {change.note}")
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, "-"), after.get(name, "-")
        lines.append(f"{head}: {name}: {was} -> {now}" if was != now else f"{head}: {name}: {was}")
    return lines


def _fields(state: State | None) -> dict[str, str]:
    """The fields of a state that are set, each on one line; of mappings each entry."""
    found: dict[str, str] = {}
    for name, value in (to_json(state) or {}).items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": _text(item) for key, item in value.items()}
        elif value not in (None, [], ""):
            found[name] = _text(value)
    return found


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) < 400 else f"{text[:200]} ... {text[-100:]} ({len(text)} characters)"


def _found(found: Found, head: str) -> list[str]:
    problem = found.problem
    about = sorted(arn.rsplit(":", 1)[-1] for arn in problem.about)
    line = f"{head}{found.check.id} {found.severity}: {named(problem.resource)}: {problem.what}"
    more = [f"fix: {problem.fix}"] if problem.fix != "" else []
    more += [f"command: {problem.command}"] if problem.command != "" else []
    more += [f"about: {', '.join(about)}"] if about else []
    more += [f"mends: {', '.join(map(named, problem.mends))}"] if problem.mends else []
    more += [f"changes: {' | '.join(_change(change))}" for change in problem.changes]
    return [line, *(f"{head}    {each}" for each in more)]

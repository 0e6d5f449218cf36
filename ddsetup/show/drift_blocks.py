"""What drifted, as findings, as JSON and as blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.clock import iso
from ddsetup.model.lines import Look, Span, and_more, counted, line
from ddsetup.model.report import Finding, Severity
from ddsetup.plan.drift import KINDS, Drift, Kind
from ddsetup.show.plan_lines import resource_text

_SEVERITIES: Mapping[Kind, Severity] = {
    "lost": "error",
    "filter": "error",
    "foundation": "error",
    "new": "warning",
    "changed": "warning",
    "outdated": "info",
    "left": "info",
}
_HEADS: Mapping[Kind, str] = {
    "lost": "Lost Datadog",
    "new": "New under the rule",
    "outdated": "Layers of another version",
    "changed": "Changed since",
    "filter": "Without their subscription filter",
    "foundation": "What all functions need",
    "left": "No longer chosen",
}
_ROWS = 20


def findings(drift: Sequence[Drift]) -> tuple[Finding, ...]:
    """A finding for each drift, by the name of its kind: `drift-lost`, `drift-new`, ..."""
    return tuple(
        Finding(
            check=f"drift-{each.kind}",
            severity=_SEVERITIES[each.kind],
            resource=each.resource,
            what=" ".join(part for part in (f"{each.resource.name} {each.what}", _by(each)) if part),
            fix=each.fix,
            command="" if each.fix else "ddsetup keep apply",
        )
        for each in drift
    )


def as_data(drift: Sequence[Drift], looked_at: int, notes: Sequence[str]) -> dict[str, Json]:
    """`looked_at` functions, the `drift` with who did it where that is known, and `notes`."""
    return {
        "looked_at": looked_at,
        "drift": [
            {
                "kind": each.kind,
                "resource": resource_text(each.resource),
                "what": each.what,
                "fix": each.fix,
                "by": _record(each),
            }
            for each in drift
        ],
        "notes": list(notes),
    }


def _record(drift: Drift) -> Json:
    if drift.by is None:
        return None
    by = drift.by
    return {"who": by.who, "through": by.through, "at": iso(by.at), "words": by.words()}


def _by(drift: Drift) -> str:
    return f"({drift.by.words()})" if drift.by else ""


def drift_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """What drifted by kind, each with who did it, and what could not be told."""
    if "drift" not in data:
        return []
    found: list[Block] = []
    for kind in KINDS:
        rows = [row for row in data["drift"] if row["kind"] == kind]
        if rows:
            found += _kind_blocks(kind, rows, look)
    found += [line(Span("? ", "dim"), note) for note in data["notes"]]
    found += [()] if data["notes"] else []
    looked = counted(data["looked_at"], "function")
    drifted = counted(len(data["drift"]), "drift", "drifts")
    said = f"{drifted} among {looked}" if data["drift"] else f"{looked}: all as set up"
    return [*found, line(Span(said, "bold"))]


def _kind_blocks(kind: Kind, rows: Sequence[Mapping[str, Json]], look: Look) -> list[Block]:
    found: list[Block] = [line(Span(f"{_HEADS[kind]} ({len(rows):,})", "heading"))]
    shown = rows if look.verbose or look.width == 0 else rows[:_ROWS]
    found += table(["", "What", "Who"], [_row(row) for row in shown])
    return [*found, *and_more(len(rows) - len(shown)), ()]


def _row(row: Mapping[str, Json]) -> list[Span]:
    what = f"{row['what']}; {row['fix']}" if row["fix"] else row["what"]
    who = row["by"]["words"] if row["by"] else ""
    return [Span(row["resource"]), Span(what), Span(who, "dim")]

"""State machines and stages of APIs as `ddsetup status` shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.facts.services import api_stages_text, state_machines_text
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.lines import Line, Look, Span, and_more, counted, line

_ROWS = 50
"""How many of each are shown before the rest is only counted."""


def source_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """The section "Other sources"; nothing where there are none."""
    machines, stages = data.get("state_machines") or (), data.get("api_stages") or ()
    found: list[Block] = []
    if machines:
        found += [(), line("  ", state_machines_text(machines)), *_machines(machines, look)]
    if stages:
        found += [(), line("  ", api_stages_text(stages)), *_stages(stages, look)]
    if left := data.get("apis_not_looked_at"):
        found += [
            (),
            line("  ", Span(f"{counted(left, 'more API')}, whose stages are only looked at by name")),
        ]
    return [(), line(Span("Other sources", "bold")), *found[1:]] if found else []


def _machines(rows: Sequence[Mapping[str, Json]], look: Look) -> list[Block]:
    cells = [
        [
            Span(row["state_machine"]),
            Span(row["region"]),
            Span(_logging(row), "good" if row["level"] == "ALL" else ""),
            Span("tag is set" if row["traced"] else "-"),
            Span("; ".join(part for part in (row["note"], _owned(row)) if part), "dim"),
        ]
        for row in _shown(rows, look)
    ]
    return [
        *table(["State machine", "Region", "Logging", "Traces", "Remarks"], cells),
        *_more(rows, look),
    ]


def _logging(row: Mapping[str, Json]) -> str:
    if not row["level"]:
        return "?"
    return f"{row['level']} with data" if row["execution_data"] else str(row["level"])


def _stages(rows: Sequence[Mapping[str, Json]], look: Look) -> list[Block]:
    cells = [
        [
            Span(f"{row['api']}/{row['stage']}"),
            Span(row["region"]),
            Span(row["protocol"]),
            Span("yes" if row["access_logs"] else "-", "good" if row["access_logs"] else ""),
            Span(row["execution_level"]),
            Span("; ".join(part for part in (row["api_id"], _owned(row)) if part), "dim"),
        ]
        for row in _shown(rows, look)
    ]
    titles = ["API and stage", "Region", "Protocol", "Access logs", "Execution logs", "Remarks"]
    return [*table(titles, cells), *_more(rows, look)]


def _shown(rows: Sequence[Mapping[str, Json]], look: Look) -> Sequence[Mapping[str, Json]]:
    return rows if look.verbose or look.width == 0 else rows[:_ROWS]


def _more(rows: Sequence[Mapping[str, Json]], look: Look) -> list[Line]:
    return and_more(len(rows) - len(_shown(rows, look)))


def _owned(row: Mapping[str, Json]) -> str:
    return f"managed by {row['owner']}" if row["owner"] else ""

"""State machines, stages of APIs and what else is chosen by name, as `ddsetup status` shows it."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.facts.kinds import CHOSEN
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.lines import Look, Span, and_more, counted, line
from ddsetup.model.services import SERVICE_KINDS

_ROWS = 50
"""How many of each are shown before the rest is only counted."""


def source_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """The section "Other sources"; nothing where there are none."""
    found: list[Block] = []
    for name, kind in SERVICE_KINDS.items():
        if rows := data.get(CHOSEN[name].field) or ():
            shown = rows if look.verbose or look.width == 0 else rows[:_ROWS]
            cells = [kind.cells(row) for row in shown]
            found += [(), line("  ", kind.told(rows)), *table(list(kind.TITLES), cells)]
            found += and_more(len(rows) - len(shown))
    if left := data.get("apis_not_looked_at"):
        found += [
            (),
            line("  ", Span(f"{counted(left, 'more API')}, whose stages are only looked at by name")),
        ]
    return [(), line(Span("Other sources", "bold")), *found[1:]] if found else []

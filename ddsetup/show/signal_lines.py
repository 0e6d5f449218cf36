"""The table of functions and signals: what arrived in Datadog, and what did not and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.facts.signals import TITLES
from ddsetup.model.blocks import Block, table
from ddsetup.model.lines import Line, Look, Span, counted, line, names, wrapped
from ddsetup.model.report import Signal, SignalStatus, unproven
from ddsetup.show.layout import laid_out

_CELLS: Mapping[SignalStatus, Span] = {
    "arrived": Span("✓ arrived", "good"),
    "waiting": Span("○ waiting", "warn"),
    "no_traffic": Span("– no traffic", "warn"),
    "missing": Span("✗ missing", "bad"),
    "unreadable": Span("? unreadable", "bad"),
}

_WORST_FIRST: tuple[SignalStatus, ...] = ("missing", "unreadable", "waiting", "no_traffic")
_WORDS_WIDTH = 100
"""From how many columns on there is room for words in the cells; below, marks and a legend do."""

Key = tuple[str, str]


def signal_blocks(signals: Sequence[Signal], look: Look) -> list[Block]:
    """The table, then one line for every reason why something is not there."""
    if not signals:
        return []
    columns = list(dict.fromkeys(_column(s) for s in sorted(signals, key=_order)))
    cells: dict[Key, dict[str, Signal]] = {}
    for signal in signals:
        cells.setdefault(_key(signal), {})[_column(signal)] = signal
    regions = len({region for _, region in cells if region}) > 1
    words = look.width == 0 or look.width >= _WORDS_WIDTH or look.verbose
    rows = [
        [Span(f"{name} ({region})" if regions and region else name)]
        + [_cell(row.get(column), words) for column in columns]
        for (name, region), row in cells.items()
    ]
    found: list[Block] = [line(Span(summary(signals), "bold"))]
    first = "Function" if all(signal.function for signal in signals) else "What"
    found.extend(table([first, *columns], rows))
    if not words:
        legend = "   ".join(_CELLS[status].text for status in ("arrived", *_WORST_FIRST))
        found.append(line("  ", Span(legend, "dim")))
    found.extend(_reasons(signals, look))
    return found


def arriving_lines(signals: Sequence[Signal], look: Look, height: int, note: str = "") -> list[Line]:
    """The table while it fills, in at most `height` lines: what is open first, and why, then what is whole.

    `note` is said below the title.
    """
    title = line(Span(so_far(signals), "bold"))
    said = [part for text in note.splitlines() for part in wrapped(line("  ", Span(text, "dim")), look.width)]
    legend = int(0 < look.width < _WORDS_WIDTH)
    room = max(height - 2 - len(said) - legend, 2)
    reasons = [part for spans in _reasons(signals, look, 3) for part in wrapped(spans, look.width)]
    whole = _whole(signals)
    for_reasons = min(len(reasons), max(room - len(whole), room // 3))
    rows = max(room - for_reasons, 1)
    fitting = rows if len(whole) <= rows else max(rows - 1, 1)
    shown = set(sorted(whole, key=lambda key: whole[key])[:fitting])
    chosen = [s for s in signals if _key(s) in shown]
    head, *rest = laid_out(signal_blocks(chosen, look), look)[1 : 2 + len(shown) + legend]
    more = len(whole) - len(shown)
    noun = "function" if all(signal.function for signal in signals) else "row"
    folded = [line("  ", Span(f"… and {counted(more, f'more {noun}')}", "dim"))] if more else []
    table_lines = [head, *rest[: len(shown)], *folded, *rest[len(shown) :]]
    return [title, *said, *table_lines, *reasons[:for_reasons]][: max(height, 1)]


def summary(signals: Sequence[Signal]) -> str:
    """`5 of 6 functions with everything in Datadog, and 1 of 1 Forwarder; 1 did not run and is unproven`."""
    found = so_far(signals)
    if idle := len(unproven(signals)):
        found += f"; {idle:,} did not run and {'is' if idle == 1 else 'are'} unproven"
    return found


def so_far(signals: Sequence[Signal]) -> str:
    """The same while it goes on: who has not run yet may do so, and is no news."""
    whole = _whole([signal for signal in signals if signal.function])
    beside = [signal for signal in signals if not signal.function]
    found = f"{sum(whole.values()):,} of {counted(len(whole), 'function')} with everything in Datadog"
    if beside:
        others, kinds = _whole(beside), {signal.kind for signal in beside}
        noun = kinds.pop() if len(kinds) == 1 else "other resource"
        found += f", and {sum(others.values()):,} of {counted(len(others), noun)}"
    return found


def _whole(signals: Sequence[Signal]) -> dict[Key, bool]:
    """Whether all data of a function, or of another thing, is there, for each of them."""
    whole: dict[Key, bool] = {}
    for signal in signals:
        key = _key(signal)
        whole[key] = whole.get(key, True) and signal.status == "arrived"
    return whole


def _key(signal: Signal) -> Key:
    return (signal.subject, signal.region)


def signal_text(signal: Signal) -> str:
    """One signal in a line, for progress where nothing can be redrawn."""
    status = _CELLS[signal.status].text
    reason = f": {signal.reason}" if signal.reason and signal.status != "arrived" else ""
    return f"{status}: {_column(signal)} of {signal.subject}{_where(signal)}{reason}"


def _where(signal: Signal) -> str:
    return f" ({signal.region})" if signal.region else ""


def _column(signal: Signal) -> str:
    return TITLES.get(signal.signal, signal.metric)


def _order(signal: Signal) -> tuple[int, str]:
    known = list(TITLES)
    return (known.index(signal.signal) if signal.signal in known else len(known), signal.metric)


def _cell(signal: Signal | None, words: bool) -> Span:
    """Nothing where the signal is not expected of this function."""
    if signal is None:
        return Span("")
    cell = _CELLS[signal.status]
    return cell if words else Span(cell.text[0], cell.style)


def _reasons(signals: Sequence[Signal], look: Look, named: int = 5) -> list[Line]:
    """Why something is not there; signals that lack for the same reason are told together."""
    lacking: dict[tuple[SignalStatus, str], dict[str, dict[str, None]]] = {}
    for signal in signals:
        if signal.status != "arrived" and signal.reason:
            columns = lacking.setdefault((signal.status, signal.reason), {})
            columns.setdefault(_column(signal), {})[signal.subject] = None
    found: list[Line] = []
    for status in _WORST_FIRST:
        for (of, reason), columns in lacking.items():
            if of == status:
                who = list(dict.fromkeys(name for functions in columns.values() for name in functions))
                said = names(who, 0 if look.verbose else named)
                mark = Span(_CELLS[status].text[0], _CELLS[status].style)
                found.append(line("  ", mark, f" {', '.join(columns)}: {said}"))
                found.append(line("      ", Span(reason, "dim")))
    return found

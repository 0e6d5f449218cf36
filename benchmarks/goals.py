"""What each run is to take at most, beside what it took: the table that `benchmarks.run` ends with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

CONTROL, FILTERS = 15, 5
"""Calls a second of Lambda's control plane, and of each kind of call on filters."""
MARGIN = 1.15


@dataclass(frozen=True, slots=True)
class Goal:
    """The most calls and the most seconds for N functions; None where only the other counts. `updating`: the
    most seconds from the first update of a function until all were seen updated. `as_mode`: this may take
    `AS_MUCH` of what that run takes."""

    what: str
    calls: Callable[[int], float] | None = None
    seconds: Callable[[int], float] | None = None
    updating: Callable[[int], float] | None = None
    as_mode: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a run took."""

    mode: str
    n: int
    calls: int
    seconds: float
    cpu: float
    megabytes: float
    by_api: Mapping[str, int]
    updating: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """A figure that does not depend on how many functions there are."""

    what: str
    figure: float
    goal: float | None = None


def _updated(n: int) -> float:
    return MARGIN * n / CONTROL


def _instrumented(n: int) -> float:
    return _updated(n) + 10


def _filtered(n: int) -> float:
    return MARGIN * n / FILTERS + 10


def _pages(n: int) -> float:
    return n / 25 + 40


def _ten_seconds(n: int) -> float:
    return max(10.0, n / 100)


GOALS: Mapping[str, Goal] = {
    "plan": Goal("plan, nothing to change", _pages, _ten_seconds),
    "again": Goal("setup, nothing to change", _pages, _ten_seconds),
    "automatic": Goal("first run, automatic", None, _instrumented),
    "direct": Goal("first run, direct filters", lambda n: 3.2 * n + 60, _filtered, _updated),
    "direct-again": Goal("setup, nothing to change, direct filters", _pages, _ten_seconds),
    "account": Goal("first run, one policy", None, _instrumented),
    "uninstrument": Goal("uninstrument", None, _instrumented),
    "undo": Goal("undo of a direct run", None, _filtered, _updated),
    "status": Goal("status", lambda n: n / 25 + 20),
    "keep": Goal("keep check, nothing drifted", lambda n: n / 50 + 20),
    "memory": Goal("memory, first run, automatic"),
    "memory-again": Goal("memory, nothing to change"),
    "memory-keep": Goal("memory, keep check"),
    "memory-uninstrument": Goal("memory, uninstrument"),
    "memory-direct": Goal("memory, first run, direct filters"),
    "memory-undo": Goal("memory, undo of a direct run"),
    "doctor": Goal("doctor, all well"),
    "history-none": Goal("plan, no earlier run"),
    "history": Goal("plan, 20 earlier runs", as_mode="history-none"),
}
MEGABYTES = 150.0
AS_MUCH = 1.1


def table(figures: Sequence[Figure]) -> str:
    """Goal beside figure, as Markdown; what misses its goal is marked."""
    rows = [
        "| run | N | calls | goal | seconds | goal | CPU s | goal | MB | goal |",
        "|---|" + "---:|" * 9,
    ]
    by_run = {(figure.mode, figure.n): figure for figure in figures}
    for figure in figures:
        goal = GOALS.get(figure.mode, Goal(figure.mode))
        calls, seconds, cpu, megabytes = _most(figure, goal, by_run.get((goal.as_mode, figure.n)))
        timed = not figure.mode.startswith("memory")
        cells = [
            *(goal.what, f"{figure.n:,}"),
            *_beside(float(figure.calls), calls, "{:,.0f}"),
            *(_beside(figure.seconds, seconds, "{:,.1f}") if timed else ("", "")),
            *_beside(figure.cpu, cpu, "{:,.1f}"),
            *_beside(figure.megabytes, megabytes, "{:,.0f}"),
        ]
        rows.append(f"| {' | '.join(cells)} |")
        if goal.updating:
            told, most = _beside(figure.updating, goal.updating(figure.n), "{:,.1f}")
            rows.append(f"| {goal.what}: its updates | {figure.n:,} | | | {told} | {most} | | | | |")
    return "\n".join(rows)


def _most(figure: Figure, goal: Goal, other: Figure | None) -> tuple[float | None, ...]:
    """The goals for calls, seconds, processor seconds and megabytes: `AS_MUCH` of what the run takes that
    this one is held to, if there is one."""
    if other is not None:
        return tuple(AS_MUCH * each for each in (other.calls, other.seconds, other.cpu, other.megabytes))
    calls, seconds = (each(figure.n) if each else None for each in (goal.calls, goal.seconds))
    return calls, seconds, None, MEGABYTES


def calls_tables(figures: Sequence[Figure]) -> str:
    """For each kind of run, how often each operation of AWS was called for each number of functions."""
    tables = []
    for mode in dict.fromkeys(figure.mode for figure in figures):
        runs = [figure for figure in figures if figure.mode == mode]
        names = {name: max(run.by_api.get(name, 0) for run in runs) for run in runs for name in run.by_api}
        rows = [
            f"| calls: {GOALS.get(mode, Goal(mode)).what} | {' | '.join(f'N = {run.n:,}' for run in runs)} |",
            "|---|" + "---:|" * len(runs),
        ]
        rows += [
            f"| {name} | {' | '.join(f'{run.by_api.get(name, 0):,}' for run in runs)} |"
            for name in sorted(names, key=lambda name: (-names[name], name))
        ]
        tables.append("\n".join(rows))
    return "\n\n".join(tables)


def once_table(rows: Iterable[Row]) -> str:
    """Goal beside figure for what does not depend on N."""
    lines = ["| | figure | goal |", "|---|---:|---:|"]
    for row in rows:
        missed = " (!)" if row.goal is not None and row.figure > row.goal else ""
        lines.append(
            f"| {row.what} | {row.figure:,.2f}{missed} | {'' if row.goal is None else f'{row.goal:g}'} |"
        )
    return "\n".join(lines)


def _beside(figure: float, goal: float | None, form: str) -> tuple[str, str]:
    if goal is None:
        return form.format(figure), ""
    return form.format(figure) + (" (!)" if figure > goal else ""), form.format(goal)

"""Choosing functions by asking: a rule first, a list only where a rule will not do.

What comes out are settings, so that a rule is what is saved and repeated, and finds later functions too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ddsetup.ask.prompter import Back, Prompt, Prompter, Row, say_error
from ddsetup.ask.questions import Choice
from ddsetup.facts.functions_at_a_glance import FunctionRow, function_rows
from ddsetup.facts.recognise import is_edge
from ddsetup.model.account import Function, Json, Lane, Unreadable
from ddsetup.model.answers import Selection
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import counted, names, rough
from ddsetup.model.snapshot import Snapshot
from ddsetup.observe.usage import NOT_YET, Counts, Usage
from ddsetup.plan.select import none_here, select_in
from ddsetup.settings.fields import selection_of
from ddsetup.settings.setting import Value
from ddsetup.settings.table import SETTINGS

_SAMPLES = 5
_PATIENCE = 10.0
"""Seconds for which the list, while it is shown, waits for CloudWatch if the person was faster."""
Settings = Mapping[str, Value]


def choose_functions(snapshot: Snapshot, prompter: Prompter, usage: Usage | None = None) -> Settings:
    """The settings that say which functions are meant; `Back` from the first question is passed on.

    `usage` is counted from the first question on, so that it is there once it is to be shown.
    """
    rows = function_rows(snapshot)
    if not rows:
        raise none_here(snapshot)
    if usage is not None:
        usage.begin()
    asking = _Asking(snapshot, rows, prompter, usage)
    while True:
        way = prompter.ask(_ways(rows))
        try:
            while True:
                chosen = _by(way, asking)
                if _accepted(chosen, asking):
                    return chosen
        except Back:
            continue


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is chosen from, and who is asked."""

    snapshot: Snapshot
    rows: Sequence[FunctionRow]
    prompter: Prompter
    usage: Usage | None


def _ways(rows: Sequence[FunctionRow]) -> Prompt:
    bare = sum(row.datadog == "none" for row in rows)
    regions = len({row.region for row in rows})
    where = f" in {regions} regions" if regions > 1 else ""
    choices = [
        Choice("all", f"All of them ({len(rows):,})"),
        Choice(
            "uninstrumented", f"Those without Datadog ({bare:,})", disabled="" if bare else "there is none"
        ),
        Choice("runtime", "By runtime"),
        Choice("tag", "By resource tag"),
        Choice("function", "By name"),
        Choice("pick", "Let me pick from a list"),
    ]
    return Prompt(
        kind="one",
        text=f"Which of {len(rows):,} functions{where}?"
        if len(rows) > 1
        else f"Which functions? There is one, {rows[0].function}",
        why="A rule is kept rather than a list, so that later functions are found as well.",
        choices=tuple(choices),
        default="uninstrumented" if 0 < bare < len(rows) else "all",
    )


def _by(way: Json, asking: _Asking) -> Settings:
    prompter = asking.prompter
    match way:
        case "all":
            return {"all": True}
        case "uninstrumented":
            return {"all": True, "which": "uninstrumented"}
        case "runtime":
            return {"runtime": tuple(prompter.ask(_runtimes(asking.rows)))}
        case "tag":
            answer = prompter.ask(_tags(asking.snapshot))
            return {"tag": (answer,) if isinstance(answer, str) else tuple(answer)}
        case "function":
            return {"function": ask_names(prompter, "Which names or globs?")}
        case _:
            return {"function": _picked(asking)}


def _some(value: Json) -> str:
    return "" if value else "choose at least one"


def _runtimes(rows: Sequence[FunctionRow]) -> Prompt:
    counts = Counter(row.runtime for row in rows if row.runtime)
    choices = tuple(Choice(name, name, counted(n, "function")) for name, n in sorted(counts.items()))
    why = "Functions of these runtimes are meant, also those that come later."
    return Prompt(kind="many", text="Which runtimes?", why=why, choices=choices, check=_some)


_NOT_TO_CHOOSE_BY = ("aws:cloudformation:stack-id=", "aws:cloudformation:logical-id=", "dd_")
"""Tags that mean one function only, or that a tool of Datadog's has set."""


def _tags(snapshot: Snapshot) -> Prompt:
    """The tags that functions have, the most frequent first."""
    counts: Counter[str] = Counter()
    for lane in snapshot.lanes.values():
        if isinstance(lane.tags, Mapping):
            counts.update(f"{k}={v}" for tags in lane.tags.values() for k, v in tags.items())
    counts = Counter({tag: n for tag, n in counts.items() if not tag.startswith(_NOT_TO_CHOOSE_BY)})
    if not counts:
        return Prompt(
            kind="text", text="Which tag, as key=value?", why="No function here has a tag.", check=_tag
        )
    choices = tuple(Choice(tag, tag, counted(n, "function")) for tag, n in counts.most_common())
    why = "Functions that have all of these are meant, also those that come later."
    return Prompt(kind="many", text="Which tags? (all must fit)", why=why, choices=choices, check=_some)


def _tag(value: Json) -> str:
    return _problem("tag", value)


def ask_names(prompter: Prompter, text: str) -> tuple[str, ...]:
    """Names of functions, or globs, as they are typed. Raises `Back`."""
    value = prompter.ask(
        Prompt(
            kind="text",
            text=text,
            why="Several with commas, for example checkout-*, billing",
            check=lambda v: _problem("function", v),
        )
    )
    parsed = SETTINGS["function"].parse(value)
    return parsed if isinstance(parsed, tuple) else ()


def _problem(key: str, value: Json) -> str:
    try:
        return "" if SETTINGS[key].parse(value) else "type at least one"
    except ValueError as error:
        return str(error)


def _picked(asking: _Asking) -> tuple[str, ...]:
    """Functions from the list: names where a name says it all, else ARNs."""
    snapshot, rows = asking.snapshot, asking.rows
    by_key = {(f.name, f.region): f for f in snapshot.functions()}
    several = len({row.region for row in rows}) > 1
    columns = (
        "Function",
        *(("Region",) if several else ()),
        "Runtime",
        "Arch",
        "Runs/24h",
        "Datadog",
        "Remark",
    )

    def listed(seconds: float) -> list[Row]:
        counts = asking.usage.wait(seconds) if asking.usage is not None else {}
        seen = _Seen(functions=by_key, counts=counts, regions=several)
        return [_row(row, seen) for row in rows]

    _say_what_is_not_known(asking)
    pick = asking.prompter.pick
    wanted = set(
        pick(
            "Which functions?",
            listed(0),
            why=_WHY_PICK,
            columns=columns,
            later=lambda: listed(_PATIENCE),
        )
    )
    chosen = [f for f in snapshot.functions() if f.arn in wanted]
    if not chosen:
        raise Back
    names_of = Counter(f.name for f in snapshot.functions())
    return tuple(f.name if names_of[f.name] == 1 else f.arn for f in chosen)


def _say_what_is_not_known(asking: _Asking) -> None:
    """Why how often they run is not known, once for each reason."""
    by_lane = asking.usage.wait(0) if asking.usage is not None else {}
    reasons = {found.reason for found in by_lane.values() if isinstance(found, Unreadable)}
    for reason in sorted(reasons - {NOT_YET.reason}):
        asking.prompter.say(f"how often they run is not known: {reason}")


_STATES = {"none": "-", "forwarder": "Forwarder", "extension": "Extension", "broken": "half set up"}
_WHY_PICK = "Runs/24h: how often each ran in the last 24 hours. Kept by name, not by rule."


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of the functions that are listed; `regions`: they are in several."""

    functions: Mapping[tuple[str, str], Function]
    counts: Mapping[Lane, Counts]
    regions: bool

    def runs(self, function: Function) -> float | None:
        """How often a function ran; None if that is not known."""
        counted = self.counts.get(function.lane, NOT_YET)
        return None if isinstance(counted, Unreadable) else float(counted.get(function.name, 0.0))

    def runs_in_words(self, function: Function) -> str:
        runs = self.runs(function)
        awaited = self.counts.get(function.lane) is NOT_YET
        return rough(runs) if runs is not None else "..." if awaited else "?"


def _row(row: FunctionRow, seen: _Seen) -> Row:
    """A function as it is listed: what it is, how much it runs, how it is instrumented, what is special."""
    function = seen.functions[row.function, row.region]
    runs = seen.runs(function)
    remark = row.note or (f"managed by {row.owner}" if row.owner else "")
    where = (row.region,) if seen.regions else ()
    cells = (
        row.function,
        *where,
        row.runtime,
        row.architecture,
        seen.runs_in_words(function),
        _STATES.get(row.datadog, row.datadog),
        remark,
    )
    terms = (
        f"runtime:{row.runtime}",
        f"region:{row.region}",
        f"arch:{row.architecture}",
        f"state:{row.datadog}",
        f"traffic:{'unknown' if runs is None else 'some' if runs else 'none'}",
    )
    impossible = "Lambda@Edge takes neither layers nor variables" if is_edge(function) else ""
    return Row(value=function.arn, cells=cells, terms=terms, disabled=impossible, weight=runs)


def _accepted(chosen: Settings, asking: _Asking) -> bool:
    """Show what the rule means here and now. Forwarders are never touched and not worth a word."""
    snapshot, rows, prompter = asking.snapshot, asking.rows, asking.prompter
    selection: Selection = selection_of(chosen)
    try:
        listed = {(row.function, row.region) for row in rows}
        functions = [f for f in select_in(snapshot, selection) if (f.name, f.region) in listed]
    except UsageError as error:
        say_error(prompter, error)
        return False
    if not functions:
        prompter.say("no function fits")
        return False
    several = len({row.region for row in rows}) > 1
    by_region = [
        (f"{region}: " if several else "") + names([f.name for f in of_region], _SAMPLES)
        for region, of_region in groupby(functions, key=lambda f: f.region)
    ]
    prompter.say(f"{counted(len(functions), 'function')}: {'; '.join(by_region)}")
    return True

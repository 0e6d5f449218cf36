"""Choosing functions by asking: a rule first, a list only where a rule will not do.

What comes out are settings, so that a rule is what is saved and repeated, and finds later functions too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from ddsetup.answers import Selection
from ddsetup.errors import UsageError
from ddsetup.lines import counted, names
from ddsetup.model import Function, Json, Snapshot
from ddsetup.prompter import Back, Prompt, Prompter, Row
from ddsetup.questions import Choice
from ddsetup.select import select_in
from ddsetup.setting import Value
from ddsetup.settings import SETTINGS
from ddsetup.settle import selection_of
from ddsetup.status import FunctionRow, function_rows

_SAMPLES = 5
Settings = Mapping[str, Value]


def choose_functions(snapshot: Snapshot, prompter: Prompter) -> Settings:
    """The settings that say which functions are meant; `Back` from the first question is passed on."""
    rows = function_rows(snapshot)
    if not rows:
        raise UsageError("there is no function here", fix="choose another region with --region")
    while True:
        way = prompter.ask(_ways(rows))
        try:
            chosen = _by(way, snapshot, rows, prompter)
            if _accepted(chosen, snapshot, rows, prompter):
                return chosen
        except Back:
            continue


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
        text=f"Which of {counted(len(rows), 'function')}{where}?",
        why="A rule is kept rather than a list, so that later functions are found as well.",
        choices=tuple(choices),
        default="uninstrumented" if 0 < bare < len(rows) else "all",
    )


def _by(way: Json, snapshot: Snapshot, rows: Sequence[FunctionRow], prompter: Prompter) -> Settings:
    match way:
        case "all":
            return {"all": True}
        case "uninstrumented":
            return {"all": True, "state": "uninstrumented"}
        case "runtime":
            counts = Counter(row.runtime for row in rows if row.runtime)
            choices = tuple(Choice(name, name, f"{n:,}") for name, n in sorted(counts.items()))
            prompt = Prompt(kind="many", text="Which runtimes?", choices=choices, check=_some)
            return {"runtime": tuple(prompter.ask(prompt))}
        case "tag":
            return {"tag": tuple(prompter.ask(_tags(snapshot)))}
        case "function":
            return {"function": _typed(prompter, "function", "Names or globs, separated by commas")}
        case _:
            return {"function": _picked(snapshot, rows, prompter)}


def _some(value: Json) -> str:
    return "" if value else "choose at least one"


def _tags(snapshot: Snapshot) -> Prompt:
    """The tags that functions have, the most frequent first."""
    counts: Counter[str] = Counter()
    for lane in snapshot.lanes.values():
        if isinstance(lane.tags, Mapping):
            counts.update(f"{k}={v}" for tags in lane.tags.values() for k, v in tags.items())
    if not counts:
        return Prompt(kind="text", text="Tag, as key=value", why="No function here has a tag.", check=_tag)
    choices = tuple(Choice(tag, tag, f"{n:,}") for tag, n in counts.most_common())
    return Prompt(kind="many", text="Which tags? (all must fit)", choices=choices, check=_some)


def _tag(value: Json) -> str:
    return _problem("tag", value)


def _typed(prompter: Prompter, key: str, text: str) -> tuple[str, ...]:
    value = prompter.ask(
        Prompt(kind="text", text=text, why="For example checkout-*", check=lambda v: _problem(key, v))
    )
    parsed = SETTINGS[key].parse(value)
    return parsed if isinstance(parsed, tuple) else ()


def _problem(key: str, value: Json) -> str:
    try:
        return "" if SETTINGS[key].parse(value) else "type at least one"
    except ValueError as error:
        return str(error)


def _picked(snapshot: Snapshot, rows: Sequence[FunctionRow], prompter: Prompter) -> tuple[str, ...]:
    """Functions from the list: names where a name says it all, else ARNs."""
    by_key = {(f.name, f.region): f for f in snapshot.functions()}
    regions = len({row.region for row in rows}) > 1
    listed = [_row(row, by_key, regions=regions) for row in rows]
    wanted = set(prompter.pick("Which functions?", listed))
    chosen = [f for f in snapshot.functions() if f.arn in wanted]
    if not chosen:
        raise Back
    names_of = Counter(f.name for f in snapshot.functions())
    return tuple(f.name if names_of[f.name] == 1 else f.arn for f in chosen)


_STATES = {"none": "-", "forwarder": "Forwarder", "extension": "Extension", "broken": "half set up"}


def _row(row: FunctionRow, functions: Mapping[tuple[str, str], Function], *, regions: bool) -> Row:
    """A function as it is listed: what it is, how it is instrumented, and what is special about it."""
    remark = row.note or (f"managed by {row.owner}" if row.owner else "")
    where = (row.region,) if regions else ()
    cells = (
        row.function,
        *where,
        row.runtime,
        row.architecture,
        _STATES.get(row.datadog, row.datadog),
        remark,
    )
    terms = (
        f"runtime:{row.runtime}",
        f"region:{row.region}",
        f"arch:{row.architecture}",
        f"state:{row.datadog}",
    )
    function = functions[row.function, row.region]
    return Row(value=function.arn, cells=cells, terms=terms)


def _accepted(chosen: Settings, snapshot: Snapshot, rows: Sequence[FunctionRow], prompter: Prompter) -> bool:
    """Show what the rule means here and now. Forwarders are never touched and not worth a word."""
    selection: Selection = selection_of(chosen)
    try:
        listed = {(row.function, row.region) for row in rows}
        functions = [f for f in select_in(snapshot, selection) if (f.name, f.region) in listed]
    except UsageError as error:
        prompter.say(f"{error.what}. {error.fix}".strip())
        return False
    if not functions:
        prompter.say("no function fits")
        return False
    by_region = [
        f"{region}: {names([f.name for f in of_region], _SAMPLES)}"
        for region, of_region in groupby(functions, key=lambda f: f.region)
    ]
    prompter.say(f"{counted(len(functions), 'function')}: {'; '.join(by_region)}")
    return True

"""From what was given to `Answers`, by asking for what is open, or by naming all of it at once.

There is one path for flags, environment, file and prompts: a given value is checked by the same function as
a typed one. After this nobody knows, nor needs to know, whether anybody was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Back, Prompt, Prompter, PromptKind
from ddsetup.ask.questions import FUNCTIONS, OWNED, SIGNALS, SOURCE, Choice, Draft, Question, questions_for
from ddsetup.model.account import Function, Json
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.foreign import Lines
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.select import select_in
from ddsetup.settings.fields import answers_of, selection_of
from ddsetup.settings.given import Given, Raw
from ddsetup.settings.setting import Setting, Value
from ddsetup.settings.table import KEY_SOURCES, SETTINGS


@dataclass(frozen=True, slots=True)
class Missing:
    """An answer that nobody gave, with the ways to give it. `flag` may be empty (keys have none)."""

    text: str
    flag: str
    env: str

    def __str__(self) -> str:
        ways = " or ".join(way for way in (self.flag, self.env) if way)
        return f"{self.text}  ({ways})"


@dataclass(frozen=True, slots=True)
class Scope:
    """What must be known before anything can be observed. Empty where a command does not need it."""

    site: str = ""
    regions: tuple[str, ...] = ()


@dataclass(slots=True)
class _Run:
    """The state of asking: what is known, and what is wrong."""

    values: dict[str, Value]
    missing: list[Missing] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


_CHANGING = ("setup", "plan", "uninstrument", "teardown")
"""Commands that ask where to work even if AWS has a default region."""

Chooser = Callable[[Snapshot, Prompter], Mapping[str, Value]]
"""Asks which functions are meant; returns the settings that say so."""
AtHand = Callable[[Snapshot, Sequence[Function]], str]
"""Which of the functions are deployed from the working directory, in words; empty if none is."""


def scope_from(
    given: Given,
    prompter: Prompter | None,
    *,
    command: str = "setup",
    default_regions: Sequence[str] = (),
    missing: Sequence[Missing] = (),
    dialogue: Dialogue | None = None,
) -> Scope:
    """Where to look. Without a prompter, everything that the command will need is checked here already.

    `default_regions` is AWS's own default region, which commands that only look take without asking;
    `missing` are answers that the caller knows to be missing (keys). Raises UsageError naming every missing
    and every wrong answer, and `Back` as `ask` does.
    """
    questions = questions_for(command) if prompter is None else questions_for(command, "scope")
    suggested: dict[str, Value] = {"region": tuple(default_regions)} if default_regions else {}
    taken = command not in _CHANGING and "region" not in given
    run = _Run(dict(suggested) if taken else {})
    run.wrong.extend(_wrong(given))
    run.missing.extend(missing)
    _fill(run, _Asking(questions, given, None, prompter, suggested, dialogue=dialogue or Dialogue()))
    _refuse(run)
    regions = run.values.get("region", ())
    return Scope(str(run.values.get("site", "")), regions if isinstance(regions, tuple) else ())


def answers_from(  # noqa: PLR0913 - where answers come from, each of which a caller may lack
    given: Given,
    snapshot: Snapshot | None,
    prompter: Prompter | None,
    *,
    command: str = "setup",
    scope: Scope | None = None,
    choose: Chooser | None = None,
    dialogue: Dialogue | None = None,
    at_hand: AtHand | None = None,
) -> Answers:
    """All answers. `choose` asks for the functions; it is only called with a prompter and a snapshot, as is
    `at_hand`.

    Raises UsageError naming every missing and every wrong answer, and `Back` as `ask` does.
    """
    known: dict[str, Value] = {}
    if scope is not None and scope.site:
        known["site"] = scope.site
    if scope is not None and scope.regions:
        known["region"] = scope.regions
    asking = _Asking(
        questions_for(command),
        given,
        snapshot,
        prompter,
        {},
        choose,
        dialogue=dialogue or Dialogue(),
        at_hand=at_hand,
    )
    return answers_of(_settled(asking, known))


def ask(
    questions: Sequence[Question],
    given: Given,
    snapshot: Snapshot | None,
    prompter: Prompter | None,
    *,
    known: Draft | None = None,
) -> dict[str, Value]:
    """The checked values of all settings: given ones, and those that the questions add.

    Without a prompter nothing is asked, and all missing and wrong answers make one UsageError. Who goes back
    is asked the question before again.
    """
    return _settled(_Asking(questions, given, snapshot, prompter, {}), known or {})


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked, by what light, and what was typed already."""

    questions: Sequence[Question]
    given: Given
    snapshot: Snapshot | None
    prompter: Prompter | None
    suggested: Draft
    choose: Chooser | None = None
    dialogue: Dialogue = field(default_factory=Dialogue)
    at_hand: AtHand | None = None


def _settled(asking: _Asking, known: Draft) -> dict[str, Value]:
    """The values by what is known, given, typed before and asked now. Raises `Back` when the person goes back
    to a question that is not among these."""
    run = _Run(dict(known))
    run.wrong.extend(_wrong(asking.given))
    if run.wrong and asking.prompter is not None:
        _refuse(run)
    _fill(run, asking)
    _refuse(run)
    return run.values


def _fill(run: _Run, asking: _Asking) -> None:
    """Put every given value and every answer into `run.values`."""
    for key in asking.given.values:
        value = _checked(key, asking.given)
        if value is not None:
            run.values.setdefault(key, value)
    known = dict(run.values)
    mine = {question.key for question in asking.questions if question.key not in known}
    while True:
        run.values = dict(known)
        try:
            for question in asking.questions:
                _answer(run, question, asking)
        except Back:
            # What was typed before stays answered, so that going over it again comes to the question before.
            taken_back = asking.dialogue.back()
            if taken_back and taken_back not in mine:
                raise
            continue
        return


def _answer(run: _Run, question: Question, asking: _Asking) -> None:
    """Settle one question: by what is known, by what was typed already, by asking, by its default."""
    if not question.when(asking.snapshot, run.values):
        return
    typed = asking.dialogue.typed.get(question.key)
    if typed is not None and asking.prompter is not None:
        run.values.update(typed)
    elif question.key == FUNCTIONS:
        _which_functions(run, question, asking)
    elif question.key == SIGNALS:
        _which_signals(run, question, asking)
    elif question.key in run.values or question.key in asking.given:
        return
    elif asking.prompter is not None:
        value = _put(question, asking, run.values)
        _typed(run, question, asking, {} if value is None else {question.key: value})
    else:
        default = asking.suggested.get(question.key, question.default)
        if default is not None:
            run.values[question.key] = default
        elif not question.optional:
            run.missing.append(Missing(question.text, question.flag, question.env))


def _typed(run: _Run, question: Question, asking: _Asking, settings: Mapping[str, Value]) -> None:
    asking.dialogue.answer(question.key, settings)
    run.values.update(settings)


def _which_functions(run: _Run, question: Question, asking: _Asking) -> None:
    if selection_of(run.values).given:
        if asking.prompter is not None and asking.snapshot is not None:
            # What was given is wrong now or never: better before the questions than after them.
            select_in(asking.snapshot, selection_of(run.values))
        return
    if asking.prompter is not None and asking.snapshot is not None and asking.choose is not None:
        _typed(run, question, asking, asking.choose(asking.snapshot, asking.prompter))
    else:
        run.missing.append(Missing(question.text, question.flag, question.env))


def _which_signals(run: _Run, question: Question, asking: _Asking) -> None:
    """Several switches as one question; those that were given are not in it."""
    choices = tuple(c for c in question.choices(asking.snapshot, run.values) if c.value not in run.values)
    if asking.prompter is None or not choices:
        run.values.update({choice.value: True for choice in choices})
        return
    earlier = asking.dialogue.earlier
    on = tuple(choice.value for choice in choices if earlier.get(choice.value, True))
    wanted = asking.prompter.ask(
        Prompt(kind="many", text=question.text, why=question.why, choices=choices, default=on)
    )
    _typed(run, question, asking, {choice.value: choice.value in wanted for choice in choices})


def _put(question: Question, asking: _Asking, draft: Draft) -> Value | None:
    """Ask a person. None: an optional question that was left empty."""
    setting = question.setting
    if setting is None or asking.prompter is None:
        raise ValueError(f"question {question.key!r} has no setting to ask for")
    suggested = asking.dialogue.earlier.get(question.key, asking.suggested.get(question.key))
    if suggested is None and question.suggest is not None:
        suggested = question.suggest(asking.snapshot, draft)
    choices = _choices(question, asking, draft)
    if suggested is None:
        suggested = SOURCE if choices and choices[0].value == SOURCE else question.default
    kind = _prompt_kind(setting, bool(choices))
    if kind == "text" and isinstance(suggested, tuple):
        suggested = ",".join(suggested)

    def problem(value: Json) -> str:
        if question.optional and value == "":
            return ""
        try:
            parsed = setting.parse(value)
        except ValueError as error:
            return str(error)
        if parsed == () and question.default is None:
            return "at least one is needed"
        return question.check(parsed)

    prompt = Prompt(
        kind=kind, text=question.text, why=question.why, choices=choices, default=suggested, check=problem
    )
    value = asking.prompter.ask(prompt)
    return None if question.optional and value == "" else setting.parse(value)


def _choices(question: Question, asking: _Asking, draft: Draft) -> tuple[Choice, ...]:
    """What can be chosen. The source of functions only where it is at hand, and then with what it is."""
    choices = question.choices(asking.snapshot, draft)
    if question.key != OWNED:
        return choices
    theirs = ""
    if asking.at_hand is not None and asking.snapshot is not None:
        theirs = asking.at_hand(asking.snapshot, select_in(asking.snapshot, selection_of(draft)))
    return tuple(
        replace(c, hint=theirs) if c.value == SOURCE else c for c in choices if theirs or c.value != SOURCE
    )


def _prompt_kind(setting: Setting, choices: bool) -> PromptKind:
    if setting.kind == "switch":
        return "confirm"
    if not choices:
        return "text"
    return "many" if setting.is_list else "one"


def _checked(key: str, given: Given) -> Value | None:
    try:
        return given.value(key)
    except ValueError:
        return None


def _wrong(given: Given) -> list[str]:
    """What is wrong with the values that were given, each with where it was given."""
    found: list[str] = []
    for key, raw in given.values.items():
        try:
            SETTINGS[key].parse(raw.value)
        except ValueError as error:
            found.append(f"{raw.where}: {error}")
    sources = [given.values[key].where for key in KEY_SOURCES if key in given]
    if len(sources) > 1:
        found.append(f"{' and '.join(sources)}: only one may say where the API key is")
    return found


def _refuse(run: _Run) -> None:
    """Raise what is wrong and missing, all at once."""
    if not run.wrong and not run.missing:
        return
    lines = list(run.wrong)
    if run.missing:
        lines.append("answers are missing, and nobody can be asked:")
        lines.extend(f"  {missing}" for missing in run.missing)
    fix = "give them as flags, as variables or in ddsetup.toml; or run on a terminal without --no-input"
    raise UsageError(Lines.of(*lines), fix=fix if run.missing else "")


__all__ = ["Chooser", "Given", "Missing", "Raw", "Scope", "answers_from", "ask", "scope_from"]

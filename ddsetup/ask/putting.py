"""One question at a time: what is known of its answer, how it is put, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Back, Prompt, Prompter, PromptKind
from ddsetup.ask.questions import FUNCTIONS, OWNED, REGION, SIGNALS, SOURCE, Choice, Draft, Question
from ddsetup.ask.region_offers import FunctionsByRegion, region_offers, regions_in_use, without_functions
from ddsetup.model.account import Function, Json
from ddsetup.model.errors import UsageError
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.select import select_in
from ddsetup.settings.fields import selection_of
from ddsetup.settings.given import Given
from ddsetup.settings.setting import Setting, Value
from ddsetup.settings.table import WHICH

Chooser = Callable[[Snapshot, Prompter], Mapping[str, Value]]
"""Asks which functions are meant; returns the settings that say so."""
AtHand = Callable[[Snapshot, Sequence[Function]], str]
"""Which of the functions are deployed from the working directory, in words; empty if none is."""
CountFunctions = Callable[[], FunctionsByRegion]
"""Counts the functions in all regions there are."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An answer that nobody gave, with the ways to give it. `flag` may be empty (keys have none)."""

    text: str
    flag: str
    env: str

    def __str__(self) -> str:
        ways = " or ".join(way for way in (self.flag, self.env) if way)
        return f"{self.text}  ({ways})"


@dataclass(slots=True)
class Run:
    """The state of asking: what is known, and what is wrong."""

    values: dict[str, Value]
    missing: list[Missing] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked, by what light, and what was typed already."""

    questions: Sequence[Question]
    given: Given
    snapshot: Snapshot | None
    prompter: Prompter | None
    suggested: Draft
    choose: Chooser | None = None
    dialogue: Dialogue = field(default_factory=Dialogue)
    at_hand: AtHand | None = None
    count: CountFunctions | None = None
    screen: bool = False
    """Whether questions that are rarely answered otherwise are settled together, on one screen."""

    @property
    def quick(self) -> bool:
        """Whether nothing is asked that has an answer: `--yes`, and it is said which functions are meant."""
        return self.given.on("yes") and any(key in self.given for key in WHICH)


def answer(run: Run, question: Question, asking: Asking) -> None:
    """Settle one question: by what is known, by what was typed already, by asking, by its default."""
    if not question.when(asking.snapshot, run.values):
        return
    before = asking.dialogue.typed.get(question.key)
    if before is not None and asking.prompter is not None:
        run.values.update(before)
    elif question.key == FUNCTIONS:
        _which_functions(run, question, asking)
    elif question.key == SIGNALS:
        which_signals(run, question, asking)
    elif question.key in run.values or question.key in asking.given:
        return
    elif asking.prompter is not None and not (asking.quick and _is_settled(question)):
        value = put(question, asking, run.values)
        typed(run, question, asking, {} if value is None else {question.key: value})
    else:
        default = asking.suggested.get(question.key, question.default)
        if default is not None:
            run.values[question.key] = default
        elif not question.optional:
            run.missing.append(Missing(question.text, question.flag, question.env))


def _is_settled(question: Question) -> bool:
    """Whether a question has an answer without anybody."""
    return question.optional or question.default is not None


def typed(run: Run, question: Question, asking: Asking, settings: Mapping[str, Value]) -> None:
    asking.dialogue.answer(question.key, settings)
    run.values.update(settings)


def _which_functions(run: Run, question: Question, asking: Asking) -> None:
    if selection_of(run.values).given:
        if asking.prompter is not None and asking.snapshot is not None:
            # What was given is wrong now or never: better before the questions than after them.
            select_in(asking.snapshot, selection_of(run.values))
        return
    if asking.prompter is not None and asking.snapshot is not None and asking.choose is not None:
        try:
            chosen = asking.choose(asking.snapshot, asking.prompter)
        except UsageError as error:
            if REGION in asking.given:
                raise
            # The region is the last answer then, so that going back leads to its question.
            asking.prompter.say(error.what)
            asking.dialogue.typed.pop(REGION, None)
            asking.dialogue.answer(REGION, {REGION: run.values.get(REGION, ())})
            raise Back from None
        typed(run, question, asking, chosen)
    else:
        run.missing.append(Missing(question.text, question.flag, question.env))


def which_signals(run: Run, question: Question, asking: Asking) -> None:
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
    typed(run, question, asking, {choice.value: choice.value in wanted for choice in choices})


def put(question: Question, asking: Asking, draft: Draft) -> Value | None:
    """Ask a person. None: an optional question that was left empty."""
    setting = question.setting
    if setting is None or asking.prompter is None:
        raise ValueError(f"question {question.key!r} has no setting to ask for")
    suggested = suggestion(question, asking, draft)
    if question.key == REGION and asking.count is not None:
        functions = asking.count()
        choices = tuple(Choice(*offer) for offer in region_offers(functions))
        suggested = suggested or regions_in_use(functions)
        if without_functions(functions):
            asking.prompter.say("no region of this account has functions: deploy one first; Ctrl-C stops")
    else:
        choices = _choices(question, asking, draft)
    if choices and choices[0].value == SOURCE and question.key not in asking.dialogue.earlier:
        suggested = SOURCE
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


def suggestion(question: Question, asking: Asking, draft: Draft) -> Value | None:
    """What Enter takes: what was typed earlier, what is here, what is usual."""
    suggested = asking.dialogue.earlier.get(question.key, asking.suggested.get(question.key))
    if suggested is None and question.suggest is not None:
        suggested = question.suggest(asking.snapshot, draft)
    return question.default if suggested is None else suggested


def _choices(question: Question, asking: Asking, draft: Draft) -> tuple[Choice, ...]:
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

"""From what was given to `Answers`, by asking for what is open, or by naming all of it at once.

There is one path for flags, environment, file and prompts: a given value is checked by the same function as
a typed one. After this nobody knows, nor needs to know, whether anybody was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Back, Prompter
from ddsetup.ask.putting import Asking, AtHand, Chooser, CountFunctions, Missing, Run, answer
from ddsetup.ask.questions import Draft, Question, questions_for
from ddsetup.ask.settling import settle_usual
from ddsetup.ask.usual import ACCEPTED, EVERYTHING, MORE, is_usual
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.foreign import Lines
from ddsetup.model.snapshot import Snapshot
from ddsetup.settings.fields import answers_of
from ddsetup.settings.given import Given, Raw
from ddsetup.settings.setting import Value
from ddsetup.settings.table import KEY_SOURCES


@dataclass(frozen=True, slots=True)
class Scope:
    """What must be known before anything can be observed. Empty where a command does not need it."""

    site: str = ""
    regions: tuple[str, ...] = ()


_ASKING = ("teardown",)
"""Commands that ask where to work even if AWS has a default region: they take away all that is there."""


def scope_from(  # noqa: PLR0913 - what is known of where to look, each of which a caller may lack
    given: Given,
    prompter: Prompter | None,
    *,
    command: str = "setup",
    default_regions: Sequence[str] = (),
    missing: Sequence[Missing] = (),
    dialogue: Dialogue | None = None,
    count: CountFunctions | None = None,
) -> Scope:
    """Where to look. Without a prompter, everything that the command will need is checked here already.

    `default_regions` is AWS's own default region, taken without asking until somebody goes back to it;
    `missing` are answers that the caller knows to be missing (keys); `count` makes a list of the regions.
    Raises UsageError naming every missing and every wrong answer, and `Back` as `ask` does.
    """
    questions = questions_for(command) if prompter is None else questions_for(command, "scope")
    suggested: dict[str, Value] = {"region": tuple(default_regions)} if default_regions else {}
    dialogue = dialogue or Dialogue()
    told = dialogue.earlier | dialogue.values()
    taken = command not in _ASKING and "region" not in given and "region" not in told
    run = Run(dict(suggested) if taken else {})
    run.wrong.extend(_wrong(given))
    run.missing.extend(missing)
    _fill(run, Asking(questions, given, None, prompter, suggested, dialogue=dialogue, count=count))
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
    asking = Asking(
        questions_for(command),
        given,
        snapshot,
        prompter,
        {},
        choose,
        dialogue=dialogue or Dialogue(),
        at_hand=at_hand,
        screen=True,
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
    return _settled(Asking(questions, given, snapshot, prompter, {}), known or {})


def _settled(asking: Asking, known: Draft) -> dict[str, Value]:
    """The values by what is known, given, typed before and asked now. Raises `Back` when the person goes back
    to a question that is not among these."""
    run = Run(dict(known))
    run.wrong.extend(_wrong(asking.given))
    if run.wrong and asking.prompter is not None:
        _refuse(run)
    _fill(run, asking)
    _refuse(run)
    return run.values


def _fill(run: Run, asking: Asking) -> None:
    """Put every given value and every answer into `run.values`."""
    for key in asking.given.values:
        value = _checked(key, asking.given)
        if value is not None:
            run.values.setdefault(key, value)
    known = dict(run.values)
    mine = {question.key for question in asking.questions if question.key not in known}
    usual = tuple(filter(is_usual, asking.questions)) if asking.screen and asking.prompter else ()
    if usual:
        mine |= {ACCEPTED, EVERYTHING, *(question.key for question in MORE)}
    while True:
        run.values = dict(known)
        try:
            _ask_all(run, asking, usual)
        except Back:
            # What was typed before stays answered, so that going over it again comes to the question before.
            taken_back = asking.dialogue.back()
            if taken_back and taken_back not in mine:
                raise
            if not taken_back and _comes_unasked("region", asking, known):
                asking.dialogue.earlier["region"] = known["region"]
                raise
            continue
        return


def _comes_unasked(key: str, asking: Asking, known: Draft) -> bool:
    """Whether an answer was taken from AWS's configuration, so that going back leads to its question."""
    return asking.screen and key in known and key not in asking.given


def _ask_all(run: Run, asking: Asking, usual: Sequence[Question]) -> None:
    """Settle every question in its turn, the usual ones together in the turn of the last of them."""
    for question in asking.questions:
        if question not in usual:
            answer(run, question, asking)
        elif question is usual[-1]:
            settle_usual(run, usual, asking)


def _checked(key: str, given: Given) -> Value | None:
    try:
        return given.value(key)
    except ValueError:
        return None


def _wrong(given: Given) -> list[str]:
    """What is wrong with the values that were given, or with two of them together."""
    found = given.problems()
    sources = [given.values[key].where for key in KEY_SOURCES if key in given]
    if len(sources) > 1:
        found.append(f"{' and '.join(sources)}: only one may say where the API key is")
    return found


def _refuse(run: Run) -> None:
    """Raise what is wrong and missing, all at once."""
    if not run.wrong and not run.missing:
        return
    lines = list(run.wrong)
    if run.missing:
        lines.append("answers are missing, and nobody can be asked:")
        lines.extend(f"  {missing}" for missing in run.missing)
    fix = "give them as flags, as variables or in ddsetup.toml; or run on a terminal without --no-input"
    raise UsageError(Lines.of(*lines), fix=fix if run.missing else "")


__all__ = ["AtHand", "Chooser", "Given", "Missing", "Raw", "Scope", "answers_from", "ask", "scope_from"]

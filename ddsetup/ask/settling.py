"""What has a good answer is settled on one screen, from which each question and every setting is reached."""

from __future__ import annotations

from collections.abc import Sequence

from ddsetup.ask.prompter import Back
from ddsetup.ask.putting import Asking, Run, answer, put, suggestion, which_signals
from ddsetup.ask.questions import SIGNALS, Draft, Question
from ddsetup.ask.usual import ACCEPTED, EVERYTHING, MORE, Usual, in_words, screen, which
from ddsetup.settings.setting import Value


def settle_usual(run: Run, usual: Sequence[Question], asking: Asking) -> None:
    """Settle the questions that have a good answer: all on one screen, from which each can be asked."""
    known = dict(run.values)
    while True:
        run.values = dict(known)
        if EVERYTHING in asking.dialogue.typed:
            for question in usual:
                answer(run, question, asking)
            return
        shown = _recommended(run, usual, asking)
        if asking.quick or ACCEPTED in asking.dialogue.typed or not shown or asking.prompter is None:
            return
        wanted = asking.prompter.ask(screen(shown))
        if wanted == "change":
            _change_one(run, shown, asking)
        else:
            asking.dialogue.answer(ACCEPTED if wanted == "accept" else EVERYTHING, {})


def _recommended(run: Run, usual: Sequence[Question], asking: Asking) -> list[Usual]:
    """Put what was typed before, or is recommended, into the values; what of it is open to change."""
    shown: list[Usual] = []
    for question in (*usual, *(q for q in MORE if q.key in asking.dialogue.typed)):
        if question.key in asking.given or not question.when(asking.snapshot, run.values):
            continue
        before = asking.dialogue.typed.get(question.key)
        if question.key == SIGNALS:
            switches = _switches(question, asking, run.values)
            run.values.update(before if before is not None else switches)
            on = tuple(key for key in switches if run.values.get(key))
            shown += (
                [Usual(question, in_words(question, on, asking.snapshot, run.values))] if switches else []
            )
            continue
        value = before.get(question.key) if before is not None else suggestion(question, asking, run.values)
        if value is not None:
            run.values[question.key] = value
        shown.append(Usual(question, in_words(question, value, asking.snapshot, run.values)))
    return shown


def _change_one(run: Run, shown: Sequence[Usual], asking: Asking) -> None:
    """Ask one of the questions, which then is answered like any other; going back leaves it as it was."""
    assert asking.prompter is not None
    try:
        key = asking.prompter.ask(which(shown, asking.given))
        question = next(q for q in (*(each.question for each in shown), *MORE) if q.key == key)
        before = asking.dialogue.typed.get(question.key)
        if question.key == SIGNALS:
            asking.dialogue.earlier.update(_switches(question, asking, run.values) | dict(before or {}))
            switches = {choice.value for choice in question.choices(asking.snapshot, run.values)}
            given = {k: v for k, v in run.values.items() if k not in switches or k in asking.given}
            which_signals(Run(given), question, asking)
            return
        if question.key in run.values:
            asking.dialogue.earlier[question.key] = run.values[question.key]
        value = put(question, asking, run.values)
    except Back:
        return
    asking.dialogue.typed.pop(question.key, None)
    asking.dialogue.answer(question.key, {} if value is None else {question.key: value})


def _switches(question: Question, asking: Asking, draft: Draft) -> dict[str, Value]:
    """The switches of one question that were not given, as they would be without a word."""
    keys = (choice.value for choice in question.choices(asking.snapshot, draft))
    return {k: bool(asking.dialogue.earlier.get(k, True)) for k in keys if k not in asking.given}

"""Asking line by line, with numbered choices, on a terminal that cannot be drawn on.

Everything is written to standard error, so that standard output holds the result only.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TextIO

from ddsetup.ask.prompter import Back, Later, Prompt, Row, shown, shown_row
from ddsetup.ask.questions import Choice
from ddsetup.model.account import Json
from ddsetup.model.lines import Span, counted, line, names
from ddsetup.terminal.console import Console
from ddsetup.terminal.keyboard import forget_typed

BACK_WORD = "<"
_HOW = f"Enter takes what stands in brackets, {BACK_WORD} goes back one question, Ctrl-C stops."
_LISTED = 60
"""How many rows are listed with numbers; beyond that nobody would listen to the end."""


@dataclass(frozen=True, slots=True)
class PlainPrompter:
    """Asks line by line, with numbered choices: for dumb terminals and screen readers. `<` goes back."""

    console: Console
    stdin: TextIO
    _told: list[str] = field(default_factory=list)

    def ask(self, prompt: Prompt) -> Json:
        """Put one question, again until the answer is accepted."""
        prompt = shown(prompt)
        with self.console.quiet():
            if not self._told:
                self.console.lines([line(_HOW)], marked=False)
                self._told.append(_HOW)
            while True:
                try:
                    value = self._put(prompt)
                except ValueError as error:
                    self.say(str(error))
                    continue
                wrong = prompt.check(value)
                if not wrong:
                    return value
                self.say(wrong)

    def pick(
        self,
        title: str,
        rows: Sequence[Row],
        *,
        why: str = "",
        columns: Sequence[str] = (),
        later: Later | None = None,
    ) -> tuple[str, ...]:
        """Choose from a list by numbers and ranges of numbers; from a long one by parts of names. What is
        said stays, so all that can be known is waited for."""
        rows = [shown_row(row) for row in (rows if later is None else later())]
        if why:
            self.say(why)
        if len(rows) > _LISTED:
            return self._pick_by_words(title, rows)
        if columns:
            self.say(f"Each line: {', '.join(columns)}")
        choices = tuple(Choice(row.value, "  ".join(row.cells), disabled=row.disabled) for row in rows)
        chosen = tuple(row.value for row in rows if row.chosen)
        prompt = Prompt(kind="many", text=title, choices=choices, default=chosen)
        return tuple(self.ask(prompt))

    def _pick_by_words(self, title: str, rows: Sequence[Row]) -> tuple[str, ...]:
        how = (
            f"There are {len(rows):,}. Type parts of names or globs, separated by commas, like pay, shop-*"
            ", runtime:python"
        )
        words = Prompt(kind="text", text=title, why=how, check=lambda text: "" if text else "type something")
        while True:
            typed = str(self.ask(words))
            found = [row for row in rows if not row.disabled and _named_by(row, typed)]
            if not found:
                self.say("none fits")
                continue
            self.say(f"{counted(len(found), 'fits', 'fit')}: {names([row.cells[0] for row in found], 20)}")
            if self.ask(Prompt(kind="confirm", text="Take these?", default=True)):
                return tuple(row.value for row in found)

    def say(self, text: str) -> None:
        self.console.say(text)

    def _put(self, prompt: Prompt) -> Json:
        if prompt.why:
            self.console.lines([line(each) for each in prompt.why.split("\n")], marked=False)
        if prompt.kind == "secret":
            return "".join(getpass.getpass(f"{prompt.text} ", stream=self.console.streams.err).split())
        for number, choice in enumerate(prompt.choices, 1):
            unusable = f"  (not possible: {choice.disabled})" if choice.disabled else ""
            self.console.lines([line(f"  {number}) ", Span(f"{_label(choice)}{unusable}"))], marked=False)
        question = " ".join((prompt.text, _usual(prompt))).strip()
        given = self._read(f"{question} " if question.endswith("?") else f"{question}: ")
        if given == "":
            return _default(prompt)
        match prompt.kind:
            case "confirm":
                return _yes(given)
            case "one":
                return _numbers(given, prompt.choices)[0]
            case "many":
                return _numbers(given, prompt.choices)
            case _:
                return given

    def _read(self, text: str) -> str:
        forget_typed(self.stdin)
        self.console.ask_for(text)
        read = self.stdin.readline()
        if not read:
            raise KeyboardInterrupt
        given = read.strip()
        if given == BACK_WORD:
            raise Back
        return given


def _named_by(row: Row, words: str) -> bool:
    """Whether one of the words is a part of what is shown of the row, a glob for its name, or a term."""
    shown = " ".join(row.cells).lower()
    parts = [word.strip().lower() for word in words.split(",") if word.strip()]
    return any(
        row.has_term(part) if ":" in part else part in shown or fnmatchcase(row.cells[0].lower(), part)
        for part in parts
    )


def _label(choice: Choice) -> str:
    label = choice.label or choice.value
    return f"{label} - {choice.hint}" if choice.hint else label


def _usual(prompt: Prompt) -> str:
    """What Enter means, in brackets."""
    match prompt.kind:
        case "confirm":
            return "[Y/n]" if prompt.default else "[y/N]"
        case "many":
            return f"(numbers, all or none) [{', '.join(prompt.default or ()) or 'none'}]"
        case _:
            return f"[{prompt.default}]" if prompt.default else ""


def _default(prompt: Prompt) -> Json:
    match prompt.kind:
        case "confirm":
            return bool(prompt.default)
        case "many":
            return tuple(prompt.default or ())
        case "one" if not prompt.default:
            raise ValueError("type the number of your choice")
        case _:
            return str(prompt.default or "")


def _yes(given: str) -> bool:
    if given.lower() in ("y", "yes"):
        return True
    if given.lower() in ("n", "no"):
        return False
    raise ValueError("type y or n")


def _named(word: str, choices: Sequence[Choice]) -> list[Choice]:
    """The choice of that value, or the only one whose value begins like that."""
    exact = [choice for choice in choices if choice.value == word]
    alike = [choice for choice in choices if choice.value.startswith(word.lower())]
    return exact or (alike if len(alike) == 1 else [])


def _numbers(given: str, choices: Sequence[Choice]) -> tuple[str, ...]:
    """`1 3-5`, or names, as the values of choices."""
    usable = [choice for choice in choices if not choice.disabled]
    if given.lower() == "all":
        return tuple(choice.value for choice in usable)
    if given.lower() == "none":
        return ()
    found: list[str] = []
    for word in given.replace(",", " ").split():
        first, _, last = word.partition("-")
        if first.isdecimal() and (last.isdecimal() or not last):
            numbers = range(int(first), int(last or first) + 1)
            if numbers.stop - 1 > len(choices) or numbers.start < 1:
                raise ValueError(f"{word} is not between 1 and {len(choices)}")
            named = [choices[number - 1] for number in numbers]
        else:
            named = _named(word, choices)
        if not named:
            raise ValueError(f"{word} is neither a number nor one of the choices")
        unusable = [choice for choice in named if choice.disabled]
        if unusable:
            raise ValueError(f"{unusable[0].value}: {unusable[0].disabled}")
        found.extend(choice.value for choice in named)
    if not found:
        raise ValueError("type numbers, like 1 3-5")
    return tuple(dict.fromkeys(found))

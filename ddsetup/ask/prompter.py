"""What a way of asking must offer. The terminal has two: one for real terminals, one for plain ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal, Protocol, TypeAlias

from ddsetup.ask.questions import Choice
from ddsetup.model.account import Json
from ddsetup.model.errors import DdsetupError
from ddsetup.model.foreign import harmless, lines_of

PromptKind: TypeAlias = Literal["text", "secret", "confirm", "one", "many"]


class Back(Exception):
    """The user wants to return to the question before."""


def _accept(_value: Json) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One thing to ask. `check` returns what is wrong with an answer, or an empty text.

    The answer is a str for "text", "secret" and "one", a bool for "confirm", a tuple of str for "many".
    """

    kind: PromptKind
    text: str
    why: str = ""
    choices: tuple[Choice, ...] = ()
    default: Json = None
    check: Callable[[Json], str] = field(default=_accept, repr=False)


def shown(prompt: Prompt) -> Prompt:
    """The prompt as it may be drawn: in what can be read of it, choices come from others, too."""
    choices = tuple(
        replace(
            choice,
            label=harmless(choice.label or choice.value),
            hint=harmless(choice.hint),
            disabled=harmless(choice.disabled),
        )
        for choice in prompt.choices
    )
    return replace(prompt, text=harmless(prompt.text), why=harmless(prompt.why, keep="\n"), choices=choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a long list: `value` is what is chosen, `cells` what is shown and searched.

    `disabled` is the reason why it cannot be chosen. `weight` is by what rows can be put in order, the
    heaviest first; None where that is not known.
    """

    value: str
    cells: tuple[str, ...]
    terms: tuple[str, ...] = ()
    disabled: str = ""
    chosen: bool = False
    weight: float | None = None

    def has_term(self, word: str) -> bool:
        """Whether a word such as `runtime:python` is what one of the terms begins with; it may be a glob."""
        return any(fnmatchcase(term.lower(), f"{word}*") for term in self.terms)


def shown_row(row: Row) -> Row:
    """The row as it may be drawn."""
    return replace(row, cells=tuple(map(harmless, row.cells)), disabled=harmless(row.disabled))


def say_error(prompter: Prompter, error: DdsetupError) -> None:
    """What went wrong and what to do about it, to whoever is being asked."""
    for text in filter(None, (*lines_of(error.what), *lines_of(error.fix))):
        prompter.say(text)


Later: TypeAlias = Callable[[], Sequence[Row]]


class Prompter(Protocol):
    """Asks a person. Ctrl-C raises KeyboardInterrupt, the wish to go back `Back`."""

    def ask(self, prompt: Prompt) -> Json: ...

    def pick(
        self,
        title: str,
        rows: Sequence[Row],
        *,
        why: str = "",
        columns: Sequence[str] = (),
        later: Later | None = None,
    ) -> tuple[str, ...]:
        """Have rows of a long list chosen; `columns` are the titles of their cells. `later` waits for the
        same rows with more in them."""
        ...

    def say(self, text: str) -> None: ...

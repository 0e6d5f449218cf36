"""Text that others wrote, as it may be shown: what it holds is seen and never carried out.

Names, patterns, tags, reasons, log lines and error texts come from an account, an organisation or a
project that anybody may have written to. In them a control character moves the cursor or ends the line, a
bidi override (CVE-2021-42574) turns the words around, and what has no width hides. Here each of them becomes
an escape that can be read. `Span` does it to every text it holds; what is shown without one calls this.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ddsetup.model.account import Json

_INVISIBLE = frozenset(
    map(
        chr,
        (
            0x034F,
            *(0x115F, 0x1160, 0x3164, 0xFFA0),
            *(0x17B4, 0x17B5),
            *(0x180B, 0x180C, 0x180D, 0x180F),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
"""What Unicode calls ignorable by default (DerivedCoreProperties.txt) beside the controls and formats."""

_RUNNER = re.compile(r"^(\s*):(?=:)")
"""How a line begins that GitHub's runner takes for a command, whatever blanks stand before it."""


def harmless(text: str, *, keep: str = "") -> str:
    """`text` with every character as an escape (`\\x1b`, `\\n`, `\\u202e`) that steers, reorders or hides.

    `keep` are those that stay: a newline or a tab where the text is set in lines afterwards.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or is_plain(c) else _escape(c) for c in text)


def line_of_log(text: str) -> str:
    """A whole line as the log of a CI service may hold it: no command to it.

    GitHub's runner takes `::command::` at the beginning of a line, and `##[command]` anywhere in one
    (actions/runner, ActionCommand.cs); Azure Pipelines takes `##vso[`, TeamCity `##teamcity[`.
    """
    if ":" not in text and "##" not in text:
        return text
    return _RUNNER.sub(r"\1\\x3a", text.replace("##", r"#\x23"))


class Lines(str):
    """A text of several lines, all of them ours, whatever stands in each.

    Only such a text is shown as more than one line (`lines_of`): a line end in any other was put there by
    somebody who would like a line of their own.
    """

    __slots__ = ()

    @classmethod
    def of(cls, *parts: str) -> Lines:
        """One line for each part that is not empty."""
        return cls("\n".join(line for part in parts if part for line in lines_of(part)))


def lines_of(text: str) -> list[str]:
    """The text as the lines that it may take on a screen; none if it is empty."""
    if not text:
        return []
    return text.split("\n") if isinstance(text, Lines) else [harmless(text)]


def json_text(document: Json, *, indent: int | None = None) -> str:
    """The document as JSON. What steers or hides is escaped, so that it can be shown on a terminal."""
    return _in_json(json.dumps(document, indent=indent, ensure_ascii=False))


def json_pieces(document: Json, *, indent: int | None = None) -> Iterator[str]:
    """The same piece by piece: the whole text of a large document takes more memory than all the rest. Lists
    in it may be `OneByOne`."""
    pieces: Iterable[str] = json.JSONEncoder(indent=indent, ensure_ascii=False).iterencode(document)
    for piece in pieces:
        yield _in_json(piece)


class OneByOne(list[Json]):
    """A list for `json_pieces` whose items are made when they are written, and then gone."""

    def __init__(self, make: Callable[[Any], Json], of: Sequence[Any]) -> None:
        super().__init__()
        self._made = make, of

    def __len__(self) -> int:
        return len(self._made[1])

    def __iter__(self) -> Iterator[Json]:
        return map(*self._made)


def _in_json(piece: str) -> str:
    return _ODD.sub(_json_escape, piece.replace("##", r"#\u0023"))


_ODD = re.compile(r"[^\n -~]")


def _json_escape(found: re.Match[str]) -> str:
    character = found.group()
    if is_plain(character):
        return character
    # json.dumps leaves U+007F as it is.
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def is_plain(character: str) -> bool:
    """Whether a character can be seen, or is a blank that has a width, and does nothing else."""
    if character.isprintable():
        return character not in _INVISIBLE
    return unicodedata.category(character) == "Zs"


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return _SHORT.get(character) or f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

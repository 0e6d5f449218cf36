"""Terraform's language as far as blocks, arguments and where they stand: what an edit of single lines needs.

Texts, templates in them (`${ … }`), heredocs and comments are told from code, so that what is commented out
is nothing, and a brace in a text closes nothing. A parser for the whole language exists (python-hcl2): it
takes six seconds to load its grammar, and this is a matter of milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ddsetup.project.iac.model import BrokenFile
from ddsetup.project.iac.source import Source, place

_SPACE = re.compile(r"(?:\s+|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_HEREDOC = re.compile(r"<<-?([A-Za-z_][\w-]*)[^\n]*\n")
_COMMENT = re.compile(r"#[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
_IN_TEXT = re.compile(r'\\.|\$\$\{|%%\{|\$\{|%\{|["{}\n]')
_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Argument:
    """`name = value`: where the name begins, and from where to where the value stands."""

    name: str
    start: int
    value_start: int
    value_end: int


@dataclass(frozen=True, slots=True)
class Block:
    """`type "label" { … }`. `body` is where its first character after `{` stands, `close` where `}` does."""

    type: str
    labels: tuple[str, ...]
    start: int
    body: int
    close: int
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    def of_type(self, name: str) -> tuple[Block, ...]:
        """The blocks right in it that are of a type."""
        return tuple(block for block in self.blocks if block.type == name)

    def all(self) -> Iterator[Block]:
        """It, and every block in it."""
        yield self
        for block in self.blocks:
            yield from block.all()


class _Wrong(Exception):
    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


def parse(source: Source) -> Block:
    """The file as one block without a type. Raises BrokenFile, with line and column."""
    try:
        return _Reader(source.text).body("", (), 0, 0, depth=0)
    except _Wrong as error:
        line, column = place(source.text, error.at)
        what = f"not valid Terraform: {error}"
        raise BrokenFile(what, where=f"{source.path}:{line}:{column}") from error


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text

    def space(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def body(self, kind: str, labels: tuple[str, ...], start: int, at: int, *, depth: int) -> Block:
        """The block whose contents begin at a place."""
        if depth > _DEEPEST:
            raise _Wrong(f"nested more than {_DEEPEST} deep", at)
        arguments: dict[str, Argument] = {}
        blocks: list[Block] = []
        begin = at
        while True:
            at = self.space(at)
            if at >= len(self.text) or self.text[at] == "}":
                if (at >= len(self.text)) == bool(depth):
                    raise _Wrong("a brace is missing" if depth else "a brace too many", at)
                return Block(kind, labels, start, begin, at, arguments, tuple(blocks))
            name = _NAME.match(self.text, at)
            if name is None:
                if self.text[at] in ",;":
                    at += 1
                    continue
                raise _Wrong(f"unexpected {self.text[at]!r}", at)
            after = self.space(name.end())
            if self.text[after : after + 1] == "=":
                found = self.argument(name[0], at, after + 1)
                arguments[found.name] = found
                at = found.value_end
            else:
                block = self.block(name[0], at, name.end(), depth)
                blocks.append(block)
                at = block.close + 1

    def argument(self, name: str, start: int, at: int) -> Argument:
        while self.text[at : at + 1] in (" ", "\t"):
            at += 1
        return Argument(name, start, at, self.expression(at))

    def block(self, kind: str, start: int, at: int, depth: int) -> Block:
        labels: list[str] = []
        while True:
            at = self.space(at)
            character = self.text[at : at + 1]
            if character == "{":
                return self.body(kind, tuple(labels), start, at + 1, depth=depth + 1)
            if character == '"':
                end = self.quoted(at)
                labels.append(self.text[at + 1 : end - 1])
                at = end
            elif name := _NAME.match(self.text, at):
                labels.append(name[0])
                at = name.end()
            else:
                raise _Wrong(f"neither an argument nor a block: {kind}", start)

    def expression(self, at: int, *, in_list: bool = False) -> int:
        """Where an expression ends: at the end of its line, outside of brackets; in a list at its comma."""
        open_brackets: list[int] = []
        end = at
        while at < len(self.text):
            character = self.text[at]
            if character in "}])":
                if not open_brackets:
                    break
                if self.text[open_brackets.pop()] + character not in ("{}", "[]", "()"):
                    raise _Wrong("a bracket is closed by another", at)
            elif not open_brackets and character in ("," if in_list else ",\n"):
                break
            elif character in "{[(":
                open_brackets.append(at)
                if len(open_brackets) > _DEEPEST:
                    raise _Wrong(f"nested more than {_DEEPEST} deep", at)
            elif comment := _COMMENT.match(self.text, at):
                at = comment.end()
                continue
            following = self.token(at)
            end = following if not self.text[at].isspace() else end
            at = following
        if open_brackets:
            raise _Wrong("a bracket is not closed", open_brackets[-1])
        return end

    def token(self, at: int) -> int:
        """Where what begins at a place ends: a text, a heredoc, or one character."""
        if self.text[at] == '"':
            return self.quoted(at)
        heredoc = _HEREDOC.match(self.text, at)
        if heredoc is None:
            return at + 1
        close = re.compile(rf"^[ \t]*{re.escape(heredoc[1])}[ \t]*$", re.MULTILINE)
        found = close.search(self.text, heredoc.end())
        if found is None:
            raise _Wrong(f"the heredoc {heredoc[1]} has no end", at)
        return found.end()

    def quoted(self, at: int) -> int:
        """Where a text ends that begins at a place; templates in it may hold texts again."""
        start, inside = at, [True]
        for token in _IN_TEXT.finditer(self.text, at + 1):
            found, in_text = token[0], inside[-1]
            if found == '"':
                if not in_text:
                    inside.append(True)
                    continue
                inside.pop()
                if not inside:
                    return token.end()
            elif found in ("${", "%{") if in_text else found.endswith("{"):
                inside.append(False)
            elif found == "}" and not in_text:
                inside.pop()
            elif found == "\n" and inside == [True]:
                break
            if len(inside) > _DEEPEST:
                raise _Wrong(f"nested more than {_DEEPEST} deep", token.start())
        raise _Wrong("a text is not closed", start)


def literal(text: str) -> str | None:
    """The text that is written, None for whatever is computed."""
    found = re.fullmatch(r'"((?:[^"\\$%]|\$(?!\{)|%(?!\{))*)"', text)
    return found[1] if found else None


def items(text: str) -> list[tuple[int, int]] | None:
    """Where the items of a list stand that is written in brackets, None for another expression."""
    if not text.startswith("[") or not text.endswith("]") or re.match(r"\[\s*for\b", text):
        return None
    reader, at = _Reader(text[:-1]), 1
    found: list[tuple[int, int]] = []
    while True:
        at = reader.space(at)
        if at >= len(reader.text):
            return found
        end = reader.expression(at, in_list=True)
        found.append((at, end))
        at = reader.space(end)
        if reader.text[at : at + 1] == ",":
            at += 1
        elif at < len(reader.text):
            return None


def end_of(text: str, at: int) -> int:
    """Where the expression ends that begins at a place of an object's contents."""
    return _Reader(text).expression(at)


def skip(text: str, at: int) -> int:
    """The next place with code, behind blanks, line ends and comments."""
    return _Reader(text).space(at)

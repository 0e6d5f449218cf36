"""A Dockerfile's instructions and stages, as its builder reads them.

Lines are continued by a backslash, heredocs and comments hold no instructions, `ARG` before the first `FROM`
fills in what the bases are called, and a stage built on another one has what that says. Source: Dockerfile
reference of Docker (parser, heredocs, ARG and FROM, ENV).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_WORD = re.compile(r"[ \t]*([A-Za-z]+)(?:[ \t]+|$)")
_HEREDOC = re.compile(r"<<(-?)[ \t]*([\"']?)([A-Za-z_]\w*)\2")
_WITH_HEREDOCS = ("RUN", "COPY", "ADD")
_FROM = re.compile(r"(?i)(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?")
_COPIED_FROM = re.compile(r"--from=(\S+)")
_USED = re.compile(r"\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})")
_LONGEST = 1_000
"""Characters. No image has a longer name, and arguments that are made of others could grow without end."""
_AWS_BASE = re.compile(
    r"(?:public\.ecr\.aws/|amazon\S*/|/|^)(?:aws-)?lambda[-/](python|nodejs|java|dotnet|ruby|provided|go)"
    r"(?=[:@]|$)(?::([\w.-]+))?"
)
_OTHER_LAMBDA = re.compile(r"(?:public\.ecr\.aws/|amazon\S*/)(?:aws-)?lambda[-/]")
_CLIENT = re.compile(r"awslambdaric|aws-lambda-ric|aws-lambda-adapter")
_RELEASE = re.compile(
    r"(\d+(?:\.\d+)?|al\d+|alami)(?:[.-]\d{4}[\d.]*)?(?:-(?:x86_64|arm64))?(?:[.-]\d{4}[\d.]*)?"
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. `name` is in capitals, `value` its lines in one, `start` to `end` where it stands."""

    name: str
    value: str
    start: int
    end: int

    @property
    def words(self) -> list[str]:
        """The words of the form in brackets, none for another form."""
        try:
            found = json.loads(self.value)
        except (ValueError, RecursionError):
            return []
        return found if isinstance(found, list) and all(isinstance(word, str) for word in found) else []


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with its own instructions. `base` is an image, or the name of a stage before."""

    name: str
    base: str
    own: tuple[Instruction, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """What a stage comes to: the image that it is built on, and the instructions of the stages between."""

    name: str
    base: str
    instructions: tuple[Instruction, ...] = ()

    def last(self, name: str) -> Instruction | None:
        """The instruction of a name that counts."""
        return next((each for each in reversed(self.instructions) if each.name == name), None)

    @property
    def variables(self) -> dict[str, str]:
        """What `ENV` sets."""
        found: dict[str, str] = {}
        for each in self.instructions:
            if each.name == "ENV":
                found |= _pairs(each.value)
        return found

    def mentions(self, text: str) -> bool:
        """Whether an instruction has a text."""
        return any(text in each.value for each in self.instructions)

    @property
    def runtimes(self) -> tuple[str, ...]:
        """The runtime that an image of AWS's is made for, none where its tag does not tell."""
        match = _AWS_BASE.search(self.base)
        release = _RELEASE.fullmatch(match[2] or "") if match else None
        if match is None or release is None:
            return ()
        name, number = match[1], release[1]
        return (f"{name}{'.' if name == 'provided' else ''}{number}{'.x' if name == 'nodejs' else ''}",)

    @property
    def language(self) -> str:
        """Python or Node, empty for another language."""
        own = _AWS_BASE.search(self.base)
        if own is not None:
            return {"python": "python", "nodejs": "node"}.get(own[1], "")
        if "nodejs" in self.base or re.search(r"(^|/)node\b", self.base) or self.mentions("aws-lambda-ric"):
            return "node"
        return "python" if "python" in self.base or self.mentions("awslambdaric") else ""


def is_lambda_image(text: str) -> bool:
    """Whether a Dockerfile builds a Lambda function: AWS's base image, or AWS's runtime client."""
    if _CLIENT.search(text) is not None:
        return True
    return any(_is_aws(stage.base) for stage in stages(text))


def _is_aws(base: str) -> bool:
    return _AWS_BASE.search(base) is not None or _OTHER_LAMBDA.search(base) is not None


def images(text: str) -> tuple[tuple[Built, ...], tuple[Built, ...]]:
    """The images that a Dockerfile is for, and those that may be more of them.

    The first are its last stage, and what stands beside that on a stage of this file; the second are other
    stages on AWS's images, of which none is built on or copied from.
    """
    every = stages(text)
    if not every:
        return (Built("", "", tuple(instructions(text))),), ()
    *others, last = _built(every)
    names = {stage.name.lower() for stage in every if stage.name}
    copies = [each.value.lower() for stage in every for each in stage.own if each.name == "COPY"]
    used = {stage.base.lower() for stage in every}
    used |= {name for value in copies for name in _COPIED_FROM.findall(value)}
    ends = [
        (stage, built)
        for stage, built in zip(every[:-1], others, strict=True)
        if stage.name
        and stage.name.lower() not in used
        and any(each.name == "CMD" for each in stage.own)
        and (_is_aws(built.base) or any(_CLIENT.search(each.value) for each in built.instructions))
    ]
    beside = tuple(built for stage, built in ends if stage.base.lower() in names)
    apart = tuple(built for stage, built in ends if stage.base.lower() not in names)
    return (*beside, last), apart


def _built(every: Sequence[Stage]) -> list[Built]:
    """The stages, each with those that it is built on: of two of one name, the nearer above it."""
    found: list[Built] = []
    named: dict[str, Built] = {}
    for stage in every:
        below = named.get(stage.base.lower(), Built("", stage.base))
        found.append(Built(stage.name, below.base, (*below.instructions, *stage.own)))
        if stage.name:
            named[stage.name.lower()] = found[-1]
    return found


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile, with the defaults of its arguments in the names of bases."""
    found: list[tuple[str, str, list[Instruction]]] = []
    arguments: dict[str, str] = {}
    for each in instructions(text):
        if each.name == "FROM":
            match = _FROM.match(_filled(each.value, arguments))
            found.append(((match[2] or "") if match else "", match[1] if match else "", []))
        elif found:
            found[-1][2].append(each)
        elif each.name == "ARG":
            arguments |= _pairs(_filled(each.value, arguments))
    return [Stage(name, base, tuple(own)) for name, base, own in found]


def _filled(text: str, arguments: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return arguments.get(match[1] or match[2]) or match[3] or match[0]

    return _USED.sub(value, text[:_LONGEST])[:_LONGEST]


def _pairs(value: str) -> dict[str, str]:
    """The pairs of `ENV` and `ARG`: `NAME=value NAME="value"`, or the former `NAME value`."""
    name, blank, rest = value.partition(" ")
    if "=" not in name:
        return {name: rest.strip()} if blank else {}
    try:
        words = shlex.split(value)
    except ValueError:
        words = value.split()
    pairs = (word.partition("=") for word in words)
    return {name: said for name, equals, said in pairs if equals}


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile, from above."""
    at = 0
    while at < len(text):
        start, line = at, _line(text, at)
        at += len(line)
        word = _WORD.match(line.rstrip())
        if word is None or line.lstrip().startswith("#"):
            continue
        parts, end = [line[word.end() :].rstrip()], start + len(line.rstrip("\r\n"))
        while parts[-1].endswith("\\") and at < len(text):
            line = _line(text, at)
            if line.strip() and not line.lstrip().startswith("#"):
                parts[-1] = parts[-1][:-1].rstrip()
                parts.append(line.strip())
                end = at + len(line.rstrip("\r\n"))
            at += len(line)
        value = " ".join(part for part in parts if part)
        name = word[1].upper()
        if name in _WITH_HEREDOCS:
            at = _behind_heredocs(text, at, value)
            end = max(end, at)
        yield Instruction(name, value, start, end)


def _line(text: str, at: int) -> str:
    found = _LINE.match(text, at)
    return found[0] if found else ""


def _behind_heredocs(text: str, at: int, value: str) -> int:
    """Where the texts end that an instruction brings in the lines below it."""
    for dash, _quote, name in _HEREDOC.findall(value):
        while at < len(text):
            line = _line(text, at)
            at += len(line)
            if (line.rstrip("\r\n").lstrip("\t") if dash else line.rstrip("\r\n")) == name:
                break
    return at

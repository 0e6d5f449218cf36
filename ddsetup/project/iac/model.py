"""What a project directory holds, what is wanted of it, and what would be changed in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from ddsetup.facts.variables import asked
from ddsetup.model.answers import Answers, KeySource, Via
from ddsetup.model.errors import UsageError
from ddsetup.settings.setting import USUAL

Kind: TypeAlias = Literal[
    "serverless",
    "serverless_code",
    "cloudformation",
    "cdk",
    "terraform",
    "dockerfile",
    "requirements",
    "pyproject",
    "package_json",
    "chalice",
    "zappa",
    "sst",
]
Newest: TypeAlias = Callable[[str], int | None]
"""A version of a layer that is newer than the bundled table's, by the layer's name; None: none is known."""

KIND_TITLES: Mapping[Kind, str] = {
    "serverless": "Serverless Framework",
    "serverless_code": "Serverless Framework, configured by a program",
    "cloudformation": "SAM or CloudFormation template",
    "cdk": "AWS CDK",
    "terraform": "Terraform",
    "dockerfile": "container image",
    "requirements": "Python requirements",
    "pyproject": "Python project",
    "package_json": "Node.js package",
    "chalice": "Chalice",
    "zappa": "Zappa",
    "sst": "SST",
}


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file that says how functions are deployed. `path` is absolute."""

    kind: Kind
    path: Path


@dataclass(frozen=True, slots=True)
class Project:
    """A directory and the files in it that deployment tools read, in the order of their paths."""

    root: Path
    files: tuple[ProjectFile, ...] = ()

    def of(self, *kinds: Kind) -> tuple[ProjectFile, ...]:
        """The files of some kinds."""
        return tuple(file for file in self.files if file.kind in kinds)

    @property
    def tools(self) -> tuple[str, ...]:
        """The deployment tools that the project is deployed with, as people call them."""
        deploying = [f for f in self.files if f.kind not in ("requirements", "pyproject", "package_json")]
        return tuple(dict.fromkeys(KIND_TITLES[f.kind] for f in deploying))

    def name(self, path: Path) -> str:
        """A path as it is shown: relative to the project."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def none_newer(_name: str) -> None:
    """Nothing but the bundled table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How functions shall be monitored: the answers. What is not among the settings that were `said` stays
    where a file has it.

    `subscribed`: Datadog subscribes the log groups by itself, so that no Forwarder has to be named.
    `newest_library` and `newest_extension` know layers beyond the bundled table.
    """

    answers: Answers = USUAL
    said: frozenset[str] = frozenset()
    subscribed: bool = False
    newest_library: Newest = none_newer
    newest_extension: Newest = none_newer

    @property
    def via(self) -> Via | None:
        """The way of delivery, None if it was not said."""
        return self.answers.via if "via" in self.said else None

    @property
    def key_source(self) -> KeySource | None:
        """What the Extension takes the API key from, None if nobody said it. Without a key (wif) the
        organisation may not be known: it has no value then."""
        source = self.answers.key_source
        return source if source.value or source.kind == "wif" else None

    @property
    def asked(self) -> Mapping[str, str]:
        """The variables that are asked for, by name."""
        return asked(self.answers, self.said)

    @property
    def region(self) -> str:
        """The region, empty unless there is one only."""
        regions = self.answers.regions
        return regions[0] if len(regions) == 1 else ""

    @property
    def layer_version(self) -> int | None:
        """The version to which the library's layer is pinned."""
        return _number(self.answers.layer_version)

    @property
    def extension_version(self) -> int | None:
        """The version to which the Extension's layer is pinned."""
        return _number(self.answers.extension_version)

    @property
    def library(self) -> bool:
        """Whether functions get a layer of Datadog's library, so that their handlers are redirected to it."""
        return self.answers.layer_version != "none"


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Edit:
    """A file goes from `before` to `after`. `why` says what is added, one reason a line."""

    path: Path
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snippet:
    """What the user has to put in by hand, and why ddsetup does not do it."""

    path: Path
    reason: str
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Install:
    """A package that the project's own package manager has to add; never run without consent.

    `touches` are the files that it rewrites.
    """

    directory: Path
    command: tuple[str, ...]
    why: str
    touches: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Everything that could be done in a project. A file in `settled` already is as wanted."""

    edits: tuple[Edit, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    installs: tuple[Install, ...] = ()
    warnings: tuple[str, ...] = ()
    settled: tuple[Path, ...] = ()
    needs_macro: bool = False

    def __add__(self, other: Proposal) -> Proposal:
        return Proposal(
            edits=tuple(dict.fromkeys((*self.edits, *other.edits))),
            snippets=tuple(dict.fromkeys((*self.snippets, *other.snippets))),
            installs=tuple(dict.fromkeys((*self.installs, *other.installs))),
            warnings=tuple(dict.fromkeys((*self.warnings, *other.warnings))),
            settled=tuple(dict.fromkeys((*self.settled, *other.settled))),
            needs_macro=self.needs_macro or other.needs_macro,
        )


class CannotEdit(Exception):
    """The file is sound, but what has to change is not in it, or cannot be changed there safely."""


class BrokenFile(UsageError):
    """A file that its own tool would not accept either. `where` has line and column."""


class AnswerMissing(UsageError):
    """Something that the files do not say has to be given; `setting` is its key."""

    def __init__(self, what: str, *, setting: str, fix: str, where: str = "") -> None:
        super().__init__(what, fix=fix, where=where)
        self.setting = setting

"""What a project directory holds, what is wanted of it, and what would be changed in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from ddsetup.model.errors import UsageError

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
Via: TypeAlias = Literal["forwarder", "extension"]
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
class Wanted:
    """How functions shall be monitored. None and empty: not said, so what a file already has stays.

    `key_source` is what the Extension takes the API key from: the plugin's setting (apiKeySecretArn,
    apiKeySsmArn, apiKMSKey) and its value. `forwarders` are Forwarder ARNs, one for each region.
    `subscribed`: Datadog subscribes the log groups by itself, so that no Forwarder has to be named.
    `asked` are the variables that the answers ask for, by name, as `ddsetup.facts.variables` has them.
    `layer_version` and `extension_version` pin layers; without them the bundled table is used, and what
    `newest_library` and `newest_extension` know beyond it. Without `library` no function gets a layer of
    Datadog's library, so no handler is redirected to it.
    """

    via: Via | None = None
    site: str = ""
    key_source: tuple[str, str] | None = None
    forwarders: tuple[str, ...] = ()
    subscribed: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    layer_version: int | None = None
    extension_version: int | None = None
    library: bool = True
    newest_library: Newest = none_newer
    newest_extension: Newest = none_newer


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

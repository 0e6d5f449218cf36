"""The Serverless Framework's variables, as far as files tell what they stand for.

Followed are `${self:…}`, `${file(…)}` of YAML and JSON beside the service, and a default that is written:
`${opt:runtime, 'python3.12'}`. All else stays as it is. Source: the Framework's guide to variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddsetup.model.account import Json
from ddsetup.model.errors import DdsetupError
from ddsetup.project.iac import yamldoc
from ddsetup.project.iac.source import read_source

_SELF = re.compile(r"\$\{(?:self:)?((?:custom|provider|functions|service)\.[\w.-]+)\}")
FILE = re.compile(r"\$\{file\(\s*([^()\s]+\.(?:ya?ml|json))\s*\)(?::([\w.-]+))?(?:\s*,[^{}]*)?\}")
_DEFAULT = re.compile(r"\$\{[^{}]*,\s*(?:'([^'{}]*)'|\"([^\"{}]*)\")\s*\}")
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What variables refer to: the service's own file and the directory beside which others lie."""

    root: Mapping[str, Any]
    folder: Path

    def value(self, value: Json, depth: int = 0) -> Json:
        """A value with the variable followed that it is as a whole."""
        if not isinstance(value, str) or "${" not in value or depth > _DEEPEST:
            return value
        text = value.strip()
        if own := _SELF.fullmatch(text):
            found = self._at(self.root, own[1], depth)
        elif file := FILE.fullmatch(text):
            found = self._at(self._file(file[1]), file[2] or "", depth)
        elif default := _DEFAULT.fullmatch(text):
            found = default[1] or default[2]
        else:
            return value
        return value if found is None else self.value(found, depth + 1)

    def mapping(self, value: Json) -> dict[str, Any]:
        """A mapping, however it is referred to; empty for anything else."""
        found = self.value(value)
        return found if isinstance(found, dict) else {}

    def _at(self, value: Json, path: str, depth: int) -> Json:
        for name in path.split(".") if path else ():
            value = self.value(value, depth + 1)
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def _file(self, name: str) -> Json:
        """What a file holds; only such as lie in the service's own directory or right above it."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve().parent) or not path.is_file():
            return None
        try:
            return yamldoc.as_plain(yamldoc.parse(read_source(path)).root)
        except DdsetupError:
            return None

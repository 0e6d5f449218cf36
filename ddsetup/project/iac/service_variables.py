"""The Serverless Framework's variables, as far as files tell what they stand for.

Followed are `${self:…}`, `${file(…)}` of YAML and JSON beside the service, and a default that is written:
`${opt:runtime, 'python3.12'}`. All else stays as it is. Source: the Framework's guide to variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ddsetup.model.account import Json
from ddsetup.model.errors import DdsetupError
from ddsetup.project.iac import yamldoc
from ddsetup.project.iac.source import Source, read_source, real

_SELF = re.compile(r"\$\{(?:self:)?((?:custom|provider|functions|service)\.[\w.-]+)(?:\s*,[^{}]*)?\}")
FILE = re.compile(r"\$\{file\(\s*([^()\0]+?)\s*\)(?::([\w.-]+))?(?:\s*,[^{}]*)?\}")
"""A file, and what of it; what stands for it where there is none may follow."""
_DEFAULT = re.compile(r"\$\{[^{}]*,\s*(?:'([^'{}]*)'|\"([^\"{}]*)\")\s*\}")
_READ = (".yml", ".yaml", ".json")
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What variables refer to: the service's own file and the directory beside which others lie. `followed`
    keeps what they came to, as variables made of variables are asked for beyond count."""

    root: Mapping[str, Any]
    folder: Path
    followed: dict[tuple[str, int], Json] = field(default_factory=dict)

    def value(self, value: Json, depth: int = 0) -> Json:
        """A value with the variable followed that it is as a whole."""
        if not isinstance(value, str) or "${" not in value or depth > _DEEPEST:
            return value
        if (value, depth) not in self.followed:
            self.followed[value, depth] = self._follow(value, depth)
        return self.followed[value, depth]

    def _follow(self, value: str, depth: int) -> Json:
        text = value.strip()
        found: Json = None
        if own := _SELF.fullmatch(text):
            found = self._at(self.root, own[1], depth)
        elif file := FILE.fullmatch(text):
            found = self._at(self._file(file[1]), file[2] or "", depth)
        if found is None and (default := _DEFAULT.fullmatch(text)):
            found = default[1] or default[2]
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
        path = real(self.folder / name)
        if path.suffix not in _READ or not path.is_relative_to(real(self.folder).parent):
            return None
        try:
            return _said(read_source(path))
        except DdsetupError:
            return None


@lru_cache(maxsize=8)
def _said(source: Source) -> Json:
    """What a file says; kept, as each function may refer to it. Raises BrokenFile."""
    return yamldoc.as_plain(yamldoc.parse(source).root)

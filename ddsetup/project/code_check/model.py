"""What is found in code: modules, handlers, problems."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ddsetup.model.report import Severity


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; line and column count from 1."""

    path: Path
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something double, missing or wrong."""

    check: str
    severity: Severity
    place: Place
    what: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that Lambda calls. `named` says whether a deployment file names it, or it only looks so.

    `wraps` is how often Datadog's wrapper is around it.
    """

    name: str
    place: Place
    named: bool
    wraps: int = 0


@dataclass(frozen=True, slots=True)
class Metric:
    """A call that sends a metric; `name` is empty where it is computed."""

    name: str
    place: Place

"""The pins that CI installs with are those of pyproject.toml, each with its hash, and name no registry."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LINES = [
    line
    for line in (ROOT / ".ci" / "requirements-linux-x86_64-cp311.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
FORGOTTEN = "pyproject.toml was changed: .venv/bin/python .ci/pin.py"


def pins() -> dict[str, str]:
    """The version of each package that is pinned."""
    return dict(line.partition(" ")[0].split("==") for line in LINES)


def wanted() -> Iterator[Requirement]:
    """All that pyproject.toml names for development, and for the build."""
    extras = PROJECT["project"]["optional-dependencies"]
    for text in (
        *PROJECT["project"]["dependencies"],
        *PROJECT["dependency-groups"]["dev"],
        *extras["sandbox"],
        *PROJECT["build-system"]["requires"],
    ):
        if not text.startswith("ddsetup["):
            yield Requirement(text)


@pytest.mark.parametrize("requirement", list(wanted()), ids=str)
def test_what_the_project_needs_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    name = requirement.name.lower().replace("_", "-")
    assert name in pins(), FORGOTTEN
    assert requirement.specifier.contains(pins()[name]), FORGOTTEN


def test_each_pin_is_a_name_a_version_and_a_hash() -> None:
    odd = [line for line in LINES if not re.fullmatch(r"[a-z0-9.-]+==\S+ --hash=sha256:[0-9a-f]{64}", line)]
    assert odd == []


def test_what_is_needed_to_run_is_bounded_at_both_ends() -> None:
    assert len(PROJECT["project"]["dependencies"]) > 5
    for text in PROJECT["project"]["dependencies"]:
        assert {clause.operator for clause in Requirement(text).specifier} == {">=", "<"}, text

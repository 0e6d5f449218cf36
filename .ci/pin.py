#!/usr/bin/env python3
"""Writes the pins that CI installs with: what pip chooses for pyproject.toml on this machine, with hashes.

    .venv/bin/python .ci/pin.py

To be run with CPython 3.11 on Linux x86-64, after every change of a dependency in pyproject.toml; a test says
so if it was forgotten.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dev import PINS, not_pinned, requirements  # noqa: E402 - found by the line above

HEAD = """\
# What the group `dev` is tested with, to the byte: CPython 3.11, Linux x86-64. Names, versions, hashes only.
# Written by .ci/pin.py, installed by `python3 dev.py ci`.
"""
BUILDS_EDITABLE = "editables~=0.3"
"""What hatchling needs, besides what pyproject.toml names, to install the project from its folder."""


def chosen() -> list[dict[str, Any]]:
    """What pip would install into an empty environment: one entry of its report for each package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    here, *others = requirements("dev")
    wanted = [f"{ROOT}{here[1:]}", *others, *project["build-system"]["requires"], BUILDS_EDITABLE]
    with tempfile.TemporaryDirectory(prefix="ddsetup-pins-") as place:
        report = Path(place) / "report.json"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        dry = ["--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run([*pip, *dry, *wanted], check=True)
        found: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))["install"]
    return found


def main() -> int:
    """Write the file anew."""
    if why := not_pinned():
        sys.exit(f"pins cannot be made here: {why}")
    lines = []
    for package in chosen():
        name, version = package["metadata"]["name"].lower(), package["metadata"]["version"]
        if name == "ddsetup":
            continue
        digest = package["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{name.replace('_', '-')}=={version} --hash=sha256:{digest}\n")
    PINS.write_text(HEAD + "".join(sorted(lines)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

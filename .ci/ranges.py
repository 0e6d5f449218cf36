#!/usr/bin/env python3
"""Runs the tests that need no sandbox at both ends of the ranges of dependencies in pyproject.toml.

    python3 .ci/ranges.py [lowest|highest]

Each end gets an environment of its own in a temporary directory. "lowest" pins every runtime dependency to
the first version that its range allows, "highest" takes the newest. (The sandbox pins its own versions and is
what the rest of CI runs with.)
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = (
    "pytest",
    "pytest-timeout",
    "pytest-xdist",
    "hypothesis",
    "jsonschema",
    "keyring",
    "pexpect",
    "pyte",
)
TESTS = (
    "tests/unit",
    "tests/gateways/test_aws_scripted.py",
    "tests/gateways/test_aws_session.py",
    "tests/gateways/test_datadog_client.py",
)


def lowest() -> list[str]:
    """`name==version` for the first version of each range."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pins = []
    for dependency in project["dependencies"]:
        found = re.fullmatch(r"([A-Za-z0-9_.-]+)>=([0-9.]+),<[0-9.]+", dependency)
        if found is None:
            sys.exit(f"not a range with both ends: {dependency}")
        pins.append(f"{found[1]}=={found[2]}")
    return pins


def run(end: str) -> None:
    """Install one end and run the tests; stops with their exit code if they fail."""
    with tempfile.TemporaryDirectory(prefix=f"ddsetup-{end}-") as name:
        directory = Path(name)
        venv.create(directory / "venv", with_pip=True)
        python = str(directory / "venv" / "bin" / "python")
        constraints = directory / "constraints.txt"
        constraints.write_text("\n".join(lowest() if end == "lowest" else ()) + "\n", "utf-8")
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        wanted = ["-e", f"{ROOT}[keyring]", *TOOLS]
        subprocess.run([*pip, "install", "-c", str(constraints), *wanted], check=True)
        subprocess.run([*pip, "list"], check=False)
        done = subprocess.run([python, "-m", "pytest", "-q", "-n", "2", *TESTS], cwd=ROOT, check=False)
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ["lowest", "highest"]:
        run(wanted)

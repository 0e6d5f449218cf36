#!/usr/bin/env python3
"""All that a fresh machine with Python 3.11 or newer needs: `python3 dev.py sandbox | test | check | ci`.

In environments of their own: `audit | site | build`.

It makes `.venv` beside itself, installs ddsetup into it with what the task needs, and runs the task. A second
run finds all that in place and starts at once; a change of pyproject.toml installs again.

`ci` is `check` with every dependency pinned by version and hash, on the platform that has been pinned for.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
PINS = ROOT / ".ci" / "requirements-linux-x86_64-cp311.txt"
"""Written by `.ci/pin.py`; for the platform in its name."""


def not_pinned() -> str:
    """Why the pins do not fit this machine; empty if they do."""
    here = (platform.python_implementation(), sys.version_info[:2], sys.platform, platform.machine())
    if here == ("CPython", (3, 11), "linux", "x86_64"):
        return ""
    return f"{PINS.name} is for another machine than {platform.python_version()} on {platform.platform()}"


def ready(extra: str, *, pinned: bool = False) -> None:
    """Make the environment hold ddsetup with `extra`, or the dependency group of that name; what is already
    there is left alone.

    `pinned`: exactly the versions that the pins name, each checked by its hash, and nothing else.
    """
    if sys.version_info < (3, 11):  # noqa: UP036  an older Python should hear it from us
        sys.exit(f"ddsetup needs Python 3.11 or newer, and this is {sys.version.split()[0]}.")
    read = (ROOT / "pyproject.toml", PINS) if pinned else (ROOT / "pyproject.toml",)
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in read)).hexdigest()
    mark = "pinned" if pinned else extra
    marks = {name: VENV / f".ddsetup-{name}" for name in ("sandbox", "dev", "pinned")}
    usable = {"sandbox": ["sandbox", "dev"], "dev": ["dev"], "pinned": ["pinned"]}[mark]
    if any(marks[name].is_file() and marks[name].read_text() == wanted for name in usable):
        return
    if not PYTHON.exists():
        print("Making .venv ...", file=sys.stderr)
        venv.create(VENV, with_pip=True)
    print(f"Installing ddsetup ({mark}) into .venv (about a minute the first time) ...", file=sys.stderr)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for mine in marks.values():
        mine.unlink(missing_ok=True)
    if pinned:
        subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(PINS)], check=True)
        # What builds it is among the pins as well; nothing else is fetched for it.
        subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", "."], cwd=ROOT, check=True)
    else:
        subprocess.run([*pip, "-e", *requirements(extra)], cwd=ROOT, check=True)
    marks[mark].write_text(wanted)


def requirements(name: str) -> list[str]:
    """What pip is given for an extra of the package, or for a dependency group of pyproject.toml: the project
    first, with the extras that the group names. (pip itself knows groups only since 25.1.)
    """
    import tomllib

    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    if name not in groups:
        return [f".[{name}]"]
    mine = [wanted for wanted in groups[name] if wanted.startswith("ddsetup[")]
    extras = ",".join(each[len("ddsetup[") : -1] for each in mine)
    return [f".[{extras}]", *(wanted for wanted in groups[name] if wanted not in mine)]


def tool(group: str, name: str, *arguments: str | Path, environ: Mapping[str, str] | None = None) -> int:
    """Run a tool of a dependency group, in an environment apart from the project's; its exit code."""
    place = ROOT / "build" / f"tools-{group}"
    binaries = place / BIN.name
    wanted = requirements(group)[1:]
    mark = place / ".made"
    if not mark.is_file() or mark.read_text() != repr(wanted):
        print(f"Installing {', '.join(wanted)} into {place.relative_to(ROOT)} ...", file=sys.stderr)
        venv.create(place, with_pip=True, clear=True)
        pip = [str(binaries / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *wanted], check=True)
        mark.write_text(repr(wanted))
    command = [str(binaries / name), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **(environ or {})}, check=False).returncode


def run(*command: str | Path) -> None:
    """Run a command of the environment in the project's folder; stop with its exit code if it fails."""
    # A start-up that compiles every module anew takes three times as long.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environ["PATH"] = f"{BIN}{os.pathsep}{environ.get('PATH', os.defpath)}"
    if code := subprocess.run([str(c) for c in command], cwd=ROOT, env=environ, check=False).returncode:
        sys.exit(code)


def sandbox(arguments: list[str]) -> None:
    """The main job on an emulated account: guided on a terminal, by itself without one."""
    ready("sandbox")
    by_itself = [] if sys.stdin.isatty() and sys.stderr.isatty() else ["--all", "--yes"]
    run(BIN / "ddsetup", "setup", "--sandbox", *by_itself, *arguments)


def test(arguments: list[str]) -> None:
    """All tests."""
    ready("dev")
    run(PYTHON, "-m", "pytest", *arguments)


def check(arguments: list[str]) -> None:
    """Format, lint, strict types, borders, tests: what has to be green before a commit."""
    ready("dev")
    check_all(arguments)


def ci(arguments: list[str]) -> None:
    """The same, with dependencies pinned by hash where that is possible; else it is said why not."""
    why_not = not_pinned()
    if why_not:
        print(f"Dependencies are not pinned by hash: {why_not}.", file=sys.stderr)
    ready("dev", pinned=not why_not)
    check_all(["--durations=25", *arguments])


def check_all(arguments: list[str]) -> None:
    """Format, lint, strict types, borders, tests, in the environment as it is."""
    run(PYTHON, "-m", "ruff", "format", "--check", ".")
    run(PYTHON, "-m", "ruff", "check", ".")
    run(PYTHON, "-m", "mypy")
    run(BIN / "lint-imports", "--no-cache")
    run(PYTHON, "-m", "pytest", *arguments)


def audit(arguments: list[str]) -> None:
    """Known weaknesses: in the code, in workflows and images, and (over the network) in dependencies.

    `--offline` leaves out what asks PyPI's database of advisories.
    """
    schema = ("check-jsonschema", "--builtin-schema")
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    calls: list[tuple[str | Path, ...]] = [
        (
            "bandit",
            "--quiet",
            "--configfile",
            "pyproject.toml",
            "--severity-level",
            "medium",
            "-r",
            "ddsetup",
        ),
        (*schema, "vendor.github-workflows", *workflows),
        (*schema, "vendor.github-actions", "action.yml"),
        (*schema, "vendor.gitlab-ci", "--data-transform", "gitlab-ci", ".gitlab/ddsetup.gitlab-ci.yml"),
        ("zizmor", "--offline", "--quiet", ".github", "action.yml"),
        ("hadolint", "Dockerfile"),
    ]
    if "--offline" not in arguments:
        # Strictly: where the index tells nothing of advisories, all would be left out and nothing found.
        calls.append(("pip-audit", "--strict", "--disable-pip", "--require-hashes", "-r", PINS))
    failed = [str(name) for name, *rest in calls if tool("audit", str(name), *rest)]
    if failed:
        sys.exit(f"found something: {', '.join(failed)}")


def site(arguments: list[str]) -> None:
    """The documentation as a site, in build/site; a dead link or a page that is in no menu fails."""
    command = "serve" if "--serve" in arguments else "build"
    if tool("site", "mkdocs", command, "--strict"):
        sys.exit("the site has faults")


def build(_arguments: list[str]) -> None:
    """What a release consists of: dist/ with wheel and sources, build/sbom.cdx.json with all that is in it.

    The bill of materials is made of the wheel as it is installed, dependencies included.
    """
    dist, installed = ROOT / "dist", ROOT / "build" / "installed"
    for old in dist.glob("ddsetup-*"):
        old.unlink()
    if tool("build", "python", "-m", "build", "--outdir", dist) or tool(
        "build", "twine", "check", "--strict", *dist.glob("ddsetup-*")
    ):
        sys.exit("the package cannot be released")
    (wheel,) = dist.glob("*.whl")
    venv.create(installed, with_pip=True, clear=True)
    python = installed / BIN.name / PYTHON.name
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, str(wheel)], check=True)
    # Once more by its name, so that nothing in the bill says where on this machine it came from.
    by_name = ["--force-reinstall", "--no-deps", "--no-index", "--find-links", str(dist), "ddsetup"]
    subprocess.run([*pip, *by_name], check=True)
    sbom = ROOT / "build" / "sbom.cdx.json"
    if tool("build", "cyclonedx-py", "environment", "--output-reproducible", "-o", sbom, python):
        sys.exit("no bill of materials could be made")
    print(f"{wheel.relative_to(ROOT)}, {sbom.relative_to(ROOT)}")


TASKS = {
    "sandbox": sandbox,
    "test": test,
    "check": check,
    "ci": ci,
    "audit": audit,
    "site": site,
    "build": build,
}

if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TASKS:
        sys.exit(f"usage: python3 dev.py {'|'.join(TASKS)} [arguments]\n\n" + (__doc__ or ""))
    try:
        TASKS[name](sys.argv[2:])
    except subprocess.CalledProcessError as failure:
        sys.exit(f"dev.py: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)

"""A proposal as data and as text, and the programs that are started for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ddsetup.model.account import Lane
from ddsetup.model.change import ResourceId
from ddsetup.model.lines import Look
from ddsetup.model.states import StackState
from ddsetup.project.iac import run
from ddsetup.project.iac.macro_stack import MACRO_TEMPLATE, install_command, macro_change
from ddsetup.project.iac.model import Edit, Install, Project, ProjectFile, Proposal, Snippet
from ddsetup.project.iac.show import as_data, code_blocks, finished, iac_blocks
from ddsetup.show.layout import plain_text

ROOT = Path("/work/shop")
NPM = Install(ROOT / "app", ("npm", "install", "a b"), "it is used")
PIP = Install(ROOT, ("pip", "install", "x"), "it sends data")
PROPOSAL = Proposal(
    edits=(
        Edit(ROOT / "a/serverless.yml", b"a: 1\n", b"a: 1\nb: 2\n", ("because", f"key: {'0' * 32}")),
        Edit(ROOT / "main.tf", b"1\n2\n3\n4\n5\n", b"1\n2\n3\n4\n6\n", ("more",)),
    ),
    snippets=(Snippet(Path("/elsewhere/app.ts"), "it is a program", "x();\n", "typescript"),),
    installs=(NPM, PIP),
    warnings=("mind this",),
    settled=(ROOT / "template.yaml",),
)
PROJECT = Project(ROOT, (ProjectFile("serverless", ROOT / "a/serverless.yml"),))
DATA: dict[str, Any] = {
    "project": "/work/shop",
    "tools": ["Serverless Framework"],
    "files": [
        {
            "path": "a/serverless.yml",
            "status": "would change",
            "why": ["because", "key: ****"],
            "diff": "--- a/a/serverless.yml\n+++ b/a/serverless.yml\n@@ -1 +1,2 @@\n a: 1\n+b: 2\n",
        },
        {
            "path": "main.tf",
            "status": "would change",
            "why": ["more"],
            "diff": "--- a/main.tf\n+++ b/main.tf\n@@ -4,2 +4,2 @@\n 4\n-5\n+6\n",
        },
        {"path": "template.yaml", "status": "as wanted", "why": [], "diff": ""},
    ],
    "snippets": [
        {
            "path": "/elsewhere/app.ts",
            "reason": "it is a program",
            "language": "typescript",
            "text": "x();\n",
        }
    ],
    "installs": [
        {
            "directory": "app",
            "command": "npm install 'a b'",
            "why": "it is used",
            "status": "not run",
            "reason": "",
        },
        {
            "directory": ".",
            "command": "pip install x",
            "why": "it sends data",
            "status": "not run",
            "reason": "",
        },
    ],
    "warnings": ["mind this"],
}


def text(data: Any) -> list[str]:
    return plain_text(iac_blocks(data, Look()), Look()).splitlines()


def test_a_proposal_as_data() -> None:
    assert as_data(PROJECT, PROPOSAL) == DATA
    changed = as_data(PROJECT, PROPOSAL, status="changed")
    assert [file["status"] for file in changed["files"]] == ["changed", "changed", "as wanted"]


def test_the_data_as_text() -> None:
    assert text(DATA) == [
        "a/serverless.yml: would change",
        "  because",
        "  key: ****",
        *DATA["files"][0]["diff"].splitlines(),
        "",
        "main.tf: would change",
        "  more",
        *DATA["files"][1]["diff"].splitlines(),
        "",
        "template.yaml: as wanted",
        "/elsewhere/app.ts: to be put in by hand; it is a program",
        "    x();",
        "",
        "npm install 'a b' (in app): still to be run; it is used",
        "pip install x: still to be run; it sends data",
        "! mind this",
    ]
    assert text({"files": [{**DATA["files"][0], "status": "changed"}]}) == [
        "a/serverless.yml: changed",
        "  because",
        "  key: ****",
    ]


def test_what_came_of_installations() -> None:
    done = finished(DATA, [(NPM, ""), (PIP, "pip ended with 1: no")])
    assert [(i["status"], i["reason"]) for i in done["installs"]] == [
        ("done", ""),
        ("failed", "pip ended with 1: no"),
    ]
    assert {**done, "installs": DATA["installs"]} == DATA
    assert text({"installs": done["installs"]}) == [
        "npm install 'a b' (in app): done; it is used",
        "pip install x: failed; it sends data",
        "    pip ended with 1: no",
    ]
    assert finished(DATA, []) == DATA


def test_files_that_are_given_back() -> None:
    rows = [{"path": "a", "reason": ""}, {"path": "b", "reason": "it was changed since"}]
    assert text({"given_back": rows, "files": [{}]}) == ["a: as it was", "b: it was changed since"]


MACRO = {"state": "missing", "region": "eu-west-1", "run": "", "reason": "", "command": "aws it"}


@pytest.mark.parametrize(
    ("macro", "said"),
    [
        ({}, ["! Datadog's macro is not installed in eu-west-1; once for each region:", "    aws it"]),
        ({"region": ""}, ["! Datadog's macro is not installed; once for each region:", "    aws it"]),
        (
            {"state": "unknown"},
            [
                "! Datadog's macro has to be installed (not checked) in eu-west-1; once for each region:",
                "    aws it",
            ],
        ),
        ({"state": "installed"}, ["Datadog's macro is installed in eu-west-1"]),
        (
            {"state": "deployed", "run": "r-1"},
            ["Datadog's macro is deployed in eu-west-1; to give it back: ddsetup undo r-1"],
        ),
        ({"state": "failed", "reason": "no"}, ["! Datadog's macro cannot be used in eu-west-1: no"]),
    ],
)
def test_the_macro(macro: dict[str, str], said: list[str]) -> None:
    assert text({"macro": {**MACRO, **macro}}) == said


def test_how_the_macro_is_installed() -> None:
    assert install_command("eu-west-1") == (
        "aws cloudformation create-stack --stack-name datadog-serverless-macro --region eu-west-1 "
        f"--template-url {MACRO_TEMPLATE} --capabilities CAPABILITY_AUTO_EXPAND CAPABILITY_IAM"
    )
    assert "--region" not in install_command("")
    change = macro_change(Lane("111122223333", "eu-west-1"))
    assert change.resource == ResourceId("stack", "datadog-serverless-macro", "eu-west-1", "111122223333")
    assert (change.step, change.before) == ("macro", None)
    assert change.after == StackState(
        name="datadog-serverless-macro",
        template_url="https://datadog-cloudformation-template.s3.amazonaws.com/aws/serverless-macro/latest.yml",
        tags={"created_by": "ddsetup"},
    )
    elsewhere = macro_change(Lane("111122223333", "eu-west-1"), "https://mirror.example/m.yml").after
    assert isinstance(elsewhere, StackState)
    assert elsewhere.template_url == "https://mirror.example/m.yml"


CODE: dict[str, Any] = {
    "python_files": 2,
    "redirected": False,
    "handlers": [
        {"handler": "a", "path": "app.py", "line": 3, "wrapped": True},
        {"handler": "b", "path": "more.py", "line": 5, "wrapped": False},
    ],
    "metrics": [
        {"metric": "shop.orders", "path": "app.py", "line": 7},
        {"metric": "", "path": "x", "line": 1},
    ],
    "files": [],
}


def test_checked_code_as_text() -> None:
    lines = plain_text(code_blocks(CODE, Look()), Look()).splitlines()
    assert lines == [
        "2 Python files, 2 handlers",
        "  a  app.py:3  wrapped",
        "  b  more.py:5  not wrapped",
        "  metric shop.orders  app.py:7",
        "  metric (computed)  x:1",
    ]
    more = {**CODE, "redirected": True, "files": [{**DATA["files"][1]}]}
    lines = plain_text(code_blocks(more, Look()), Look()).splitlines()
    assert lines[1:3] == ["  a  app.py:3  wrapped", "  b  more.py:5  redirected"]
    assert lines[5:8] == [
        "",
        "To wrap the handlers in the code instead of redirecting them (--write does it):",
        "main.tf: would change",
    ]
    changed = {**more, "files": [{**DATA["files"][1], "status": "changed"}]}
    assert "To wrap" not in plain_text(code_blocks(changed, Look()), Look())
    assert code_blocks({"files": []}, Look()) == []


# Programs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of programs, which is all of PATH but for the shell's own."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    return place


def program(place: Path, name: str, lines: str) -> None:
    (place / name).write_text(f"#!/bin/sh\n{lines}\n")
    (place / name).chmod(0o755)


def test_a_package_manager_is_run_where_the_project_is(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DD_API_KEY", "AWS_PROFILE", "GIT_DIR", "DDSETUP_X", "DATADOG_X", "dd_lower", "KEPT"):
        monkeypatch.setenv(name, "1")
    program(programs, "adder", 'pwd > said; echo "$@" >> said; env >> said; cat >> said')
    assert run.install(Install(tmp_path, ("adder", "add", "x y"), "")) == ""
    said = (tmp_path / "said").read_text().splitlines()
    assert said[:2] == [str(tmp_path), "add x y"]
    names = {line.partition("=")[0] for line in said[2:]}
    assert "KEPT" in names
    assert not names & {"DD_API_KEY", "AWS_PROFILE", "GIT_DIR", "DDSETUP_X", "DATADOG_X", "dd_lower"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "echo one >&2; echo two >&2; echo >&2; echo three >&2; echo four >&2; exit 3",
            "3: two / three / four",
        ),
        ("echo out; exit 1", "1: out"),
        ("echo out; echo err >&2; exit 1", "1: err"),
        ("exit 9", "9: "),
    ],
)
def test_a_package_manager_that_fails_is_quoted_shortly(
    programs: Path, tmp_path: Path, lines: str, said: str
) -> None:
    program(programs, "adder", lines)
    assert run.install(Install(tmp_path, ("adder", "add"), "")) == f"adder ended with {said}"


def test_a_package_manager_that_cannot_be_run_is_told(programs: Path, tmp_path: Path) -> None:
    assert run.install(Install(tmp_path, ("gone", "add"), "")) == "gone is not installed here"
    program(programs, "adder", "exit 0")
    lost = run.install(Install(tmp_path / "gone", ("adder",), ""))
    assert lost == "adder did not come to an end: FileNotFoundError"


def git(place: Path, *arguments: str) -> None:
    quiet = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", "-C", str(place), *quiet, *arguments], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_what_git_has_not_been_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    assert run.uncommitted(tmp_path, [inner / "x"]) == ()
    git(inner, "init", "-q")
    (inner / "a.txt").write_text("a")
    assert run.uncommitted(inner) == ("?? a.txt",)
    assert run.uncommitted(tmp_path) == ()
    assert run.uncommitted(tmp_path, [inner / "x", inner / "y", tmp_path / "z"]) == ("?? a.txt",)
    git(inner, "add", "a.txt")
    git(inner, "commit", "-qm", "a")
    assert run.uncommitted(inner) == ()
    assert run.uncommitted(tmp_path, [inner / "x"]) == ()
    monkeypatch.setenv("PATH", os.devnull)
    (inner / "a.txt").write_text("b")
    assert run.uncommitted(inner) == ()

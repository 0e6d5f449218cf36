"""Lists of packages: requirements.txt, pyproject.toml, package.json, and whose lock file decides."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from ddsetup.project.iac import packages
from ddsetup.project.iac.model import BrokenFile, Proposal
from tests.unit.project.test_iac_files import only
from tests.unit.project.test_iac_snippets import source
from tests.unit.project.wishes import wish

FORWARDER = wish(site="datadoghq.eu", via="forwarder")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("boto3\n", "boto3\n{}\n"),
        ("boto3", "boto3\n{}"),
        ("boto3\r\nrequests\r\n", "boto3\r\nrequests\r\n{}\r\n"),
        ("", "{}\n"),
    ],
)
def test_requirements_get_one_line(tmp_path: Path, text: str, expected: str) -> None:
    edit = only(packages.python_library(source(tmp_path, "requirements.txt", text).path, FORWARDER))
    requirement = next(line for line in edit.after.decode().splitlines() if "datadog" in line)
    assert re.fullmatch(r"datadog-lambda>=8\.\d+,<9", requirement)
    assert edit.after.decode() == expected.format(requirement)


@pytest.mark.parametrize(
    "line", ["datadog-lambda==6.1", "datadog_lambda", "Datadog-Lambda [x] ; python_version"]
)
def test_requirements_that_have_it_stay(tmp_path: Path, line: str) -> None:
    path = source(tmp_path, "requirements.txt", f"a\n{line}\n").path
    assert packages.python_library(path, FORWARDER).settled == (path,)


def test_lists_that_cannot_be_opened_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "itself.txt").symlink_to("itself.txt")
    (tmp_path / "folder.txt").mkdir()
    source(tmp_path, "more.txt", "datadog-lambda\n-r requirements.txt\n")
    names = ("itself.txt", "folder.txt", "gone.txt", "name_that_goes_on_" * 20, "\0", "more.txt")
    path = source(tmp_path, "requirements.txt", "".join(f"-r {name}\n" for name in names)).path
    assert packages.python_library(path, FORWARDER).settled == (path,)


def test_requirements_made_by_a_tool_are_left_to_it(tmp_path: Path) -> None:
    path = source(tmp_path, "requirements.txt", "boto3==1 \\\n  --hash=sha256:aa\n").path
    assert packages.python_library(path, FORWARDER).snippets


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname = "x"\ndependencies = []\n',
        '[project]\nname = "x"\ndependencies = ["a", "b[c]>=1"]  # all\n[tool.x]\ny = ["z"]\n',
        '[project]\nname = "x"\ndependencies = [\n  # first\n  "a",\n  \'b[c]\',\n]\n',
        '[project]\nname = "x"\ndependencies = [\n    "a"\n]\n[project.scripts]\nx = "y"\n',
    ],
)
def test_pyproject_gets_one_dependency(tmp_path: Path, text: str) -> None:
    edit = only(packages.python_library(source(tmp_path, "pyproject.toml", text).path, FORWARDER))
    before, after = tomllib.loads(text), tomllib.loads(edit.after.decode())
    added = after["project"]["dependencies"].pop()
    assert added.startswith("datadog-lambda>=")
    assert after == before


def test_a_lock_file_decides_who_adds_a_package(tmp_path: Path) -> None:
    path = source(tmp_path, "pyproject.toml", '[project]\nname = "x"\ndependencies = []\n').path
    (tmp_path / "uv.lock").touch()
    proposal = packages.python_library(path, FORWARDER)
    assert proposal.edits == ()
    assert proposal.installs[0].command[:2] == ("uv", "add")


@pytest.mark.parametrize(
    ("lock", "command"),
    [
        ("yarn.lock", ("yarn", "add", "--dev")),
        ("pnpm-lock.yaml", ("pnpm", "add", "--save-dev")),
        ("package-lock.json", ("npm", "install", "--save-dev")),
        ("", ("npm", "install", "--save-dev")),
    ],
)
def test_the_lock_file_names_the_package_manager(tmp_path: Path, lock: str, command: tuple[str, ...]) -> None:
    source(tmp_path, "package.json", '{"devDependencies": {"serverless": "3"}}')
    if lock:
        (tmp_path / lock).touch()
    service = tmp_path / "services" / "a"
    service.mkdir(parents=True)
    install = packages.node_dependency(service, "serverless-plugin-datadog", "why", dev=True).installs[0]
    assert install.command == (*command, "serverless-plugin-datadog")
    assert install.directory == tmp_path


def test_a_plugin_that_is_listed_is_not_installed_again(tmp_path: Path) -> None:
    source(tmp_path, "package.json", '{"devDependencies": {"serverless-plugin-datadog": "5"}}')
    assert packages.node_dependency(tmp_path, "serverless-plugin-datadog", "why", dev=True) == Proposal()


def test_a_broken_package_json_is_refused_with_the_place(tmp_path: Path) -> None:
    source(tmp_path, "package.json", '{\n "a": 1,\n}')
    with pytest.raises(BrokenFile) as caught:
        packages.node_dependency(tmp_path, "x", "why", dev=True)
    assert caught.value.where.endswith("package.json:3:1")

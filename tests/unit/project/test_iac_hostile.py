"""Files and repositories of people who mean harm: refused in words and in time; nothing of theirs runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.project.iac import run, yamldoc
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import BrokenFile
from ddsetup.project.iac.packages import python_library
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.source import read_source
from tests.unit.project.test_iac_snippets import source
from tests.unit.project.wishes import wish

WANTED = wish(site="datadoghq.eu", via="forwarder")
SERVICE = "service: shop\nprovider: {name: aws, runtime: python3.12}\n"


@pytest.mark.parametrize("name", ["serverless.yml", "main.tf", "template.yaml", "Dockerfile", "cdk.json"])
def test_a_pipe_under_a_known_name_holds_nothing_up(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    source(tmp_path, "other/serverless.yml", SERVICE)
    proposal = propose(detect(tmp_path), WANTED)
    assert [edit.path.name for edit in proposal.edits] == ["serverless.yml"]


def test_a_pipe_alone_is_refused_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "serverless.yml")
    with pytest.raises(BrokenFile, match="no ordinary file"):
        propose(detect(tmp_path), WANTED)
    with pytest.raises(BrokenFile, match="no ordinary file"):
        read_source(Path("/dev/zero"))


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    outside = source(tmp_path, "else/serverless.yml", SERVICE).path
    project = tmp_path / "project"
    project.mkdir()
    (project / "serverless.yml").symlink_to(outside)
    with pytest.raises(UsageError, match="outside of the project"):
        propose(detect(project), WANTED)
    (tmp_path / ".git").mkdir()
    assert len(propose(detect(project), WANTED).edits) == 1, "one repository is one house"


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 5_000,
        "a: " + "{b: " * 5_000,
        "- " * 5_000,
        "a: &a [" + "x, " * 100 + "]\n" + "\n".join(f"b{n}: &b{n} [*a, *a]" for n in range(50)),
        "".join(
            f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" if n else "a0: &a0 {x: 1}\n" for n in range(40)
        ),
        "&a a: *a\n",
    ],
    ids=["brackets", "braces", "dashes", "aliases", "merges", "itself"],
)
def test_what_is_nested_or_repeated_without_end_comes_to_an_end(tmp_path: Path, text: str) -> None:
    try:
        document = yamldoc.parse(source(tmp_path, "serverless.yml", text))
    except BrokenFile:
        return
    yamldoc.as_plain(document.root)
    assert yamldoc.value_of(document.root, "nothing") is None


@pytest.mark.parametrize(("name", "beside"), [("cdk.json", "README.md"), ("package.json", "serverless.yml")])
def test_json_without_end_is_a_broken_file_and_no_bug(tmp_path: Path, name: str, beside: str) -> None:
    source(tmp_path, name, "[" * 100_000)
    source(tmp_path, beside, SERVICE)
    with pytest.raises(BrokenFile, match="not valid JSON") as caught:
        propose(detect(tmp_path), WANTED)
    assert caught.value.where == f"{tmp_path / name}:1:1"


@pytest.mark.parametrize(
    "text",
    [
        "project = 3\n",
        "[[project]]\n",
        "[project]\ndependencies = 3\n",
        "[project]\ndependencies = [1]\ndynamic = 3\n",
        "tool = 3\n",
        "[tool]\npoetry = 1\n",
        "[tool.poetry]\ndependencies = [1]\n",
    ],
)
def test_a_pyproject_that_says_odd_things_is_no_bug(tmp_path: Path, text: str) -> None:
    found = python_library(source(tmp_path, "pyproject.toml", text).path, WANTED)
    assert [each.reason for each in found.snippets] == [
        "the project's dependencies are not a list in this file"
    ]
    assert found.edits == ()


def test_brackets_without_end_in_toml_and_in_a_command(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="not valid TOML"):
        python_library(source(tmp_path, "pyproject.toml", "a = " + "[" * 100_000).path, WANTED)
    source(tmp_path, "Dockerfile", "FROM public.ecr.aws/lambda/python:3.12\nCMD " + "[" * 100_000 + "\n")
    (snippet,) = propose(detect(tmp_path / "Dockerfile"), WANTED).snippets
    assert "CMD does not name a handler" in snippet.reason


def test_git_runs_nothing_that_a_repository_names(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    script.chmod(0o755)
    root = tmp_path / "repository"
    root.mkdir()
    for command in (
        ["init", "-q"],
        ["config", "core.fsmonitor", str(script)],
        ["config", "core.hooksPath", str(tmp_path)],
        ["config", "filter.x.clean", str(script)],
        ["config", "filter.x.required", "true"],
    ):
        subprocess.run(["git", "-C", str(root), *command], check=True)
    (root / ".gitattributes").write_text("* filter=x\n")
    (root / "a.txt").write_text("a\n")
    subprocess.run(
        ["git", "-C", str(root), "-c", "core.fsmonitor=false", "-c", "filter.x.clean=", "add", "a.txt"],
        check=False,
        capture_output=True,
    )
    marker.unlink(missing_ok=True)
    (root / "a.txt").write_text("b\n")
    os.utime(root / "a.txt", (1, 1))
    assert any("a.txt" in line for line in run.uncommitted(root))
    assert not marker.exists()
    assert not list((root / ".git").glob("*.lock"))


def test_programs_of_a_project_get_no_credentials() -> None:
    kept = run.without_secrets(
        {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "DD_API_KEY": "x", "DATADOG_APP_KEY": "x", "dd_x": "x"}
    )
    assert kept == {"PATH": "/bin"}


def test_one_file_with_a_key_twice_does_not_stop_the_others(tmp_path: Path) -> None:
    source(tmp_path, "a/serverless.yml", SERVICE + "service: again\n")
    source(tmp_path, "b/serverless.yml", SERVICE)
    proposal = propose(detect(tmp_path), WANTED)
    assert [edit.path.parent.name for edit in proposal.edits] == ["b"]
    assert any("a/serverless.yml" in warning and "twice" in warning for warning in proposal.warnings)

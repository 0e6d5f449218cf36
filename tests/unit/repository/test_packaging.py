"""What the package says of itself, and what is around it: schema, manual, workflows, action, site."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import tomllib
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import yaml

from ddsetup.settings.config import save_config
from ddsetup.settings.table import TABLE

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads(resources.files("ddsetup.data").joinpath("toml.schema.json").read_text("utf-8"))


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ('site = "datadoghq.eu"\nregion = ["eu-west-1"]\nlogs = false\nwait = 600\n', True),
        ('[doctor]\nignore = [{check = "layer-recent", reason = "retired"}]\n', True),
        ('extra_tag = {team = "shop"}\nregion = "eu-west-1"\n', True),
        ('sight = "datadoghq.eu"\n', False),
        ("yes = true\n", False),
        ('api_key_file = "key"\n', False),
        ('logs = "no"\n', False),
        ('via = "pigeon"\n', False),
    ],
)
def test_the_schema_takes_what_the_file_may_hold(text: str, good: bool) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    found = list(jsonschema.Draft7Validator(SCHEMA).iter_errors(tomllib.loads(text)))
    assert (not found) == good


def test_what_a_guided_run_writes_fits_the_schema(tmp_path: Path) -> None:
    path = tmp_path / "ddsetup.toml"
    save_config(path, {"env": "prod", "region": ("eu-west-1",), "logs": True, "extra_tag": ("team:shop",)})
    document = tomllib.loads(path.read_text("utf-8"))
    assert document["env"] == "prod"
    jsonschema.Draft7Validator(SCHEMA).validate(document)


def test_the_manual_has_every_command_and_option() -> None:
    manual = (ROOT / "docs/man/ddsetup.1").read_text("utf-8").replace("\\-", "-")
    assert [s.flag for s in TABLE if f"\\fB{s.flag}\\fR" not in manual] == []
    assert "ddsetup explore cold-starts" in manual
    assert not re.search(r"^[.'](?!TH|SH|SS|TP|B |I |br)", manual, re.MULTILINE)


def test_links_of_the_readme_are_absolute_where_the_package_knows_its_home() -> None:
    pytest.importorskip("hatchling", reason="part of the group dev since it is tested: install again")
    absolute = load(ROOT / "hatch_build.py").absolute
    readme = absolute((ROOT / "README.md").read_text("utf-8"), "https://git.example/x/ddsetup", "v1.0.0")
    links = re.findall(r"\]\(([^)]+)\)", readme)
    assert len(links) > 10
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert "](https://git.example/x/ddsetup/raw/v1.0.0/docs/pictures/setup.svg)" in readme
    assert "](https://git.example/x/ddsetup/blob/v1.0.0/docs/tutorial.md)" in readme


def _steps(document: Any) -> list[Any]:
    jobs = document.get("jobs") or {"": document["runs"]}
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / ".github/workflows").glob("*.yml")), ROOT / "action.yml"], ids=lambda p: p.name
)
def test_every_action_is_pinned_by_hash_and_no_script_holds_an_expression(path: Path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    for step in _steps(document):
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
        assert "${{" not in step.get("run", "")
    if "jobs" in document:
        assert document["permissions"] == {}
        assert all(job["permissions"] and job["timeout-minutes"] for job in document["jobs"].values())


def test_ci_covers_three_systems_and_every_python_that_is_named() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    matrix = jobs["installed"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [c.rpartition(" ")[2] for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert matrix["python"] == named


@pytest.mark.parametrize(
    ("mode", "ended", "strict", "code", "said"),
    [
        ("setup", 0, "false", 0, ""),
        ("setup", 5, "false", 0, "::warning::"),
        ("setup", 6, "false", 0, "::warning::"),
        ("setup", 6, "true", 6, "::error::"),
        ("setup", 4, "false", 4, "::error::"),
        ("plan", 3, "true", 0, "::notice::"),
        ("verify", 6, "false", 6, "::error::"),
        ("doctor", 1, "false", 1, "::error::"),
        ("keep check", 0, "false", 0, ""),
        ("keep check", 3, "false", 3, "::error::"),
        ("keep apply", 0, "false", 0, ""),
        ("undo", 0, "false", 2, "::error::"),
    ],
)
def test_the_action_makes_of_each_exit_code_what_the_docs_say(
    tmp_path: Path, mode: str, ended: int, strict: str, code: int, said: str
) -> None:
    stub = tmp_path / "bin" / "ddsetup"
    stub.parent.mkdir()
    stub.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\necho "# the plan"\nexit {ended}\n')
    stub.chmod(0o755)
    done = subprocess.run(
        [str(ROOT / ".ci/action.sh")],
        cwd=tmp_path,
        env={
            "PATH": f"{stub.parent}:{os.environ['PATH']}",
            "MODE": mode,
            "ARGUMENTS": "--function\na b; $(touch gone)\n",
            "STRICT": strict,
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout
    if mode != "undo":
        asked = (tmp_path / "asked").read_text().splitlines()
        assert "a b; $(touch gone)" in asked
        assert asked[: len(mode.split())] == mode.split()
        assert ("--yes" in asked) == (mode in ("setup", "keep apply"))
        assert (tmp_path / "summary").read_text() == "# the plan\n"
        assert f"exit-code={ended}" in (tmp_path / "output").read_text()


def test_every_page_is_in_the_menu_of_the_site() -> None:
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    named = set(re.findall(r": ([\w/.-]+\.md)$", text, re.MULTILINE))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert pages == named

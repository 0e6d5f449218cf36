"""`ddsetup iac` and `ddsetup code check` as users run them, on projects in a directory."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Cli

DATA = Path(__file__).parents[1] / "data" / "iac" / "serverless"
KEY = "0123456789abcdef0123456789abcdef"

pytestmark = pytest.mark.e2e


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command without any account: no credentials, and none to be found."""
    home = tmp_path / "home"
    home.mkdir()
    return Cli(home, {"AWS_EC2_METADATA_DISABLED": "true"}, (KEY,))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small service, committed."""
    root = tmp_path / "shop"
    root.mkdir()
    shutil.copy(DATA / "03-crlf.yml", root / "serverless.yml")
    (root / "package.json").write_text('{"name": "shop"}\n')
    (root / "app.py").write_text("def handler(event, context):\n    return 1\n")
    commit(root)
    return root


def commit(root: Path) -> None:
    git = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *arguments], check=True)


def files(document: dict[str, Any]) -> dict[str, str]:
    return {file["path"]: file["status"] for file in document["data"]["files"]}


def test_a_service_is_changed_once_and_given_back(cli: Cli, project: Path) -> None:
    yml = project / "serverless.yml"
    before = yml.read_bytes()
    seen = cli("iac", "--site", "EU1", "--dry-run", "-o", "json", cwd=project)
    assert files(seen.json) == {"serverless.yml": "would change"}
    assert "+  - serverless-plugin-datadog" in seen.json["data"]["files"][0]["diff"]
    assert yml.read_bytes() == before

    done = cli("iac", "--site", "EU1", "--yes", "-o", "json", cwd=project)
    assert files(done.json) == {"serverless.yml": "changed"}
    assert done.json["data"]["installs"][0]["status"] == "not run"
    assert "npm install --save-dev serverless-plugin-datadog" in done.json["next"]
    assert b"site: datadoghq.eu\r\n" in yml.read_bytes()

    again = cli("iac", "--site", "EU1", "--yes", "-o", "json", cwd=project)
    assert files(again.json) == {"serverless.yml": "as wanted"}

    back = cli("iac", "--undo", "--yes", "-o", "json", cwd=project)
    assert back.json["data"]["given_back"] == [{"path": str(yml), "reason": ""}]
    assert yml.read_bytes() == before
    assert cli("iac", "--undo", "--yes", cwd=project).code == 2
    cli.check_files()


def test_what_is_missing_is_named(cli: Cli, project: Path) -> None:
    result = cli("iac", cwd=project)
    assert result.code == 2
    assert "--site" in result.stderr
    result = cli("iac", "--site", "EU1", "--via", "extension", cwd=project)
    assert result.code == 2
    assert "--api-key-secret" in result.stderr
    assert cli("iac", "--site", "EU1", cwd=project).code == 2, "nobody confirmed"
    assert cli("iac", str(project / "nowhere")).code == 2


def test_uncommitted_changes_stop_it_unless_allowed(cli: Cli, project: Path) -> None:
    (project / "notes.txt").write_text("not committed")
    before = (project / "serverless.yml").read_bytes()
    result = cli("iac", "--site", "EU1", "--yes", cwd=project)
    assert result.code == 2
    assert "--allow-dirty" in result.stderr
    assert (project / "serverless.yml").read_bytes() == before
    assert cli("iac", "--site", "EU1", "--yes", "--allow-dirty", cwd=project).code == 0
    assert (project / "serverless.yml").read_bytes() != before


def test_a_read_only_file_is_not_changed(cli: Cli, project: Path) -> None:
    yml = project / "serverless.yml"
    yml.chmod(stat.S_IRUSR | stat.S_IRGRP)
    before = yml.read_bytes()
    result = cli("iac", "--site", "EU1", "--yes", "--allow-dirty", cwd=project)
    assert result.code == 2
    assert "read-only" in result.stderr
    assert yml.read_bytes() == before


def test_a_broken_file_is_refused_with_the_place(cli: Cli, project: Path) -> None:
    yml = project / "serverless.yml"
    yml.write_text("service: a\ncustom:\n\tx: 1\n")
    result = cli("iac", "--site", "EU1", "--yes", "-o", "json", cwd=project)
    assert result.code == 2
    assert result.json["error"]["where"].endswith("serverless.yml:3:1")
    assert yml.read_text() == "service: a\ncustom:\n\tx: 1\n"


def test_a_key_in_the_file_is_never_shown(cli: Cli, project: Path) -> None:
    (project / "serverless.yml").write_text(f"custom:\n  datadog:\n    apiKey: {KEY}\n")
    for output in ("text", "json"):
        result = cli("iac", "--site", "EU1", "--dry-run", "-o", output, cwd=project)
        assert result.code == 0
        assert "clear text" in result.stdout


def test_a_package_manager_is_only_run_when_it_is_allowed(cli: Cli, project: Path, tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "npm"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\necho "$@" > ran\necho "{}" > package-lock.json\necho "{\\"x\\": 1}" > package.json\n'
    )
    fake.chmod(0o755)
    path = f"{fake.parent}:{cli.environ()['PATH']}"
    package = (project / "package.json").read_bytes()
    assert cli("iac", "--site", "EU1", "--yes", cwd=project, PATH=path).code == 0
    assert not (project / "ran").exists()
    done = cli(
        "iac", "--site", "EU1", "--yes", "--install", "--allow-dirty", "-o", "json", cwd=project, PATH=path
    )
    assert done.json["data"]["installs"][0]["status"] == "done"
    assert (project / "ran").read_text() == "install --save-dev serverless-plugin-datadog\n"
    assert (project / "package.json").read_bytes() != package
    cli("iac", "--undo", "--yes", cwd=project)
    assert (project / "package.json").read_bytes() == package
    assert not (project / "package-lock.json").exists()


def test_code_check_finds_wraps_and_gives_back(cli: Cli, project: Path) -> None:
    (project / "serverless.yml").unlink()
    code = "from datadog_lambda.metric import lambda_metric\n\ndef handler(event, context):\n    {}\n"
    (project / "app.py").write_text(code.format("lambda_metric('a', 'b')"))
    wrong = cli("code", "check", "-o", "json", cwd=project)
    assert wrong.code == 1
    value = next(f for f in wrong.json["findings"] if f["check"] == "code.metric_value")
    assert value["resource"]["id"] == "app.py:4:24"

    (project / "app.py").write_text(code.format("lambda_metric('a', 1)"))
    shown = cli("code", "check", cwd=project)
    assert shown.code == 0
    assert "+@datadog_lambda_wrapper" in shown.stdout
    written = cli("code", "check", "--write", "--yes", "--allow-dirty", "-o", "json", cwd=project)
    assert files(written.json) == {"app.py": "changed"}
    assert "@datadog_lambda_wrapper\ndef handler" in (project / "app.py").read_text()
    assert cli("iac", "--undo", "--yes", cwd=project).code == 0
    assert (project / "app.py").read_text() == code.format("lambda_metric('a', 1)")


def test_nothing_to_change_is_said(cli: Cli, tmp_path: Path) -> None:
    result = cli("iac", str(tmp_path), "-o", "json")
    assert result.code == 2
    assert (
        json.loads(result.stdout)["error"]["what"]
        == "no file of a deployment tool that makes Lambda functions was found"
    )

"""The command as people meet it: a process with arguments, an environment, two streams and an exit code."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from ddsetup.cli import app, boundary
from ddsetup.cli.start import in_sandbox
from ddsetup.cli.table.groups import GROUPS
from ddsetup.cli.table.main import COMMANDS
from ddsetup.cli.trial import scenarios_of
from ddsetup.settings.given import Values
from ddsetup.settings.table import SETTINGS
from tests import nursery
from tests.patience import PATIENCE

KEY = "0123456789abcdef0123456789abcdef"
SLOW = (
    *("boto3", "botocore", "datadog_api_client", "questionary", "prompt_toolkit", "rich.markdown"),
    *("pydantic", "asyncio"),
)
SCHEMA = json.loads(resources.files("ddsetup").joinpath("data/report.schema.json").read_text("utf-8"))

GROUPED = tuple(command for group in GROUPS for command in group.commands)


def ddsetup(
    *arguments: str, home: Path, environ: Mapping[str, str] | None = None, options: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the command with nothing of this machine's AWS or Datadog settings and no terminal: forked, but
    from nothing where Python gets `options`.
    """
    clean = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(Path(__file__).parents[3]),
        **(environ or {}),
    }
    if not options:
        end = nursery.shared().run(arguments, clean, home)
        return subprocess.CompletedProcess(arguments, end.code, end.stdout, end.stderr)
    command = [sys.executable, *options, "-m", "ddsetup", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=clean,
        cwd=home,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )


def imported(result: subprocess.CompletedProcess[str]) -> set[str]:
    rows = (row for row in result.stderr.splitlines() if row.startswith("import time:"))
    return {row.rsplit("|", 1)[1].strip() for row in rows}


def test_the_version_is_said_without_loading_anything(tmp_path: Path) -> None:
    result = ddsetup("--version", home=tmp_path, options=("-X", "importtime"))
    assert result.stdout.startswith("ddsetup ")
    assert result.returncode == 0
    assert not {"typer", "json", "ddsetup.cli.app", *SLOW} & imported(result)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_loads_nothing_slow(tmp_path: Path, flag: str) -> None:
    result = ddsetup(flag, home=tmp_path, options=("-X", "importtime"))
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: ddsetup")
    assert not set(SLOW) & imported(result)


@pytest.mark.parametrize("arguments", [("setup", "--help-all"), ("sandbox", "-h")])
def test_help_of_a_command_loads_no_parser_either(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = ddsetup(*arguments, home=tmp_path, options=("-X", "importtime"))
    assert result.returncode == 0
    assert not {"typer", "email.message", "ddsetup.cli.boundary", *SLOW} & imported(result)


@pytest.mark.parametrize("group", [(), ("explore",)])
def test_without_a_command_and_without_a_terminal_there_is_help_and_exit_code_2(
    group: tuple[str, ...], tmp_path: Path
) -> None:
    result = ddsetup(*group, home=tmp_path)
    assert result.returncode == 2
    assert "Usage: ddsetup" in result.stdout
    assert not result.stderr


def test_every_option_is_in_every_command_where_the_contract_wants_it() -> None:
    setup = next(command for command in COMMANDS if command.name == "setup")
    assert set(SETTINGS) <= set(setup.keys)
    for command in (*COMMANDS, *GROUPED):
        assert "output" in command.keys, command.name
        assert "no_color" in command.keys, command.name
    for command in COMMANDS:
        assert {"config", "state_dir", "no_input", "profile"} <= set(command.keys), command.name


def test_no_option_takes_a_key() -> None:
    assert len(SETTINGS) > 40
    for setting in SETTINGS.values():
        assert setting.key not in ("api_key", "app_key", "application_key")


def test_what_is_missing_is_named_at_once_with_exit_code_2(tmp_path: Path) -> None:
    result = ddsetup("setup", "--no-input", home=tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    for way in ("DD_API_KEY", "DD_APP_KEY", "--site", "DD_SITE", "--region", "--all"):
        assert way in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "called"),
    [
        (("setup", "--no-input"), 2, "setup"),
        (("plan", "--via", "pigeon"), 2, "plan"),
        (("explore", "logs", "--nonsense"), 2, "explore logs"),
        (("nonsense",), 2, "ddsetup"),
        (("apply", "nowhere.json"), 2, "apply"),
        (("undo", "20260101T000000Z-abcd"), 4, "undo"),
        (("verify", "--config", "nowhere.toml"), 2, "verify"),
        (("keep",), 2, "keep"),
        ((), 2, "ddsetup"),
    ],
)
def test_errors_are_documents_with_json(
    tmp_path: Path, arguments: tuple[str, ...], code: int, called: str
) -> None:
    result = ddsetup(*arguments, "--output", "json", home=tmp_path)
    found = json.loads(result.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert found["exit_code"] == result.returncode
    assert (result.returncode, found["command"]) == (code, called)
    assert found["error"]["what"]


def test_the_file_is_read_and_a_wrong_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "ddsetup.toml").write_text('site = "EU1"\nregoin = ["eu-west-1"]\n', "utf-8")
    result = ddsetup("plan", home=tmp_path)
    assert result.returncode == 2
    assert "ddsetup.toml, line 2: there is no option 'regoin'" in result.stderr
    (tmp_path / "ddsetup.toml").write_text('site = "EU1"\n', "utf-8")
    assert "--site" not in ddsetup("plan", home=tmp_path).stderr


def test_a_policy_is_written_as_it_is_pasted(tmp_path: Path) -> None:
    result = ddsetup("policy", "--region", "eu-west-1", home=tmp_path)
    assert result.returncode == 0
    assert json.loads(result.stdout)["Version"] == "2012-10-17"


def test_without_runs_the_list_is_empty(tmp_path: Path) -> None:
    result = ddsetup("undo", "--list", "--output", "json", home=tmp_path)
    assert json.loads(result.stdout)["data"] == {"runs": []}


@pytest.mark.parametrize("sandbox", [True, False])
def test_what_leads_to_this_machine_is_a_sandbox(sandbox: bool) -> None:
    datadog = "http://127.0.0.1:1" if sandbox else "https://proxy.example"
    assert in_sandbox({"AWS_ENDPOINT_URL": "http://127.0.0.1:2", "DDSETUP_DATADOG_URL": datadog}) == sandbox


def test_no_credentials_end_with_exit_code_4(tmp_path: Path) -> None:
    environ = {
        "DD_API_KEY": KEY,
        "DD_APP_KEY": "b" * 40,
        "DD_SITE": "datadoghq.eu",
        "AWS_REGION": "eu-west-1",
    }
    result = ddsetup("plan", "--all", home=tmp_path, environ=environ)
    assert result.returncode == 4
    for way in ("no AWS credentials found", "aws sso login", "aws configure", "AWS_PROFILE"):
        assert way in result.stderr
    nowhere = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    unreachable = ddsetup("plan", "--all", home=tmp_path, environ={**environ, **nowhere})
    assert unreachable.returncode == 1
    assert "AWS cannot be reached" in unreachable.stderr
    assert KEY not in result.stdout + result.stderr


def test_a_bug_is_reported_without_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = tmp_path / "broken_command.py"
    module.write_text(
        f"def run(call):\n    raise KeyError('the key is {KEY} and ddapp_{'x' * 34}')\n", "utf-8"
    )
    sys.path.insert(0, str(tmp_path))
    os.environ["DD_API_KEY"] = KEY
    try:
        code = boundary.run_command("plan", "broken_command", {"state_dir": str(tmp_path / "state")})
    finally:
        sys.path.remove(str(tmp_path))
        os.environ.pop("DD_API_KEY", None)
    (report,) = (tmp_path / "state" / "bugs").iterdir()
    text = report.read_text("utf-8") + capsys.readouterr().err
    assert code == 70
    assert report.stat().st_mode & 0o777 == 0o600
    assert "broken_command.py" in text
    assert KEY not in text
    assert "x" * 34 not in text
    assert "****" in text


@pytest.mark.parametrize(
    ("title", "values", "told"),
    [
        ("setup", {"yes": None}, "the same command goes on from here, ddsetup undo gives back what was done"),
        ("org apply", {"yes": True}, "the same command goes on from here, ddsetup org undo gives back"),
        ("sandbox up", {}, "error: stopped\n"),
    ],
)
def test_ctrl_c_says_how_to_go_on_where_something_can_have_been_done(
    title: str, values: Values, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stopped_command.py").write_text("def run(call):\n    raise KeyboardInterrupt\n", "utf-8")
    sys.path.insert(0, str(tmp_path))
    try:
        assert boundary.run_command(title, "stopped_command", values) == 130
    finally:
        sys.path.remove(str(tmp_path))
    said = capsys.readouterr().err
    assert told in said
    assert ("undo" in said) == ("yes" in values)


def test_every_command_has_a_module_and_its_examples_are_valid() -> None:
    for command in (*COMMANDS, *GROUPED):
        assert hasattr(importlib.import_module(command.module), "run"), command.name
        flags = {flag for extra in command.extras for flag in extra.flags}
        flags |= {SETTINGS[key].flag for key in command.keys}
        used = {word for example in command.examples for word in example.split() if word.startswith("--")}
        assert used <= flags, command.name


def test_help_is_a_command_too(tmp_path: Path) -> None:
    assert ddsetup("help", home=tmp_path).stdout == ddsetup("--help", home=tmp_path).stdout
    told = ddsetup("help", "sandbox", "up", home=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == ddsetup("sandbox", "up", "--help", home=tmp_path).stdout
    unknown = ddsetup("help", "nonsense", home=tmp_path)
    assert unknown.returncode == 2
    assert "nonsense" in unknown.stderr


@pytest.mark.parametrize(
    ("words", "wrong", "fix"),
    [
        ("sandbox down --name shop", "--name", "without an option: ddsetup sandbox down [NAME]; see"),
        ("undo --run 20261129T030235Z-ff67", "--run", "without an option: ddsetup undo [RUN]; see"),
        ("plan --regoin eu-west-1", "--regoin", "did you mean --region? see"),
        ("doctor --nonsense", "--nonsense", "see"),
    ],
)
def test_whoever_types_an_option_that_is_none_is_told_how_it_is_typed(
    words: str, wrong: str, fix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(words.split()) == 2
    command = words.partition(" -")[0]
    told = f"error: there is no option {wrong}\n  do: {fix} ddsetup {command} --help\n"
    assert capsys.readouterr().err == told


def test_version_is_a_command_too(tmp_path: Path) -> None:
    (tmp_path / "ddsetup.toml").write_text("what? ever")
    told = ddsetup("version", home=tmp_path)
    assert told.returncode == 0
    assert told.stdout == ddsetup("--version", home=tmp_path).stdout


def test_config_tells_each_value_and_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "ddsetup.toml").write_text(
        'site = "datadoghq.com"\n\nvia = "extension"\nregion = ["eu-west-1"]\n'
    )
    environ = {
        "DD_SITE": "EU1",
        "DDSETUP_API_KEY_KMS": "c2VjcmV0" * 10,
        "DD_API_KEY": KEY,
    }
    told = ddsetup("config", "--output", "json", home=tmp_path, environ=environ)
    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    rows = {row["key"]: (row["value"], row["source"], row["where"]) for row in document["data"]["settings"]}
    assert set(rows) == set(SETTINGS)
    assert rows["site"] == ("datadoghq.eu", "env", "DD_SITE")
    assert rows["via"] == ("extension", "file", "ddsetup.toml, line 3: via")
    assert rows["output"] == ("json", "flag", "--output")
    assert rows["logs"] == (True, "default", "")
    assert rows["profile"] == (None, "none", "")
    assert rows["api_key_kms"] == ("(set, not shown)", "env", "DDSETUP_API_KEY_KMS")
    lines = ddsetup("config", home=tmp_path, environ=environ).stdout.splitlines()
    assert [line.split() for line in lines if line.split()[:1] == ["region"]] == [
        ["region", "eu-west-1", "ddsetup.toml,", "line", "4:", "region"]
    ]
    assert not any(line.split()[:1] == ["profile"] for line in lines)
    everything = ddsetup("config", "--verbose", home=tmp_path, environ=environ).stdout
    assert "profile" in everything
    assert "c2VjcmV0" not in everything + told.stdout
    assert KEY not in everything + told.stdout


def test_config_names_the_place_of_a_value_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ddsetup.toml").write_text('via = "carrier-pigeon"\n')
    told = ddsetup("config", home=tmp_path)
    assert told.returncode == 2
    assert "ddsetup.toml, line 1" in told.stderr


def test_the_bucket_of_a_shared_state_is_made_in_the_region_that_is_named(tmp_path: Path) -> None:
    place = ("--state", "s3://acme-ddsetup/prod", "--region", "eu-west-1", "--dry-run", "--output", "json")
    result = ddsetup("state", "init", *place, home=tmp_path)
    assert (result.returncode, json.loads(result.stdout)["regions"]) == (0, ["eu-west-1"]), result.stderr


def test_scenarios_are_given_one_by_one_or_with_commas() -> None:
    assert scenarios_of([]) == ("healthy",)
    assert scenarios_of(["services,chain", " edge ", "chain"]) == ("services", "chain", "edge")


def test_a_switch_that_gets_a_value_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["doctor", "--metrics", "stream"]) == 2
    assert "--metrics takes no value here, and 'stream' follows it" in capsys.readouterr().err


def test_without_a_command_a_document_is_a_document_however_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDSETUP_OUTPUT", "json")
    assert app.run(["org"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["what"] == "no command is named"
    assert app.run(["org", "--output", "text"]) == 2
    assert capsys.readouterr().out.startswith("Usage: ddsetup org")

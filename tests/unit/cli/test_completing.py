"""What a shell completes, told by the shells themselves where they are on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pexpect
import pytest

from ddsetup.cli.completing import completed
from ddsetup.cli.completion import SCRIPTS
from ddsetup.cli.completion import run as script_of
from ddsetup.journal.names import remember_names, remembered_names
from tests.patience import PATIENCE

SCRIPT = Path(__file__).parents[3] / "ddsetup/data/completion"
BIN = Path(sys.executable).parent
EVIL = "$(touch pwned)"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with profiles, a run, and functions that were seen."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(
        f"[default]\n[profile my team]  # ours\n[profile {EVIL}]\n[sso-session corp]\n[services x]\n"
    )
    (tmp_path / ".aws/credentials").write_text("[old]\n")
    state = tmp_path / "state/ddsetup"
    run = state / "runs/20261128T120000.000Z-ab12"
    run.mkdir(parents=True)
    (run / "journal.jsonl").write_text('{"command": "setup"}\n')
    (state / "runs/20261129T120000.000Z-cd34").mkdir()
    remember_names(state, "123456789012", "eu-west-1", "", ["checkout-a", "checkout-b", "pay"])
    remember_names(state, "123456789012", "us-east-1", "", ["checkout-us", "bad\x1b[2J"])
    remember_names(state, "210987654321", "eu-west-1", "other", ["invoices"])
    return tmp_path


def environ(home: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "AWS_CONFIG_FILE": str(home / ".aws/config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws/credentials"),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        **more,
    }


def offered(line: str, home: Path, variables: Mapping[str, str] | None = None) -> list[str]:
    words = line.split(" ")
    state = ("--state-dir", str(home / "state/ddsetup"))
    return [v for v, _ in completed([*state, *words], environ(home, **(variables or {})), home)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("setu", ["setup"]),
        ("explore co", ["cold-starts"]),
        ("--region eu-west-1 stat", ["status", "state"]),
        ("setup --site datadoghq.", ["datadoghq.com", "datadoghq.eu"]),
        ("setup --site EU", ["EU1"]),
        ("setup --site=US5", ["--site=US5"]),
        ("setup --region eu-west-", ["eu-west-1", "eu-west-2", "eu-west-3"]),
        ("setup -r eu-west-1,eu-west-2,us-gov-w", ["eu-west-1,eu-west-2,us-gov-west-1"]),
        ("setup --profile ", ["default", "my team", EVIL, "old"]),
        ("setup --via ", ["forwarder", "extension"]),
        ("setup -o n", ["ndjson"]),
        ("setup --runtime ruby3.2", ["ruby3.2"]),
        ("setup --log-source st", ["states"]),
        ("setup --scenario heal", ["healthy"]),
        ("doctor --explain local-c", ["local-clock"]),
        ("doctor --only log-groups", ["log-groups"]),
        ("doctor --severity ", ["error", "warning", "info"]),
        ("monitors apply --only high_e", ["high_error_rate"]),
        ("teardown --keep r", ["role"]),
        ("undo ", ["20261129T120000.000Z-cd34", "20261128T120000.000Z-ab12"]),
        ("undo 20261129T120000.000Z-cd34 2", []),
        ("help sandbox u", ["up"]),
        ("completion z", ["zsh"]),
        ("setup --no-log", ["--no-logs"]),
        ("setup --forwarder-t", ["--forwarder-template-url"]),
        ("setup --all --al", []),
        ("setup --html ", [":files"]),
        ("setup --state-dir ", [":directories"]),
        ("apply ", [":files"]),
        ("iac ", [":files"]),
        ("nonsense ", []),
        ("setup --env ", []),
    ],
)
def test_commands_options_and_values_are_completed(line: str, expected: list[str], home: Path) -> None:
    assert offered(line, home) == expected


def test_functions_are_those_that_were_seen_there(home: Path) -> None:
    assert offered("setup --function ch", home) == ["checkout-a", "checkout-b", "checkout-us"]
    assert offered("setup -r us-east-1 -f c", home) == ["checkout-us"]
    assert offered("undo --function i", home, {"AWS_PROFILE": "other"}) == ["invoices"]
    assert offered("setup --profile unknown -f i", home) == ["invoices"], "of all, where nothing is known"
    assert "bad" not in "".join(offered("setup --function ", home)), "what steers a terminal is not offered"


def test_of_many_options_those_that_few_need_come_when_they_are_typed(home: Path) -> None:
    some = offered("setup -", home)
    assert {"--function", "--yes", "--help-all"} <= set(some)
    assert "--role-boundary" not in some
    assert offered("setup --role-b", home) == ["--role-boundary"]


def test_names_that_cannot_be_kept_or_read_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "names").write_text("a file")
    remember_names(tmp_path, "1", "eu-west-1", "", ["f"])
    assert remembered_names(tmp_path, "", ()) == []
    (tmp_path / "more/names").mkdir(parents=True)
    (tmp_path / "more/names/1.eu-west-1.json").write_text("[1")
    assert remembered_names(tmp_path / "more", "", ()) == []


def run(words: list[str], home: Path) -> str:
    told = subprocess.run(words, env=environ(home), capture_output=True, text=True, cwd=home, check=True)
    return told.stdout


@pytest.mark.parametrize(("shell", "name"), SCRIPTS.items())
def test_each_shell_has_a_script(shell: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert script_of({"shell": shell}) == 0
    assert capsys.readouterr().out == (SCRIPT / name).read_text("utf-8")


BASH = """
source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; read -ra COMP_WORDS <<< "${2//=/ = }"
[[ $2 == *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ddsetup; printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ddsetup setup --site datadoghq.e", ["datadoghq.eu"]),
        ("ddsetup setup --site=EU", ["EU1"]),
        ("ddsetup setup --profile $", ["\\$\\(touch\\ pwned\\)"]),
        ("ddsetup setup --profile 'my", ["my team"]),
    ],
)
@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_bash_completes(line: str, expected: list[str], home: Path) -> None:
    words = ["bash", "-c", BASH, "bash", str(SCRIPT / "complete.bash"), line]
    assert run(words, home).splitlines() == expected
    assert not (home / "pwned").exists()


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish here")
def test_fish_completes(home: Path) -> None:
    script = f"source {SCRIPT}/complete.fish; complete -C 'ddsetup setup --site=datadoghq.e'"
    told = subprocess.run(
        ["fish", "-c", script], env=environ(home), capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == ["--site=datadoghq.eu\tEU1"]


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh here")
def test_zsh_completes(home: Path) -> None:
    zsh = pexpect.spawn("zsh", ["-f"], env=environ(home), cwd=str(home), encoding="utf-8", timeout=PATIENCE)
    for line in (
        "autoload -Uz compinit; compinit -u -D",
        f"source {SCRIPT}/complete.zsh",
        "echo REA$((1+1))Y",
    ):
        zsh.sendline(line)
    zsh.expect("REA2Y\r")
    zsh.send("ddsetup setup --site datadoghq.e\t")
    zsh.expect("datadoghq.eu")
    zsh.send("--profile my\t")
    zsh.expect(r"my\\ team")
    zsh.close(force=True)

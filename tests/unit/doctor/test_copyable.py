"""What the doctor tells to type: pasted from a screen of 80 columns into a shell, it runs as it stands."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from ddsetup.cli.table.groups import GROUPS
from ddsetup.cli.table.main import COMMANDS
from ddsetup.doctor.checks.registry import CHECKS
from ddsetup.doctor.diagnose import diagnose, findings
from ddsetup.model.lines import Span, text_of, wrapped
from ddsetup.model.report import Finding, Report
from tests.bodies import body_of
from tests.unit.doctor.test_checks_table import BREAKAGES
from tests.unit.model.test_foreign import console, screen
from tests.unit.patient import Patient

BASH = shutil.which("bash") or ""
_PROGRAMS = r"""
aws() { printf 'aws\0'; printf '%s\0' "$@"; }
ddsetup() { printf 'ddsetup\0'; printf '%s\0' "$@"; }
"""
_GLOBAL = ("region", "query", "output")
"""Options of the AWS CLI itself."""


def found(check: str) -> list[Finding]:
    patient = Patient()
    BREAKAGES[check].how(patient)
    return list(findings(diagnose(patient.case(), CHECKS)))


def on_screen(finding: Finding) -> str:
    """What stands behind `run:` until the line ends, as a terminal of 80 columns is given it."""
    shown, out, _ = console()
    shown.verbose = True
    shown.streams.environ["COLUMNS"] = "80"  # type: ignore[index]
    shown.report(Report(command="doctor", findings=(finding,)), body_of("doctor"))
    assert any("run: " in line for line in screen(out.getvalue()))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    return next(line.split("run: ", 1)[1] for line in plain.splitlines() if "run: " in line)


def typed(command: str) -> tuple[int, list[list[str]]]:
    """How the shell ends with it, and what it would have called, with which words."""
    done = subprocess.run(
        [BASH, "--norc", "-c", _PROGRAMS + command], env={}, capture_output=True, text=True, check=False
    )
    words = done.stdout.split("\0")[:-1]
    starts = [at for at, word in enumerate(words) if word in ("aws", "ddsetup")]
    return done.returncode, [words[a:b] for a, b in zip(starts, [*starts[1:], len(words)], strict=False)]


@cache
def members_of(service: str, operation: str) -> frozenset[str]:
    if (service, operation) == ("logs", "tail"):  # made by the AWS CLI, and no operation of the API
        return frozenset({"since", "follow", "filter-pattern", "format"})
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape: Any = model.operation_model(names[operation]).input_shape
    return frozenset(xform_name(name, "-") for name in shape.members)


def commands_of_ours() -> set[str]:
    return {c.name for c in COMMANDS} | {f"{g.name} {c.name}" for g in GROUPS for c in g.commands}


@pytest.mark.skipif(not BASH, reason="there is no bash")
@pytest.mark.parametrize("check", BREAKAGES)
def test_what_is_to_be_run_can_be_pasted_and_is_understood(check: str) -> None:
    findings_of = found(check)
    assert findings_of
    for finding in findings_of:
        if not finding.command or finding.command.startswith("python "):
            continue
        pasted = on_screen(finding)
        assert pasted == finding.command
        ended, calls = typed(pasted)
        if ":?" in pasted:
            assert (ended != 0, calls) == (True, []), "what has to be put in was not asked for"
            ended, calls = typed(f"EXTERNAL_ID=x HANDLER=x; {pasted}")
        assert (ended, bool(calls)) == (0, True), pasted
        for program, *words in calls:
            if program == "ddsetup":
                assert " ".join(words[:2]) in commands_of_ours() or words[0] in commands_of_ours()
                continue
            options = {word[2:] for word in words if word.startswith("--")} - set(_GLOBAL)
            assert options <= members_of(words[0], words[1]), pasted


def test_what_stands_in_backticks_is_not_broken() -> None:
    command = "`aws lambda update-function-configuration --function-name pay --region eu-west-1`"
    spans = (
        Span("    "),
        Span("do: ", "bold"),
        Span(f"look it up in the deployment's files, then {command}, again"),
    )
    lines = text_of(wrapped(spans, 60)).splitlines()
    assert [line for line in lines if command in line]
    assert len(lines) == 2


def test_no_command_has_a_placeholder_that_aws_would_take() -> None:
    root = Path(__file__).parents[3] / "ddsetup"
    paths = [path for path in root.rglob("*.py") if "sandbox" not in path.parts]
    assert len(paths) > 100
    for path in paths:
        assert not re.search(r"--[a-z-]+ (YOUR|THE|MY)_", path.read_text("utf-8")), path

"""What the doctor prints and writes: the cause first, nothing secret, and what the file says to ignore."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from ddsetup.doctor.chain import chain
from ddsetup.doctor.checks.registry import CHECKS
from ddsetup.doctor.diagnose import Ignore, diagnose, findings
from ddsetup.doctor.finding_lines import doctor_lines
from ddsetup.doctor.findings import chain_record, data_of
from ddsetup.doctor.ignores import read_ignores
from ddsetup.doctor.junit import junit
from ddsetup.doctor.sarif import sarif
from ddsetup.facts.disclose import log_line
from ddsetup.gateways.aws.health import told
from ddsetup.model.account import Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look, text_of
from ddsetup.model.report import Finding, Report
from ddsetup.settings.config import read_config, save_config
from ddsetup.show.report_lines import report_lines
from tests import builders as b
from tests.unit.patient import ORDERS, Patient, untouched

# Output


def report_of(patient: Patient) -> Report:
    case = patient.case()
    diagnosis = diagnose(case, CHECKS)
    data = data_of(diagnosis)
    subject = case.subjects[0]
    data["chains"] = [chain_record(subject, chain(case, diagnosis, subject))]
    return Report(
        command="doctor",
        account=b.ACCOUNT,
        regions=(b.REGION,),
        findings=findings(diagnosis),
        data=data,
    )


def test_the_first_line_of_the_text_names_the_cause() -> None:
    report = replace(report_of(untouched()), data=data_of(diagnose(untouched().case(), CHECKS)))
    text = text_of(report_lines(report, Look(), doctor_lines))
    first = text.splitlines()[0]
    assert "has no record of this AWS account" in first
    assert "ddsetup doctor --fix --only integration-exists" in text
    assert "also causes: " in text.splitlines()[1]


def test_what_could_not_be_looked_at_names_the_permission() -> None:
    patient = Patient(role=Unreadable("iam:GetRole", "refused"))
    text = text_of(report_lines(report_of(patient), Look(), doctor_lines))
    assert "could not look (needs iam:GetRole): role-exists" in text
    assert "1 could not look" in text


def test_verbose_text_lists_all_that_passed() -> None:
    text = text_of(report_lines(report_of(Patient()), Look(verbose=True), doctor_lines))
    assert text.count("✓") > 100
    assert text.rstrip().endswith(f"all is well; {len(CHECKS)} checks passed")


# Ignores in the file


def test_the_file_may_say_what_to_ignore(tmp_path: Path) -> None:
    path = tmp_path / "ddsetup.toml"
    path.write_text(
        '# Written by ddsetup: x\nsite = "datadoghq.eu"\n\n'
        '[doctor]\nignore = [{check = "layer-recent", resource = "old-*", reason = "retired in May"}]\n'
    )
    assert read_ignores(path) == (Ignore("layer-recent", "retired in May", "old-*"),)
    assert read_config(path).text("site") == "datadoghq.eu"
    assert save_config(path, {"site": "datadoghq.com"})
    assert read_ignores(path) == (Ignore("layer-recent", "retired in May", "old-*"),)
    assert not save_config(path, {"site": "datadoghq.com"})


@pytest.mark.parametrize(
    "table",
    [
        'ignore = [{check = "layer-recent"}]',
        'ignore = [{check = "layer-recent", reason = " "}]',
        'ignore = [{check = "layr-recent", reason = "x"}]',
        'ignore = "layer-recent"',
        'skip = ["x"]',
        "ignore = [{check = 1, reason = 2}]",
    ],
)
def test_a_wrong_table_of_ignores_is_refused(tmp_path: Path, table: str) -> None:
    path = tmp_path / "ddsetup.toml"
    path.write_text(f"[doctor]\n{table}\n")
    with pytest.raises(UsageError):
        read_ignores(path)


# Secrets


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("[ERROR] Exception: Failed to check if API Key is valid", "Failed to check if API Key is valid"),
        ("2026-11-22 Task timed out after 3.00 seconds", "Task timed out after 3.00 seconds"),
        ("[ERROR] ValueError: card 4111111111111111 refused", "[ERROR] ValueError"),
        ("customer Jane bought ERROR insurance", ""),
        ("No module named 'datadog_lambda'", "No module named 'datadog_lambda'"),
        (
            "[ERROR] Exception: Empty pattern for INCLUDE_AT_MATCH. Set a valid regex pattern",
            "Empty pattern for INCLUDE_AT_MATCH. Set a valid regex pattern",
        ),
        (
            "[ERROR] HTTPError: 403 Client Error: Forbidden for url: https://api.x/v1?api_key=" + "a" * 32,
            "403 Client Error: Forbidden for url: https://api.x/v1?api_key=****",
        ),
        (
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the GetSecretValue",
            "An error occurred (AccessDeniedException) when calling the GetSecretValue",
        ),
        (
            "[ERROR] Exception while forwarding log batch [{'card': '4111'}]: Task timed out, AccessDenied",
            "Exception while forwarding log batch",
        ),
    ],
)
def test_only_what_is_harmless_is_kept_of_a_log_line(line: str, shown: str) -> None:
    assert told(line) == shown


def test_nothing_of_a_foreign_environment_is_in_any_output(tmp_path: Path) -> None:
    from ddsetup.doctor.bundle import contents, write
    from ddsetup.doctor.look import Visit

    patient = untouched()
    patient.change(ORDERS, env={"TILL_PASSWORD": "not-for-your-eyes", "DD_API_KEY": "f" * 32})
    case = patient.case()
    diagnosis = diagnose(case, CHECKS)
    report = report_of(patient)
    visit = Visit(session=None, case=case, diagnosis=diagnosis)
    files = contents(visit, report, {"DD_APP_KEY": "a-key-of-mine"})
    write(tmp_path / "bundle.zip", files)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        held = "".join(archive.read(name).decode() for name in archive.namelist())
    printed = text_of(report_lines(report, Look(verbose=True), doctor_lines))
    whole = held + printed + junit(report, diagnosis) + sarif(report, diagnosis)
    for secret in ("not-for-your-eyes", "f" * 32, b.EXTERNAL_ID, "a-key-of-mine", "TILL_PASSWORD"):
        assert secret not in whole
    assert (tmp_path / "bundle.zip").stat().st_mode & 0o077 == 0
    assert '"handler"' in held


def test_after_fixing_there_is_one_list_in_which_nothing_stands_twice() -> None:
    def record(name: str, severity: str) -> dict[str, str]:
        return {"check": "some-check", "severity": severity, "resource": name, "what": f"an {severity}"}

    left = [*(record(f"till-{number}", "error") for number in range(9)), record("till-note", "info")]
    fresh = {**record("till-late", "warning"), "check": "other-check"}
    data = {"fix": {"gone": [record("till-gone", "warning")], "left": left, "new": [fresh]}}
    found = tuple(
        Finding(
            check=each["check"],
            severity=each["severity"],  # type: ignore[arg-type]
            resource=ResourceId("function", each["resource"]),
            what=each["what"],
        )
        for each in (*left, fresh)
    )
    report = Report(command="doctor", data=data, findings=found)
    text = text_of(report_lines(report, Look(), doctor_lines))
    assert text.count("an error") == 1
    assert "and 4 more: an error" in text
    assert "fixed: till-gone" in text
    assert "! new: till-late: an warning" in text
    assert "till-note" not in text
    assert "till-note" in text_of(report_lines(report, Look(verbose=True), doctor_lines))


@pytest.mark.parametrize(
    "secret", ["0123456789abcdef" * 2, "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2ln"]
)
def test_a_line_of_a_log_is_shown_without_keys_of_any_kind(secret: str) -> None:
    line = log_line(f"[ERROR] refused: {secret}, again", 500)
    assert line == "[ERROR] refused: ****, again"
    assert "b6" not in log_line(f"{'x' * 480} {'b6' * 16} refused", 500)
    assert log_line("REPORT RequestId: 8a7b " + "x" * 900, 40).endswith("x")

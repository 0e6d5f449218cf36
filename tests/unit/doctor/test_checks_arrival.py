"""What does not arrive, and what nobody could look at: two things that the doctor tells apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ddsetup.doctor.checks.registry import CHECKS
from ddsetup.doctor.diagnose import Diagnosis, diagnose
from ddsetup.model.report import Signal, SignalName
from tests.unit.patient import EVERYTHING, ORDERS, PAYMENTS, Patient, signals_of

CHECK_OF: dict[SignalName, str] = {
    "cloudwatch_metrics": "metrics-arrive",
    "enhanced_metrics": "enhanced-arrive",
    "cold_start": "cold-starts-arrive",
    "logs": "logs-arrive",
    "traces": "traces-arrive",
}


def judged(patient: Patient) -> Diagnosis:
    return diagnose(patient.case(), CHECKS)


def unreadable(name: str, signal: SignalName, reason: str) -> tuple[Signal, ...]:
    return tuple(
        replace(s, status="unreadable", reason=reason) if s.signal == signal else s for s in signals_of(name)
    )


def with_unreadable(signal: SignalName, reason: str, *names: str) -> Patient:
    patient = Patient()
    rest = tuple(s for s in patient.evidence.signals if s.function not in names)
    patient.know(signals=rest + tuple(s for name in names for s in unreadable(name, signal, reason)))
    return patient


@pytest.mark.parametrize("signal", EVERYTHING)
@pytest.mark.parametrize("names", [(ORDERS,), (ORDERS, PAYMENTS)])
def test_what_datadog_does_not_show_is_neither_missing_nor_there(
    signal: SignalName, names: tuple[str, ...]
) -> None:
    reason = "cannot be read: needs the permission logs_read_data"
    diagnosis = judged(with_unreadable(signal, reason, *names))
    assert diagnosis.causes == ()
    ((check, blind),) = diagnosis.blind
    assert check.id == CHECK_OF[signal]
    assert check not in diagnosis.passed
    assert (blind.resource.kind, blind.resource.id) == ("signal", signal.replace("_", " "))
    assert (blind.unreadable.action, blind.unreadable.denied) == ("logs_read_data", True)
    assert blind.unreadable.reason == reason


def test_an_outage_names_no_permission() -> None:
    diagnosis = judged(with_unreadable("logs", "Datadog answered 500", ORDERS))
    ((_, blind),) = diagnosis.blind
    assert (blind.unreadable.action, blind.unreadable.denied) == ("", False)
    assert blind.unreadable.reason == "Datadog answered 500"


def test_what_is_missing_is_told_beside_what_cannot_be_seen() -> None:
    patient = with_unreadable("logs", "Datadog answered 500", ORDERS)
    patient.silence(PAYMENTS, "logs")
    diagnosis = judged(patient)
    assert [f.problem.resource.name for f in diagnosis.found() if f.check.id == "logs-arrive"] == [PAYMENTS]
    assert [check.id for check, _ in diagnosis.blind] == ["logs-arrive"]


@pytest.mark.parametrize(("signal", "check"), CHECK_OF.items())
@pytest.mark.parametrize("name", [ORDERS, PAYMENTS])
def test_what_is_overdue_is_found_with_its_reason(signal: SignalName, check: str, name: str) -> None:
    patient = Patient()
    patient.silence(name, signal)
    (found,) = [f for f in judged(patient).found() if f.check.id == check]
    assert found.problem.resource.name == name
    assert found.problem.what.endswith(": because")
    assert found.severity == ("warning" if signal == "cold_start" else "error")


@pytest.mark.parametrize(
    ("variable", "signals"),
    [
        ("DD_TRACE_ENABLED", {"traces"}),
        ("DD_ENHANCED_METRICS", {"enhanced_metrics", "cold_start"}),
    ],
)
def test_what_a_function_is_set_not_to_send_is_not_missed(variable: str, signals: set[SignalName]) -> None:
    for signal in EVERYTHING:
        patient = Patient()
        patient.change(ORDERS, env={variable: "false"})
        patient.silence(ORDERS, signal)
        found = {f.check.id for f in judged(patient).found()}
        assert (CHECK_OF[signal] in found) is (signal not in signals)


@pytest.mark.parametrize("status", ["waiting", "no_traffic", "arrived"])
def test_what_may_still_come_is_no_finding(status: str) -> None:
    patient = Patient()
    rest = tuple(s for s in patient.evidence.signals if s.function != ORDERS)
    patient.know(signals=rest + signals_of(ORDERS, status))  # type: ignore[arg-type]
    assert not {f.check.id for f in judged(patient).found()} & set(CHECK_OF.values())


@pytest.mark.parametrize(
    ("statuses", "counted", "idle"),
    [
        ("no_traffic", {}, True),
        ("no_traffic", {ORDERS: 3}, False),
        ("arrived", {}, False),
        ("missing", {}, False),
    ],
)
def test_a_function_that_was_not_invoked_is_named(
    statuses: str, counted: dict[str, float], idle: bool
) -> None:
    patient = Patient()
    rest = tuple(s for s in patient.evidence.signals if s.function != ORDERS)
    traffic = {patient.functions[name].arn: count for name, count in counted.items()}
    patient.know(signals=rest + signals_of(ORDERS, statuses), traffic=traffic)  # type: ignore[arg-type]
    found = [f.problem for f in judged(patient).found() if f.check.id == "traffic"]
    assert [p.resource.name for p in found] == ([ORDERS] if idle else [])
    assert all(p.command == f"ddsetup verify --invoke --function {ORDERS}" for p in found)

"""What is known of functions that are bare now: from journals, and from what the checks make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ddsetup.doctor.checks.registry import CHECKS
from ddsetup.doctor.diagnose import Diagnosis, diagnose
from ddsetup.doctor.history import Remembered, remembered
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.runs import Journal, list_runs
from ddsetup.model.account import Alias, Unreadable
from ddsetup.model.answers import Selection
from ddsetup.model.change import Change, Outcome, Status
from ddsetup.model.evidence import Past
from ddsetup.model.states import FunctionState
from ddsetup.plan.steps.instrument.subject import function_resource
from tests import builders as b
from tests.unit.patient import ORDERS, Patient, layer
from tests.unit.world import AT, header

BARE = FunctionState(handler="app.handler")
INSTRUMENTED = FunctionState(
    handler="datadog_lambda.handler.handler", layers=(layer("Datadog-Python312").arn,), env={}
)
ARN = b.function_arn(ORDERS)
SETUP, UNDO, AGAIN = "20261122T100000.000Z-aaaa", "20261122T110000.000Z-bbbb", "20261122T120000.000Z-cccc"


def instrument() -> Change:
    resource = function_resource(b.function(ORDERS))
    return Change(step="instrument", resource=resource, before=BARE, after=INSTRUMENTED, why="")


def record(
    state: Path, run: str, change: Change, status: Status | None = "applied", undoes: str = ""
) -> None:
    """A run of one change on disk; `status` None: it was killed before the answer came."""
    hours = {SETUP: 0, UNDO: 1, AGAIN: 2}[run]
    head = replace(header(run, undoes), accounts=(b.ACCOUNT,), started=AT + timedelta(hours=hours))
    journal = Journal.create(OnDisk(state), head)
    seq = journal.start(change, AT)
    if status is not None:
        journal.done(seq, Outcome(resource=change.resource, status=status), AT)
    journal.close()


def known(state: Path) -> Remembered:
    return remembered(list_runs(OnDisk(state)).readable, b.ACCOUNT)


def test_what_a_run_instrumented_is_remembered_with_the_run(tmp_path: Path) -> None:
    record(tmp_path, SETUP, instrument())
    past = known(tmp_path).instrumented[ARN]
    assert (past.how, past.name) == ("run", SETUP)
    assert remembered(list_runs(OnDisk(tmp_path)).readable, "another account").instrumented == {}


@pytest.mark.parametrize("status", ["failed", "changed_since", None])
def test_what_was_not_applied_is_not(tmp_path: Path, status: Status | None) -> None:
    record(tmp_path, SETUP, instrument(), status)
    assert known(tmp_path) == Remembered({}, frozenset())


@pytest.mark.parametrize("status", ["applied", "changed_since", "unchanged"])
def test_what_somebody_wanted_back_is_bare_on_purpose_even_if_a_deploy_was_first(
    tmp_path: Path, status: Status
) -> None:
    record(tmp_path, SETUP, instrument())
    record(tmp_path, UNDO, instrument().inverse(), status, undoes=SETUP)
    assert known(tmp_path) == Remembered({}, frozenset({ARN}))


def test_an_undo_that_was_undone_counts_no_more(tmp_path: Path) -> None:
    record(tmp_path, SETUP, instrument())
    record(tmp_path, UNDO, instrument().inverse(), undoes=SETUP)
    record(tmp_path, AGAIN, instrument().inverse().inverse(), undoes=UNDO)
    assert known(tmp_path).instrumented[ARN].name == AGAIN


# What the check makes of it


def bare(past: Past | Unreadable | None, *, tags: dict[str, str] | None = None) -> Diagnosis:
    """`orders` without Datadog and without being selected, with that past."""
    patient = Patient()
    patient.functions[ORDERS] = b.function(ORDERS)
    patient.tags = {ARN: tags or {}}
    patient.answers = b.answers(selection=Selection())
    patient.know(history={ARN: past} if past else {}, signals=patient.evidence.signals[5:])
    return diagnose(patient.case(), [c for c in CHECKS if c.id == "function-instrumented"])


RUN = Past(how="run", name=SETUP, at="2026-11-22 10:00 UTC")
VERSION = Past(how="version", name="7", at="")


def test_a_function_that_a_deployment_left_without_a_trace_is_known_by_the_journal() -> None:
    assert bare(None).found() == ()
    (found,) = bare(RUN).found()
    assert found.severity == "error"
    assert SETUP in found.problem.what
    assert "ddsetup iac" in found.problem.fix
    assert f"ddsetup setup --function {ORDERS} --yes" in found.problem.fix
    assert found.problem.mends


def test_the_tool_that_took_it_away_is_named() -> None:
    tags = {"lambda:createdBy": "SAM", "aws:cloudformation:stack-name": "cafe", "dd_ddsetup": "v0.1.0"}
    (found,) = bare(None, tags=tags).found()
    assert "SAM (stack cafe)" in found.problem.what
    assert "the files of SAM" in found.problem.fix
    assert "ddsetup setup --stack cafe --yes" in found.problem.fix


def test_a_version_that_carries_datadog_is_a_hint_and_no_more() -> None:
    (found,) = bare(VERSION).found()
    assert found.severity == "warning"
    assert "version 7" in found.problem.what


def test_versions_that_may_not_be_read_are_said_to_be() -> None:
    diagnosis = bare(Unreadable("lambda:ListVersionsByFunction", "refused"))
    assert diagnosis.found() == ()
    assert [b_.unreadable.action for _, b_ in diagnosis.blind] == ["lambda:ListVersionsByFunction"]


# Aliases


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("carries", [True, False])
def test_an_alias_is_judged_by_the_version_behind_it_whatever_arrives(arrives: bool, carries: bool) -> None:
    """What arrives may be of `$LATEST`, and what does not may have other causes."""
    patient = Patient()
    patient.aliases = {ARN: (Alias("live", "7"),)}
    version = patient.functions[ORDERS] if carries else b.function(ORDERS)
    patient.know(published={ARN: {"7": version}})
    if not arrives:
        patient.silence(ORDERS, "enhanced_metrics", "traces")
    found = diagnose(patient.case(), [c for c in CHECKS if c.id == "published-version"]).found()
    assert [f.severity for f in found] == ([] if carries else ["warning"])
    assert carries or "--name live --function-version" in found[0].problem.command

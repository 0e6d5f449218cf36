"""From outcomes and signals to the exit code: the table that a pipeline relies on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ddsetup.facts.kinds import exit_code_of, is_foundation
from ddsetup.flow.results import all_seen, with_all_looked_at, with_cause, with_outcomes, with_signals
from ddsetup.model.change import NOT_STARTED, Outcome, Plan, ResourceId, Skipped, Status
from ddsetup.model.lines import Look, text_of
from ddsetup.model.report import Report, Signal, SignalStatus, left_alone, unproven
from ddsetup.show.ending_lines import next_lines
from ddsetup.show.report_lines import outcome_summary, report_lines
from tests import builders as b
from tests.unit.world import creation


def outcome(status: Status, kind: str = "function") -> Outcome:
    return Outcome(resource=ResourceId(kind, f"a-{kind}"), status=status, action="update")


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((), 0),
        (("applied",), 0),
        (("unchanged",), 0),
        (("applied", "unchanged", "skipped"), 0),
        (("skipped",), 0),
        (("failed",), 1),
        (("changed_since",), 1),
        (("failed", "unchanged"), 1),
        (("changed_since", "skipped"), 1),
        (("failed", "applied"), 5),
        (("applied", "changed_since"), 5),
        (("failed", "changed_since", "unchanged", "applied"), 5),
    ],
)
def test_outcomes_of_functions_become_an_exit_code(outcomes: tuple[Status, ...], code: int) -> None:
    assert exit_code_of(tuple(outcome(status) for status in outcomes)) == code


@pytest.mark.parametrize("kind", ["iam_role", "integration", "secret", "stack", "log_collection"])
def test_a_foundation_that_was_left_out_is_no_success(kind: str) -> None:
    assert is_foundation(kind)
    left_out = outcome("skipped", kind)
    assert exit_code_of((left_out,)) == 1
    assert exit_code_of((left_out, outcome("unchanged"))) == 1
    assert exit_code_of((left_out, outcome("applied"))) == 5
    assert exit_code_of((outcome("unchanged", kind), outcome("skipped"))) == 0


@pytest.mark.parametrize("kind", ["function", "function_tags", "subscription_filter", "log_group"])
def test_what_is_no_foundation_may_be_left_out(kind: str) -> None:
    assert exit_code_of((outcome("skipped", kind), outcome("applied"))) == 0


@pytest.mark.parametrize(
    ("code", "status"),
    [(0, "ok"), (3, "ok"), (5, "partial"), (6, "partial"), (1, "failed"), (2, "failed"), (130, "failed")],
)
def test_the_status_says_the_same_as_the_code(code: int, status: str) -> None:
    assert Report(command="setup", exit_code=code).status == status


def test_what_a_plan_leaves_alone_is_told_whole() -> None:
    one = Skipped(
        resource=ResourceId("function", "orders"),
        status="skipped",
        reason="why",
        fix="what",
        step="instrument",
    )
    two = replace(one, resource=ResourceId("stack", "fwd"), status="unchanged", reason="", fix="", step="")
    assert left_alone(Plan(skipped=(one, two))) == (
        Outcome(
            resource=one.resource, status="skipped", reason="why", fix="what", step="instrument", action=None
        ),
        Outcome(resource=two.resource, status="unchanged"),
    )
    assert left_alone(Plan(changes=(creation("a"),))) == ()


def test_what_was_left_out_before_counts_with_what_was_done() -> None:
    planned = Report(command="setup", outcomes=(outcome("skipped", "stack"),))
    report = with_outcomes(planned, "run-1", (outcome("applied"),))
    assert [o.status for o in report.outcomes] == ["applied", "skipped"]
    assert (report.exit_code, report.run, report.next, report.error) == (5, "run-1", (), None)


@pytest.mark.parametrize(
    ("run", "onward"), [("r", ("ddsetup setup --all", "ddsetup undo r")), ("", ("ddsetup setup --all",))]
)
def test_an_interruption_is_130_whatever_came_of_it(run: str, onward: tuple[str, ...]) -> None:
    left = replace(outcome("skipped"), reason=NOT_STARTED)
    report = with_outcomes(
        Report(command="setup"), run, (outcome("applied"), left, left), "ddsetup setup --all"
    )
    assert (report.exit_code, report.next) == (130, onward)
    assert report.error is not None
    assert report.error["kind"] == "Interrupted"
    assert "1 of 3 changes" in report.error["what"]
    assert outcome_summary(report.outcomes) == "1 applied, 2 not started"
    assert "goes on with the rest" in text_of(next_lines(report, Look()))


def test_the_site_that_an_account_was_set_up_for_is_the_last_word() -> None:
    lane = b.lane_snapshot(
        b.function("datadog-forwarder", env={"DD_SITE": "datadoghq.com"}), forwarders=(b.forwarder(),)
    )
    missed = Report(command="verify", account=b.ACCOUNT, exit_code=6)
    report = with_cause(missed, b.snapshot(lane), b.answers())
    last = text_of(report_lines(report, Look())).splitlines()[-2:]
    assert "this account is set up for datadoghq.com" in last[0]
    assert last[1] == "  do: ddsetup verify --site datadoghq.com"
    assert with_cause(replace(missed, exit_code=0), b.snapshot(lane), b.answers()).error is None


def test_what_kept_all_of_it_from_being_done_is_the_last_word() -> None:
    why, fix = "a function named datadog-forwarder exists", "choose another name: --forwarder-name NAME"
    stack = ResourceId("stack", "datadog-forwarder", b.REGION, b.ACCOUNT)
    skipped = Skipped(resource=stack, status="skipped", reason=why, fix=fix)
    plan = Plan(skipped=(skipped,))
    left = left_alone(plan)
    missed = Report(command="setup", account=b.ACCOUNT, plan=plan, outcomes=left, exit_code=1)
    report = with_cause(missed, b.snapshot(b.lane_snapshot()), b.answers())
    last = text_of(report_lines(report, Look())).splitlines()[-2:]
    assert last == [f"error: nothing was done: stack datadog-forwarder: {why}", f"  do: {fix}"]
    done = replace(missed, plan=replace(plan, changes=(creation("a"),)))
    assert with_cause(done, b.snapshot(b.lane_snapshot()), b.answers()).error is None


def test_what_is_seen_too_late_is_left_for_the_next_run() -> None:
    done, late = creation("a"), creation("b")
    skipped = Skipped(resource=ResourceId("function", "orders"), status="unchanged", reason="is there")
    first = replace(
        Report(command="setup"),
        outcomes=(done.outcome("applied"), Outcome(resource=ResourceId("stack", "old"), status="unchanged")),
    )
    report = with_all_looked_at(first, Plan(changes=(done, late), skipped=(skipped,)))
    assert [(o.resource.id, o.status) for o in report.outcomes] == [
        (done.resource.id, "applied"),
        (late.resource.id, "skipped"),
        ("orders", "unchanged"),
    ]
    assert report.outcomes[1].reason == f"seen only while the run was under way: {late.why}"
    assert report.outcomes[1].fix == "run the same command again"
    assert report.outcomes[1].step == late.step


def test_a_log_group_that_nobody_may_look_at_is_no_success() -> None:
    denied = Skipped(
        resource=ResourceId("log_group", "g"), status="skipped", reason="no", permission="logs:Describe"
    )
    assert with_all_looked_at(Report(command="setup"), Plan(skipped=(denied,))).exit_code == 5
    absent = replace(denied, permission="")
    assert with_all_looked_at(Report(command="setup"), Plan(skipped=(absent,))).exit_code == 0


def signal(status: SignalStatus) -> Signal:
    return Signal(function="f", region="r", signal="logs", status=status)


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ((), 0),
        (("arrived",), 0),
        (("arrived", "no_traffic"), 0),
        (("no_traffic",), 0),
        (("no_traffic", "waiting"), 6),
        (("arrived", "waiting"), 6),
        (("arrived", "missing"), 6),
        (("arrived", "unreadable"), 6),
        (("unreadable",), 6),
    ],
)
def test_what_did_not_arrive_is_6_if_all_else_went_well(
    statuses: tuple[SignalStatus, ...], code: int
) -> None:
    signals = [signal(status) for status in statuses]
    report = with_signals(Report(command="setup"), signals)
    assert (report.exit_code, report.signals) == (code, tuple(signals))
    assert all_seen(signals) is (code == 0)
    assert with_signals(Report(command="setup", exit_code=5), signals).exit_code == 5


@pytest.mark.parametrize(
    ("statuses", "names", "code"),
    [
        (("arrived",), (), 0),
        (("arrived", "no_traffic"), (), 0),  # it ran: no cold start among its runs
        (("no_traffic", "no_traffic"), (("f", "r"),), 6),
        (("waiting", "no_traffic"), (), 6),
    ],
)
def test_what_did_not_run_is_unproven_and_6_only_where_proof_is_required(
    statuses: tuple[SignalStatus, ...], names: tuple[tuple[str, str], ...], code: int
) -> None:
    signals = [signal(status) for status in statuses]
    assert unproven(signals) == names
    assert with_signals(Report(command="setup"), signals, require_proof=True).exit_code == code


@pytest.mark.parametrize(
    ("command", "back"), [("org apply", "ddsetup org undo r"), ("setup", "ddsetup undo r")]
)
def test_what_gives_a_run_back_is_of_its_kind_and_said_once(command: str, back: str) -> None:
    report = Report(command=command, run="r")
    assert (report.undo, Report(command=command).undo) == (back, "")
    said = text_of(report_lines(report, Look()))
    assert f"To give it back: {back}" in said
    onward = replace(report, next=(f"ddsetup {command}", f"{back} --profile shop"))
    assert "To give it back" not in text_of(report_lines(onward, Look()))

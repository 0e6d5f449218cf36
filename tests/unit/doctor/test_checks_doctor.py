"""The doctor itself: causes and consequences, crashes, what cannot be seen, what is mended, the chain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ddsetup.doctor.chain import breaks_at, chain
from ddsetup.doctor.checks.case import Case
from ddsetup.doctor.checks.check import Checks, Result
from ddsetup.doctor.checks.registry import BY_ID, CHECKS, choose
from ddsetup.doctor.diagnose import Ignore, diagnose, difference, findings, mending, waits_for_a_person
from ddsetup.model.account import Unreadable
from ddsetup.model.answers import Selection
from ddsetup.model.errors import UsageError
from ddsetup.model.evidence import Fault
from ddsetup.model.states import FilterState, IntegrationState, RoleState, StackState
from ddsetup.plan.steps.api_key import OWN_TAGS
from tests import builders as b
from tests.unit.patient import FORWARDER_ARN, GROUP, ORDERS, OWN_GROUP, PAYMENTS, Patient, untouched


def ids(patient: Patient, **over: Any) -> list[str]:
    """The causes, in their order."""
    return [c.found.check.id for c in diagnose(patient.case(), CHECKS, **over).causes]


# Causes


def test_without_the_integration_there_is_one_cause_and_not_thirty_findings() -> None:
    diagnosis = diagnose(untouched().case(), CHECKS)
    first = diagnosis.causes[0]
    assert first.found.check.id == "integration-exists"
    assert len(diagnosis.found()) > 10
    assert len(diagnosis.causes) <= 3
    assert "metrics-arrive" in {f.check.id for f in first.consequences}


def test_a_cause_in_one_function_does_not_explain_another() -> None:
    patient = Patient()
    patient.change(ORDERS, env={"DD_LAMBDA_HANDLER": None})
    patient.silence(ORDERS, "traces")
    patient.silence(PAYMENTS, "traces")
    causes = {c.found.check.id: c for c in diagnose(patient.case(), CHECKS).causes}
    assert [f.problem.resource.name for f in causes["handler-known"].consequences] == [ORDERS]
    assert causes["traces-arrive"].found.problem.resource.name == PAYMENTS


def test_what_explains_an_error_is_as_bad_as_one() -> None:
    patient = Patient()
    patient.groups[GROUP] = b.log_group(GROUP)
    patient.filters[GROUP] = (b.subscription_filter(GROUP, "x", FORWARDER_ARN, pattern="ERROR"),)
    assert diagnose(patient.case(), CHECKS).worst() == "warning"
    patient.silence(ORDERS, "enhanced_metrics")
    diagnosis = diagnose(patient.case(), CHECKS)
    assert [c.found.check.id for c in diagnosis.causes] == ["filter-pattern"]
    assert diagnosis.worst() == "error"


def test_the_order_of_checks_does_not_matter() -> None:
    forth = diagnose(untouched().case(), CHECKS)
    back = diagnose(untouched().case(), CHECKS[::-1])
    assert findings(forth) == findings(back)


# What checks may do


def test_a_check_that_crashes_is_a_finding_and_the_others_go_on() -> None:
    @Checks("local")("broken", "something")
    def broken(_case: Case) -> Iterator[Result]:
        """A check with a fault of its own."""
        raise KeyError("a-secret-value")

    diagnosis = diagnose(untouched().case(), (broken, *CHECKS))
    crash = next(f for f in diagnosis.found() if f.check.id == "broken")
    said = r"the check itself failed with KeyError in broken, line \d+, so this is not known"
    assert re.fullmatch(said, crash.problem.what)
    assert "integration-exists" in {f.check.id for f in diagnosis.found()}
    assert "broken" not in {c.id for c in diagnosis.passed}


@pytest.mark.parametrize(
    ("part", "value", "expected"),
    [
        ("integration", Unreadable("aws_configuration_read", "refused"), "integration-exists"),
        ("role", Unreadable("iam:GetRole", "refused"), "role-exists"),
        ("lane", {"log_groups": Unreadable("logs:DescribeLogGroups", "refused")}, "bulk-reads"),
        ("lane", {"tags": Unreadable("tag:GetResources", "refused")}, "bulk-reads"),
        ("lane", {"stacks": Unreadable("cloudformation:DescribeStacks", "refused")}, "bulk-reads"),
        ("lane", {"functions": Unreadable("lambda:ListFunctions", "refused")}, "bulk-reads"),
    ],
)
def test_what_cannot_be_read_is_neither_healthy_nor_broken(part: str, value: Any, expected: str) -> None:
    patient = Patient()
    if part == "lane" and "functions" in value:
        patient.answers = b.answers(selection=Selection())
    setattr(patient, part, value)
    diagnosis = diagnose(patient.case(), CHECKS)
    assert expected in {c.id for c, _ in diagnosis.blind}
    assert expected not in {c.id for c in diagnosis.passed}
    assert diagnosis.causes == ()
    assert all(blind.unreadable.action for _, blind in diagnosis.blind)


@pytest.mark.parametrize(
    ("what", "checks"),
    [
        ("policy", {"forwarder-permission"}),
        ("reserved", {"forwarder-concurrency"}),
        ("counts", {"forwarder-errors", "forwarder-throttles"}),
        ("lines", {"forwarder-egress", "forwarder-decrypt"}),
        ("key_unreadable", {"forwarder-key"}),
    ],
)
def test_each_thing_about_the_forwarder_may_be_hidden(what: str, checks: set[str]) -> None:
    patient = Patient()
    patient.health(key="unknown", **{what: Unreadable("lambda:GetPolicy", "refused")})
    diagnosis = diagnose(patient.case(), CHECKS)
    assert diagnosis.causes == ()
    assert {c.id for c, _ in diagnosis.blind} == checks


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({"longest": Unreadable("cloudwatch:GetMetricData", "refused")}, "timeout-margin"),
        ({"lines": {b.function_arn(ORDERS): Unreadable("logs:x", "refused")}}, "function-starts"),
        ({"published": {b.function_arn(ORDERS): Unreadable("lambda:x", "refused")}}, "published-version"),
        ({"traffic": Unreadable("cloudwatch:GetMetricData", "refused")}, "traffic"),
    ],
)
def test_each_thing_about_functions_may_be_hidden(over: dict[str, Any], expected: str) -> None:
    patient = Patient()
    patient.know(**over)
    diagnosis = diagnose(patient.case(), CHECKS)
    assert {c.id for c, _ in diagnosis.blind} == {expected}
    assert diagnosis.causes == ()


def test_what_is_not_shown_counts_all_the_same() -> None:
    patient = Patient()
    patient.know(longest={patient.functions[ORDERS].arn: 2_990.0})
    diagnosis = diagnose(patient.case(), CHECKS, severity="error")
    assert diagnosis.causes == ()
    assert diagnosis.worst() == "warning"


def test_everything_unreadable_at_once_never_crashes_a_check() -> None:
    refused = Unreadable("x:Y", "refused")
    patient = Patient(integration=refused, role=refused)
    parts = ("tags", "stacks", "forwarders", "log_groups", "secrets", "account_filter_policies")
    patient.lane = dict.fromkeys(parts, refused)
    patient.filters = dict.fromkeys(patient.filters, refused)
    patient.know(traffic=refused, indexes=refused, signals=())
    diagnosis = diagnose(patient.case(), CHECKS)
    assert [f for f in diagnosis.found() if "itself failed" in f.problem.what] == []


def test_without_aws_only_what_needs_none_is_looked_at() -> None:
    patient = Patient()
    patient.know(faults=(Fault(kind="aws", what="the SSO session has expired", fix="aws sso login"),))
    diagnosis = diagnose(patient.case(), CHECKS)
    assert [c.found.check.id for c in diagnosis.causes] == ["aws-credentials"]
    assert len(diagnosis.skipped) > 90


# What counts


def test_severity_and_ignores_leave_findings_out() -> None:
    patient = Patient()
    patient.change(ORDERS, env={"DD_LOG_LEVEL": "debug"}, tracing="Active")
    assert ids(patient) == ["xray-once", "debug-off"]
    assert ids(patient, severity="warning") == []
    ignore = Ignore(check="debug-off", reason="we look into it", resource="ord*")
    diagnosis = diagnose(patient.case(), CHECKS, ignores=(ignore,))
    assert [c.found.check.id for c in diagnosis.causes] == ["xray-once"]
    assert [i.reason for _, i in diagnosis.ignored] == ["we look into it"]
    other = replace(ignore, resource="pay*")
    assert "debug-off" in ids(patient, ignores=(other,))


def test_checks_are_chosen_by_id_and_by_group() -> None:
    assert [c.id for c in choose(["traffic"])] == ["traffic"]
    assert {c.group for c in choose(["log-groups"])} == {"log groups"}
    assert "traffic" not in {c.id for c in choose((), ["arrival"])}
    with pytest.raises(UsageError, match="no check 'trafic'") as error:
        choose(["trafic"])
    assert "traffic" in error.value.fix


# Mending


def test_mending_the_integration_creates_role_and_record_and_nothing_else() -> None:
    case = untouched().case()
    found = [f for f in diagnose(case, CHECKS).found() if f.check.id == "integration-exists"]
    plan = mending(case, found)
    assert {type(c.after) for c in plan.changes} == {RoleState, IntegrationState}


def test_mending_everything_brings_what_it_needs() -> None:
    case = untouched().case()
    plan = mending(case, diagnose(case, CHECKS).found())
    kinds = [c.resource.kind for c in plan.changes]
    assert {"iam_role", "integration", "stack", "secret"} <= set(kinds)
    assert len({c.resource for c in plan.changes}) == len(kinds)
    assert any(isinstance(c.after, StackState) for c in plan.changes)


def test_mending_a_function_changes_that_function_and_leaves_its_way_of_monitoring() -> None:
    patient = Patient()
    patient.change(PAYMENTS, env={"DD_SITE": "datadoghq.com"})
    patient.change(ORDERS, handler="app.handler")
    patient.silence(ORDERS, "enhanced_metrics")
    case = patient.case()
    found = [f for f in diagnose(case, CHECKS).found() if f.check.id == "function-site"]
    (change,) = mending(case, found).changes
    assert change.resource.name == PAYMENTS
    assert change.after is not None
    assert getattr(change.after, "env", {})["DD_SITE"] == b.SITE
    assert getattr(change.after, "layers", ()) == getattr(change.before, "layers", None)


def test_what_takes_something_away_waits_for_a_person() -> None:
    patient = Patient()
    patient.filters[OWN_GROUP] = (b.subscription_filter(OWN_GROUP, "loop", FORWARDER_ARN),)
    case = patient.case()
    found = diagnose(case, CHECKS).found()
    assert mending(case, found, confirmed=False).changes == ()
    (change,) = mending(case, found).changes
    assert (change.after, change.resource.id) == (None, f"{OWN_GROUP}:loop")


def test_of_two_filters_datadogs_own_stays() -> None:
    patient = Patient()
    held = patient.filters[GROUP]
    assert not isinstance(held, Unreadable)
    patient.filters[GROUP] = (*held, b.subscription_filter(GROUP, "ddsetup-datadog-forwarder", FORWARDER_ARN))
    case = patient.case()
    (change,) = mending(case, diagnose(case, CHECKS).found()).changes
    assert change.before == FilterState(
        log_group=GROUP, name="ddsetup-datadog-forwarder", destination_arn=FORWARDER_ARN
    )
    assert change.after is None


def test_in_direct_mode_a_missing_filter_is_put() -> None:
    patient = Patient(answers=b.answers(subscribe="direct"))
    patient.record(lambdas=(), sources=())
    patient.filters[GROUP] = ()
    patient.silence(ORDERS, "logs", "traces", "enhanced_metrics")
    case = patient.case()
    diagnosis = diagnose(case, CHECKS)
    assert [c.found.check.id for c in diagnosis.causes] == ["log-group-subscribed"]
    (change,) = mending(case, diagnosis.found()).changes
    assert change.resource.kind == "subscription_filter"


def test_a_role_of_our_own_gets_its_trust_back() -> None:
    patient = Patient(role=b.role(trust=b.trust_policy("another"), tags=OWN_TAGS))
    case = patient.case()
    found = diagnose(case, CHECKS).found()
    assert [f.check.id for f in found] == ["role-trust"]
    assert [c.resource.kind for c in mending(case, found).changes] == ["iam_role"]


def test_the_difference_tells_what_is_gone_what_is_left_and_what_is_new() -> None:
    before, after = Patient(), Patient()
    before.change(ORDERS, env={"DD_LOG_LEVEL": "debug", "DD_FLUSH_TO_LOG": "false"})
    after.change(ORDERS, env={"DD_LOG_LEVEL": "debug"}, last_update_status="InProgress")
    changed = difference(diagnose(before.case(), CHECKS), diagnose(after.case(), CHECKS))
    assert [f.check.id for f in changed.gone] == ["flush-to-log"]
    assert [f.check.id for f in changed.left] == ["debug-off"]
    assert [f.check.id for f in changed.new] == ["function-settled"]


# The chain


def test_the_chain_of_a_healthy_function_holds() -> None:
    case = Patient().case()
    subject = next(s for s in case.subjects if s.function.name == ORDERS)
    links = chain(case, diagnose(case, CHECKS), subject)
    assert {link.mark for link in links} == {"ok"}
    assert len(links) > 15
    assert breaks_at(links) is None


@pytest.mark.parametrize(
    ("breakage", "title"),
    [
        (lambda p: p.change(ORDERS, env={"DD_LAMBDA_HANDLER": None}), "handler"),
        (lambda p: p.health(key="invalid"), "Forwarder's key and site"),
        (lambda p: p.health(reserved=0), "Forwarder"),
        (lambda p: p.health(policy=None), "Forwarder's permission"),
        (lambda p: p.filters.update({GROUP: ()}), "subscription filter"),
        (lambda p: p.silence(ORDERS, "traces"), "traces in Datadog"),
        (lambda p: setattr(p, "integration", None), "integration"),
    ],
)
def test_the_chain_shows_where_it_breaks(breakage: Any, title: str) -> None:
    patient = Patient()
    breakage(patient)
    case = patient.case()
    subject = next(s for s in case.subjects if s.function.name == ORDERS)
    link = breaks_at(chain(case, diagnose(case, CHECKS), subject))
    assert link is not None
    assert link.title == title
    assert link.check in BY_ID


def test_the_chain_is_narrowed_to_one_kind_of_data() -> None:
    case = Patient().case()
    subject = case.subjects[0]
    titles = {k.title for k in chain(case, diagnose(case, CHECKS), subject, ("logs",))}
    assert "logs in Datadog" in titles
    assert "traces in Datadog" not in titles


def test_another_functions_fault_is_not_in_the_chain() -> None:
    patient = Patient()
    patient.change(PAYMENTS, env={"DD_LAMBDA_HANDLER": None})
    case = patient.case()
    subject = next(s for s in case.subjects if s.function.name == ORDERS)
    assert breaks_at(chain(case, diagnose(case, CHECKS), subject)) is None


def test_only_what_takes_something_away_waits_for_a_person() -> None:
    patient = Patient()
    patient.filters[OWN_GROUP] = (b.subscription_filter(OWN_GROUP, "loop", FORWARDER_ARN),)
    patient.change(ORDERS, env={"DD_FLUSH_TO_LOG": "false"})
    found = diagnose(patient.case(), CHECKS).found()
    assert {f.check.id for f in found if waits_for_a_person(f)} == {"forwarder-loop"}
    (loop,) = (f for f in found if f.check.id == "forwarder-loop")
    nothing = replace(loop, problem=replace(loop.problem, changes=(), mends=()))
    assert not waits_for_a_person(nothing), "there is nothing to wait for"


# While Datadog has not come to it


@pytest.mark.parametrize("what", ["registration", "function"])
def test_datadog_is_given_its_minutes_to_subscribe_a_log_group(what: str) -> None:
    patient = Patient()
    patient.filters[GROUP] = ()
    patient.silence(ORDERS, "logs")
    case = patient.case()
    lately = (case.snapshot.at - timedelta(minutes=2)).isoformat()
    if what == "registration":
        patient.record(raw={"modified_at": lately})
    else:
        patient.change(ORDERS, last_modified=lately)
    early = next(f for f in diagnose(patient.case(), CHECKS).found() if f.check.id == "log-group-subscribed")
    late = next(f for f in diagnose(case, CHECKS).found() if f.check.id == "log-group-subscribed")
    assert (early.severity, late.severity) == ("warning", "error")
    assert early.problem.what.endswith("yet")


def test_a_link_of_datadogs_is_not_ticked_off_where_a_function_has_none() -> None:
    patient = Patient()
    patient.functions[ORDERS] = b.function(ORDERS, env={"MENU": "x" * 4000})
    case = patient.case()
    subject = next(s for s in case.subjects if s.function.name == ORDERS)
    links = {k.title: k.mark for k in chain(case, diagnose(case, CHECKS), subject)}
    assert (links["layer"], links["handler"], links["environment"]) == ("unknown", "unknown", "doubtful")


def test_where_there_is_no_function_at_all_it_is_the_wrong_place() -> None:
    patient = Patient(functions={}, filters={}, answers=b.answers(selection=Selection()))
    patient.know(signals=())
    (found,) = (f for f in diagnose(patient.case(), CHECKS).found() if f.check.id == "any-function")
    assert found.severity == "warning"
    assert "--region" in found.problem.fix


@pytest.mark.parametrize(
    ("over", "command"),
    [
        ({"key": "deleted", "key_reason": "it is scheduled for deletion"}, "restore-secret --secret-id {} "),
        ({"key": "invalid"}, 'put-secret-value --secret-id {} --secret-string "$DD_API_KEY" '),
        ({"key": "missing"}, None),
    ],
    ids=str,
)
def test_how_the_forwarder_gets_its_key_back_can_be_pasted(over: dict[str, Any], command: str | None) -> None:
    patient, arn = Patient(), "arn:aws:secretsmanager:eu-west-1:1:secret:key-AbCdEf"
    patient.forwarder_env(DD_API_KEY_SECRET_ARN=arn)
    patient.health(**over)
    told = [f.problem for f in diagnose(patient.case(), CHECKS).found() if f.check.id == "forwarder-key"]
    wanted = f"aws secretsmanager {command.format(arn)}--region eu-west-1" if command else ""
    assert [each.command for each in told] == [wanted]

"""What `doctor --fix` mends, change by change; and that the check has nothing to say afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.doctor.checks.case import Case, make_case
from ddsetup.doctor.checks.registry import BY_ID, CHECKS
from ddsetup.doctor.diagnose import can_mend, diagnose, mending
from ddsetup.model.account import Integration, LogGroup, NamespaceFilter, Role, Unreadable
from ddsetup.model.change import Change, Plan
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import (
    FilterState,
    FunctionState,
    IntegrationState,
    LogCollectionState,
    LogGroupState,
    RolePolicyState,
    RoleState,
    StackState,
)
from tests import builders as b
from tests.applied import carried_out
from tests.unit.doctor.test_checks_table import BREAKAGES, ONLY_OF_OURS
from tests.unit.patient import BILLING, FORWARDER_ARN, GROUP, ORDERS, OWN_GROUP, PAYMENTS, Patient

ROLE = ("iam_role", "update", "DatadogIntegrationRole")
RECORD = ("integration", "update", b.ACCOUNT)
COLLECTION = ("log_collection", "update", b.ACCOUNT)
SECRET = ("secret", "create", "ddsetup/datadog-api-key")

MENDED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "integration-exists": (("iam_role", "create", ROLE[2]), ("integration", "create", b.ACCOUNT)),
    "role-exists": (("iam_role", "create", ROLE[2]),),
    "role-permissions": (ROLE,),
    "role-triggers": (ROLE,),
    "metrics-enabled": (RECORD,),
    "lambda-namespace": (RECORD,),
    "regions-included": (RECORD,),
    "forwarder-exists": (SECRET, ("stack", "create", "datadog-forwarder")),
    "forwarder-logs-on": (("stack", "update", "datadog-forwarder"),),
    "forwarder-registered": (COLLECTION,),
    "stale-registration": (COLLECTION,),
    "log-source": (COLLECTION,),
    **dict.fromkeys(
        (
            *("function-instrumented", "layer-present", "layer-runtime", "layer-architecture"),
            *("layer-recent", "handler-redirected", "flush-to-log", "system-log-level", "unified-tags"),
        ),
        (("function", "update", ORDERS),),
    ),
    "wrapper-set": (("function", "update", BILLING),),
    "key-access": (("role_policy", "create", "payments-role/ddsetup-read-datadog-api-key"),),
    "key-mapping": (("intake_mapping", "create", "payments-role"),),
    "function-site": (("function", "update", PAYMENTS),),
    "key-source": (
        SECRET,
        ("role_policy", "create", "payments-role/ddsetup-read-datadog-api-key"),
        ("function", "update", PAYMENTS),
    ),
    "log-group-exists": (("log_group", "create", GROUP),),
    "filter-pattern": (("subscription_filter", "update", f"{GROUP}:own"),),
    "filter-target": (("subscription_filter", "delete", f"{GROUP}:dead"),),
    "forwarder-loop": (("subscription_filter", "delete", f"{OWN_GROUP}:own"),),
    "filter-twice": (("subscription_filter", "delete", f"{GROUP}:ddsetup-datadog-forwarder"),),
    "old-forwarder": (("subscription_filter", "delete", f"{GROUP}:datadog"),),
    "logs-once": (("subscription_filter", "delete", f"/aws/lambda/{PAYMENTS}:own"),),
}


def broken(check: str) -> tuple[Case, Plan]:
    patient = Patient()
    BREAKAGES[check].how(patient)
    return planned(patient, check)


def planned(patient: Patient, check: str) -> tuple[Case, Plan]:
    case = patient.case()
    found = [f for f in diagnose(case, CHECKS).found() if f.check.id == check]
    assert found
    return case, mending(case, [f for f in found if can_mend(f)])


def test_every_check_that_offers_to_mend_is_in_the_table() -> None:
    assert {c.id for c in CHECKS if c.fix != "manual"} == {*MENDED, *ONLY_OF_OURS}


@pytest.mark.parametrize(("check", "changes"), MENDED.items())
def test_a_check_mends_this_and_nothing_else(check: str, changes: tuple[tuple[str, str, str], ...]) -> None:
    _, plan = broken(check)
    assert tuple((c.resource.kind, c.action, c.resource.name) for c in plan.changes) == changes


@pytest.mark.parametrize("check", sorted(ONLY_OF_OURS))
def test_what_is_somebody_elses_is_not_mended(check: str) -> None:
    _, plan = broken(check)
    assert plan.changes == ()


@pytest.mark.parametrize(
    "check", [check for check, changes in MENDED.items() if all(how != "create" for _, how, _ in changes)]
)
def test_what_was_mended_is_not_found_again(check: str) -> None:
    case, plan = broken(check)
    after = made_whole(case.snapshot, plan.changes)
    again = diagnose(make_case(after, case.evidence, case.answers), CHECKS)
    assert check not in {f.check.id for f in again.found()}
    assert BY_ID[check] in again.passed


def test_a_log_group_that_was_made_is_there() -> None:
    case, plan = broken("log-group-exists")
    after = made_whole(case.snapshot, plan.changes)
    found = diagnose(make_case(after, case.evidence, case.answers), CHECKS).found()
    assert "log-group-exists" not in {f.check.id for f in found}


def test_a_role_is_given_the_right_to_the_key_that_its_function_names() -> None:
    _, plan = broken("key-access")
    (change,) = plan.changes
    assert isinstance(change.after, RolePolicyState)
    (statement,) = change.after.document["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": b.secret().arn,
    }


@pytest.mark.parametrize(
    ("inline", "answers"),
    [
        ({"ddsetup-read-datadog-api-key": b.policy("s3:*")}, {}),
        ({}, {"grant_key_access": False}),
    ],
)
def test_a_right_that_is_not_ours_to_give_is_left_to_a_person(
    inline: dict[str, Any], answers: dict[str, Any]
) -> None:
    patient = Patient(answers=b.answers(**answers))
    BREAKAGES["key-access"].how(patient)
    patient.know(roles={patient.functions[PAYMENTS].role: b.role("payments-role", inline=inline)})
    assert planned(patient, "key-access")[1].changes == ()


def test_a_parameter_is_read_by_another_right() -> None:
    patient = Patient()
    BREAKAGES["key-access"].how(patient)
    arn = f"arn:aws:ssm:{b.REGION}:{b.ACCOUNT}:parameter/datadog"
    patient.change(PAYMENTS, env={"DD_API_KEY_SECRET_ARN": None, "DD_API_KEY_SSM_ARN": arn})
    (change,) = planned(patient, "key-access")[1].changes
    assert isinstance(change.after, RolePolicyState)
    (statement,) = change.after.document["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("ssm:GetParameter", arn)


def test_what_needs_a_person_says_so() -> None:
    confirmed = {check for check in MENDED if BY_ID[check].fix == "confirm"}
    assert confirmed == {
        *("filter-pattern", "filter-target", "forwarder-loop", "filter-twice", "old-forwarder", "logs-once")
    }
    for check in confirmed:
        case = broken(check)[0]
        found = [f for f in diagnose(case, CHECKS).found() if f.check.id == check]
        assert mending(case, found, confirmed=False).changes == ()


def test_in_a_direct_setup_the_missing_filter_is_put_back() -> None:
    patient = Patient(answers=b.answers(subscribe="direct"))
    patient.record(lambdas=(), sources=())
    patient.filters[GROUP] = ()
    case, plan = planned(patient, "log-group-subscribed")
    (change,) = plan.changes
    assert isinstance(change.after, FilterState)
    assert (change.after.destination_arn, change.after.log_group) == (FORWARDER_ARN, GROUP)
    after = made_whole(case.snapshot, plan.changes)
    assert diagnose(make_case(after, case.evidence, case.answers), CHECKS).causes == ()


# What the changes come to


def made_whole(snapshot: Snapshot, changes: tuple[Change, ...]) -> Snapshot:
    """The account after the changes, as the writers leave it."""
    snapshot = carried_out(snapshot, changes)
    for change in changes:
        if change.resource.kind not in ("function", "function_tags"):
            snapshot = DONE[change.resource.kind](snapshot, change.before, change.after)
    return snapshot


def in_lane(snapshot: Snapshot, alter: Callable[[LaneSnapshot], LaneSnapshot]) -> Snapshot:
    return replace(snapshot, lanes={at: alter(held) for at, held in snapshot.lanes.items()})


def in_account(snapshot: Snapshot, **over: Any) -> Snapshot:
    held = snapshot.accounts[b.ACCOUNT]
    return replace(snapshot, accounts={b.ACCOUNT: replace(held, **over)})


def filtered(snapshot: Snapshot, before: FilterState | None, after: FilterState | None) -> Snapshot:
    state = after or before
    assert state is not None

    def alter(held: LaneSnapshot) -> LaneSnapshot:
        there = held.filters[state.log_group]
        assert not isinstance(there, Unreadable)
        left = tuple(f for f in there if before is None or f.name != before.name)
        assert before is None or len(left) == len(there) - 1
        if after is not None:
            left = (
                *left,
                b.subscription_filter(
                    after.log_group, after.name, after.destination_arn, pattern=after.pattern
                ),
            )
        return replace(held, filters={**held.filters, state.log_group: left})

    return in_lane(snapshot, alter)


def registered(snapshot: Snapshot, before: IntegrationState, after: IntegrationState) -> Snapshot:
    live = snapshot.accounts[b.ACCOUNT].integration
    assert isinstance(live, Integration)
    assert before.metrics_enabled == live.metrics_enabled
    namespaces = None
    if after.namespaces_mode:
        mode: Any = after.namespaces_mode
        namespaces = NamespaceFilter(mode=mode, names=after.namespaces)
    return in_account(
        snapshot,
        integration=replace(
            live,
            metrics_enabled=after.metrics_enabled,
            namespaces=namespaces,
            regions=after.regions or None,
        ),
    )


def collected(snapshot: Snapshot, before: LogCollectionState, after: LogCollectionState) -> Snapshot:
    live = snapshot.accounts[b.ACCOUNT].integration
    assert isinstance(live, Integration)
    lambdas = (*(x for x in live.lambdas if x not in before.lambdas), *after.lambdas)
    sources = (*(x for x in live.sources if x not in before.sources), *after.sources)
    return in_account(snapshot, integration=replace(live, lambdas=lambdas, sources=sources))


def permitted(snapshot: Snapshot, before: RoleState, after: RoleState) -> Snapshot:
    live = snapshot.accounts[b.ACCOUNT].role
    assert isinstance(live, Role)
    left = {name: document for name, document in live.inline.items() if name not in before.policies}
    return in_account(snapshot, role=replace(live, inline={**left, **after.policies}))


def adjusted(snapshot: Snapshot, before: StackState, after: StackState) -> Snapshot:
    def alter(held: LaneSnapshot) -> LaneSnapshot:
        assert not isinstance(held.stacks, Unreadable)
        (stack,) = held.stacks
        assert {k: stack.parameters[k] for k in before.parameters} == before.parameters
        return replace(held, stacks=(replace(stack, parameters={**stack.parameters, **after.parameters}),))

    return in_lane(snapshot, alter)


def grouped(snapshot: Snapshot, _before: None, after: LogGroupState) -> Snapshot:
    def alter(held: LaneSnapshot) -> LaneSnapshot:
        assert not isinstance(held.log_groups, Unreadable)
        return replace(held, log_groups={**held.log_groups, after.name: LogGroup(after.name)})

    return in_lane(snapshot, alter)


DONE: Mapping[str, Callable[..., Snapshot]] = {
    "subscription_filter": filtered,
    "integration": registered,
    "log_collection": collected,
    "iam_role": permitted,
    "stack": adjusted,
    "log_group": grouped,
}


AUTOMATIC = f"DD_LOG_SUBSCRIPTION_FILTER_/aws/lambda/{PAYMENTS}"


def doubled(destination: str = FORWARDER_ARN, name: str = AUTOMATIC) -> Patient:
    """A function with the Extension whose logs a filter leads to a Forwarder as well."""
    patient, group = Patient(), f"/aws/lambda/{PAYMENTS}"
    patient.filters[group] = (b.subscription_filter(group, name, destination),)
    return patient


def test_a_filter_that_datadog_would_put_back_is_not_deleted() -> None:
    """The logs of others go through the Forwarder, so it is the Extension that stops sending them."""
    case, plan = planned(doubled(), "logs-once")
    (change,) = plan.changes
    assert isinstance(change.after, FunctionState)
    assert (change.resource.name, change.after.env) == (PAYMENTS, {"DD_SERVERLESS_LOGS_ENABLED": "false"})
    again = diagnose(make_case(made_whole(case.snapshot, plan.changes), case.evidence, case.answers), CHECKS)
    assert "logs-once" not in {f.check.id for f in again.found()}


def test_where_the_log_collection_serves_nobody_it_ends_there() -> None:
    patient = doubled()
    del patient.functions[ORDERS]
    patient.record(sources=("lambda",))
    (change,) = planned(patient, "logs-once")[1].changes
    assert change.before == LogCollectionState(lambdas=(FORWARDER_ARN,), sources=("lambda",))
    assert change.after == LogCollectionState()
    elsewhere = b.function_arn("datadog-forwarder", region="us-west-2")
    patient.record(lambdas=(FORWARDER_ARN, elsewhere))
    (change,) = planned(patient, "logs-once")[1].changes
    assert change.before == LogCollectionState(lambdas=(FORWARDER_ARN,)), "a region that is not looked at"
    patient.record(sources=("lambda", "s3"))
    (change,) = planned(patient, "logs-once")[1].changes
    assert change.resource.kind == "function"


def test_delivery_through_any_forwarder_is_seen() -> None:
    elsewhere = b.function_arn("datadog-forwarder-of-others")
    (change,) = planned(doubled(elsewhere, "datadog-ci-filter"), "logs-once")[1].changes
    assert (change.resource.kind, change.action) == ("subscription_filter", "delete")

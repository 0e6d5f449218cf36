"""Giving a run back: what is so already, what somebody changed since, and what others rely on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from ddsetup.facts.catalog import PYTHON_HANDLER
from ddsetup.facts.filters import filter_resource
from ddsetup.facts.ownership import MARKER
from ddsetup.model.account import Function, Layer, LogGroup
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import (
    FunctionState,
    IntegrationState,
    LogCollectionState,
    RoleState,
    SecretState,
    StackState,
    State,
    TagsState,
)
from ddsetup.plan.steps.api_key import SECRET_NAME, secret_id
from ddsetup.plan.steps.collection import collection_id
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.giving_back import carried_by, divided, sending, standings
from ddsetup.plan.steps.instrument.subject import function_resource, tags_resource
from ddsetup.plan.steps.integration import integration_id
from ddsetup.plan.steps.relied_on import Going, groups_to_read, lanes_with_many, relied_on, remembered
from tests.builders import (
    ACCOUNT,
    AT,
    EXTERNAL_ID,
    REGION,
    account_snapshot,
    function,
    function_arn,
    integration,
    lane,
    lane_snapshot,
    role,
    secret,
    snapshot,
    stack,
    subscription_filter,
)

ARN = function_arn("datadog-forwarder")
LIBRARY = f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Python312:127"
BARE = FunctionState(handler="app.handler", env={})
INSTRUMENTED = FunctionState(
    handler=PYTHON_HANDLER, layers=(LIBRARY,), env={"DD_LAMBDA_HANDLER": "app.handler"}
)
STACK = stack_id(lane(), "datadog-forwarder")
BEGAN = AT - timedelta(hours=1)
LATER, EARLIER = "2026-11-22T09:30:00.000+0000", "2026-11-22T08:30:00.000+0000"


def back(resource: ResourceId, before: State | None, after: State | None, *needs: ResourceId) -> Change:
    return Change(step="x", resource=resource, before=before, after=after, why="undo", needs=needs)


def instrumented(name: str = "orders", **over: Any) -> Function:
    over.setdefault("last_modified", LATER)
    held: dict[str, Any] = {"layers": (Layer(LIBRARY),), "env": INSTRUMENTED.env, "handler": PYTHON_HANDLER}
    return function(name, **{**held, **over})


ORDERS = function_resource(function("orders"))
FUNCTION = back(ORDERS, INSTRUMENTED, BARE)
TAGS = back(tags_resource(function("orders")), TagsState(tags={MARKER: "1"}), TagsState(), ORDERS)
COLLECTION = back(collection_id(ACCOUNT), LogCollectionState(lambdas=(ARN,)), LogCollectionState())
FORWARDER = back(STACK, StackState(name="datadog-forwarder"), None, COLLECTION.resource)
SECRET = back(secret_id(lane()), SecretState(name=SECRET_NAME), None, STACK)
RECORD = back(
    integration_id(ACCOUNT),
    IntegrationState(aws_account_id=ACCOUNT, partition="aws", role_name="DatadogIntegrationRole"),
    None,
    COLLECTION.resource,
)
ROLE = back(
    ResourceId("iam_role", f"arn:aws:iam::{ACCOUNT}:role/DatadogIntegrationRole", "", ACCOUNT),
    RoleState(name="DatadogIntegrationRole", trust_account="1", external_id=EXTERNAL_ID),
    None,
    RECORD.resource,
)
EVERY = (FUNCTION, TAGS, COLLECTION, FORWARDER, SECRET, RECORD, ROLE)


def account(*functions: Function, **over: Any) -> Snapshot:
    """An account as a setup of `orders` leaves it, with more functions."""
    every = functions or (instrumented(),)
    over.setdefault("stacks", (stack(outputs={"DatadogForwarderArn": ARN}),))
    over.setdefault("log_groups", {g: LogGroup(g) for f in every for g in [f"/aws/lambda/{f.name}"]})
    over.setdefault("secrets", {SECRET_NAME: secret()})
    here = lane_snapshot(*every, **over)
    there = account_snapshot(integration=integration(lambdas=(ARN,)), role=role())
    return snapshot(here, accounts=[there])


def becomes(seen: Snapshot) -> dict[str, str]:
    """By kind, what becomes of each."""
    found = standings(EVERY, seen)
    parts = divided(EVERY, found, carried_by(EVERY, sending(EVERY, found, seen)))
    said = [outcome for _, outcome in parts.settled] + list(parts.alone)
    return {c.resource.kind: "goes" for c in parts.left} | {o.resource.kind: o.status for o in said}


def test_what_is_as_it_was_left_goes() -> None:
    assert set(becomes(account()).values()) == {"goes"}


def test_what_is_as_it_was_before_or_gone_needs_no_write() -> None:
    seen = account(function("orders"), stacks=(), secrets={})
    seen = replace(seen, accounts={ACCOUNT: account_snapshot(integration=None, role=role())})
    assert becomes(seen) == {
        "function": "unchanged",
        "stack": "unchanged",
        "secret": "unchanged",
        "integration": "unchanged",
        "log_collection": "unchanged",
        "function_tags": "goes",
        "iam_role": "goes",
    }
    # A function that was deleted has no tags either, and holds nothing back.
    assert becomes(account(function("other")))["function_tags"] == "unchanged"


def test_what_was_changed_since_keeps_its_tags_and_all_that_it_sends_to() -> None:
    changed = instrumented(env={"DD_LAMBDA_HANDLER": "other.handler"})
    found = becomes(account(changed))
    assert found.pop("function") == "changed_since"
    assert set(found.values()) == {"unchanged"}


def test_what_was_changed_since_and_sends_nothing_any_more_keeps_nothing() -> None:
    found = becomes(account(function("orders", env={"DD_LAMBDA_HANDLER": "other.handler"})))
    assert found.pop("function") == "changed_since"
    assert set(found.values()) == {"goes"}


def going(seen: Snapshot, *known: ResourceId, changes: tuple[Change, ...] = EVERY) -> Going:
    return Going(seen, changes, remembered(known, changes), BEGAN)


def names_of(what: Going) -> dict[str, tuple[str, ...]]:
    return {resource.kind: by for resource, by in relied_on(what).items()}


def test_a_function_that_another_machine_set_up_relies_on_all_of_it() -> None:
    other = instrumented("pay")
    seen = account(instrumented(), other, tags={other.arn: {MARKER: "1"}})
    by = ("function pay",)
    assert names_of(going(seen)) == {"stack": by, "log_collection": by, "integration": by}
    assert names_of(going(seen, tags_resource(other))) == {}


def test_what_had_datadog_before_the_run_does_not() -> None:
    earlier = instrumented("pay", last_modified=EARLIER)
    automatic = subscription_filter("/aws/lambda/pay", "DD_LOG_SUBSCRIPTION_FILTER_/aws/lambda/pay", ARN)
    filters = {"/aws/lambda/pay": (automatic,)}
    assert names_of(going(account(instrumented(), earlier, filters=filters))) == {}
    # Of a function that somebody else gave Datadog since, such a filter tells where it sends.
    since = instrumented("pay")
    found = names_of(going(account(instrumented(), since, filters=filters)))
    assert found["stack"] == ("function pay",)


def test_a_filter_to_the_forwarder_that_no_journal_knows() -> None:
    theirs = subscription_filter("/aws/lambda/pay", "theirs", ARN)
    seen = account(instrumented(), function("pay"), filters={"/aws/lambda/pay": (theirs,)})
    assert names_of(going(seen))["stack"] == ("filter theirs of /aws/lambda/pay",)
    known = filter_resource("/aws/lambda/pay", "theirs", lane())
    assert names_of(going(seen, known)) == {}


def test_a_function_with_another_forwarder_does_not_need_this_one() -> None:
    other = instrumented("pay")
    elsewhere = subscription_filter("/aws/lambda/pay", "theirs", function_arn("another"))
    seen = account(
        instrumented(), other, tags={other.arn: {MARKER: "1"}}, filters={"/aws/lambda/pay": (elsewhere,)}
    )
    assert "stack" not in names_of(going(seen))


def test_who_reads_the_secret_or_is_registered_or_names_the_role() -> None:
    reader = function("pay", env={"DD_API_KEY_SECRET_ARN": secret().arn})
    theirs = stack(name="theirs", parameters={"DdApiKeySecretArn": secret().arn})
    seen = account(instrumented(), reader, stacks=(stack(outputs={"DatadogForwarderArn": ARN}), theirs))
    assert names_of(going(seen))["secret"] == ("function pay", "stack theirs")
    elsewhere = function_arn("datadog-forwarder", "us-east-1")
    registered = account_snapshot(integration=integration(lambdas=(ARN, elsewhere)), role=role())
    seen = replace(account(), accounts={ACCOUNT: registered})
    assert names_of(going(seen)) == {"integration": (f"Forwarder {elsewhere}",)}
    without = tuple(change for change in EVERY if change is not RECORD)
    assert names_of(going(seen, changes=without)) == {"iam_role": (f"Datadog's record of account {ACCOUNT}",)}


def test_a_stack_that_reads_the_secret_goes_only_with_a_deletion_in_its_own_region() -> None:
    reads = {"DdApiKeySecretArn": secret().arn}
    seen = account(stacks=(stack(outputs={"DatadogForwarderArn": ARN}, parameters=reads),))
    assert names_of(going(seen)) == {}
    state = StackState(name="datadog-forwarder")
    elsewhere = back(replace(STACK, region="us-east-1"), state, None)
    updated = back(STACK, state, replace(state, version="1"))
    for other in (elsewhere, updated):
        changes = (other, SECRET)
        assert names_of(going(seen, changes=changes)) == {"secret": ("stack datadog-forwarder",)}


def test_of_many_log_groups_those_are_read_that_something_tells_of() -> None:
    many = tuple(function(f"f{n}") for n in range(30))
    other = instrumented("pay")
    at_work = {
        "/aws/lambda/f1": frozenset({"ddsetup-datadog-forwarder"}),
        "/aws/lambda/f2": frozenset({"DD_LOG_SUBSCRIPTION_FILTER_/aws/lambda/f2"}),
        "/aws/lambda/f3": frozenset({"audit"}),
    }
    seen = account(instrumented(), other, *many, delivered=at_work)
    assert lanes_with_many(going(seen)) == (lane(),)
    assert set(groups_to_read(going(seen))[lane()]) == {"/aws/lambda/pay", "/aws/lambda/f1"}
    assert lanes_with_many(going(account(instrumented(), other))) == ()

"""What drifted is told from bulk reads alone, with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ddsetup.model.account import Function, Layer
from ddsetup.model.answers import Answers, Selection
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.trail import Deed
from ddsetup.plan.drift import Drift, find_drift, find_lost_filters, suspects, told, with_log_groups
from ddsetup.plan.steps import instrument
from tests.applied import carried_out
from tests.builders import (
    account_snapshot,
    answers,
    forwarder,
    function,
    function_arn,
    integration,
    lane,
    lane_snapshot,
    role,
    snapshot,
    stack,
    subscription_filter,
)

FORWARDER = function_arn("datadog-forwarder")
WANTED = answers(env="prod", subscribe="direct", selection=Selection(all=True))
AT = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
GROUP = "/aws/lambda/orders"


def set_up(*functions: Function, **over: Any) -> Snapshot:
    """An account as a setup leaves it, with the record of it."""
    first = snapshot(lane_snapshot(*functions, forwarders=(forwarder(),), **over))
    changes = instrument.plan(first, WANTED, functions).changes
    applied = {c.resource: c for c in changes if c.resource.kind in ("function", "function_tags")}
    return replace(carried_out(first, changes), applied=applied)


def drift_of(held: Snapshot, wanted: Answers = WANTED) -> list[Drift]:
    chosen = tuple(f for f in held.functions() if f.name != "datadog-forwarder")
    found = find_drift(held, wanted, chosen).drift
    return [each for each in found if each.kind != "foundation"]


def with_function(held: Snapshot, changed: Function) -> Snapshot:
    """The account with one function in another state, or one more."""
    here = held.lanes[changed.lane]
    assert isinstance(here.functions, tuple)
    others = tuple(f for f in here.functions if f.arn != changed.arn)
    return replace(held, lanes={changed.lane: replace(here, functions=(*others, changed))})


def orders(held: Snapshot) -> Function:
    return next(f for f in held.functions() if f.name == "orders")


def test_nothing_has_drifted_from_what_was_just_set_up() -> None:
    assert drift_of(set_up(function("orders"))) == []


def test_a_function_that_a_deployment_reset_has_lost_datadog() -> None:
    held = with_function(set_up(function("orders")), function("orders"))
    (found,) = drift_of(held)
    assert (found.kind, found.due) == ("lost", (function_arn("orders"),))
    assert "DD_ENV" in found.what


def test_without_a_record_the_mark_on_the_function_tells_so() -> None:
    held = replace(with_function(set_up(function("orders")), function("orders")), applied=None)
    assert [each.kind for each in drift_of(held)] == ["lost"]


def test_a_function_that_never_had_datadog_is_new() -> None:
    held = with_function(set_up(function("orders")), function("invoices"))
    assert [(each.kind, each.resource.name) for each in drift_of(held)] == [("new", "invoices")]


def test_an_older_layer_is_outdated_and_says_which() -> None:
    held = set_up(function("orders"))
    now = orders(held)
    name, _, version = now.layers[0].arn.rpartition(":")
    older = replace(now, layers=(Layer(f"{name}:{int(version) - 1}"),))
    (found,) = drift_of(with_function(held, older))
    assert found.kind == "outdated"
    assert found.what == f"layer {name.rpartition(':')[2]} {int(version) - 1} instead of {version}"


def test_a_changed_variable_is_named_and_its_value_is_not() -> None:
    held = set_up(function("orders"))
    now = orders(held)
    changed = replace(now, env={**(now.env or {}), "DD_ENV": "secret-dev"})
    (found,) = drift_of(with_function(held, changed))
    assert (found.kind, found.what) == ("changed", "DD_ENV")


def test_lost_and_out_of_reach_says_who_must_see_to_it() -> None:
    tags = {"aws:cloudformation:stack-name": "shop"}
    held = set_up(function("orders"))
    here = held.lanes[lane()]
    assert isinstance(here.tags, dict)
    arn = function_arn("orders")
    owned = replace(here, tags={**here.tags, arn: {**here.tags[arn], **tags}})
    held = with_function(replace(held, lanes={lane(): owned}), function("orders"))
    (found,) = drift_of(held, replace(WANTED, owned="skip"))
    assert (found.kind, found.due) == ("lost", ())
    assert found.fix


def test_what_left_the_rule_is_drift_only_where_it_is_to_be_removed() -> None:
    held = set_up(function("orders"), function("old"))
    one = tuple(f for f in held.functions() if f.name == "orders")
    kept, pruned = (find_drift(held, replace(WANTED, prune=prune), one) for prune in (False, True))
    assert "left" not in {each.kind for each in kept.drift}
    assert any("old" in note for note in kept.notes)
    assert [each.resource.name for each in pruned.drift if each.kind == "left"] == ["old"]


def test_the_foundation_drifts_too() -> None:
    held = set_up(function("orders"))
    chosen = (orders(held),)
    found = {d.resource.kind for d in find_drift(held, WANTED, chosen).drift if d.kind == "foundation"}
    assert "integration" in found
    whole = replace(
        held,
        accounts={
            lane().account: account_snapshot(integration=integration(lambdas=(FORWARDER,)), role=role())
        },
    )
    left = [d for d in find_drift(whole, WANTED, chosen).drift if d.kind == "foundation"]
    assert "log_collection" not in {each.resource.kind for each in left}


@pytest.mark.parametrize(
    ("through", "names"), [("Boto3/1.43", {"orders"}), ("ddsetup/0.1.0", set())], ids=["others", "ours"]
)
def test_who_it_was_is_said_unless_it_was_ddsetup(through: str, names: set[str]) -> None:
    held = with_function(set_up(function("orders")), function("orders"))
    deed = Deed("orders", "assumed-role/pipeline/1", AT, through)
    found = told(drift_of(held), {lane(): {"orders": deed}}, held)
    assert {each.resource.name for each in found if each.by is not None} == names


def filters_lost(deleted: bool, lately: bool, read: tuple[Any, ...]) -> tuple[Any, tuple[Drift, ...]]:
    """What is suspected, and found, of one group whose filter delivered within two weeks."""
    at_work = {GROUP: frozenset({"ddsetup-datadog-forwarder"})}
    held = set_up(
        function("orders"), stacks=(stack(),), delivered=at_work, delivering=at_work if lately else {}
    )
    chosen = (orders(held),)
    held = with_log_groups(held, WANTED, chosen)
    deeds = {lane(): {GROUP: Deed(GROUP, "user/ann", AT, "console")}} if deleted else {}
    wanted, _more = suspects(held, WANTED, chosen, deeds)
    seen = replace(held, lanes={lane(): replace(held.lanes[lane()], filters={GROUP: read})})
    return wanted, find_lost_filters(seen, WANTED, chosen, deeds)


@pytest.mark.parametrize(
    ("deleted", "lately", "suspected"),
    [(False, True, False), (True, True, True), (False, False, True), (True, False, True)],
)
def test_filters_are_read_where_something_speaks_for_their_loss(
    deleted: bool, lately: bool, suspected: bool
) -> None:
    wanted, _ = filters_lost(deleted, lately, ())
    assert bool(wanted) == suspected


def test_a_lost_filter_is_told_with_who_deleted_it_and_one_that_is_there_is_not() -> None:
    _, (lost,) = filters_lost(True, True, ())
    assert (lost.kind, lost.due) == ("filter", (function_arn("orders"),))
    assert lost.by is not None
    assert lost.by.who == "user/ann"
    there = subscription_filter(GROUP, "somebody-calls-it-so", FORWARDER)
    assert filters_lost(True, True, (there,))[1] == ()


def test_no_look_reads_more_than_a_few_filters() -> None:
    functions = tuple(function(f"f{n}") for n in range(200))
    held = with_log_groups(set_up(*functions), WANTED, functions)
    deeds = {lane(): {f"/aws/lambda/f{n}": Deed(f"f{n}", "user/ann", AT) for n in range(200)}}
    wanted, more = suspects(held, WANTED, functions, deeds)
    assert (len(wanted[lane()]), more) == (12, 188)

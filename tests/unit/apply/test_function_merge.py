"""The three-way merge of a function: only what a change owns ever moves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsetup.apply.writers.function_merge import merge_layers, merged, moved_besides_revision
from ddsetup.model.account import Function, Layer
from ddsetup.model.states import FunctionState
from ddsetup.plan.steps.compared import compare
from tests.builders import function

NAMES = st.sampled_from(["DD_ENV", "DD_SITE", "DB_PASSWORD", "STAGE", "DD_LAMBDA_HANDLER"])
ENV = st.dictionaries(NAMES, st.sampled_from("xyz"))
LAYERS = st.lists(st.sampled_from([f"arn:aws:lambda:r:1:layer:L{n}:1" for n in range(7)]), unique=True)


def states() -> st.SearchStrategy[FunctionState]:
    return st.builds(
        FunctionState,
        handler=st.sampled_from(["app.handler", "datadog_lambda.handler.handler"]),
        layers=LAYERS.map(tuple),
        env=ENV,
        system_log_level=st.sampled_from([None, "INFO", "WARN"]),
    )


def written(live: Function, before: FunctionState, after: FunctionState) -> Function:
    """The function as it is after AWS carried out the update."""
    update = merged(live, before, after)
    fresh = replace(live)
    if update.handler is not None:
        fresh = replace(fresh, handler=update.handler)
    if update.layers is not None:
        fresh = replace(fresh, layers=tuple(Layer(arn) for arn in update.layers))
    if update.env is not None:
        fresh = replace(fresh, env=update.env)
    if update.logging is not None:
        fresh = replace(fresh, system_log_level=update.logging.get("SystemLogLevel"))
    return fresh


def as_before(before: FunctionState, foreign: dict[str, str], extra: list[str]) -> Function:
    """A function that a change can be applied to, with settings of others around it."""
    return function(
        handler=before.handler,
        env={**foreign, **before.env},
        layers=tuple(Layer(arn) for arn in [*extra, *before.layers]),
        system_log_level=before.system_log_level,
    )


@given(
    states(),
    states(),
    ENV,
    st.lists(st.sampled_from(["arn:1:2:3:4:5:layer:X", "arn:1:2:3:4:5:layer:Y"]), unique=True),
)
def test_there_and_back_gives_the_same_function(
    before: FunctionState, after: FunctionState, other: dict[str, str], extra: list[str]
) -> None:
    owned = {*before.env, *after.env}
    foreign = {key: value for key, value in other.items() if key not in owned}
    live = as_before(before, foreign, extra)
    assert compare(live, before, after).not_before == ()
    there = written(live, before, after)
    assert compare(there, before, after).not_after == ()
    assert there.env == {**foreign, **after.env}
    assert [layer.arn for layer in there.layers if layer.arn in extra] == extra
    back = written(there, after, before)
    assert (back.handler, back.env, back.system_log_level) == (live.handler, live.env, live.system_log_level)
    assert {layer.arn for layer in back.layers} == {layer.arn for layer in live.layers}
    if not extra:
        assert back.layers == live.layers


@given(LAYERS, LAYERS)
def test_without_others_the_layers_become_after_to_the_letter(before: list[str], after: list[str]) -> None:
    assert merge_layers(before, before, after) == tuple(after)


@pytest.mark.parametrize(
    ("live", "before", "after", "expected"),
    [
        ("XA", "A", "AD", "XAD"),
        ("AX", "A", "AD", "ADX"),
        ("XaB", "aB", "AB", "XAB"),
        ("aXB", "aB", "AB", "AXB"),
        ("XAD", "AD", "A", "XA"),
        ("X", "A", "AD", "XD"),
        ("XB", "B", "AB", "XAB"),
        ("ADX", "A", "AD", "ADX"),
        ("Xa", "aB", "B", "X"),
        ("XaB", "a", "B", "XB"),
        ("X", "", "AD", "XAD"),
        ("AXD", "AD", "DA", "AXD"),
    ],
)
def test_layers_keep_their_place_among_others(live: str, before: str, after: str, expected: str) -> None:
    assert merge_layers(tuple(live), tuple(before), tuple(after)) == tuple(expected)


def test_only_what_differs_is_sent() -> None:
    live = function(env={"STAGE": "prod"}, handler="app.handler")
    before = FunctionState(handler="app.handler")
    update = merged(live, before, replace(before, env={"DD_ENV": "prod"}))
    assert (update.handler, update.layers, update.logging) == (None, None, None)
    assert update.env == {"STAGE": "prod", "DD_ENV": "prod"}
    assert update.revision_id == live.revision_id


def test_differences_are_named_without_values() -> None:
    before = FunctionState(env={"DD_API_KEY": "secret-one"})
    after = FunctionState(env={})
    found = compare(function(env={"DD_API_KEY": "secret-two"}), before, after)
    assert found.not_before == ("variable DD_API_KEY",)
    assert "secret" not in repr(found)


@pytest.mark.parametrize("field", ["memory", "handler", "env", "code_sha256", "role"])
def test_only_what_aws_moves_by_itself_is_overlooked(field: str) -> None:
    planned = function()
    own = replace(planned, revision_id="2", last_modified="now", state=None, last_update_status=None)
    assert not moved_besides_revision(planned, own)
    changed: dict[str, object] = {field: 1 if field == "memory" else {"a": "b"} if field == "env" else "x"}
    assert moved_besides_revision(planned, replace(own, **changed))  # type: ignore[arg-type]

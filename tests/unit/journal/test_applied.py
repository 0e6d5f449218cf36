"""The record of what was last applied: many runs as one change for each resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ddsetup.journal.applied import folded, last_applied
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.runs import Journal
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import FunctionState, LogCollectionState, TagsState
from tests.unit.world import ACCOUNT, creation, fake_clock, header, record, resource

FUNCTION = resource("orders", "function")


def function_change(before: Mapping[str, str], after: Mapping[str, str], **layers: Any) -> Change:
    return Change(
        step="instrument",
        resource=FUNCTION,
        before=FunctionState(handler="app.handler", layers=layers.get("was", ()), env=before),
        after=FunctionState(handler="app.handler", layers=layers.get("now", ()), env=after),
        why="test",
    )


def applied(state: Path) -> Mapping[ResourceId, Change] | None:
    return last_applied(OnDisk(state), frozenset({ACCOUNT}), state)


def test_without_a_run_nothing_is_known_and_without_effects_nothing_is_held(tmp_path: Path) -> None:
    assert applied(tmp_path) is None
    record(tmp_path, "r1", creation("a"))
    record(tmp_path, "r2", creation("a").inverse(), undoes="r1")
    assert applied(tmp_path) == {}


def test_a_taking_back_that_was_cut_short_makes_nothing_forgotten(tmp_path: Path) -> None:
    """It may not have been sent, and then what ddsetup set is still there, and no user's."""
    setup = function_change({"DD_ENV": "staging"}, {"DD_ENV": "prod", "DD_SITE": "a"})
    record(tmp_path, "r1", setup)
    teardown = Journal.create(OnDisk(tmp_path), header("r2"))
    seq = teardown.start(setup.inverse(), fake_clock().now())
    found = applied(tmp_path)
    assert found is not None
    assert found[FUNCTION].after == setup.after
    teardown.done(seq, setup.inverse().outcome("applied"), fake_clock().now())
    teardown.close()
    assert applied(tmp_path) == {}


def test_of_a_part_that_was_to_be_taken_back_when_a_run_was_cut_short_all_is_known(tmp_path: Path) -> None:
    tags = Change(
        step="instrument",
        resource=resource("orders", "function_tags"),
        before=None,
        after=TagsState(tags={"env": "prod", "team": "shop"}),
        why="test",
    )
    record(tmp_path, "r1", function_change({"DD_ENV": "staging"}, {"DD_ENV": "prod", "DD_SITE": "a"}), tags)
    less = replace(tags, before=TagsState(tags={"team": "shop"}), after=TagsState())
    prune = Journal.create(OnDisk(tmp_path), header("r2"))
    cut_short = (function_change({"DD_ENV": "prod"}, {"DD_ENV": "staging"}), less)
    seqs = [prune.start(change, fake_clock().now()) for change in cut_short]
    found = applied(tmp_path) or {}
    function, tagged = found[FUNCTION], found[tags.resource].after
    assert isinstance(function.before, FunctionState)
    assert isinstance(function.after, FunctionState)
    assert (function.before.env, function.after.env) == (
        {"DD_ENV": "staging"},
        {"DD_ENV": "prod", "DD_SITE": "a"},
    )
    assert tagged == tags.after
    for seq, change in zip(seqs, cut_short, strict=True):
        prune.done(seq, change.outcome("applied"), fake_clock().now())
    prune.close()
    after = (applied(tmp_path) or {})[tags.resource].after
    assert after == TagsState(tags={"env": "prod"})


def test_later_runs_add_to_what_earlier_ones_set(tmp_path: Path) -> None:
    record(tmp_path, "r1", function_change({"DD_ENV": "staging"}, {"DD_ENV": "prod", "DD_SITE": "a"}))
    assert applied(tmp_path) is not None
    record(tmp_path, "r2", function_change({"DD_SITE": "a"}, {"DD_SITE": "b", "DD_LOG_LEVEL": "debug"}))
    found = applied(tmp_path)
    assert found is not None
    assert found == applied(tmp_path), "what was kept beside the journals says the same"
    change = found[FUNCTION]
    assert isinstance(change.before, FunctionState)
    assert isinstance(change.after, FunctionState)
    assert change.before.env == {"DD_ENV": "staging"}
    assert change.after.env == {"DD_ENV": "prod", "DD_SITE": "b", "DD_LOG_LEVEL": "debug"}


def test_what_was_taken_out_again_is_nobodys(tmp_path: Path) -> None:
    record(tmp_path, "r1", function_change({}, {"DD_SITE": "a"}, was=("x",), now=("x", "dd")))
    record(tmp_path, "r2", function_change({"DD_SITE": "a"}, {}, was=("x", "dd"), now=("x",)))
    assert applied(tmp_path) == {}


def test_a_kept_record_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    record(tmp_path, "r1", creation("a"))
    first = applied(tmp_path)
    (kept,) = (tmp_path / "applied").iterdir()
    kept.write_text("{")
    assert applied(tmp_path) == first


def test_tags_and_registrations_are_folded_key_by_key_and_member_by_member() -> None:
    tags = resource("orders", "function_tags")
    first = Change(
        step="s",
        resource=tags,
        before=TagsState(tags={"env": "x"}),
        after=TagsState(tags={"env": "y"}),
        why="",
    )
    then = Change(step="s", resource=tags, before=TagsState(), after=TagsState(tags={"team": "shop"}), why="")
    both = folded(first, then)
    assert both.before == TagsState(tags={"env": "x"})
    assert both.after == TagsState(tags={"env": "y", "team": "shop"})
    collection = resource(ACCOUNT, "log_collection")

    def registration(before: tuple[str, ...], after: tuple[str, ...]) -> Change:
        sides = LogCollectionState(lambdas=before), LogCollectionState(lambdas=after)
        return Change(step="s", resource=collection, before=sides[0], after=sides[1], why="")

    both = folded(registration(("old",), ("a",)), registration(("a",), ("b",)))
    assert both.before == LogCollectionState(lambdas=("old",))
    assert both.after == LogCollectionState(lambdas=("b",))


def test_what_another_organisation_keeps_is_no_record_of_this_one(tmp_path: Path) -> None:
    registered = Change(
        step="collection",
        resource=resource("1", "log_collection"),
        before=None,
        after=LogCollectionState(lambdas=("a",)),
        why="test",
    )
    record(tmp_path, "r1", registered, function_change({}, {"DD_SITE": "a"}))
    for site, known in (("datadoghq.eu", {FUNCTION, registered.resource}), ("datadoghq.com", {FUNCTION})):
        found = last_applied(OnDisk(tmp_path), frozenset({ACCOUNT}), tmp_path, site=site)
        assert set(found or {}) == known

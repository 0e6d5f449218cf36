"""Tags of many functions are not read again while CloudTrail knows of no change to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.account import FORWARDER
from ddsetup.flow import verbs
from ddsetup.flow.keeping import Kept, look_for_drift
from ddsetup.flow.known_tags import FEW
from ddsetup.model.event import Event
from ddsetup.settings.given import from_flags
from tests.gateways.crowd import REGION, Bench, bench

__all__ = ["bench"]

FLAGS = {"all": True, "site": "datadoghq.com", "region": (REGION,), "env": "prod"}


def looked(bench: Bench, **flags: object) -> tuple[Kept, Mapping[str, int]]:
    session = bench.session()
    kept = look_for_drift(session, from_flags({**FLAGS, **flags}))
    return kept, session.aws.calls


@pytest.fixture(autouse=True)
def many_tags(bench: Bench) -> None:
    """More than are read at once: of functions that are gone, for AWS's index lags behind."""
    account = bench.memory.account
    account.tags |= {account.arn(f"gone-{number}"): {"team": "x"} for number in range(FEW)}


def file(bench: Bench) -> Path:
    (path,) = (bench.state_dir / "tags").iterdir()
    return path


def test_tags_are_read_again_once_the_trail_tells_of_a_change_or_a_day_later(bench: Bench) -> None:
    account = bench.memory.account
    bench.set_up(env="prod")

    kept, calls = looked(bench)
    assert kept.drift == ()
    assert calls["tag:GetResources"] == 0

    again = bench.set_up(env="prod")
    assert again.writes == set()
    assert again.calls["tag:GetResources"] == 0
    assert looked(bench, thorough=True)[1]["tag:GetResources"] > 0
    account.events.clear()  # the set-up is longer ago

    arn = account.arn("service-00009")
    account.tags[arn]["env"] = "stage"  # as if CloudTrail did not know yet
    kept, calls = looked(bench)
    assert (kept.drift, calls["tag:GetResources"]) == ((), 0)
    bench.memory.tag_resources({"ResourceARNList": [arn], "Tags": {"env": "dev"}})
    (found,) = looked(bench)[0].drift
    assert (found.kind, found.resource.name, found.what) == ("changed", "service-00009", "its tags: env")

    account.events.clear()
    mended = bench.set_up(env="prod")
    assert mended.calls["tag:GetResources"] > 0, "before anything is written all tags are read"
    assert account.tags[arn]["env"] == "prod"

    account.events.clear()
    account.tags[arn]["env"] = "stage"
    assert looked(bench)[0].drift == ()
    old = (datetime.now(UTC) - timedelta(days=1, minutes=1)).isoformat()
    file(bench).write_text(json.dumps(json.loads(file(bench).read_text()) | {"read": old}))
    assert [each.resource.name for each in looked(bench)[0].drift] == ["service-00009"]


def test_tags_are_read_where_the_trail_may_not_be(bench: Bench) -> None:
    looked(bench)
    for text in ("not json", json.dumps({"address": bench.front.url}), ""):
        file(bench).write_text(text)
        assert looked(bench)[1]["tag:GetResources"] > 0
    bench.front.refuse("cloudtrail:LookupEvents")
    assert looked(bench)[1]["tag:GetResources"] > 0


def test_who_is_chosen_by_tag_is_not_taken_from_what_is_known(bench: Bench) -> None:
    account = bench.memory.account
    bench.set_up(env="prod")
    account.events.clear()
    account.tags[account.arn("service-00009")]["team"] = "mine"  # as if CloudTrail did not know yet
    chosen = {"all": False, "tag": ("team=mine",)}
    assert [each.name for each in looked(bench, **chosen)[0].selected] == ["service-00009"]
    assert bench.set_up(env="stage", **chosen).writes != set()


def test_a_forwarder_that_was_brought_up_to_date_is_not_taken_for_an_old_one(bench: Bench) -> None:
    account = bench.memory.account
    bench.set_up(env="prod")
    tags = account.tags[account.arn(FORWARDER)]
    good = tags["dd_forwarder_version"]

    named = {"forwarder_stack": "another", "forwarder_name": "another"}
    looks = (
        lambda: looked(bench, **named)[0].drift,
        lambda: bench.set_up(env="prod", **named).before.plan.changes,
    )
    for look in looks:
        tags["dd_forwarder_version"] = "1.0.0"
        looked(bench, thorough=True)
        account.events.clear()
        tags["dd_forwarder_version"] = good  # as if CloudTrail did not know yet
        assert look() == ()


def test_a_run_that_is_killed_while_it_puts_tags_leaves_none_that_are_known(bench: Bench) -> None:
    bench.set_up(env="prod")
    folder, there = file(bench).parent, set[int]()

    def watched(event: Event) -> None:
        if event.kind == "finished":
            there.add(len(tuple(folder.iterdir())))

    session = bench.session()
    session = replace(session, host=replace(session.host, on_event=watched))
    prepared = verbs.prepare(session, from_flags({**FLAGS, "env": "stage"}))
    verbs.carry_out(session, prepared.plan.changes, prepared.snapshot, command="setup")
    assert there == {0}
    assert file(bench).exists(), "they are known again once all are put"

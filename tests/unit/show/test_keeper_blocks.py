"""The keeper in AWS as it is told: what is installed, when it runs, how its runs went."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ddsetup.journal.brief import Brief, Trace
from ddsetup.journal.records import Header
from ddsetup.model.account import Stack, Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.keeper import Alarm, Build
from ddsetup.model.lines import Look
from ddsetup.model.report import Report
from ddsetup.plan.keep_install import Found
from ddsetup.plan.keep_template import template
from ddsetup.show.keeper_blocks import (
    as_data,
    installed_blocks,
    notes_blocks,
    status_blocks,
    uninstalled_blocks,
)
from ddsetup.show.layout import plain_text
from tests import builders as b
from tests.unit.plan.test_keep_template import TOML, wish

NOW = datetime(2026, 11, 28, 22, 5, tzinfo=UTC)
STACK = Stack(
    name="ddsetup-keep",
    status="CREATE_COMPLETE",
    outputs={"Version": "0.1.0", "Every": "4", "State": "s3://acme/prod"},
)
FOUND = Found(lane=b.lane(), stack=STACK, template=template(wish()))


def build(at: int, status: str = "SUCCEEDED", **over: Any) -> Build:
    moment = NOW.replace(hour=at)
    ended = None if status == "IN_PROGRESS" else moment
    usual = {"initiator": "rule/ddsetup-keep-schedule", **over}
    return Build(id=f"ddsetup-keep:{at}", status=status, started=moment, ended=ended, **usual)


def brief() -> Brief:
    header = Header(
        run="run-1",
        version="0.1.0",
        command="keep apply",
        accounts=(b.ACCOUNT,),
        regions=(b.REGION,),
        site="datadoghq.eu",
        started=NOW,
    )
    trace = Trace(1, ResourceId("function", b.function_arn("orders")), "instrument", "", "x", "applied")
    return Brief(header=header, traces=(trace,), ended="whole")


def shown(*rows: Any, verbose: bool = False) -> str:
    look = Look(verbose=verbose)
    return plain_text(status_blocks({"keepers": rows}, look), look)


def test_what_is_installed_and_how_it_goes() -> None:
    runs = (
        (build(20, "IN_PROGRESS"), None),
        (build(18, initiator="rule/ddsetup-keep-deployments"), brief()),
        (build(16, "FAILED", phase="BUILD", why="exit 4", initiator="ann"), None),
        (build(12), None),
    )
    data = as_data(FOUND, runs, (Alarm("ddsetup-keep-failed", "ALARM"),), ("no trail",), NOW)
    assert (data["ok"], data["next"], data["keeps"]) == (True, "2026-11-29T00:33:00.000Z", TOML.splitlines())
    text = shown(data, verbose=True)
    for said in (
        "CREATE_COMPLETE, ddsetup 0.1.0",
        "runs every 4 hours, next on 2026-11-29 at 00:33 UTC, and after deployments",
        "! no trail",
        "alarm ddsetup-keep-failed: ALARM",
        'site = "datadoghq.eu"',
        "a deployment",
        "failed: BUILD exit 4",
        "1 change",
        "run-1",
        "in progress",
    ):
        assert said in text


def test_the_last_run_that_ended_tells_whether_it_goes_well() -> None:
    failed = as_data(FOUND, ((build(18, "IN_PROGRESS"), None), (build(16, "FAILED"), None)), (), (), NOW)
    assert failed["ok"] is False
    fresh = as_data(FOUND, (), (), (), NOW)
    assert (fresh["ok"], "has not run yet" in shown(fresh)) == (None, True)


def test_what_may_not_be_read_is_said() -> None:
    denied = Unreadable("codebuild:ListBuildsForProject", "not allowed")
    data = as_data(FOUND, denied, denied, (), NOW)
    assert data["notes"] == ["not allowed (needs codebuild:ListBuildsForProject)"] * 2
    assert (data["runs"], data["ok"]) == (None, None)
    assert "not known" in shown(data)


def test_nothing_installed_is_said() -> None:
    data = as_data(Found(lane=b.lane()), (), (), (), NOW)
    assert (data["installed"], data["next"], data["every"]) == (False, "", None)
    assert "not installed in eu-west-1" in shown(data)


def test_a_stack_that_is_being_made_does_not_tell_yet() -> None:
    made = Found(lane=b.lane(), stack=Stack(name="ddsetup-keep", status="CREATE_IN_PROGRESS", outputs={}))
    text = shown(as_data(made, (), (), (), NOW))
    assert "CREATE_IN_PROGRESS\n" in text
    assert "when it runs is not known" in text
    assert "None" not in text


def test_notes_of_an_installation() -> None:
    assert plain_text(notes_blocks({"notes": ["no trail"]}, Look()), Look()).strip() == "! no trail"


def test_where_there_was_nothing_to_do_that_is_said() -> None:
    report = Report(command="keep install", account=b.ACCOUNT, regions=(b.REGION,), data={"notes": []})
    assert (
        plain_text(installed_blocks(report, Look()), Look()).strip() == "installed as wanted: nothing to do"
    )
    assert "nothing to take away" in plain_text(uninstalled_blocks(report, Look()), Look())

"""What putting the keeper into an account, and taking it away, changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ddsetup.model.account import Secret, Stack, Unreadable
from ddsetup.model.states import SecretState, StackState
from ddsetup.plan.keep_install import Found, fights, leads_back, plan_install, plan_uninstall
from ddsetup.plan.keep_template import STACK, template
from ddsetup.plan.steps.api_key import APP_SECRET_NAME, OWN_TAGS, SECRET_NAME, SITE_TAG
from tests import builders as b
from tests.unit.plan.test_keep_template import OWN, wish

KEY = Secret(name=SECRET_NAME, arn=OWN, tags=OWN_TAGS)
APP_KEY = Secret(name=APP_SECRET_NAME, arn=OWN, tags=OWN_TAGS)


def found(stack: Stack | None = None, template: Any = None, **secrets: Any) -> Found:
    held = {SECRET_NAME: secrets.get("api", KEY), APP_SECRET_NAME: secrets.get("app")}
    return Found(lane=b.lane(), stack=stack, template=template, secrets=held)


def stack(status: str = "CREATE_COMPLETE", **over: Any) -> Stack:
    usual = Stack(name=STACK, status=status, tags=OWN_TAGS, outputs={"Version": "0.0.9"})
    return replace(usual, **over)


def test_the_keys_come_before_the_stack() -> None:
    plan = plan_install(found(), wish(), OWN_TAGS)
    key, made = plan.changes
    assert key.after == SecretState(
        name=APP_SECRET_NAME, description="Datadog application key, kept by ddsetup", tags=OWN_TAGS
    )
    assert isinstance(made.after, StackState)
    assert made.after.template == template(wish())
    assert key.resource in made.needs
    assert [skipped.resource.id for skipped in plan.skipped] == [SECRET_NAME]


def test_secrets_of_ones_own_are_left_alone() -> None:
    plan = plan_install(found(), wish(api_key=OWN, app_key=OWN), OWN_TAGS)
    assert [change.resource.kind for change in plan.changes] == ["stack"]


def test_what_is_there_already_is_kept_or_changed() -> None:
    same = plan_install(found(stack(), template(wish()), app=APP_KEY), wish(), OWN_TAGS)
    assert (same.changes, len(same.skipped)) == ((), 3)
    (change,) = plan_install(found(stack(), template(wish()), app=APP_KEY), wish(every=4), OWN_TAGS).changes
    assert (change.action, change.why) == ("update", "keeps another: Schedule, SilentAlarm")
    assert isinstance(change.before, StackState)
    assert change.before.template == template(wish())


def test_a_stack_of_that_name_that_is_not_ours_is_left_alone() -> None:
    theirs = found(stack(tags={}))
    assert [s.status for s in plan_install(theirs, wish(), {}).skipped if s.resource.id == STACK] == [
        "skipped"
    ]
    assert plan_uninstall(theirs).changes == ()
    busy = plan_install(found(stack("UPDATE_IN_PROGRESS"), app=APP_KEY), wish(), {})
    assert (busy.changes, busy.skipped[-1].status) == ((), "skipped")


def test_the_remains_of_a_failed_installation_make_room() -> None:
    plan = plan_install(found(stack("ROLLBACK_COMPLETE"), app=APP_KEY), wish(), OWN_TAGS)
    assert [(c.action, c.precondition) for c in plan.changes] == [("create", "ROLLBACK_COMPLETE")]
    assert not found(stack("ROLLBACK_COMPLETE")).installed


def test_what_is_kept_now_must_be_seen_before_it_is_changed() -> None:
    denied = Unreadable("cloudformation:GetTemplate", "not allowed")
    plan = plan_install(found(stack(), denied, app=APP_KEY), wish(), OWN_TAGS)
    assert (plan.changes, plan.skipped[-1].permission) == ((), "cloudformation:GetTemplate")


def test_a_secret_of_somebody_else_that_is_being_deleted_is_not_taken_over() -> None:
    theirs = Secret(name=APP_SECRET_NAME, arn=OWN, deleted=True)
    plan = plan_install(found(app=theirs), wish(), OWN_TAGS)
    assert APP_SECRET_NAME not in [change.resource.id for change in plan.changes]
    (said,) = [s for s in plan.skipped if s.resource.id == APP_SECRET_NAME]
    assert (said.status, "not made by ddsetup" in said.reason) == ("skipped", True)
    ours = plan_install(found(app=replace(theirs, tags=OWN_TAGS)), wish(), OWN_TAGS).changes[0]
    assert (ours.resource.id, "it is restored" in ours.note) == (APP_SECRET_NAME, True)


def test_a_secret_that_may_not_be_looked_at_stops_it() -> None:
    denied = Unreadable("secretsmanager:DescribeSecret", "not allowed")
    plan = plan_install(found(app=denied), wish(), OWN_TAGS)
    assert "secretsmanager:DescribeSecret" in {skipped.permission for skipped in plan.skipped}
    assert (plan.changes, plan.skipped[-1].resource.id) == ((), STACK)
    assert APP_SECRET_NAME in plan.skipped[-1].reason


def test_the_key_of_another_site_stops_it_too() -> None:
    elsewhere = replace(APP_KEY, tags={**OWN_TAGS, SITE_TAG: "datadoghq.com"})
    plan = plan_install(found(app=elsewhere), wish(), {**OWN_TAGS, SITE_TAG: "datadoghq.eu"})
    assert plan.changes == ()
    assert [s.reason for s in plan.skipped if s.resource.id == APP_SECRET_NAME] == [
        "holds the key of datadoghq.com"
    ]


def test_what_was_installed_goes_and_what_functions_read_stays() -> None:
    plan = plan_uninstall(found(stack(), template(wish()), app=APP_KEY))
    assert [(c.resource.id, c.action) for c in plan.changes] == [
        (STACK, "delete"),
        (APP_SECRET_NAME, "delete"),
    ]
    assert plan.changes[1].needs == (plan.changes[0].resource,)
    # Undone, it is made again to the letter.
    assert plan.changes[0].inverse().after == plan.changes[0].before
    assert plan_uninstall(found()).changes == ()


def test_datadogs_own_instrumentation_is_seen() -> None:
    lane = b.lane_snapshot(datadog_rule=True)
    remote = b.lane_snapshot(stacks=(Stack(name="datadog-remote-instrument", status="CREATE_COMPLETE"),))
    assert "EventBridge rule" in fights(b.snapshot(lane))[0]
    assert "datadog-remote-instrument" in fights(b.snapshot(remote))[0]
    assert fights(b.snapshot(b.lane_snapshot())) == ()


def test_a_keeper_for_another_site_is_told() -> None:
    keeper = Stack(name=STACK, status="CREATE_COMPLETE", tags={SITE_TAG: "datadoghq.com"})
    assert leads_back(keeper, "datadoghq.eu").startswith("keeps what was set up for datadoghq.com, and leads")
    assert leads_back(keeper, "datadoghq.com") == leads_back(keeper, "") == ""
    assert leads_back(replace(keeper, tags={}), "datadoghq.eu") == ""

"""Each command as an operator who may do what `ddsetup policy` prints for that command, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ddsetup.sandbox.model import ACCOUNT, OPERATOR
from tests.e2e.conftest import OpenPlace, Place, Result
from tests.e2e.world import differences

pytestmark = pytest.mark.e2e

UNION = f"arn:aws:iam::{ACCOUNT}:policy/{OPERATOR}"
DONE = ("--yes", "--no-verify", "--output", "json")


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    return open_place("healthy")


@contextmanager
def allowed(place: Place, *commands: str, options: tuple[str, ...] = ()) -> Iterator[None]:
    """The operator with the policy of these commands alone. It is printed for somebody who may do nothing."""
    iam = place.world.client("iam")
    iam.detach_user_policy(UserName=OPERATOR, PolicyArn=UNION)
    try:
        named = [word for command in commands for word in ("--for", command)]
        printed = place.cli("policy", *named, *options)
        assert printed.code == 0, printed.stderr
        assert json.loads(printed.stdout)["Statement"]
        made = iam.create_policy(PolicyName="own", PolicyDocument=printed.stdout)["Policy"]["Arn"]
        iam.attach_user_policy(UserName=OPERATOR, PolicyArn=made)
        try:
            yield
        finally:
            iam.detach_user_policy(UserName=OPERATOR, PolicyArn=made)
            iam.delete_policy(PolicyArn=made)
    finally:
        iam.attach_user_policy(UserName=OPERATOR, PolicyArn=UNION)


def run(place: Place, rights: tuple[str, ...], *arguments: str, options: tuple[str, ...] = ()) -> Result:
    """Run it with the rights of these commands, for these options: it goes well, and AWS refuses nothing."""
    with allowed(place, *rights, options=options):
        seen = len(place.world.calls())
        result = place.cli(*arguments)
    assert result.code == 0, (rights, result.stdout, result.stderr)
    key = place.sandbox.operator.access_key_id
    made = [call for call in place.world.calls()[seen:] if call["access_key"] == key]
    assert made
    refused = {f"{c['service']}:{c['operation']}" for c in made if c["status"] in (401, 403)}
    assert refused == set(), rights
    return result


def test_without_any_right_the_log_of_calls_shows_the_refusal(shop: Place) -> None:
    """What the tests below rely on to see that nothing was refused."""
    iam, seen = shop.world.client("iam"), len(shop.world.calls())
    iam.detach_user_policy(UserName=OPERATOR, PolicyArn=UNION)
    try:
        assert shop.cli("status").code == 4
    finally:
        iam.attach_user_policy(UserName=OPERATOR, PolicyArn=UNION)
    assert 403 in [call["status"] for call in shop.world.calls()[seen:]]


def test_looking_and_applying_a_plan_and_giving_it_back(shop: Place) -> None:
    before = shop.world.everything()
    run(shop, ("status",), "status")
    plan = str(shop.cli.home / "plan.json")
    run(shop, ("plan",), "plan", "--all", "--out", plan)
    applied = run(shop, ("apply",), "apply", plan, *DONE)
    assert {o["status"] for o in applied.outcomes().values()} == {"applied"}
    run(shop, ("undo",), "undo", "--yes")
    assert differences(before, shop.world.everything()) == []


def test_setting_up_proving_looking_after_and_taking_out(shop: Place) -> None:
    done = run(shop, ("setup",), "setup", "--all", *DONE)
    assert {o["status"] for o in done.outcomes().values()} == {"applied"}
    run(shop, ("verify", "invoke"), "verify", "--all", "--invoke", "--yes", "--wait", "90")
    run(shop, ("verify",), "verify", "--all")
    seen = run(shop, ("doctor",), "doctor", "--all", "--output", "json").json
    assert seen["data"]["unreadable"] == []
    before = shop.world.everything()
    taken = run(shop, ("uninstrument",), "uninstrument", "--all", "--yes", "--output", "json")
    assert taken.outcomes()["coffee-orders"]["status"] == "applied"
    assert {o["status"] for o in taken.outcomes().values()} == {"applied", "unchanged"}
    run(shop, ("uninstrument", "undo"), "undo", "--yes")
    assert differences(before, shop.world.everything()) == []
    run(shop, ("undo",), "undo", "--yes")


@pytest.mark.parametrize(
    "options",
    [
        ("--via", "extension"),
        ("--subscribe", "direct", "--on-conflict", "replace"),
        ("--forwarder-param", "InstallAsLayer=false", "--resource-tag", "cost-center=42"),
    ],
    ids=["extension", "direct", "copied-zip"],
)
def test_other_ways_of_setting_up_have_policies_of_their_own(shop: Place, options: tuple[str, ...]) -> None:
    before = shop.world.everything()
    chosen = ("--function", "coffee-orders", *options)
    done = run(shop, ("setup",), "setup", *chosen, *DONE, options=chosen)
    assert done.outcomes()["coffee-orders"]["status"] == "applied"
    run(shop, ("undo",), "undo", "--yes", options=options)
    assert differences(before, shop.world.everything()) == []

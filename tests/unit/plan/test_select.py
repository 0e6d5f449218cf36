"""Choosing functions by rule, and being told when a rule means nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.model.account import Function, Layer, Unreadable
from ddsetup.model.answers import Selection
from ddsetup.model.errors import Denied, UsageError
from ddsetup.plan.select import nearest, select, select_in
from tests.builders import ACCOUNT, REGION, function, function_arn, lane, lane_snapshot, snapshot

ORDERS, PAYMENTS, REPORT = function("orders"), function("payments"), function("Report", runtime="nodejs22.x")
ALL = (ORDERS, PAYMENTS, REPORT)
TAGS = {
    ORDERS.arn: {"team": "shop", "aws:cloudformation:stack-name": "shop-prod"},
    PAYMENTS.arn: {"team": "money"},
}


def chosen(functions: tuple[Function, ...] = ALL, **rules: Any) -> list[str]:
    return [f.name for f in select(functions, TAGS, Selection(**rules), (lane(),))]


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ({"all": True}, ["orders", "payments", "Report"]),
        ({}, []),
        ({"names": ("orders",)}, ["orders"]),
        ({"names": ("*e*",)}, ["orders", "payments", "Report"]),
        ({"names": ("R*",)}, ["Report"]),
        ({"names": (ORDERS.arn,)}, ["orders"]),
        ({"names": (f"{ORDERS.arn}:$LATEST",)}, ["orders"]),
        ({"names": ("arn:aws:lambda:*:*:function:pay*",)}, ["payments"]),
        ({"names": ("orders", "Report"), "runtimes": ("python*",)}, ["orders"]),
        ({"all": True, "exclude": ("pay*",)}, ["orders", "Report"]),
        ({"all": True, "exclude": ("nothing-like-it",)}, ["orders", "payments", "Report"]),
        ({"tags": (("team", "shop"),)}, ["orders"]),
        ({"tags": (("team", "*"),)}, ["orders", "payments"]),
        ({"runtimes": ("node",)}, ["Report"]),
        ({"stacks": ("shop-*",)}, ["orders"]),
    ],
)
def test_rules_narrow_each_other(rules: dict[str, Any], names: list[str]) -> None:
    assert chosen(**rules) == names


def test_by_state() -> None:
    done = function(
        "done", layers=(Layer(f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Python312:127"),)
    )
    assert chosen((ORDERS, done), all=True, state="uninstrumented") == ["orders"]
    assert chosen((ORDERS, done), all=True, state="instrumented") == ["done"]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"names": ("order",)}, "did you mean orders"),
        ({"names": ("r*port",)}, "did you mean Report"),
        ({"names": ("orders", "paymnts")}, "'paymnts' matches no function; did you mean payments"),
        ({"tags": (("taem", "shop"),)}, "did you mean team"),
        ({"runtimes": ("ruby*",)}, "no function has the runtime"),
        ({"stacks": ("shop-prd",)}, "did you mean shop-prod"),
        ({"all": True, "exclude": ("paymnts",)}, "--exclude paymnts"),
    ],
)
def test_a_rule_that_means_nothing_is_an_error_with_the_nearest_name(
    rules: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(**rules)
    assert said in caught.value.what
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        (function_arn("orders", account="999988887777"), "account 999988887777"),
        (function_arn("orders", region="us-east-1"), "region us-east-1"),
        (f"{ORDERS.arn}:live", "version or alias live"),
        ("arn:aws:s3:::bucket", "not the ARN of a function"),
    ],
)
def test_an_arn_from_elsewhere_is_named(arn: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(names=(arn,))
    assert said in caught.value.what


def test_a_snapshot_is_searched_in_all_its_lanes() -> None:
    far = function("far", region="us-east-1")
    held = snapshot(lane_snapshot(ORDERS), lane_snapshot(far))
    assert [f.name for f in select_in(held, Selection(names=("*r*",)))] == ["orders", "far"]


def test_tags_that_cannot_be_read_are_not_taken_for_none() -> None:
    held = snapshot(lane_snapshot(ORDERS, tags=Unreadable("tag:GetResources", "access denied")))
    with pytest.raises(Denied) as caught:
        select_in(held, Selection(tags=(("team", "shop"),)))
    assert caught.value.action == "tag:GetResources"
    assert select_in(held, Selection(all=True)) == (ORDERS,)


def test_nearest_ignores_case_and_wildcards() -> None:
    assert nearest("*REPORTS*", ["Report", "x"]) == ("Report",)
    assert nearest("zzz", ["Report"]) == ()
    assert ACCOUNT in ORDERS.arn

"""A filter of our own name that is not ours to the letter is not overwritten: each field is compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.apply.writers.logs import FilterWriter, differing
from ddsetup.model.account import SubscriptionFilter
from ddsetup.model.states import FilterState
from tests.gateways.bench import Bench, aws, bench, change, moto_url
from tests.gateways.test_writers import functions

__all__ = ["aws", "bench", "moto_url"]

NAME = "ddsetup-datadog-forwarder"
UNRESOLVED: Any = None
"""No reference is in these changes."""


@pytest.fixture
def arns(bench: Bench) -> tuple[str, str]:
    first, second = functions(bench, "forwarder", "another")
    bench.client("logs").create_log_group(logGroupName="g")
    return first, second


def live(bench: Bench) -> dict[str, Any]:
    (found,) = bench.client("logs").describe_subscription_filters(logGroupName="g")["subscriptionFilters"]
    return dict(found)


def test_one_of_our_name_to_another_destination_stays(bench: Bench, arns: tuple[str, str]) -> None:
    ours, theirs = arns
    bench.client("logs").put_subscription_filter(
        logGroupName="g", filterName=NAME, filterPattern="", destinationArn=theirs
    )
    state = FilterState(log_group="g", name=NAME, destination_arn=ours)
    outcome = bench.one(change("subscription_filter", f"g:{NAME}", None, state))
    assert outcome.status == "changed_since"
    assert outcome.reason == f"changed since: a filter of this name is there, to {theirs}"
    taking = bench.one(change("subscription_filter", f"g:{NAME}", state, None))
    assert (taking.status, taking.reason) == ("changed_since", "changed since: destination")
    assert live(bench)["destinationArn"] == theirs


def test_one_of_our_name_with_a_pattern_of_theirs_stays(bench: Bench, arns: tuple[str, str]) -> None:
    ours, _ = arns
    bench.client("logs").put_subscription_filter(
        logGroupName="g", filterName=NAME, filterPattern="ERROR", destinationArn=ours
    )
    state = FilterState(log_group="g", name=NAME, destination_arn=ours)
    assert bench.one(change("subscription_filter", f"g:{NAME}", None, state)).status == "changed_since"
    assert live(bench)["filterPattern"] == "ERROR"


def test_what_was_read_a_moment_ago_is_enough_for_a_name_of_our_own_only(
    bench: Bench, arns: tuple[str, str]
) -> None:
    """The writer is told that the group has no filter. It believes that of a name that nobody else uses."""
    ours, theirs = arns
    bench.client("logs").put_subscription_filter(
        logGroupName="g", filterName="theirs", filterPattern="", destinationArn=theirs
    )
    told = FilterWriter(bench.aws, UNRESOLVED, bench.clock, lambda lane, group: ())
    state = FilterState(log_group="g", name="theirs", destination_arn=ours)
    assert told.write_one(change("subscription_filter", "g:theirs", None, state)).status == "changed_since"
    assert bench.calls("logs:DescribeSubscriptionFilters") == 1
    own = change("subscription_filter", f"g:{NAME}", None, replace(state, name=NAME))
    assert told.write_one(own).status == "applied"
    assert bench.calls("logs:DescribeSubscriptionFilters") == 1


def test_under_a_name_of_the_run_it_is_put_unseen_and_a_full_group_is_read(
    bench: Bench, arns: tuple[str, str]
) -> None:
    ours, theirs = arns
    name = "ddsetup-forwarder-0a1b2c"
    state = FilterState(log_group="g", name=name, destination_arn=ours)
    put = change("subscription_filter", f"g:{name}", None, state)
    assert bench.one(put).status == "applied"
    assert bench.calls("logs:DescribeSubscriptionFilters") == 0
    logs = bench.client("logs")
    logs.put_subscription_filter(
        logGroupName="g", filterName="other", filterPattern="", destinationArn=theirs
    )
    again = replace(state, name="ddsetup-forwarder-d0e1f2")
    twice = bench.one(change("subscription_filter", f"g:{again.name}", None, again))
    assert (twice.status, name in twice.reason) == ("unchanged", True)
    logs.delete_subscription_filter(logGroupName="g", filterName=name)
    logs.put_subscription_filter(logGroupName="g", filterName="one", filterPattern="", destinationArn=theirs)
    full = bench.one(put)
    assert (full.status, "full" in full.reason, theirs in full.reason) == ("skipped", True, True)


STATE = FilterState(log_group="g", name=NAME, destination_arn="arn:aws:lambda:eu-west-1:1:function:f")
FOUND = SubscriptionFilter(log_group="g", name=NAME, destination_arn=STATE.destination_arn)


@pytest.mark.parametrize(
    ("over", "names"),
    [
        ({}, []),
        ({"pattern": "x"}, ["pattern"]),
        ({"destination_arn": "arn:other"}, ["destination"]),
        ({"role_arn": "arn:aws:iam::1:role/r"}, ["role"]),
        ({"role_arn": ""}, []),
        ({"distribution": "Random"}, ["distribution"]),
        ({"distribution": "ByLogStream"}, []),
        ({"apply_on_transformed_logs": True}, ["transformed logs"]),
        ({"apply_on_transformed_logs": False}, []),
        ({"emit_system_fields": ("@aws.account",)}, ["system fields"]),
        ({"field_selection_criteria": "x"}, ["selection criteria"]),
        ({"field_selection_criteria": ""}, []),
        ({"role_arn": "r", "distribution": "Random"}, ["role", "distribution"]),
    ],
)
def test_every_field_is_compared_in_both_directions(over: dict[str, Any], names: list[str]) -> None:
    assert differing(replace(FOUND, **over), STATE) == names
    assert differing(FOUND, replace(STATE, **over)) == names
    assert differing(replace(FOUND, **over), replace(STATE, **over)) == []


def test_system_fields_are_a_set() -> None:
    one, two = ("@aws.account", "@aws.region"), ("@aws.region", "@aws.account")
    assert differing(replace(FOUND, emit_system_fields=one), replace(STATE, emit_system_fields=two)) == []


def test_one_with_another_role_is_not_taken_away(bench: Bench, arns: tuple[str, str]) -> None:
    kinesis = bench.client("kinesis")
    kinesis.create_stream(StreamName="logs", ShardCount=1)
    stream = kinesis.describe_stream(StreamName="logs")["StreamDescription"]["StreamARN"]
    role = "arn:aws:iam::123456789012:role/delivers"
    bench.client("logs").put_subscription_filter(
        logGroupName="g", filterName="theirs", filterPattern="", destinationArn=stream, roleArn=role
    )
    right = FilterState(log_group="g", name="theirs", destination_arn=stream, role_arn=role)
    for wrong in (None, f"{role}-of-old"):
        planned = change("subscription_filter", "g:theirs", replace(right, role_arn=wrong), None)
        outcome = bench.one(planned)
        assert (outcome.status, outcome.reason) == ("changed_since", "changed since: role")
    assert live(bench)["roleArn"] == role
    assert bench.one(change("subscription_filter", "g:theirs", right, None)).status == "applied"

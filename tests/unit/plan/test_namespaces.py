"""Which CloudWatch namespaces Datadog crawls, also where its own list of them could not be read."""

from __future__ import annotations

import pytest

from ddsetup.model.account import NamespaceFilter
from ddsetup.plan.steps.namespaces import admitting, initial_filter, unknown_namespaces

UNREADABLE: tuple[str, ...] = ()
"""What a snapshot holds where Datadog's list could not be read."""
LISTED = ("AWS/Lambda", "AWS/SQS", "AWS/ElasticMapReduce", "AWS/DynamoDB")


def excluding(*names: str) -> NamespaceFilter:
    return NamespaceFilter(mode="exclude_only", names=names)


def including(*names: str) -> NamespaceFilter:
    return NamespaceFilter(mode="include_only", names=names)


@pytest.mark.parametrize(
    ("wanted", "available", "names"),
    [
        (("AWS/Lambda",), UNREADABLE, ("AWS/SQS", "AWS/ElasticMapReduce", "AWS/Usage")),
        (("AWS/Lambda",), LISTED, ("AWS/SQS", "AWS/ElasticMapReduce")),
        (("AWS/Lambda", "AWS/SQS"), UNREADABLE, ("AWS/ElasticMapReduce", "AWS/Usage")),
        (("AWS/Lambda", "AWS/SQS"), LISTED, ("AWS/ElasticMapReduce",)),
    ],
)
def test_a_new_integration_leaves_out_what_datadog_leaves_out(
    wanted: tuple[str, ...], available: tuple[str, ...], names: tuple[str, ...]
) -> None:
    assert initial_filter(wanted, available) == excluding(*names)


@pytest.mark.parametrize(
    ("live", "after"),
    [
        (None, None),
        (excluding("AWS/SQS"), excluding("AWS/SQS")),
        (excluding("AWS/Lambda", "AWS/SQS"), excluding("AWS/SQS")),
        (including("AWS/Lambda"), including("AWS/Lambda")),
        (including("AWS/S3"), including("AWS/S3", "AWS/Lambda")),
        (including(), including("AWS/Lambda")),
    ],
)
def test_a_filter_is_changed_as_little_as_possible(
    live: NamespaceFilter | None, after: NamespaceFilter | None
) -> None:
    for available in (UNREADABLE, LISTED):
        assert admitting(live, ("AWS/Lambda",), available) == after


def test_datadogs_default_is_replaced_only_for_what_it_excludes() -> None:
    assert admitting(None, ("AWS/Lambda", "AWS/DynamoDB"), UNREADABLE) is None
    wanted = ("AWS/Lambda", "AWS/SQS")
    assert admitting(None, wanted, UNREADABLE) == excluding("AWS/ElasticMapReduce", "AWS/Usage")


def test_without_a_list_no_namespace_is_called_unknown() -> None:
    assert unknown_namespaces(("AWS/Lambda", "AWS/Odd"), UNREADABLE) == ()
    assert unknown_namespaces(("AWS/Lambda", "AWS/Odd"), LISTED) == ("AWS/Odd",)

"""What the doctor takes an account for: who subscribes its log groups."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.model.account import SubscriptionFilter, Unreadable
from tests import builders as b
from tests.unit.patient import FORWARDER_ARN, GROUP, PAYMENTS, Patient

OWN = b.subscription_filter(GROUP, "ddsetup-datadog-forwarder", FORWARDER_ARN)
AUTOMATIC = b.subscription_filter(GROUP, f"DD_LOG_SUBSCRIPTION_FILTER_{GROUP}", FORWARDER_ARN)
ELSEWHERE = b.subscription_filter(GROUP, "ddsetup-datadog-forwarder", b.function_arn("another"))
FOREIGN = b.subscription_filter(GROUP, "audit", FORWARDER_ARN)


def patient(*filters: SubscriptionFilter, registered: bool = False, **over: Any) -> Patient:
    made = Patient(**over)
    made.filters[GROUP] = filters
    if not registered:
        made.record(lambdas=(), sources=())
    return made


@pytest.mark.parametrize(
    ("filters", "registered", "how"),
    [
        ((OWN,), False, "direct"),
        ((OWN, FOREIGN), False, "direct"),
        ((OWN,), True, "automatic"),
        ((OWN, AUTOMATIC), False, "automatic"),
        ((AUTOMATIC,), False, "automatic"),
        ((FOREIGN,), False, "automatic"),
        ((ELSEWHERE,), False, "automatic"),
        ((), False, "automatic"),
    ],
)
def test_a_direct_setup_is_known_by_its_filters(
    filters: tuple[SubscriptionFilter, ...], registered: bool, how: str
) -> None:
    assert patient(*filters, registered=registered).case().subscribe == how


@pytest.mark.parametrize("asked", ["direct", "none"])
def test_what_was_asked_for_is_not_guessed(asked: Any) -> None:
    assert patient(AUTOMATIC, registered=True, answers=b.answers(subscribe=asked)).case().subscribe == asked


def test_filters_that_cannot_be_read_and_no_integration_are_no_automatic_ones() -> None:
    made = patient(OWN)
    made.filters[f"/aws/lambda/{PAYMENTS}"] = Unreadable("logs:DescribeSubscriptionFilters", "refused")
    made.integration = None
    assert made.case().subscribe == "direct"
    made.integration = Unreadable("aws_configuration_read", "refused")
    assert made.case().subscribe == "direct"

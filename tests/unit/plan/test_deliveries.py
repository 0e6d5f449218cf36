"""How often the Forwarder is invoked with the lines of a log group, as far as CloudWatch tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.model.cost import Traffic
from ddsetup.plan.cost import _deliveries
from ddsetup.plan.flows import LogFlow
from tests import builders as b

PAY, STOCK = b.function("pay"), b.function("stock")
GROUP = (b.lane(), "/g")
FLOW = LogFlow(
    group=GROUP,
    functions=(PAY, STOCK),
    chosen=True,
    now=1,
    after=1,
    forwarded_now=True,
    forwarded_after=True,
)
COUNTED = Traffic(invocations={PAY.arn: 3.0, STOCK.arn: 4.0}, hours={}, log_bytes={}, log_events={GROUP: 9.0})
QUIET = replace(COUNTED, log_events={GROUP: 0.0})


@pytest.mark.parametrize(
    ("over", "counted", "now", "after"),
    [
        ({}, COUNTED, 7.0, 7.0),
        ({"forwarded_now": False}, COUNTED, 0.0, 7.0),
        ({"forwarded_after": False}, COUNTED, 7.0, 0.0),
        ({"there": False}, COUNTED, 0.0, 0.0),
        ({"there": None}, COUNTED, 7.0, 7.0),
        ({"forwarded_now": None}, COUNTED, None, 7.0),
        ({"forwarded_now": None}, QUIET, 0.0, 7.0),
        ({"functions": ()}, COUNTED, None, None),
        ({"functions": ()}, QUIET, 0.0, 0.0),
        ({"functions": (PAY, b.function("unseen"))}, COUNTED, None, None),
    ],
)
def test_the_forwarder_is_invoked_about_as_often_as_the_functions(
    over: dict[str, Any], counted: Traffic, now: float | None, after: float | None
) -> None:
    flow = replace(FLOW, **over)
    assert (_deliveries(flow, counted, "now"), _deliveries(flow, counted, "after")) == (now, after)

"""The road that a function's data takes, place by place, and what a problem on it can stop.

A check says where on the road it stands (`at`) and which kinds of data its problem keeps back (`stops`). The
links of one function's chain, and the causes of data that does not arrive, are derived from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ddsetup.doctor.checks.check import Check
from ddsetup.facts.signals import KINDS
from ddsetup.model.report import SignalName

EVERYTHING: tuple[SignalName, ...] = tuple(kind.name for kind in KINDS)
ROAD: tuple[SignalName, ...] = tuple(name for name in EVERYTHING if name != "cloudwatch_metrics")
"""What the function itself, or its log, sends: all but what Datadog reads from CloudWatch."""
LIBRARY: tuple[SignalName, ...] = tuple(kind.name for kind in KINDS if kind.name in ROAD and kind.by_library)
"""What the library in the function makes."""


def with_causes(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks, of which those that data arrives have their causes: whatever can stop that data, in the
    order of the checks."""
    by_signal = {kind.check[0]: kind.name for kind in KINDS}

    def derived(check: Check) -> Check:
        signal = by_signal.get(check.id)
        if signal is None:
            return check
        return replace(
            check, because_of=tuple(c.id for c in checks if signal in c.stops and c.id != check.id)
        )

    return tuple(derived(check) for check in checks)

"""The road that a function's data takes, place by place, and what a problem on it can stop.

A check says where on the road it stands (`at`), what it proves, and what its problem keeps from being there
(`stops`). The links of one function's chain, and the causes of every finding, are derived from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ddsetup.doctor.checks.check import PLACES, Check
from ddsetup.facts.signals import KINDS
from ddsetup.model.report import SignalName

EVERYTHING: tuple[SignalName, ...] = tuple(kind.name for kind in KINDS)
ROAD: tuple[SignalName, ...] = tuple(name for name in EVERYTHING if name != "cloudwatch_metrics")
"""What the function itself, or its log, sends: all but what Datadog reads from CloudWatch."""
LIBRARY: tuple[SignalName, ...] = tuple(kind.name for kind in KINDS if kind.name in ROAD and kind.by_library)
"""What the library in the function makes."""


def with_causes(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks with their causes: whatever can stop what they prove. Of data, in the order of the checks;
    of what it needs on its way, the latest on the road first."""

    def causes(check: Check) -> list[Check]:
        found = [each for each in checks if check.proves in each.stops and each is not check]
        return found if check.proves in EVERYTHING else sorted(found, key=_place, reverse=True)

    return tuple(replace(check, because_of=tuple(c.id for c in causes(check))) for check in checks)


def _place(check: Check) -> int:
    return PLACES.index(check.at) if check.at else -1

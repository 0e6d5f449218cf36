"""Making traffic until there is proof: with one consent, functions are invoked again while data is missing.

What a function logs before its log group is subscribed is never sent on, and with it its traces and metrics.
So the first round waits for the subscription, and later ones follow at growing intervals.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from functools import partial

from ddsetup.facts.filters import AUTOMATIC_PREFIX, MAX_FILTERS, OWN_PREFIX
from ddsetup.facts.recognise import forwarder_like
from ddsetup.gateways.aws.errors import read_even_signed_out
from ddsetup.gateways.aws.logs import list_filters
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Function, Lane, SubscriptionFilter, Unreadable
from ddsetup.model.change import Outcome
from ddsetup.model.clock import Clock
from ddsetup.verify.invoke import invoke_all

AFTER_SECONDS = (60.0, 180.0, 420.0)
"""How long after the first round the next ones follow."""
PATIENCE_SECONDS = 300.0
"""How long the first round waits for Datadog to subscribe the log groups."""
_LOOKED_AT = 10
"""Log groups of a place that are looked at while waiting; AWS answers five such questions a second."""
_PAUSE = 3.0


@dataclass(slots=True)
class Rounds:
    """Invokes `functions` now and again. `told` gets the outcomes of the first round."""

    aws: Aws
    functions: tuple[Function, ...]
    payload: bytes
    clock: Clock
    told: Callable[[Sequence[Outcome]], None]
    _started: float = 0.0
    _done: int = 0
    _running: threading.Thread | None = field(default=None, repr=False)

    def begin(self) -> None:
        """The first round; returns when it is over."""
        self._started = self.clock.monotonic()
        self.told(invoke_all(self.aws, self.functions, self.payload))

    def again(self, wanting: Callable[[], Container[str]]) -> None:
        """Another round for functions whose data is missing, by their ARNs, if it is time for one; returns at
        once."""
        due = self._done < len(AFTER_SECONDS) and (
            self.clock.monotonic() - self._started >= AFTER_SECONDS[self._done]
        )
        busy = self._running is not None and self._running.is_alive()
        if not self.functions or not due or busy:
            return
        self._done += 1
        without = wanting()
        functions = tuple(f for f in self.functions if f.arn in without)
        if functions:
            self._running = threading.Thread(
                target=invoke_all, args=(self.aws, functions, self.payload), name="rounds", daemon=True
            )
            self._running.start()


def wait_for_subscriptions(
    aws: Aws, functions: Sequence[Function], clock: Clock, patience: float = PATIENCE_SECONDS
) -> bool:
    """Wait until the log groups of these functions, or the first of them in each place, lead to a Forwarder.

    Not for one that others' filters fill: nobody can subscribe that. False if they do not in time; also if
    that cannot be told.
    """
    by_lane: dict[Lane, dict[str, None]] = {}
    for function in functions:
        by_lane.setdefault(function.lane, {})[function.log_group] = None
    groups = [(lane, group) for lane, own in by_lane.items() for group in list(own)[:_LOOKED_AT]]
    deadline = clock.monotonic() + patience
    while groups:
        asked = each(lambda place: read_even_signed_out(partial(list_filters, aws, *place)), groups)
        found = dict(zip(groups, asked, strict=True))
        if any(isinstance(filters, Unreadable) for filters in found.values()):
            return False
        groups = [place for place, filters in found.items() if not _settled(filters)]
        if groups and clock.monotonic() >= deadline:
            return False
        if groups:
            clock.sleep(_PAUSE)
    return True


def _settled(filters: tuple[SubscriptionFilter, ...] | Unreadable) -> bool:
    """Whether there is nothing to wait for: it leads to a Forwarder, or has no room for one more filter."""
    full = not isinstance(filters, Unreadable) and len(filters) >= MAX_FILTERS
    return full or _leads_to_forwarder(filters)


def _leads_to_forwarder(filters: tuple[SubscriptionFilter, ...] | Unreadable) -> bool:
    if isinstance(filters, Unreadable):
        return False
    return any(
        found.name.startswith((AUTOMATIC_PREFIX, OWN_PREFIX))
        or forwarder_like(found.destination_arn.rsplit(":", 1)[-1])
        for found in filters
    )

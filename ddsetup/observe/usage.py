"""How often functions run, read in the background while a person reads the questions before.

It helps to choose and decides nothing: a run does without it, and an unattended one never asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from ddsetup.gateways.aws.metrics import invocations
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.errors import DdsetupError
from ddsetup.model.snapshot import Snapshot

MINUTES = 24 * 60
"""How far back is counted."""

Counts: TypeAlias = Mapping[str, float] | Unreadable
"""Invocations by the function's name."""
CountIn: TypeAlias = Callable[[Lane, Sequence[str]], Counts]

_ACTION = "cloudwatch:GetMetricData"
NOT_YET = Unreadable(_ACTION, "CloudWatch has not answered yet", denied=False)


class Usage:
    """The invocations of every function of a snapshot, counted by a thread for each lane once it is begun.

    The threads hold nobody up: a run that ends before them ends without them.
    """

    def __init__(self, snapshot: Snapshot, count: CountIn) -> None:
        self._names = {
            lane: tuple(f.name for f in seen.functions)
            for lane, seen in snapshot.lanes.items()
            if not isinstance(seen.functions, Unreadable)
        }
        self._count = count
        self._found: dict[Lane, Counts] = {}
        self._news = threading.Condition()
        self._begun = False

    def begin(self) -> None:
        """Start to count; nothing is counted twice."""
        if self._begun:
            return
        self._begun = True
        for lane in self._names:
            threading.Thread(target=self._read, args=(lane,), name="usage", daemon=True).start()

    def _read(self, lane: Lane) -> None:
        try:
            found = self._count(lane, self._names[lane])
        except DdsetupError as error:
            # Credentials that end meanwhile are somebody else's to notice.
            found = Unreadable(_ACTION, error.what, denied=False)
        with self._news:
            self._found[lane] = found
            self._news.notify_all()

    def wait(self, seconds: float) -> Mapping[Lane, Counts]:
        """What is known of each lane, `seconds` later at the latest."""
        self.begin()
        with self._news:
            self._news.wait_for(lambda: len(self._found) == len(self._names), seconds)
            return {lane: self._found.get(lane, NOT_YET) for lane in self._names}


def usage_of(aws: Aws, snapshot: Snapshot) -> Usage:
    """The invocations of the last `MINUTES`, by CloudWatch: a call for every 500 functions."""
    return Usage(snapshot, lambda lane, names: invocations(aws, lane, names, MINUTES))

"""Reading the subscription filters of many log groups while other work goes on.

AWS lets five of these calls pass a second, one log group each: minutes for a thousand functions. So they are
read in the background, first those that are likely to matter, and nothing waits for the others that need not.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeAlias

from ddsetup.facts.filters import AUTOMATIC_PREFIX, FORWARDER_FILTERS, OWN_PREFIX
from ddsetup.gateways.aws.logs import filters_at_work, list_filters
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change
from ddsetup.model.errors import DdsetupError, Interrupted, SignedOut
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.plan.steps.subscriptions import LatePlanner

Filters: TypeAlias = tuple[SubscriptionFilter, ...] | Unreadable
Place: TypeAlias = tuple[Lane, str]
"""A log group in its lane."""

FEW = 20
"""So many log groups are read within seconds: then everything is known before the plan is made."""
_MOST_BEFORE = 25
"""How many of the likely conflicts are waited for before the plan: five seconds at AWS's rate."""
_SAMPLE = 3
"""How many are waited for in any case, so that a missing permission shows before anything is written."""
_THREADS = 4
"""For each lane; one alone keeps up with five calls a second, unless AWS is slow."""
_FRESH_SECONDS = 60.0


def _unread(error: DdsetupError) -> Unreadable:
    return Unreadable("logs:DescribeSubscriptionFilters", error.what, denied=False)


class Sweep:
    """Reads the filters of log groups in threads of its own, each group once.

    `signed_out` tells that the AWS credentials ended on the way; all that was left then is unreadable.
    """

    def __init__(self, aws: Aws, groups: Mapping[Lane, Sequence[str]]) -> None:
        self._aws = aws
        self._seen: dict[Place, tuple[float, Filters]] = {}
        self._places = tuple((lane, name) for lane, names in groups.items() for name in names)
        self._news = threading.Condition()
        self._closed = False
        self._pools: list[ThreadPoolExecutor] = []
        self.signed_out: SignedOut | None = None
        self._pools += [self._start(lane, names) for lane, names in groups.items() if names]

    def _start(self, lane: Lane, names: Sequence[str]) -> ThreadPoolExecutor:
        pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="sweep")
        for name in names:
            pool.submit(self._read, lane, name)
        return pool

    def _read(self, lane: Lane, name: str) -> None:
        try:
            found = list_filters(self._aws, lane, name)
        except Interrupted:
            self.close()
            return
        except SignedOut as error:
            self._sign_out(error)
            return
        except DdsetupError as error:
            found = _unread(error)
        except BaseException:
            self.close()
            raise
        with self._news:
            self._seen[lane, name] = (self._aws.clock.monotonic(), found)
            self._news.notify_all()

    def _sign_out(self, error: SignedOut) -> None:
        """Nothing more can be read: what was not, is reported as that, group by group."""
        with self._news:
            self.signed_out = error
            now = self._aws.clock.monotonic()
            for place in self._places:
                self._seen.setdefault(place, (now, _unread(error)))
            self._news.notify_all()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    @property
    def size(self) -> int:
        """How many log groups there are to read."""
        return len(self._places)

    @property
    def left(self) -> int:
        """How many of them were not read yet; none once it is closed."""
        return 0 if self._closed else len(self._places) - len(self._seen)

    def arrived(self, known: int) -> list[tuple[Place, Filters]]:
        """What was read, in that order, without the first `known`."""
        with self._news:
            return [(place, found) for place, (_, found) in list(self._seen.items())[known:]]

    def wait(self, places: Collection[Place] | None = None, seconds: float | None = None) -> None:
        """Wait until these (or all) were read, `seconds` at most. Ctrl-C ends it as it should."""
        wanted = self._places if places is None else places
        with self._news:
            self._news.wait_for(lambda: self._closed or all(place in self._seen for place in wanted), seconds)

    def wait_for_news(self, known: int, seconds: float) -> None:
        """Wait until more than `known` were read, `seconds` at most."""
        with self._news:
            self._news.wait_for(lambda: self._closed or len(self._seen) > known, seconds)

    def recent(self, lane: Lane, name: str) -> Filters | None:
        """The filters of a log group if they were read within the last minute."""
        at, found = self._seen.get((lane, name), (float("-inf"), None))
        return found if self._aws.clock.monotonic() - at <= _FRESH_SECONDS else None

    def onto(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the filters read so far; the Forwarders stay those that were planned with."""
        lanes = dict(snapshot.lanes)
        for lane in {lane for lane, _ in self._places}:
            mine = {name: found for (at, name), found in self.arrived(0) if at == lane}
            lanes[lane] = replace(lanes[lane], filters={**lanes[lane].filters, **mine})
        return replace(snapshot, lanes=lanes)

    def close(self) -> None:
        """Read nothing more; what is under way is not waited for."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)


class LateChanges:
    """The changes of log groups whose filters became known after the plan was made."""

    def __init__(self, sweep: Sweep, planner: LatePlanner, planned: Snapshot) -> None:
        self._sweep = sweep
        self._planner = planner
        self._planned = {(lane, name) for lane, seen in planned.lanes.items() for name in seen.filters}
        self._known = 0

    def recent(self, lane: Lane, group: str) -> Filters | None:
        """The filters of a log group if they were just read."""
        return self._sweep.recent(lane, group)

    def take(self, wait_seconds: float) -> Sequence[Change] | None:
        """See `ddsetup.apply.run.More`."""
        over = not self._sweep.left
        if not over and wait_seconds:
            self._sweep.wait_for_news(self._known, wait_seconds)
        news = self._sweep.arrived(self._known)
        self._known += len(news)
        if over and not news:
            return None
        plans = [self._planner(*place, found) for place, found in news if place not in self._planned]
        return [change for plan in plans for change in plan.changes]


def start_sweep(
    aws: Aws, snapshot: Snapshot, answers: Answers, groups: Mapping[Lane, Sequence[str]], *, asked: bool
) -> tuple[Sweep, tuple[Place, ...]]:
    """Begin to read the filters of these groups; and the log groups that the plan has to wait for.

    First come groups that the answers name, then those in which CloudWatch saw filters at work that may be
    in the way. The plan waits for all of them where they are few; else for the likely ones if somebody is to
    be `asked` what becomes of them, and for a sample.
    """
    named = {which.rpartition(":")[0] for which in answers.conflicts}
    order: dict[Lane, tuple[str, ...]] = {}
    first: list[Place] = []
    for lane, wanted in groups.items():
        names = [name for name in wanted if name not in snapshot.lanes[lane].filters]
        urgency: dict[str, int] = {}
        if len(names) > FEW:
            urgency = _urgencies(aws, snapshot.lanes[lane]) | dict.fromkeys(named, _DECIDED)
        ranks = sorted((-urgency.get(name, 0), name) for name in names)
        order[lane] = tuple(name for _, name in ranks)
        before = _before((-rank for rank, _ in ranks), asked=asked) if len(names) > FEW else len(names)
        first.extend((lane, name) for name in order[lane][:before])
    return Sweep(aws, order), tuple(first)


_DECIDED, _TELLING, _LIKELY = 4, 3, 2


def _before(urgencies: Iterable[int], *, asked: bool) -> int:
    """How many of the first the plan waits for."""
    count = Counter(urgencies)
    likely = min(count[_LIKELY], _MOST_BEFORE) if asked else 0
    return max(_SAMPLE, count[_DECIDED] + min(count[_TELLING], _SAMPLE) + likely)


def _urgencies(aws: Aws, lane: LaneSnapshot) -> dict[str, int]:
    """How much the plan depends on each log group, as far as CloudWatch tells: a filter that may give away a
    Forwarder that nothing else did, several filters that may be in the way, one that might."""
    work = filters_at_work(aws, lane.lane) if lane.delivered is None else lane.delivered
    if isinstance(work, Unreadable):
        return {}
    found: dict[str, int] = {}
    for group, names in work.items():
        others = [name for name in names if not name.startswith((OWN_PREFIX, AUTOMATIC_PREFIX))]
        if not lane.forwarders and any(name.startswith(FORWARDER_FILTERS) for name in names):
            found[group] = _TELLING
        elif any(name.startswith(FORWARDER_FILTERS) for name in others):
            found[group] = _LIKELY
        else:
            found[group] = min(len(others), _LIKELY)
    return found

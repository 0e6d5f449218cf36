"""Tags of functions that are known from before, where CloudTrail knows of no change since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ddsetup.flow.host import Session
from ddsetup.gateways.aws.tags import PAGE
from ddsetup.gateways.aws.trail import TAGGING, tagged_since
from ddsetup.journal.tags import KeptTags, forget_tags, keep_tags, kept_tags
from ddsetup.model.account import Lane
from ddsetup.model.change import Change, Outcome
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import TagsState
from ddsetup.observe.in_bulk import Tags
from ddsetup.plan.evidence import MOST_AGE
from ddsetup.settings.given import Given

FEW = PAGE * (len(TAGGING) + 1)
"""So many are read in no more calls than it takes to ask CloudTrail about them."""
_LAG = timedelta(minutes=15)
"""How far AWS's index of tags may lag behind, generously: no figure is published."""
_TICK = timedelta(seconds=1)
"""CloudTrail's times are whole seconds."""
_THERE = ("applied", "unchanged")


class KnownTags:
    """The tags of a lane that need not be read (`plan.evidence.UNTAGGED`), and which lanes these were."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._began = session.host.clock.now()
        self.served: set[Lane] = set()

    def __call__(self, lane: Lane) -> Tags | None:
        host, aws = self._session.host, self._session.aws
        kept = kept_tags(host.state_dir, lane, aws.address)
        if kept is None or not self._began - MOST_AGE <= kept.read <= self._began:
            return None
        if tagged_since(aws, lane, kept.since) is not False:
            return None
        self.served.add(lane)
        return kept.tags


def known_tags(session: Session, given: Given) -> KnownTags | None:
    """None where all are to be read: with `--thorough`, and where they say which functions are meant, as
    nothing else would notice one that is tagged since."""
    read = given.on("thorough") or given.items("tag") or given.items("stack")
    return None if read else KnownTags(session)


def keep_read(
    session: Session, lanes: Mapping[Lane, LaneSnapshot], began: datetime, known: KnownTags | None = None
) -> None:
    """Keep the tags that were read from when this look `began`, where they are many."""
    for lane, seen in lanes.items():
        served = known is not None and lane in known.served
        if not served and isinstance(seen.tags, Mapping) and len(seen.tags) > FEW:
            kept = KeptTags(seen.tags, since=began - _LAG, read=began)
            keep_tags(session.host.state_dir, lane, session.aws.address, kept)


def keep_put(
    session: Session, snapshot: Snapshot | None, changes: Iterable[Change], outcomes: Iterable[Outcome]
) -> None:
    """Keep tags as they are after a run that began with `snapshot`.

    They are read again where that does not have them all, or AWS did not take them all.
    """
    put = {change.resource: change for change in changes if change.resource.kind == TagsState.KIND}
    told = [(put[outcome.resource], outcome) for outcome in outcomes if outcome.resource in put]
    for lane in {Lane(resource.account, resource.region) for resource in put}:
        here = [pair for pair in told if _lane(pair[0]) == lane]
        before = snapshot.lanes[lane].tags if snapshot is not None and lane in snapshot.lanes else None
        if (
            snapshot is None
            or not isinstance(before, Mapping)
            or any(o.status not in _THERE for _, o in here)
        ):
            forget_tags(session.host.state_dir, lane)
            continue
        tags = dict(before)
        for change, _ in here:
            tags[change.resource.id] = _after(change, tags.get(change.resource.id, {}))
        _keep_since_now(session, lane, tags, snapshot.at)


def _keep_since_now(session: Session, lane: Lane, tags: Tags, read: datetime) -> None:
    if len(tags) <= FEW:
        return
    earlier = kept_tags(session.host.state_dir, lane, session.aws.address)
    kept = KeptTags(tags, session.host.clock.now() + _TICK, earlier.read if earlier else read)
    keep_tags(session.host.state_dir, lane, session.aws.address, kept)


def _lane(change: Change) -> Lane:
    return Lane(change.resource.account, change.resource.region)


def _after(change: Change, tags: Mapping[str, str]) -> Mapping[str, str]:
    was, now = (side.tags if isinstance(side, TagsState) else {} for side in (change.before, change.after))
    return {**{key: value for key, value in tags.items() if key not in was}, **now}

"""Tags of functions that are known from before, where CloudTrail knows of no change since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from ddsetup.facts.forwarders import Tags
from ddsetup.flow.host import Session
from ddsetup.gateways.aws.tags import PAGE
from ddsetup.gateways.aws.trail import TAGGING, tagged_since
from ddsetup.journal.tags import KeptTags, forget_tags, keep_tags, kept_tags
from ddsetup.model.account import Lane
from ddsetup.model.change import Change, Outcome
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import TagsState
from ddsetup.observe.in_bulk import with_tags
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


def read_again(session: Session, snapshot: Snapshot) -> Snapshot:
    """The snapshot with the tags of functions as they are now, which are kept."""
    began = session.host.clock.now()
    snapshot = with_tags(session.aws, snapshot)
    keep_read(session, snapshot.lanes, began)
    return snapshot


def forget_put(session: Session, changes: Iterable[Change]) -> None:
    """Have tags read again where some are about to be put: a run that is killed tells nobody how far it came,
    and CloudTrail does so late."""
    for lane in _put(changes):
        forget_tags(session.host.state_dir, lane)


def keep_put(
    session: Session, snapshot: Snapshot | None, changes: Iterable[Change], outcomes: Iterable[Outcome]
) -> None:
    """Keep tags as they are after a run that began with `snapshot`.

    They are read again where that does not have them all, or AWS did not take them all.
    """
    there = {outcome.resource for outcome in outcomes if outcome.status in _THERE}
    for lane, put in _put(changes).items():
        before = snapshot.lanes[lane].tags if snapshot is not None and lane in snapshot.lanes else None
        if (
            snapshot is None
            or not isinstance(before, Mapping)
            or not there.issuperset(each.resource for each in put)
        ):
            forget_tags(session.host.state_dir, lane)
            continue
        after = {each.resource.id: _after(each, before.get(each.resource.id, {})) for each in put}
        kept = KeptTags({**before, **after}, since=session.host.clock.now() + _TICK, read=snapshot.at)
        if len(kept.tags) > FEW:
            keep_tags(session.host.state_dir, lane, session.aws.address, kept)


def _put(changes: Iterable[Change]) -> Mapping[Lane, Sequence[Change]]:
    """The changes of functions' tags, by where these are."""
    found: dict[Lane, list[Change]] = {}
    for change in changes:
        if change.resource.kind == TagsState.KIND:
            found.setdefault(Lane(change.resource.account, change.resource.region), []).append(change)
    return found


def _after(change: Change, tags: Mapping[str, str]) -> Mapping[str, str]:
    was, now = (side.tags if isinstance(side, TagsState) else {} for side in (change.before, change.after))
    return {**{key: value for key, value in tags.items() if key not in was}, **now}

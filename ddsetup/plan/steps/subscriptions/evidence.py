"""What tells that the filters of a log group need not be read.

AWS lets five such reads pass a second, one log group each. CloudWatch's own metrics tell in a few calls which
filters delivered something, and the record of earlier runs which ones ddsetup put. A wrong conclusion loses
nothing: no filter is moved or taken away by it, and one is put only under a name that no filter has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ddsetup.facts.filters import (
    AUTOMATIC_PREFIX,
    MAX_FILTERS,
    OWN_PREFIX,
    is_own_name,
    leads_to_datadog_by_name,
)
from ddsetup.facts.recognise import has_datadog
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FilterState
from ddsetup.plan.evidence import Evidence
from ddsetup.plan.steps.subscriptions.account import by_policy
from ddsetup.plan.steps.subscriptions.groups import Group, Region, recorded_filters, seen_here

AT_WORK = Evidence(
    seen="within three hours a filter of ddsetup's or of Datadog's name delivered from the group "
    "(CloudWatch, `ForwardedLogEvents`), within two weeks none that leads to Datadog by another name, and "
    "the region has one Forwarder",
    conclusion="the group leads to the Forwarder; there is nothing to change",
    wrong="the filter was deleted or led elsewhere since; somebody gave that name to a filter of their own; "
    "a filter of another name leads to Datadog, too",
    notices="three hours later there is no such evidence, and the group is read; the proof and the doctor "
    "miss what does not arrive, and the doctor finds what arrives twice",
)
COVERED = Evidence(
    seen="Datadog subscribes log groups by itself, and within two weeks at most one filter of somebody "
    "else's delivered from the group, to no Forwarder by its name",
    conclusion="Datadog puts its filter, or has put it; there is nothing to change",
    wrong="a second filter of others is there that delivered nothing, so that Datadog's finds no room",
    notices="the first lines of its functions, which that filter delivers, too, so that it is seen; the "
    "proof and the doctor miss the data",
)
FULL = Evidence(
    seen="within three hours two filters of somebody else's delivered from the group, within two weeks none "
    "that leads to Datadog by its name, and nobody is to be asked about filters that are in the way",
    conclusion="it is full: two filters of others are at work in it, the most that AWS allows",
    wrong="one of them was deleted since, so that there is room",
    notices="three hours later there is no such evidence, and the group is read; the doctor reads the groups "
    "of functions whose data is missing",
)
RECORDED = Evidence(
    seen="the record of earlier runs has a filter of ddsetup's that leads from the group to the Forwarder, "
    "within three hours nothing was written to the group (CloudWatch, `IncomingLogEvents`), and within two "
    "weeks none that leads to Datadog by another name delivered from it",
    conclusion="the group leads to the Forwarder; there is nothing to change",
    wrong="somebody deleted the filter since, or led it elsewhere",
    notices="the first lines of its functions, which no filter of that name delivers, so that the group is "
    "read; the proof and the doctor miss the data",
)
UNTOUCHED = Evidence(
    seen="ddsetup puts the filters, the one function that writes to the group has nothing of Datadog's yet, "
    "within two weeks at most one filter of somebody else's delivered from the group, none that leads to "
    "Datadog by its name, and in the region nothing is known of filters that ddsetup put before",
    conclusion="there is room for a filter, which is put under a name of this run's own",
    wrong="two filters of others are there that delivered nothing; one that delivered nothing leads to "
    "Datadog already",
    notices="AWS refuses a third filter: then the group is read, and said to be full; no filter has the name "
    "of a run, so none is replaced; the doctor finds what arrives twice",
)
BESIDE = Evidence(
    seen="one policy of the account leads all log groups to the Forwarder, within two weeks no filter that "
    "leads to Datadog by its name delivered from the group, and the record of earlier runs has none",
    conclusion="the account's policy delivers it, whatever filters it has; there is nothing to change",
    wrong="a filter that delivered nothing leads to Datadog, too",
    notices="the first lines of its functions arrive twice, which the doctor finds",
)
KNOWN = Evidence(
    seen="Datadog is taken out of functions, and the record of earlier runs has the filter that ddsetup put "
    "on their log group",
    conclusion="that filter goes with them",
    wrong="somebody deleted it since, or changed it",
    notices="it is compared in every field before it is deleted, and stays where it differs",
)
NOT_OURS = Evidence(
    seen="Datadog is taken out of functions; the record has no filter of ddsetup's on their log group, and "
    "within two weeks CloudWatch saw none at work in the region, or others than ddsetup's in the group",
    conclusion="no filter of the group is ddsetup's, and none is taken away",
    wrong="another machine put one, by which nothing was delivered for two weeks",
    notices="once it delivers, the groups are read when this is run again; a teardown reads all",
)
TABLE = (AT_WORK, COVERED, FULL, RECORDED, UNTOUCHED, BESIDE, KNOWN, NOT_OURS)
IN_USE = ("named", "found", "deploy")
"""How a Forwarder is chosen that there is, or will be."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The names of filters that delivered something: within three hours and within two weeks, `theirs` of
    them neither ddsetup's nor Datadog's own."""

    lately: frozenset[str]
    ever: frozenset[str]
    ours: frozenset[str]

    @property
    def theirs(self) -> frozenset[str]:
        return self.ever - self.ours


def evidence(region: Region, group: Group) -> Evidence | None:
    """Why this group need not be read; None: it has to be.

    Nothing is concluded where several Forwarders are about, or where CloudWatch was not asked.
    """
    seen = _seen(region, group.name)
    if seen is None or any(map(leads_to_datadog_by_name, seen.theirs)):
        return None
    ddsetups = seen.ours - {f"{AUTOMATIC_PREFIX}{group.name}"}
    handed_over = region.answers.subscribe == "automatic" and region.triggered and ddsetups
    if handed_over or (region.choice.how == "deploy" and seen.ours):
        return None
    if by_policy(region):
        return None if seen.ours or group.name in region.recorded else BESIDE
    if seen.ours & seen.lately:
        return AT_WORK
    if len(seen.theirs) >= MAX_FILTERS:
        full = len(seen.lately) >= MAX_FILTERS and not seen.ours and _nobody_asked(region, group)
        return FULL if full else None
    if region.triggered:
        return COVERED
    return _put_by_ddsetup(region, group) if region.answers.subscribe == "direct" else None


class OwnFilters:
    """What tells which filters of ddsetup's the log groups of a lane have, where they need not be read."""

    def __init__(self, lane: Lane, snapshot: Snapshot) -> None:
        held = snapshot.lanes[lane]
        self._put = recorded_filters(lane, snapshot)
        self._delivered = held.delivered
        self._been_here = bool(self._put) or seen_here(held)

    def of(self, group: str) -> tuple[Evidence, FilterState | None] | None:
        """The evidence of a log group, with the filter that goes; None: it has to be read."""
        if not isinstance(self._delivered, Mapping):
            return None
        if group in self._put:
            return KNOWN, self._put[group]
        names = self._delivered.get(group, frozenset())
        if any(name.startswith(OWN_PREFIX) for name in names) or (self._been_here and not names):
            return None
        return NOT_OURS, None


def _seen(region: Region, group: str) -> _Seen | None:
    lately, ever, arn = region.lane.delivering, region.lane.delivered, region.choice.arn
    if region.answers.thorough or arn is None or not _one_forwarder(region):
        return None
    if not isinstance(lately, Mapping) or not isinstance(ever, Mapping):
        return None
    now = lately.get(group, frozenset())
    names = ever.get(group, frozenset()) | now
    ours = (name for name in names if is_own_name(name, arn) or name == f"{AUTOMATIC_PREFIX}{group}")
    return _Seen(now, names, frozenset(ours))


def _nobody_asked(region: Region, group: Group) -> bool:
    """Whether filters in the way stay without a question, and no answer names one of this group."""
    decided = {key.rpartition(":")[0] for key in region.answers.conflicts}
    return region.answers.on_conflict == "skip" and group.name not in decided


def _recorded(region: Region, group: Group) -> bool:
    idle = isinstance(region.lane.receiving, frozenset) and group.name not in region.lane.receiving
    return idle and region.choice.how != "deploy" and group.name in region.recorded


def _put_by_ddsetup(region: Region, group: Group) -> Evidence | None:
    """`RECORDED`, or `UNTOUCHED`: only a group that is one function's own, and that nothing leads to Datadog
    as far as anybody knows."""
    if _recorded(region, group):
        return RECORDED
    if region.been_here or region.unreadable or region.leaving or not _nobody_asked(region, group):
        return None
    alone = len(group.functions) == 1 and not group.through_extension
    if not alone or group.name != f"/aws/lambda/{group.functions[0].name}":
        return None
    return None if has_datadog(group.functions[0]) else UNTOUCHED


def _one_forwarder(region: Region) -> bool:
    """Whether there is, or will be, a Forwarder, and no other that a filter of these names may lead to."""
    if region.answers.via != "forwarder" or region.choice.how not in IN_USE:
        return False
    if isinstance(region.lane.forwarders, Unreadable) or len(region.lane.forwarders) > 1:
        return False
    here = [arn for arn in region.registered if arn.split(":")[3:4] == [region.at.region]]
    return set(here) <= {region.choice.arn}

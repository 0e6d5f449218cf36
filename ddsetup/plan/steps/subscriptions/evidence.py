"""What tells that the filters of a log group need not be read.

AWS lets five such reads pass a second, one log group each. CloudWatch's own metrics tell in a few calls which
filters delivered something. A wrong conclusion loses nothing: no filter is put, moved or taken away by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ddsetup.facts.filters import AUTOMATIC_PREFIX, MAX_FILTERS, leads_to_datadog_by_name, own_name
from ddsetup.model.account import Unreadable
from ddsetup.plan.steps.subscriptions.groups import Region


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is concluded from what, what could make it wrong, and what notices that later."""

    seen: str
    conclusion: str
    wrong: str
    notices: str


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
TABLE = (AT_WORK, COVERED)
IN_USE = ("named", "found", "deploy")
"""How a Forwarder is chosen that there is, or will be."""


def evidence(region: Region, group: str) -> Evidence | None:
    """Why this group need not be read; None: it has to be.

    Nothing is concluded where several Forwarders are about, or where CloudWatch was not asked.
    """
    lately, ever, arn = region.lane.delivering, region.lane.delivered, region.choice.arn
    if region.answers.thorough or arn is None or not _one_forwarder(region):
        return None
    if not isinstance(lately, Mapping) or not isinstance(ever, Mapping):
        return None
    own, datadogs = own_name(arn), f"{AUTOMATIC_PREFIX}{group}"
    names = ever.get(group, frozenset()) | lately.get(group, frozenset())
    others = names - {own, datadogs}
    covered = region.answers.subscribe == "automatic" and region.triggered
    if any(leads_to_datadog_by_name(name) for name in others) or (covered and own in names):
        return None
    if region.choice.how == "deploy" and names & {own, datadogs}:
        return None
    if {own, datadogs} & lately.get(group, frozenset()):
        return AT_WORK
    return COVERED if covered and len(others) < MAX_FILTERS else None


def _one_forwarder(region: Region) -> bool:
    """Whether there is, or will be, a Forwarder, and no other that a filter of these names may lead to."""
    if region.answers.via != "forwarder" or region.choice.how not in IN_USE:
        return False
    if isinstance(region.lane.forwarders, Unreadable) or len(region.lane.forwarders) > 1:
        return False
    here = [arn for arn in region.registered if arn.split(":")[3:4] == [region.at.region]]
    return set(here) <= {region.choice.arn}

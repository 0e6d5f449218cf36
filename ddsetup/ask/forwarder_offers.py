"""What a guided run offers where a region has several Forwarders. Pure."""

from __future__ import annotations

from collections import Counter

from ddsetup.model.account import Forwarder, Lane
from ddsetup.model.answers import Answers
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.steps.forwarder_choice import lane_of, registered_arns, usable_forwarders
from ddsetup.settings.setting import Value


def several_forwarders(snapshot: Snapshot) -> dict[Lane, tuple[Forwarder, ...]]:
    """The lanes in which more than one Forwarder could be used, each with these, the best one first."""
    answers = Answers(site=snapshot.datadog.site, regions=())
    usable = {lane: usable_forwarders(at, snapshot, answers) for lane, at in sorted(snapshot.lanes.items())}
    return {lane: found for lane, found in usable.items() if len(found) > 1}


def forwarder_offers(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    """Each of these Forwarders: its ARN, its name, and what speaks for it."""
    return [
        (each.arn, f"{each.name} ({lane.region})", _hint(each, snapshot))
        for lane, found in several_forwarders(snapshot).items()
        for each in found
    ]


def one_for_each_region(chosen: Value) -> str:
    """What is wrong with a choice of Forwarders; empty if nothing is."""
    arns = chosen if isinstance(chosen, tuple) else ()
    lanes = Counter(lane_of(arn) for arn in arns)
    return next((f"only one in {lane.region}" for lane, n in lanes.items() if lane and n > 1), "")


def _hint(forwarder: Forwarder, snapshot: Snapshot) -> str:
    release = f"release {forwarder.version}" if forwarder.version else "release unknown"
    known = forwarder.arn in registered_arns(snapshot, forwarder.arn.split(":")[4])
    stack = f"stack {forwarder.stack}" if forwarder.stack else "no stack"
    return ", ".join((release, stack, *(("Datadog subscribes it to log groups",) if known else ())))

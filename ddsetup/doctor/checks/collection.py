"""Log collection: what Datadog has been told about Forwarders and log sources."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.doctor.checks.case import Case, Place
from ddsetup.doctor.checks.check import Checks, Problem, Result
from ddsetup.doctor.checks.integration import hidden_by, log_tags_for
from ddsetup.doctor.checks.road import ROAD
from ddsetup.facts.guides import LOGS_GUIDE
from ddsetup.model.account import Integration, Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.plan.steps.collection import LAMBDA_SOURCE, collection_id
from ddsetup.plan.steps.forwarder_choice import lane_of

_READ = ("aws_configuration_read",)
check = Checks("collection", needs=_READ)


def _triggered(case: Case) -> Iterator[tuple[Place, Integration]]:
    """Regions whose log groups Datadog is to subscribe by itself, and that have something to subscribe."""
    if case.subscribe != "automatic":
        return
    for place in case.places:
        live = case.snapshot.accounts[place.at.account].integration
        if isinstance(live, Integration) and place.forwarded:
            yield place, live


@check(
    "forwarder-registered",
    "the Forwarder of every region is registered for log collection",
    fix="automatic",
    link=LOGS_GUIDE,
    at="subscription filter",
    proves="registration",
    stops=(*ROAD, "log source", "subscription"),
)
def registered(case: Case) -> Iterator[Result]:
    """Datadog does not know the Forwarder, so it subscribes no log group to it by itself.

    It does not matter where every log group is subscribed by other means.
    """
    for place, live in _triggered(case):
        arn = place.forwarder.arn if place.forwarder else ""
        if not arn or arn in live.lambdas or all(place.leads_here(g) for g in place.groups):
            continue
        other = next((a for a in live.lambdas if lane_of(a) == place.at), "")
        yield Problem(
            resource=_of(place),
            what=f"{arn} is not registered"
            + (f"; {other} is, and Datadog takes one per region" * bool(other)),
            fix="register it, with the source lambda",
            mends=(collection_id(place.at.account),),
        )


@check(
    "stale-registration",
    "every registered Forwarder exists",
    needs=(*_READ, "lambda:ListFunctions"),
    fix="automatic",
    link=LOGS_GUIDE,
    at="subscription filter",
    stops=(*ROAD, "subscription"),
)
def stale(case: Case) -> Iterator[Result]:
    """A Forwarder that was deleted is still registered: Datadog subscribes log groups to nothing."""
    for account, live in case.integrations():
        for place in case.places:
            functions = place.lane.functions
            if place.at.account != account.identity.account or isinstance(functions, Unreadable):
                continue
            there = {f.arn for f in functions}
            for arn in live.lambdas:
                if lane_of(arn) == place.at and arn not in there:
                    yield Problem(
                        resource=_of(place),
                        what=f"{arn} is registered, and there is no such function",
                        fix="take it out, and register the one that is there",
                        mends=(collection_id(place.at.account),),
                    )


@check(
    "log-source",
    "logs of Lambda are among the sources that Datadog collects",
    fix="automatic",
    link=LOGS_GUIDE,
    at="subscription filter",
    proves="log source",
    stops=(*ROAD, "subscription"),
)
def source(case: Case) -> Iterator[Result]:
    """The source `lambda` is switched off, so Datadog does not subscribe the log groups of functions."""
    for place, live in _triggered(case):
        led = all(place.leads_here(group) for group in place.groups)
        if live.lambdas and LAMBDA_SOURCE not in live.sources and not led:
            yield Problem(
                resource=_of(place),
                what="the log source lambda is not switched on",
                fix="switch it on",
                mends=(collection_id(place.at.account),),
            )


@check(
    "log-tag-filters",
    "no tag filter keeps functions' logs out",
    "warning",
    needs=(*_READ, "tag:GetResources"),
    link=LOGS_GUIDE,
    at="subscription filter",
    stops=("subscription",),
)
def tag_filters(case: Case) -> Iterator[Result]:
    """Datadog subscribes only functions with certain tags, and some that are meant lack them."""
    for account, live in case.integrations():
        wanted = log_tags_for(live)
        out = hidden_by(case, account, wanted)
        if out and case.subscribe == "automatic":
            number = account.identity.account
            yield Problem(
                resource=collection_id(number),
                what=f"only functions with {' or '.join(wanted)} are subscribed, which {len(out)} lack",
                fix="change the log filter on Datadog's AWS page, or tag the functions",
                about=frozenset(out),
            )


def _of(place: Place) -> ResourceId:
    return ResourceId("log_collection", place.at.account, place.at.region, place.at.account)

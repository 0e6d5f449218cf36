"""The Forwarder at work: may it run, does it, and does it get through to Datadog."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ddsetup.doctor.checks.case import Case, Place
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.doctor.checks.forwarder_places import (
    of_forwarder,
    quoted,
    readable,
    says,
    serving,
    update_command,
)
from ddsetup.doctor.checks.road import ROAD
from ddsetup.facts.guides import FORWARDER_GUIDE
from ddsetup.model.account import Unreadable
from ddsetup.model.clock import hour
from ddsetup.model.points import Points, ended
from ddsetup.model.report import Severity

LEAST_RESERVED = 10
"""Reserved concurrency that Datadog's documentation advises at least."""
check = Checks("forwarder")


@check(
    "forwarder-errors",
    "the Forwarder runs without errors",
    needs=("cloudwatch:GetMetricData", "logs:FilterLogEvents"),
    link=FORWARDER_GUIDE,
    at="Forwarder",
    proves="Forwarder at work",
    stops=ROAD,
)
def errors(case: Case) -> Iterator[Result]:
    """Invocations of the Forwarder failed or timed out in the last hour; what they carried may be lost.

    Where so many went well since that it is hardly by chance, it is over, and only noted.
    """
    for place in serving(case):
        health = place.health
        if isinstance(health.counts, Unreadable):
            yield Blind(place.resource, health.counts)
            continue
        failed, runs = health.counts.get("Errors", 0), health.counts.get("Invocations", 0)
        if not failed:
            continue
        what = f"{failed:.0f} of {runs:.0f} invocations failed"
        if past := ended(_points(place, "Errors"), _points(place, "Invocations")):
            yield _over(place, what, past, "what they carried may be lost")
            continue
        timed_out = bool(says(health.lines, "Task timed out"))
        memory = bool(says(health.lines, "Runtime exited", "MemoryError", "out of memory"))
        fix = "look at its log"
        command = (
            f"aws logs tail /aws/lambda/{place.forwarder.name if place.forwarder else ''} "
            f"--since 1h --region {place.at.region}"
        )
        if timed_out or memory:
            fix = "give it more time or memory"
            parameter = "Timeout=300" if timed_out else "MemorySize=2048"
            command = update_command(place, parameter) or command
        yield of_forwarder(
            place,
            what + (", timing out" if timed_out else "") + quoted(health.lines),
            fix,
            command=command,
            severity=_share(failed, runs),
        )


@check(
    "forwarder-throttles",
    "AWS does not throttle the Forwarder",
    needs=("cloudwatch:GetMetricData",),
    at="Forwarder",
    proves="room for the Forwarder",
    stops=ROAD,
)
def throttles(case: Case) -> Iterator[Result]:
    """AWS refused invocations of the Forwarder in the last hour: its concurrency is used up.

    Either its own reservation is too small, or the whole account's limit is reached. CloudWatch Logs tries
    again for a while, then drops the data. Where so many ran since that it is hardly by chance, it is over,
    and only noted.
    """
    for place in serving(case):
        counts = place.health.counts
        if isinstance(counts, Unreadable):
            yield Blind(place.resource, counts)
        elif counts.get("Throttles", 0):
            what = f"{counts['Throttles']:.0f} invocations were throttled"
            tried = sorted((*_points(place, "Throttles"), *_points(place, "Invocations")))
            if past := ended(_points(place, "Throttles"), tuple(tried)):
                yield _over(place, what, past, "data of that time may be lost")
                continue
            yield of_forwarder(
                place,
                what,
                "raise its reserved concurrency, or the account's quota",
                command=update_command(place, "ReservedConcurrency=50"),
            )


@check(
    "forwarder-concurrency",
    "the Forwarder may run",
    needs=("lambda:GetFunctionConcurrency",),
    at="Forwarder",
    stops=(*ROAD, "room for the Forwarder"),
)
def concurrency(case: Case) -> Iterator[Result]:
    """The Forwarder's reserved concurrency is 0, which switches it off, or very small."""
    for place in serving(case):
        reserved, name = place.health.reserved, place.forwarder.name if place.forwarder else ""
        if isinstance(reserved, Unreadable):
            yield Blind(place.resource, reserved)
        elif reserved is not None and reserved < LEAST_RESERVED:
            off = reserved == 0
            yield of_forwarder(
                place,
                "its reserved concurrency is 0: it never runs"
                if off
                else f"its reserved concurrency is {reserved}; Datadog advises {LEAST_RESERVED} or more",
                "take the reservation away",
                command=f"aws lambda delete-function-concurrency --function-name {name} "
                f"--region {place.at.region}",
                severity="error" if off else "warning",
            )


@check(
    "forwarder-egress",
    "the Forwarder reaches Datadog",
    needs=("logs:FilterLogEvents",),
    link=FORWARDER_GUIDE,
    at="Forwarder",
    stops=(*ROAD, "Forwarder at work"),
)
def egress(case: Case) -> Iterator[Result]:
    """The Forwarder's log tells of connections that cannot be made.

    In a VPC it needs a way out: a NAT gateway, a proxy (DdHttpProxyURL), or endpoints for Datadog and Secrets
    Manager, and a security group that lets port 443 out.
    """
    words = ("Connect timeout", "ConnectTimeout", "Max retries exceeded", "Name or service not known")
    for place, function in readable(case):
        if isinstance(place.health.lines, Unreadable):
            yield Blind(place.resource, place.health.lines)
        said = says(place.health.lines, *words)
        if said:
            where = ", and it is in a VPC" if function.vpc else ""
            yield of_forwarder(
                place,
                f"its log tells of connections that fail{where}: {said}",
                "give its subnets a way out to port 443 (NAT gateway, proxy or endpoints)",
            )


@check(
    "forwarder-decrypt",
    "the Forwarder may read what it is given",
    needs=("logs:FilterLogEvents",),
    at="Forwarder",
    stops=(*ROAD, "Forwarder at work"),
)
def decrypt(case: Case) -> Iterator[Result]:
    """The Forwarder's log tells of permissions that its role lacks: KMS, S3 or Secrets Manager."""
    for place in serving(case):
        if isinstance(place.health.lines, Unreadable):
            yield Blind(place.resource, place.health.lines)
        said = says(place.health.lines, "AccessDenied", "not authorized to perform")
        if said:
            yield of_forwarder(
                place, f"its role lacks a permission: {said}", "add the permission to the Forwarder's role"
            )


def _points(place: Place, metric: str) -> Points:
    return place.health.by_minute.get(metric, ())


def _over(place: Place, what: str, past: tuple[datetime, float], lost: str) -> Problem:
    at, since = past
    told = f"{what}, the last at {hour(at)}; {since:.0f} went well since"
    return of_forwarder(place, told, f"nothing is left to do; {lost}", severity="info", over=True)


def _share(failed: float, runs: float) -> Severity:
    """One failure in a hundred is noted, more is an error."""
    return "error" if failed >= 0.01 * max(runs, 1) else "warning"

"""Delivery streams to Datadog at work: those of metric streams, and those that log groups are led to."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ddsetup.doctor.checks.case import Case, Place
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.facts.account_policies import policies_of
from ddsetup.facts.catalog import sites
from ddsetup.facts.firehose import is_stream, leads_to_datadog, stream_arn
from ddsetup.facts.guides import STREAM_GUIDE
from ddsetup.model.account import Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.clock import hour
from ddsetup.model.delivery import Deliveries, DeliveryStream
from ddsetup.model.points import Points
from ddsetup.model.report import Severity
from ddsetup.model.snapshot import LaneSnapshot

_NEEDS = ("firehose:DescribeDeliveryStream", "cloudwatch:GetMetricData", "logs:FilterLogEvents")
_PATIENT = timedelta(minutes=20)
"""Firehose collects for 15 minutes at most before it delivers (`HttpEndpointBufferingHints`)."""
_SITES = tuple(sorted((site.site for site in sites()), key=len, reverse=True))
_SHORTHAND = re.compile(r"[\w:/?=&.%~-]+")
"""What AWS's command line takes for a value within {...} without quotes."""
_REFUSED = ("401", "403")
"""What a key that is not valid, or may not do this, is answered ("Troubleshooting HTTP endpoints")."""
_KEY = '"$DD_API_KEY"'


check = Checks("integration", _NEEDS)


@check(
    "metric-stream-delivers",
    "metrics of CloudWatch's streams get through to Datadog",
    link=STREAM_GUIDE,
    stops=("cloudwatch_metrics",),
)
def metric_stream_delivers(case: Case) -> Iterator[Result]:
    """The delivery stream of a metric stream that runs cannot bring its metrics to Datadog.

    The metric stream itself goes on to be "running", and Datadog does not poll what is in it. An API key that
    was revoked is refused with 403, or 401. What fails is tried again for as long as the stream is set to,
    then kept in its bucket; it does not come to Datadog by itself, and a stream whose bucket is out of reach
    may not go on by itself: any update of its destination makes it.
    """
    for place in case.places:
        yield from _judged(metric_deliveries(place.lane), place, case)


check = Checks("collection", _NEEDS)


@check(
    "log-stream-delivers",
    "logs that Firehose is given get through to Datadog",
    stops=("services",),
)
def log_stream_delivers(case: Case) -> Iterator[Result]:
    """A delivery stream to which the account's policy, or filters of log groups, lead cannot bring logs to
    Datadog.

    CloudWatch Logs counts them as delivered all the same. An API key that was revoked is refused with 403, or
    401. What fails is tried again for as long as the stream is set to, then kept in its bucket; it does not
    come to Datadog by itself.
    """
    for place in case.places:
        yield from _judged(log_deliveries(place.lane), place, case)


def metric_deliveries(lane: LaneSnapshot) -> tuple[str, ...]:
    """The delivery streams, by ARN, of metric streams to Datadog that run."""
    found = () if isinstance(lane.metric_streams, Unreadable) else lane.metric_streams or ()
    names = dict.fromkeys(each.delivery for each in found if each.running and each.delivery)
    return tuple(stream_arn(lane.lane, name) for name in names)


def log_deliveries(lane: LaneSnapshot) -> tuple[str, ...]:
    """The delivery streams, by ARN, to which the account's policy leads, or filters that were read and are
    Datadog's by the stream's name."""
    policies = (policy.destination_arn for policy in policies_of(lane.account_filter_policies))
    read = (filters for filters in lane.filters.values() if not isinstance(filters, Unreadable))
    filters = (each.destination_arn for held in read for each in held)
    arns = (*filter(is_stream, policies), *filter(leads_to_datadog, filters))
    return tuple(dict.fromkeys(arn for arn in arns if arn == stream_arn(lane.lane, arn.rpartition("/")[2])))


def _judged(arns: Iterable[str], place: Place, case: Case) -> Iterator[Result]:
    for arn in arns:
        found = case.evidence.deliveries.get(arn)
        resource = ResourceId("delivery_stream", arn, place.at.region, place.at.account)
        if found is None:
            continue
        if isinstance(found.stream, Unreadable):
            yield Blind(resource, found.stream)
        elif found.stream is None:
            what = "there is no such delivery stream: what leads to it is lost"
            yield Problem(resource=resource, what=what, fix="make it anew, or delete what leads to it")
        elif _site_of(found.stream.url):
            yield from _works(resource, found.stream, found, case)


def _works(resource: ResourceId, stream: DeliveryStream, found: Deliveries, case: Case) -> Iterator[Result]:
    if stream.status != "ACTIVE":
        what = f"its status is {stream.status or 'unknown'}: it takes nothing"
        yield Problem(resource=resource, what=what, fix="make it anew: AWS does not mend such a stream")
    elif isinstance(found.shares, Unreadable):
        yield Blind(resource, found.shares)
    elif failed := [at for at, share in found.shares if share < 1]:
        at, share = found.shares[-1]
        if at > failed[-1]:
            yield _was(resource, stream, failed[-1])
        else:
            yield _fails(resource, stream, found, share, case.answers.site)
    elif since := _stuck(found.shares, found.came, case.snapshot.at):
        yield Problem(
            resource=resource,
            what=f"it has brought nothing to Datadog of what was put to it since {hour(since)}",
            fix="set its destination again, which has it go on",
            command=_update(resource, stream),
        )


def _was(resource: ResourceId, stream: DeliveryStream, at: datetime) -> Problem:
    what = f"requests to Datadog failed, the last at {hour(at)}; they go well since"
    return Problem(resource=resource, what=what, fix=_kept(stream), severity="info", over=True)


def _fails(
    resource: ResourceId, stream: DeliveryStream, found: Deliveries, share: float, site: str
) -> Problem:
    code = "" if isinstance(found.said, Unreadable) else next(iter(found.said), "")
    many = (
        "none of its requests to Datadog does well" if share == 0 else f"{1 - share:.0%} of its requests fail"
    )
    waits = f"; its oldest record waits for {found.waited[-1][1]:.0f} s" if found.waited else ""
    status = code.rpartition(" ")[2] if code[-1:].isdigit() else ""
    reason = _reason(code, status, stream)
    theirs = _site_of(stream.url)
    reason += f" (it sends to {theirs}, and this run is for {site})" if theirs != site else ""
    fix, command = _fix(status, code, stream, resource)
    severity: Severity = "error" if share < 0.5 or status in _REFUSED else "warning"
    kept = _kept(stream)
    return Problem(
        resource=resource,
        what=f"{reason}; {many}{waits}",
        fix=f"{fix}; {kept}" if kept else fix,
        command=command,
        severity=severity,
    )


def _reason(code: str, status: str, stream: DeliveryStream) -> str:
    host = urlsplit(stream.url).hostname
    if status in _REFUSED:
        return f"Datadog refuses its API key with {status}"
    if status:
        return f"Datadog answers with {status}"
    if code.startswith("HttpEndpoint.Invalid"):
        return f"{host} answers something else than Datadog does ({code})"
    if code.startswith("HttpEndpoint"):
        return f"it does not reach {host} ({code})"
    if code:
        return f"its log tells of {code}"
    return "its log does not tell why" if stream.log_group else "it keeps no log that would tell why"


def _fix(status: str, code: str, stream: DeliveryStream, resource: ResourceId) -> tuple[str, str]:
    if status in _REFUSED and stream.secret:
        return f"put a valid key into its secret {stream.secret}", ""
    if status in _REFUSED:
        return "give it a valid API key of that site", _update(resource, stream)
    if status == "429" or status.startswith("5"):
        return "wait: it tries again by itself, and the trouble is Datadog's", ""
    if stream.log_group and (status or not code):
        where = f"{shlex.quote(stream.log_group)} --since 1h --region {resource.region}"
        return "read what it was answered", f"aws logs tail {where}"
    return "see that its address is that of the site, and its role may use the bucket", ""


def _kept(stream: DeliveryStream) -> str:
    bucket = stream.bucket
    return f"what failed is kept in the bucket {bucket}, and does not come by itself" if bucket else ""


def _stuck(shares: Points, came: Points, now: datetime) -> datetime | None:
    """Since when what was put to it waits for a request; None if there were some, or it is no wonder yet."""
    last = shares[-1][0] if shares else None
    waiting = [at for at, count in came if count > 0 and (last is None or at > last)]
    return waiting[0] if waiting and now - waiting[0] > _PATIENT else None


def _update(resource: ResourceId, stream: DeliveryStream) -> str:
    """The command that sets the endpoint again, with the key of the environment."""
    told = (stream.url, stream.endpoint or "Datadog")
    if not all(map(_SHORTHAND.fullmatch, told)) or not (stream.version and stream.destination):
        return ""
    url, name = told
    return (
        f"aws firehose update-destination --delivery-stream-name {shlex.quote(stream.name)} "
        f"--current-delivery-stream-version-id {shlex.quote(stream.version)} "
        f"--destination-id {shlex.quote(stream.destination)} --http-endpoint-destination-update "
        f"'EndpointConfiguration={{Url={url},Name={name},AccessKey='{_KEY}'}}' --region {resource.region}"
    )


def _site_of(url: str) -> str:
    """The site of Datadog's to which an address belongs, empty for one of somebody else's."""
    host = urlsplit(url).hostname or ""
    return next((site for site in _SITES if host.endswith(f".{site}")), "")

"""Datadog's record of the account: that there is one, and what it lets through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ddsetup.doctor.checks.case import Case
from ddsetup.doctor.checks.check import Checks, Problem, Result
from ddsetup.facts.guides import DELAY_GUIDE
from ddsetup.model.account import Integration, Json
from ddsetup.model.change import ResourceId
from ddsetup.model.snapshot import AccountSnapshot
from ddsetup.plan.steps.integration import integration_id
from ddsetup.plan.steps.namespaces import LAMBDA

_READ_ACCOUNT = ("aws_configuration_read",)
check = Checks("integration", needs=_READ_ACCOUNT)


@check(
    "metrics-enabled",
    "Datadog reads the account's CloudWatch metrics",
    fix="automatic",
    link=DELAY_GUIDE,
    at="integration",
    stops=("cloudwatch_metrics",),
)
def metrics_enabled(case: Case) -> Iterator[Result]:
    """Metric collection is switched off for the account in Datadog: no `aws.lambda.*` metrics arrive."""
    for account, live in case.integrations():
        if not live.metrics_enabled:
            yield _about_record(account, "collection of CloudWatch metrics is switched off", "switch it on")


@check(
    "lambda-namespace",
    "CloudWatch metrics of Lambda are among those that Datadog reads",
    fix="automatic",
    at="integration",
    stops=("cloudwatch_metrics",),
)
def lambda_namespace(case: Case) -> Iterator[Result]:
    """The namespace filter of the integration leaves out AWS/Lambda."""
    for account, live in case.integrations():
        if live.namespaces is not None and not live.namespaces.admits(LAMBDA):
            yield _about_record(account, f"its namespace filter leaves out {LAMBDA}", "let it in")


@check(
    "service-namespaces",
    "metrics of the services in use are among those that Datadog reads",
    "info",
    needs=(*_READ_ACCOUNT, "cloudwatch:ListMetrics"),
)
def service_namespaces(case: Case) -> Iterator[Result]:
    """A service that the account uses is left out by the namespace filter.

    Datadog leaves out AWS/SQS by default, so that queues in front of functions are not seen.
    """
    for account, live in case.integrations():
        used = {n for place in case.places for n, count in place.lane.resources.items() if count}
        out = sorted(n for n in used - {LAMBDA} if live.namespaces and not live.namespaces.admits(n))
        wanted = {n for n in out if n == "AWS/SQS"}
        if wanted:
            yield Problem(
                resource=integration_id(account.identity.account),
                what=f"{', '.join(sorted(wanted))} is in use here, and its metrics are left out",
                fix="have them read as well",
                command="ddsetup setup --integration-namespace sqs",
            )


@check(
    "regions-included",
    "Datadog reads the regions in which the functions are",
    fix="automatic",
    at="integration",
    stops=("cloudwatch_metrics",),
)
def regions_included(case: Case) -> Iterator[Result]:
    """The integration is limited to some regions, and one with functions is not among them."""
    for account, live in case.integrations():
        number = account.identity.account
        here = sorted(p.at.region for p in case.places if p.at.account == number and p.subjects)
        missing = [region for region in here if live.regions is not None and region not in live.regions]
        for region in missing:
            yield Problem(
                resource=ResourceId("integration", number, region, number),
                what=f"Datadog does not read the region {region}",
                fix="add the region",
                mends=(integration_id(number),),
            )


@check(
    "metric-tag-filters",
    "no tag filter keeps functions' metrics out",
    "warning",
    needs=(*_READ_ACCOUNT, "tag:GetResources"),
    at="integration",
    stops=("cloudwatch_metrics",),
)
def metric_tag_filters(case: Case) -> Iterator[Result]:
    """The integration reads metrics only of Lambda functions with certain tags, and some lack them."""
    for account, live in case.integrations():
        metrics = live.raw.get("metrics_config") or {}
        wanted = _tags_for(metrics.get("tag_filters"), "namespace", LAMBDA)
        out = hidden_by(case, account, wanted)
        if out:
            yield Problem(
                resource=integration_id(account.identity.account),
                what=f"only functions with {' or '.join(wanted)} are read, which {_some(out)} lack",
                fix="change the filter on Datadog's AWS page, or tag the functions",
                about=frozenset(out),
            )


@check(
    "metric-name-filters",
    "no name filter keeps Lambda's metrics out",
    "warning",
    at="integration",
    stops=("cloudwatch_metrics",),
)
def metric_name_filters(case: Case) -> Iterator[Result]:
    """The integration's filter by metric name leaves out metrics of AWS/Lambda."""
    for account, live in case.integrations():
        filters = (live.raw.get("metrics_config") or {}).get("metric_name_filters") or ()
        for found in filters:
            if isinstance(found, Mapping) and found.get("namespace") == LAMBDA:
                yield _about_record(
                    account,
                    "a filter by metric name leaves out some metrics of AWS/Lambda",
                    "look at the metric filters on Datadog's AWS page",
                    automatic=False,
                )


def hidden_by(case: Case, account: AccountSnapshot, wanted: Sequence[str]) -> list[str]:
    """The ARNs of functions of the account that have none of these `key:value` tags."""
    if not wanted:
        return []
    return [
        s.function.arn
        for s in case.subjects
        if s.function.account == account.identity.account
        and not any(f"{key}:{value}".lower() in wanted for key, value in s.tags.items())
    ]


def _tags_for(filters: Json, key: str, value: str) -> tuple[str, ...]:
    """The tags that a list of filters asks for, of the entry about `value`."""
    found: list[str] = []
    for entry in filters or ():
        if isinstance(entry, Mapping) and entry.get(key) == value:
            found += [str(tag).lower() for tag in entry.get("tags") or ()]
    return tuple(found)


def log_tags_for(live: Integration) -> tuple[str, ...]:
    """The tags that log collection of Lambda is limited to."""
    forwarder = (live.raw.get("logs_config") or {}).get("lambda_forwarder") or {}
    return _tags_for((forwarder.get("log_source_config") or {}).get("tag_filters"), "source", "lambda")


def _some(arns: Sequence[str]) -> str:
    return f"{len(arns)} functions" if len(arns) > 1 else arns[0].rsplit(":", 1)[-1]


def _about_record(account: AccountSnapshot, what: str, fix: str, *, automatic: bool = True) -> Problem:
    resource = integration_id(account.identity.account)
    return Problem(resource=resource, what=what, fix=fix, mends=(resource,) if automatic else ())

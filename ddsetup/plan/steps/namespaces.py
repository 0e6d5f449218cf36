"""CloudWatch namespaces that Datadog crawls: AWS/Lambda always, further services as chosen."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.model.account import NamespaceFilter
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean

LAMBDA = "AWS/Lambda"

SERVICES: Mapping[str, str] = {
    "dynamodb": "AWS/DynamoDB",
    "sqs": "AWS/SQS",
    "sns": "AWS/SNS",
    "kinesis": "AWS/Kinesis",
    "s3": "AWS/S3",
    "rds": "AWS/RDS",
    "stepfunctions": "AWS/States",
    "apigateway": "AWS/ApiGateway",
    "eventbridge": "AWS/Events",
}
"""Short names for the namespaces that serverless applications use beside Lambda's."""

PAGE = 500
"""So many metrics are on a page of ListMetrics (CloudWatch API reference); no further page is read."""

RESOURCES: Mapping[str, str] = {
    "dynamodb": "tables",
    "sqs": "queues",
    "sns": "topics",
    "kinesis": "streams",
    "s3": "buckets",
    "rds": "databases",
    "stepfunctions": "state machines",
    "apigateway": "APIs",
    "eventbridge": "rules",
}
"""What such a service's metrics are about, for people."""

DEFAULT_EXCLUDED = ("AWS/SQS", "AWS/ElasticMapReduce", "AWS/Usage")
"""What Datadog leaves out when an account is registered without a namespace filter (API reference, v2)."""


def wanted_namespaces(answers: Answers) -> tuple[str, ...]:
    """AWS/Lambda and the namespaces of the services chosen, by short name or as CloudWatch spells them.

    Raises UsageError, which names the nearest, for a short name that is none.
    """
    wanted = [LAMBDA]
    for name in answers.integration_namespaces:
        namespace = SERVICES.get(name.lower(), name)
        if namespace == name and not _spelled_out(name):
            raise UsageError(
                f"{name!r} is no service whose metrics can be chosen",
                fix=did_you_mean(
                    name.lower(), SERVICES, f"one of: {', '.join(SERVICES)}, or a namespace such as AWS/SES"
                ),
            )
        if namespace not in wanted:
            wanted.append(namespace)
    return tuple(wanted)


def unknown_namespaces(wanted: tuple[str, ...], available: tuple[str, ...]) -> tuple[str, ...]:
    """Those that Datadog does not list; empty if its list is not known."""
    return tuple(n for n in wanted if available and n not in available)


def initial_filter(wanted: tuple[str, ...], available: tuple[str, ...]) -> NamespaceFilter:
    """The filter for a new integration: Datadog's default, except for what is wanted.

    It is always sent: without one Datadog leaves out AWS/SQS.
    """
    names = (n for n in DEFAULT_EXCLUDED if n not in wanted and (not available or n in available))
    return NamespaceFilter(mode="exclude_only", names=tuple(names))


def admitting(
    live: NamespaceFilter | None, wanted: tuple[str, ...], available: tuple[str, ...]
) -> NamespaceFilter | None:
    """`live` changed as little as possible so that it admits everything wanted; the same object if it does.

    None stays None (Datadog's default) unless something wanted is excluded by default.
    """
    if live is None:
        return initial_filter(wanted, available) if set(wanted) & set(DEFAULT_EXCLUDED) else None
    missing = tuple(n for n in wanted if not live.admits(n))
    if not missing:
        return live
    if live.mode == "include_only":
        return NamespaceFilter(mode="include_only", names=live.names + missing)
    return NamespaceFilter(mode="exclude_only", names=tuple(n for n in live.names if n not in missing))


def _spelled_out(name: str) -> bool:
    """Namespaces have a slash or a capital letter ("AWS/SES", "Glue"); short names have neither."""
    return "/" in name or name != name.lower()

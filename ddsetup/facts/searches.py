"""How Datadog spells the names of things, and the queries that find their logs and spans. Pure.

Tags are normalised (page "Getting Started with Tags"; datadog-agent, NormalizeTag), attributes are not.
What a library puts on a span is an attribute and asked for with `@`; what the Extension or Datadog adds is
a tag and asked for without (Trace Explorer, query syntax).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

OPERATIONS = (
    "aws.lambda",
    "aws.lambda.function",
    "opentelemetry_instrumentation_aws_lambda.server",
    "opentelemetry.instrumentation.aws_lambda.server",
)
"""The operations that Datadog's Serverless page counts as invocations."""

INVOCATIONS = f"operation_name:({' OR '.join(OPERATIONS)})"
"""The condition for their spans."""

_REFUSED = re.compile(r"[^\w:./*-]")
_PLAIN = re.compile(r"[\w.*][\w.*/-]*")


def datadog_name(name: str) -> str:
    """A name, or a glob of names, as the value of a tag: in lower case, what no tag may hold as `_`, one `_`
    for several, none at the end. So `billing__nightly` and `Job_` are `billing_nightly` and `job`."""
    return re.sub("_+", "_", _REFUSED.sub("_", name.lower())).rstrip("_")


def datadog_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names as Datadog spells them, sorted, each once."""
    return tuple(sorted({datadog_name(name) for name in names}))


def any_of(values: Sequence[str]) -> str:
    """The value of a search term: one of these, or all of them joined by OR."""
    words = [value if _PLAIN.fullmatch(value) else f'"{value}"' for value in values]
    return words[0] if len(words) == 1 else f"({' OR '.join(words)})"


def logs_of(names: Iterable[str]) -> str:
    """The condition for logs of functions with these names."""
    return f"functionname:{any_of(datadog_names(names))}"


def spans_of(names: Iterable[str]) -> str:
    """The condition for spans of functions with these names, as a tag or as the attribute of a library, which
    has the name in lower case and is not normalised."""
    names = tuple(names)
    spelled = tuple(sorted({name.lower() for name in names}))
    attribute = any_of(tuple(sorted({*spelled, *datadog_names(names)})))
    return f"(functionname:{any_of(datadog_names(names))} OR @functionname:{attribute})"


def spans_in(account: str, regions: Sequence[str] = ()) -> str:
    """The condition for spans of functions of an account, in these regions or any. Those that do not tell
    their place are let in."""
    patterns = [f"arn\\:*\\:lambda\\:{region}\\:{account}\\:*" for region in sorted(regions) or ("*",)]
    arns = patterns[0] if len(patterns) == 1 else f"({' OR '.join(patterns)})"
    return f"(@function_arn:{arns} OR function_arn:{arns} OR (-@function_arn:* -function_arn:*))"


def logs_of_request(request_id: str) -> str:
    """The condition for the logs of one invocation: what Datadog or the Extension took from them, what is in
    JSON logs, or the text."""
    keys = ("lambda.request_id", "requestId", "record.requestId", "AWSRequestId", "aws_request_id")
    return f'({" OR ".join(f"@{key}:{request_id}" for key in keys)} OR "{request_id}")'

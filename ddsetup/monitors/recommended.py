"""The monitors that Datadog recommends for Lambda functions, as data.

Which ones, their ids and thresholds are those of Datadog's Serverless Framework plugin 5.134 and of the
recommended monitors that its API lists (`product:serverless`, `integration:amazon-lambda`).
`aws.lambda.duration` and `iterator_age` are in milliseconds, as in CloudWatch; `aws.lambda.timeout` is in
seconds. Where a mean over the window would hide a single event, the sum or the maximum is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

BY = "{aws_account,functionname,region}"
CLOUDWATCH_DELAY = 900
"""Seconds that CloudWatch metrics are late; without them a monitor judges what is not complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """One monitor. `query` has `{S}` for the scope, `{S,x}` for the scope with a condition, `{BY}` for the
    grouping and `{T}` for the threshold, `threshold` is the recommended one, in `unit`. `cost`: it is on the
    estimated cost, which not every function has."""

    key: str
    title: str
    query: str
    threshold: float
    unit: str
    what: str
    resolve: str
    cloudwatch: bool = False
    cost: bool = False


RECOMMENDED: tuple[Recommended, ...] = (
    Recommended(
        key="high_error_rate",
        title="High error rate",
        query="sum(last_15m):sum:aws.lambda.errors{S} by {BY}.as_count() / "
        "sum:aws.lambda.invocations{S} by {BY}.as_count() >= {T}",
        threshold=0.1,
        unit="share of the invocations",
        what="Too many of its invocations end with an error.",
        resolve="Look at its error logs and failing traces, and at what was deployed last.",
        cloudwatch=True,
    ),
    Recommended(
        key="timeout",
        title="Timeout",
        query="max(last_15m):max:aws.lambda.duration.maximum{S} by {BY} / "
        "(max:aws.lambda.timeout{S} by {BY} * 1000) >= {T}",
        threshold=1,
        unit="share of the timeout",
        what="An invocation ran into the timeout.",
        resolve="Look at its slow traces for the call that takes the time; or allow more time.",
        cloudwatch=True,
    ),
    Recommended(
        key="out_of_memory",
        title="Out of memory",
        query="sum(last_15m):sum:aws.lambda.enhanced.out_of_memory{S} by {BY}.as_count() > {T}",
        threshold=0,
        unit="invocations",
        what="An invocation ran out of memory.",
        resolve="Give it more memory, or find out what takes it.",
    ),
    Recommended(
        key="high_iterator_age",
        title="High iterator age",
        query="max(last_15m):max:aws.lambda.iterator_age.maximum{S} by {BY} >= {T}",
        threshold=86_400_000,
        unit="milliseconds",
        what="It lags far behind the stream that it reads, and records are lost once they expire.",
        resolve="Look for errors that make it repeat batches; raise batch size, parallelization or shards.",
        cloudwatch=True,
    ),
    Recommended(
        key="high_cold_start_rate",
        title="High cold start rate",
        query="sum(last_15m):sum:aws.lambda.enhanced.invocations{S,cold_start:true} by {BY}.as_count() / "
        "sum:aws.lambda.enhanced.invocations{S} by {BY}.as_count() >= {T}",
        threshold=0.2,
        unit="share of the invocations",
        what="Too many of its invocations wait for a new environment.",
        resolve="Make it start faster, or keep environments warm (provisioned concurrency, billed by AWS).",
    ),
    Recommended(
        key="high_throttles",
        title="High throttles",
        query="sum(last_15m):sum:aws.lambda.throttles{S} by {BY}.as_count() / "
        "(sum:aws.lambda.throttles{S} by {BY}.as_count() + "
        "sum:aws.lambda.invocations{S} by {BY}.as_count()) >= {T}",
        threshold=0.2,
        unit="share of the attempts",
        what="AWS turns too many of its invocations away.",
        resolve="Compare its concurrency with the account's limit; reserve some, or have it raised.",
        cloudwatch=True,
    ),
    Recommended(
        key="increased_cost",
        title="Increased cost",
        query="pct_change(avg(last_5m),last_5m):avg:aws.lambda.enhanced.estimated_cost{S} by {BY} > {T}",
        threshold=20,
        unit="percent more than five minutes before",
        what="Its estimated cost jumped.",
        resolve="Look at its invocations and durations: more of them, or longer ones?",
        cost=True,
    ),
)

BY_KEY = {each.key: each for each in RECOMMENDED}
"""The recommended monitors by their id."""

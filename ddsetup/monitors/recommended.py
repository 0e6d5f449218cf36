"""The monitors that Datadog recommends for Lambda functions, and those of the services around them, as data.

Which ones, their ids and thresholds are those of Datadog's Serverless Framework plugin 5.134 and of the
recommended monitors that its API lists (`product:serverless`, `integration:amazon-lambda`).
`aws.lambda.duration` and `iterator_age` are in milliseconds, as in CloudWatch; `aws.lambda.timeout` is in
seconds. Where a mean over the window would hide a single event, the sum or the maximum is taken.

Metrics of services are named and measured as on Datadog's pages of their integrations; what tells their
resources apart are the dimensions that AWS gives these metrics, as tags. Half of the time that a stream
keeps records by default is the age from which AWS warns of their loss (Kinesis, page on monitoring).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

BY = "{aws_account,functionname,region}"
CLOUDWATCH_DELAY = 900
"""Seconds that CloudWatch metrics are late; without them a monitor judges what is not complete."""


DEAD_LETTERS = ("*dlq*", "*dead-letter*", "*dead_letter*", "*deadletter*")
"""How dead-letter queues are usually named. Their metrics do not tell them from others."""

_DEAD_LETTER = f"({' OR '.join(f'queuename:{name}' for name in DEAD_LETTERS)})"
_CONDITIONS = {"dead letter": _DEAD_LETTER, "no dead letter": f"NOT {_DEAD_LETTER}"}
_SCOPES = re.compile(r"\{S(?:,([^}]*))?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What a service level objective of a monitor counts.

    Either `good` of all `total` events, or, without these, the time in which `query` is `than` the monitor's
    threshold. Scopes stand in all of them as in the monitor's query.
    """

    title: str
    good: str = ""
    total: str = ""
    query: str = ""
    than: str = "<"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """One monitor. `query` has `{S}` for the scope, `{S,x}` for the scope with a condition, `{BY}` for the
    grouping and `{T}` for the threshold, `threshold` is the recommended one, in `unit`. `cost`: it is on the
    estimated cost, which not every function has. `seen`: of a service, which is in use if this metric has
    points; no function is told by its series. `subject`: which one of `by` it is, in its name and message.
    """

    key: str
    title: str
    query: str
    threshold: float
    unit: str
    what: str
    resolve: str
    cloudwatch: bool = False
    cost: bool = False
    by: str = BY
    kind: str = "Function"
    subject: str = "{{functionname.name}}"
    seen: str = ""
    objective: Objective | None = None


def scoped(query: str, scope: Callable[..., str]) -> str:
    """A query with its scopes; `scope` gives one for further conditions."""

    def filled(found: re.Match[str]) -> str:
        condition = found[1]
        return "{" + scope(*([_CONDITIONS.get(condition, condition)] if condition else [])) + "}"

    return _SCOPES.sub(filled, query)


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
        objective=Objective(
            title="Invocations without an error",
            good="sum:aws.lambda.invocations{S}.as_count() - sum:aws.lambda.errors{S}.as_count()",
            total="sum:aws.lambda.invocations{S}.as_count()",
        ),
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
        objective=Objective(
            title="Time in which functions keep up with their streams",
            query="max:aws.lambda.iterator_age.maximum{S}",
        ),
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
        objective=Objective(
            title="Invocations that AWS did not turn away",
            good="sum:aws.lambda.invocations{S}.as_count()",
            total="sum:aws.lambda.invocations{S}.as_count() + sum:aws.lambda.throttles{S}.as_count()",
        ),
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

_MACHINES = "{aws_account,statemachinearn,region}"
_QUEUES = "{aws_account,queuename,region}"

OF_SERVICES: tuple[Recommended, ...] = (
    Recommended(
        key="step_functions_failed",
        title="Failed executions",
        query="sum(last_15m):sum:aws.states.executions_failed{S} by {BY}.as_count() > {T}",
        threshold=0,
        unit="executions",
        what="Executions of a state machine fail.",
        resolve="Look at its execution logs for the state that failed, and at the function behind it.",
        cloudwatch=True,
        objective=Objective(
            title="Executions that succeed",
            good="sum:aws.states.executions_succeeded{S}.as_count()",
            total="sum:aws.states.executions_started{S}.as_count()",
        ),
        by=_MACHINES,
        kind="State machine",
        subject="{{statemachinearn.name}}",
        seen="aws.states.executions_started",
    ),
    Recommended(
        key="step_functions_timed_out",
        title="Executions that time out",
        query="sum(last_15m):sum:aws.states.executions_timed_out{S} by {BY}.as_count() > {T}",
        threshold=0,
        unit="executions",
        what="Executions of a state machine run into a timeout.",
        resolve="Look at its execution logs for the state that waits; or allow more time.",
        cloudwatch=True,
        by=_MACHINES,
        kind="State machine",
        subject="{{statemachinearn.name}}",
        seen="aws.states.executions_started",
    ),
    Recommended(
        key="api_5xx",
        title="High share of 5xx (REST)",
        query="sum(last_15m):sum:aws.apigateway.5xxerror{S} by {BY}.as_count() / "
        "sum:aws.apigateway.count{S} by {BY}.as_count() >= {T}",
        threshold=0.05,
        unit="share of the requests",
        what="Too many requests to a REST API end with a 5xx.",
        resolve="Look at its access logs, and at errors and timeouts of the functions behind it.",
        cloudwatch=True,
        by="{aws_account,apiname,stage,region}",
        kind="API",
        subject="{{apiname.name}}",
        seen="aws.apigateway.5xxerror",
        objective=Objective(
            title="Requests to REST APIs without a 5xx",
            good="sum:aws.apigateway.count{S,apiname:*} by {apiname,stage}.as_count() - "
            "sum:aws.apigateway.5xxerror{S,apiname:*} by {apiname,stage}.as_count()",
            total="sum:aws.apigateway.count{S,apiname:*} by {apiname,stage}.as_count()",
        ),
    ),
    Recommended(
        key="http_api_5xx",
        title="High share of 5xx (HTTP API)",
        query="sum(last_15m):sum:aws.apigateway.5xx{S} by {BY}.as_count() / "
        "sum:aws.apigateway.count{S} by {BY}.as_count() >= {T}",
        threshold=0.05,
        unit="share of the requests",
        what="Too many requests to an HTTP API end with a 5xx.",
        resolve="Look at its access logs, and at errors and timeouts of the functions behind it.",
        cloudwatch=True,
        by="{aws_account,apiid,stage,region}",
        kind="API",
        subject="{{apiid.name}}",
        seen="aws.apigateway.5xx",
    ),
    Recommended(
        key="sqs_dead_letter",
        title="Messages in a dead-letter queue",
        query="max(last_15m):max:aws.sqs.approximate_number_of_messages_visible{S,dead letter} by {BY} > {T}",
        threshold=0,
        unit="messages",
        what="Messages could not be processed. (Queues are meant with dlq or dead letter in their name.)",
        resolve="Look at a message and at the errors of whoever consumes them; fix it, then redrive them.",
        cloudwatch=True,
        objective=Objective(
            title="Time without messages in dead-letter queues",
            query="max:aws.sqs.approximate_number_of_messages_visible{S,dead letter}",
            than="<=",
        ),
        by=_QUEUES,
        kind="Queue",
        subject="{{queuename.name}}",
        seen="aws.sqs.number_of_messages_sent",
    ),
    Recommended(
        key="sqs_old_messages",
        title="Old messages in a queue",
        query="max(last_15m):max:aws.sqs.approximate_age_of_oldest_message{S,no dead letter} by {BY} >= {T}",
        threshold=3_600,
        unit="seconds",
        what="The oldest message of a queue waits too long.",
        resolve="Look at errors, throttles and timeouts of whoever consumes them; raise its concurrency.",
        cloudwatch=True,
        objective=Objective(
            title="Time in which queues are kept short",
            query="max:aws.sqs.approximate_age_of_oldest_message{S,no dead letter}",
        ),
        by=_QUEUES,
        kind="Queue",
        subject="{{queuename.name}}",
        seen="aws.sqs.number_of_messages_sent",
    ),
    Recommended(
        key="kinesis_iterator_age",
        title="High iterator age of a stream",
        query="max(last_15m):max:aws.kinesis.get_records_iterator_age_milliseconds.maximum{S} by {BY} >= {T}",
        threshold=43_200_000,
        unit="milliseconds",
        what="A stream is read far behind its end, and records are lost once they expire.",
        resolve="Look for errors that make a consumer repeat batches; raise batch size, parallelization or "
        "shards.",
        cloudwatch=True,
        by="{aws_account,streamname,region}",
        kind="Stream",
        subject="{{streamname.name}}",
        seen="aws.kinesis.incoming_records",
        objective=Objective(
            title="Time in which streams are read in time",
            query="max:aws.kinesis.get_records_iterator_age_milliseconds.maximum{S}",
        ),
    ),
)

BY_KEY = {each.key: each for each in (*RECOMMENDED, *OF_SERVICES)}
"""All of them by their id."""

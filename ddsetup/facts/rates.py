"""How fast AWS lets each class of calls be made, in an account and region.

Sources: the quotas pages of AWS Lambda, CloudWatch Logs, API Gateway and Step Functions. Services that
publish no rate get a modest one of ours; those are marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_MODEST: Mapping[str, float] = {
    "cloudformation": 5,
    "cloudwatch": 20,
    "events": 5,
    "iam": 5,
    "s3": 50,
    "secretsmanager": 10,
    "sts": 10,
    "tag": 5,
}
RATES: Mapping[str, float] = {
    # Lambda: one quota for the whole control plane but these two.
    "lambda": 15,
    "lambda:GetFunction": 100,
    "lambda:GetPolicy": 15,
    "lambda:Invoke": 100,  # ours: bound by concurrency, not by rate
    # CloudWatch Logs: one quota per operation.
    "logs": 5,  # ours, for what is not listed
    "logs:DescribeLogGroups": 10,
    "logs:CreateLogGroup": 10,
    "logs:DescribeLogStreams": 25,
    "logs:DescribeSubscriptionFilters": 5,
    "logs:PutSubscriptionFilter": 5,
    "logs:DeleteSubscriptionFilter": 5,
    # API Gateway: one quota for all that manages APIs.
    "apigateway": 10,
    # Step Functions: one quota per operation, each with a burst of at least a hundred.
    "states": 5,  # ours, for what is not listed
    "states:DescribeStateMachine": 20,
    "states:ListStateMachines": 5,
    "states:UpdateStateMachine": 1,
    "states:TagResource": 1,
    "states:UntagResource": 1,
    # CloudTrail: its API reference, of LookupEvents.
    "cloudtrail": 2,
    # Not published.
    **_MODEST,
}
UNPUBLISHED = frozenset(_MODEST)
"""Those of which a second's worth may come at once: AWS bounds them by more than what comes in a moment."""
DEFAULT_RATE = 5.0
"""Calls per second for a service that `RATES` does not know."""


def given_rates(pairs: Iterable[str]) -> Mapping[str, float]:
    """Rates as they are typed (`lambda=30`, checked already), by the name of their class."""
    split = (pair.partition("=") for pair in pairs)
    return {name: float(calls) for name, _, calls in split}

"""Invoking functions, so that there is something to see."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ddsetup.gateways.aws.function_writes import invoke
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Function
from ddsetup.model.change import Outcome, ResourceId
from ddsetup.model.errors import DdsetupError

_AT_ONCE = 8
"""In each place; quotas of AWS are by place."""
_AT_MOST = 64


def invoke_all(aws: Aws, functions: Sequence[Function], payload: bytes) -> tuple[Outcome, ...]:
    """Invoke each function once and wait for it, a few at a time; what came of each, in the same order.

    A function that fails has been invoked all the same: it has something to show in Datadog. Its outcome is
    "applied" with the kind of its error as the reason.
    """
    at_once = min(_AT_MOST, _AT_ONCE * len({function.lane for function in functions}))
    pool = ThreadPoolExecutor(max(_AT_ONCE, at_once), thread_name_prefix="invoke")
    try:
        return tuple(pool.map(lambda function: _invoke(aws, function, payload), functions))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _invoke(aws: Aws, function: Function, payload: bytes) -> Outcome:
    resource = ResourceId("function", function.arn, function.region, function.account)
    try:
        done = invoke(aws, function.lane, function.name, payload)
    except DdsetupError as error:
        return Outcome(resource=resource, status="failed", reason=error.what, fix=error.fix)
    return Outcome(resource=resource, status="applied", reason=done.error)

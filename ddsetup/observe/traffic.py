"""What CloudWatch counted lately: how often functions ran, how much log groups got."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.gateways.aws.metrics import Series, by_hour
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.cost import DAYS, Group, Traffic

_METRICS = ("IncomingBytes", "IncomingLogEvents")
"""What CloudWatch Logs counts of a log group: bytes without compression, and lines (AWS's documentation)."""


def traffic(aws: Aws, functions: Iterable[Function], groups: Iterable[Group]) -> Traffic:
    """Count these: a call of GetMetricData for every 500 metrics, of which a function has one and a log group
    two. What cannot be read is unknown, and no error. Raises CredentialsError."""
    names: dict[Lane, dict[Series, str]] = {}
    for function in functions:
        series = Series("AWS/Lambda", "Invocations", (("FunctionName", function.name),))
        names.setdefault(function.lane, {})[series] = function.arn
    logs: dict[Lane, dict[Series, Group]] = {}
    for lane, group in groups:
        for metric in _METRICS:
            series = Series("AWS/Logs", metric, (("LogGroupName", group),))
            logs.setdefault(lane, {})[series] = (lane, group)
    lanes = sorted({*names, *logs})
    wanted = {lane: (*names.get(lane, {}), *logs.get(lane, {})) for lane in lanes}
    answers = dict(
        zip(lanes, each(lambda lane: by_hour(aws, lane, wanted[lane], 24 * DAYS), lanes), strict=True)
    )
    told = {lane: found for lane, found in answers.items() if not isinstance(found, Unreadable)}
    ran = {
        names[lane][s]: v
        for lane, found in told.items()
        for s, v in found.items()
        if s in names.get(lane, {})
    }
    got = [
        (s.metric, logs[lane][s], sum(v))
        for lane, found in told.items()
        for s, v in found.items()
        if s in logs.get(lane, {})
    ]
    return Traffic(
        invocations={arn: sum(values) for arn, values in ran.items()},
        hours={arn: sum(value > 0 for value in values) for arn, values in ran.items()},
        log_bytes={group: total for metric, group, total in got if metric == _METRICS[0]},
        log_events={group: total for metric, group, total in got if metric == _METRICS[1]},
        unreadable={lane: found for lane, found in answers.items() if isinstance(found, Unreadable)},
    )

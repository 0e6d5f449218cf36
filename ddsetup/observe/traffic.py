"""What CloudWatch counted lately: how often functions ran, how much log groups got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from ddsetup.gateways.aws.metrics import Series, by_hour
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.overlap import all_of
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.cost import DAYS, Group, Traffic

_RUNS = "Invocations"
_BYTES, _EVENTS = "IncomingBytes", "IncomingLogEvents"
"""What CloudWatch Logs counts of a log group: bytes without compression, and lines (AWS's documentation)."""


def traffic(aws: Aws, functions: Iterable[Function], groups: Iterable[Group]) -> Traffic:
    """Count these: a call of GetMetricData for every 500 metrics, of which a function has one and a log group
    two. What cannot be read is unknown, and no error. Raises CredentialsError."""
    arns = {(function.lane, function.name): function.arn for function in functions}
    wanted: dict[Lane, list[Series]] = {}
    for lane, name in arns:
        wanted.setdefault(lane, []).append(Series("AWS/Lambda", _RUNS, (("FunctionName", name),)))
    for lane, group in dict.fromkeys(groups):
        for metric in (_BYTES, _EVENTS):
            wanted.setdefault(lane, []).append(Series("AWS/Logs", metric, (("LogGroupName", group),)))
    answers: Mapping[Lane, Mapping[Series, tuple[float, ...]] | Unreadable] = all_of(
        {lane: partial(by_hour, aws, lane, wanted[lane], 24 * DAYS) for lane in sorted(wanted)}
    )
    by_metric: dict[str, dict[tuple[Lane, str], tuple[float, ...]]] = {_RUNS: {}, _BYTES: {}, _EVENTS: {}}
    for lane, found in answers.items():
        for series, values in ({} if isinstance(found, Unreadable) else found).items():
            by_metric[series.metric][lane, series.dimensions[0][1]] = values
    return Traffic(
        invocations={arns[of]: sum(values) for of, values in by_metric[_RUNS].items()},
        hours={arns[of]: sum(value > 0 for value in values) for of, values in by_metric[_RUNS].items()},
        log_bytes={group: sum(values) for group, values in by_metric[_BYTES].items()},
        log_events={group: sum(values) for group, values in by_metric[_EVENTS].items()},
        unreadable={lane: found for lane, found in answers.items() if isinstance(found, Unreadable)},
    )

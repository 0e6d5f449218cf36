"""What happened to functions in the minute of a request: was it the only one that failed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ddsetup.explore.story import Invocation
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.telemetry import Window, grouped_values
from ddsetup.model.account import Json
from ddsetup.model.clock import iso

_ENHANCED = "aws.lambda.enhanced"


def with_minute(
    dd: Datadog, data: Mapping[str, Json], account: str, invocations: Sequence[Invocation]
) -> dict[str, Json]:
    """The story with `minute`: a row for each function, in one call.

    Counted by Datadog's enhanced metrics, throttles by CloudWatch, which comes minutes late. Raises Denied
    when `timeseries_query` is missing.
    """
    if not invocations:
        return {**data, "minute": {"functions": []}}
    start = min(each.start for each in invocations).replace(second=0, microsecond=0)
    last = max(each.start + timedelta(milliseconds=each.duration_ms) for each in invocations)
    window = Window(start, last.replace(second=0, microsecond=0) + timedelta(minutes=1))
    names = tuple(sorted({each.function for each in invocations}))
    groups = grouped_values(dd, window, _queries(account, names), ("functionname",))
    rows = [
        {"function": name, **{label: groups.get((name,), {}).get(label) for label in _LABELS}}
        for name in dict.fromkeys(each["function"] for each in data["functions"])
    ]
    return {**data, "minute": {"from": iso(window.start), "to": iso(window.end), "functions": rows}}


_LABELS = ("invocations", "errors", "timeouts", "throttles", "cold_starts", "longest_s", "used_mb")


def _queries(account: str, names: tuple[str, ...]) -> Mapping[str, tuple[str, str]]:
    scope = Whose(account=account, functions=names).metrics()

    def count(metric: str, *conditions: str) -> tuple[str, str]:
        where = " AND ".join((scope, *conditions))
        return f"sum:{metric}{{{where}}} by {{functionname}}.as_count()", "sum"

    def largest(metric: str) -> tuple[str, str]:
        return f"max:{metric}{{{scope}}} by {{functionname}}", "max"

    return {
        "invocations": count(f"{_ENHANCED}.invocations"),
        "errors": count(f"{_ENHANCED}.errors"),
        "timeouts": count(f"{_ENHANCED}.timeouts"),
        "throttles": count("aws.lambda.throttles"),
        "cold_starts": count(f"{_ENHANCED}.invocations", "cold_start:true"),
        "longest_s": largest(f"{_ENHANCED}.duration"),
        "used_mb": largest(f"{_ENHANCED}.max_memory_used"),
    }

"""What the event endpoints of logs and spans share: time ranges, pages, and aggregation."""

from __future__ import annotations

import base64
import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ddsetup.sandbox.datadog.search import values_of
from ddsetup.sandbox.datadog.store import Event
from ddsetup.sandbox.datadog.wire import JsonObject, text_error

MAX_PAGE = 1000
DEFAULT_PAGE = 10
DEFAULT_GROUPS = 10
MAX_GROUPS = 10_000

_RELATIVE = re.compile(r"now(?:-(\d+)([smhdw]))?")
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


@dataclass(frozen=True, slots=True)
class Page:
    """Events of one page and the cursor of the next, None on the last page."""

    events: list[Event]
    after: str | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """One group of an aggregation: facet -> value, and the computed values in the order asked."""

    by: Mapping[str, Any]
    values: list[float | None]


def time_range(described: Mapping[str, Any], now: float, error_status: int) -> tuple[int, int]:
    """``from`` and ``to`` in milliseconds: ISO 8601, milliseconds, or ``now-15m``.

    ``now`` is in seconds. Raises ApiError ``error_status`` when malformed or reversed.
    """
    start = _instant(described.get("from", "now-15m"), now, error_status)
    end = _instant(described.get("to", "now"), now, error_status)
    if start > end:
        raise text_error(error_status, "invalid time range: from is after to")
    return start, end


def _instant(value: Any, now: float, error_status: int) -> int:
    text = str(value).strip()
    if match := _RELATIVE.fullmatch(text):
        back = int(match[1]) * _UNIT_MS[match[2]] if match[1] else 0
        return int(now * 1000) - back
    if re.fullmatch(r"\d{10,}", text):
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise text_error(error_status, f"invalid date: {text}") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def iso(milliseconds: float) -> str:
    """ISO 8601 in UTC with milliseconds, as Datadog writes it."""
    return (
        datetime.fromtimestamp(milliseconds / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def page_of(events: Sequence[Event], page: Mapping[str, Any], sort: Any) -> Page:
    """Sort and cut. Raises ApiError 400 on a wrong limit, cursor or order."""
    if sort not in (None, "timestamp", "-timestamp"):
        raise text_error(400, "invalid sort")
    limit = page.get("limit", DEFAULT_PAGE)
    if not isinstance(limit, int) or not 1 <= limit <= MAX_PAGE:
        raise text_error(400, f"invalid page limit: must be between 1 and {MAX_PAGE}")
    ordered = list(events) if sort == "timestamp" else list(reversed(events))
    start = _offset(page.get("cursor"))
    after = base64.urlsafe_b64encode(str(start + limit).encode()).decode()
    return Page(ordered[start : start + limit], after if start + limit < len(ordered) else None)


def _offset(cursor: Any) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(str(cursor)))
    except ValueError:
        raise text_error(400, "invalid cursor") from None


def aggregate(
    events: Sequence[Event],
    computes: Sequence[JsonObject],
    group_by: Sequence[JsonObject],
    reserved: frozenset[str],
) -> list[Bucket]:
    """Group events by facets and compute totals. Raises ApiError 400 on what is not known here."""
    computations = [_computation(compute, reserved) for compute in computes or [{"aggregation": "count"}]]
    _check_limits(group_by)
    groups: dict[tuple[tuple[str, Any], ...], list[Event]] = {(): list(events)}
    for facet in group_by:
        groups = _split(groups, facet, reserved)
    buckets = [
        Bucket(dict(group), [compute(members) for compute in computations])
        for group, members in groups.items()
        if members or not group_by
    ]
    return buckets if group_by or events else []


def _check_limits(group_by: Sequence[JsonObject]) -> None:
    limits = [facet.get("limit", DEFAULT_GROUPS) for facet in group_by]
    if not all(isinstance(limit, int) and limit >= 1 for limit in limits) or math.prod(limits) > MAX_GROUPS:
        raise text_error(400, f"invalid group_by: the product of the limits must not exceed {MAX_GROUPS}")


def _split(
    groups: Mapping[tuple[tuple[str, Any], ...], list[Event]], facet: JsonObject, reserved: frozenset[str]
) -> dict[tuple[tuple[str, Any], ...], list[Event]]:
    name = facet.get("facet")
    limit = facet.get("limit", DEFAULT_GROUPS)
    if not isinstance(name, str) or not name:
        raise text_error(400, "invalid group_by: facet is required")
    if unknown := set(facet) - {"facet", "limit", "missing", "sort"}:
        raise text_error(400, f"invalid group_by: {', '.join(sorted(unknown))} is not known here")
    split: dict[tuple[tuple[str, Any], ...], list[Event]] = {}
    for group, members in groups.items():
        parts: dict[Any, list[Event]] = {}
        for event in members:
            values = values_of(event, name, reserved) or ([facet["missing"]] if "missing" in facet else [])
            for value in dict.fromkeys(values):
                parts.setdefault(value, []).append(event)
        for value, part in _ordered(parts, facet.get("sort") or {})[:limit]:
            split[(*group, (name, value))] = part
    return split


def _ordered(parts: Mapping[Any, list[Event]], sort: JsonObject) -> list[tuple[Any, list[Event]]]:
    """Largest groups first unless asked otherwise; only the count is known as a measure here."""
    if sort.get("type") == "alphabetical":
        return sorted(parts.items(), key=lambda part: str(part[0]), reverse=sort.get("order") == "desc")
    if sort.get("aggregation", "count") != "count":
        raise text_error(400, "invalid sort: only count is known here")
    by_name = sorted(parts.items(), key=lambda part: str(part[0]))
    return sorted(by_name, key=lambda part: len(part[1]), reverse=sort.get("order", "desc") == "desc")


def _computation(compute: JsonObject, reserved: frozenset[str]) -> Callable[[list[Event]], float | None]:
    aggregation, metric = compute.get("aggregation"), compute.get("metric")
    if compute.get("type", "total") != "total":
        raise text_error(400, "invalid compute: only the type total is known here")
    if aggregation == "count":
        return len
    if not isinstance(metric, str):
        raise text_error(400, "invalid compute: metric is required")
    if aggregation == "cardinality":
        return lambda events: float(
            len({str(v) for event in events for v in values_of(event, metric, reserved)})
        )
    numeric = _numeric(str(aggregation))
    return lambda events: numeric(_numbers(events, metric, reserved))


def _numeric(aggregation: str) -> Callable[[list[float]], float | None]:
    simple: dict[str, Callable[[list[float]], float]] = {
        "sum": sum,
        "avg": statistics.fmean,
        "min": min,
        "max": max,
        "median": statistics.median,
    }
    if aggregation in simple:
        return lambda values: simple[aggregation](values) if values else None
    if match := re.fullmatch(r"pc(75|90|95|98|99)", aggregation):
        share = int(match[1]) / 100
        return lambda values: (
            sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else None
        )
    raise text_error(400, f"invalid compute: unknown aggregation {aggregation}")


def _numbers(events: Sequence[Event], metric: str, reserved: frozenset[str]) -> list[float]:
    values = (value for event in events for value in values_of(event, metric, reserved))
    return [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]

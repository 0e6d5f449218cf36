"""What a log becomes on arrival: attributes, status, tags, and the index that keeps it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ddsetup.sandbox.datadog.search import Matcher, compile_query
from ddsetup.sandbox.datadog.store import Event, Tier, flatten
from ddsetup.sandbox.datadog.tags import all_normalised
from ddsetup.sandbox.datadog.wire import JsonObject

#: Facets of logs that are neither tags nor ``@attributes``.
RESERVED = frozenset({"service", "host", "source", "status", "index"})

_INTAKE_FIELDS = frozenset(
    {"message", "ddtags", "ddsource", "service", "host", "hostname", "timestamp", "date"}
)
#: What a JSON log's text is called (preprocessing for JSON logs, message attribute).
_MESSAGES = ("message", "msg", "log")
#: What Datadog's pipeline for Lambda logs takes from the lines that Lambda itself writes.
_REQUEST = re.compile(r"^(?:START|END|REPORT) RequestId: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_STATUS_KEYS = ("status", "severity", "level", "levelname", "syslog.severity")
_PREFIX = re.compile(r"^\s*\[(CRITICAL|FATAL|ERROR|WARNING|WARN|INFO|DEBUG|TRACE)\]")
_STATUS = {
    "fatal": "critical",
    "critical": "critical",
    "emergency": "emergency",
    "alert": "alert",
    "error": "error",
    "err": "error",
    "warning": "warn",
    "warn": "warn",
    "notice": "notice",
    "info": "info",
    "information": "info",
    "debug": "debug",
    "trace": "debug",
    "ok": "ok",
}


@dataclass(frozen=True, slots=True)
class LogIndex:
    """One index: its filter, the filters that keep logs out of it, and whether it is Flex only."""

    name: str
    query: str
    matches: Matcher
    exclusions: tuple[Matcher, ...]
    flex_only: bool
    described: JsonObject


def log_indexes(described: Sequence[JsonObject]) -> tuple[LogIndex, ...]:
    """Indexes from data in the shape of ``GET /api/v1/logs/config/indexes``; none means ``main`` for all.

    Only exclusion filters that drop everything (``sample_rate`` 1) keep logs out.
    """
    return tuple(map(_log_index, described or [{"name": "main", "filter": {"query": "*"}}]))


def _log_index(item: JsonObject) -> LogIndex:
    query = str(item.get("filter", {}).get("query", "*"))
    exclusions = tuple(
        compile_query(str(e["filter"].get("query", "*")), RESERVED)
        for e in item.get("exclusion_filters", [])
        if e.get("is_enabled", True) and e["filter"].get("sample_rate", 1.0) >= 1.0
    )
    described = {
        "num_retention_days": 15,
        "daily_limit": None,
        "is_rate_limited": False,
        "exclusion_filters": [],
        **item,
        "filter": {"query": query},
    }
    described = {key: value for key, value in described.items() if value is not None}
    flex_only = not described["num_retention_days"] and bool(item.get("num_flex_logs_retention_days"))
    matches = compile_query(query, RESERVED)
    return LogIndex(str(item["name"]), query, matches, exclusions, flex_only, described)


def log_event(item: Mapping[str, Any], now: float, number: int, indexes: Sequence[LogIndex]) -> Event:
    """One log as it is kept. ``now`` is in seconds; ``item`` is an element of the intake's payload.

    A message that is JSON becomes attributes, and what it calls its message the log's (Datadog's
    preprocessing of JSON logs); so does one that is an object, as the Extension sends it.
    """
    document = _document(item.get("message", ""))
    content = {key: value for key, value in item.items() if key not in _INTAKE_FIELDS} | document
    message = next((v for name in _MESSAGES if isinstance(v := document.get(name), str) and v), None)
    if message is None:
        message = str(item.get("message", ""))
    if request := _REQUEST.search(message):
        given = content.get("lambda")
        content["lambda"] = {"request_id": request[1], **(given if isinstance(given, dict) else {})}
    attributes = flatten(content)
    tags = [tag.strip() for tag in str(item.get("ddtags") or "").split(",")]
    tags += _function_tag(tags, attributes)
    source = str(item.get("ddsource") or "")
    tags = all_normalised([*tags, f"source:{source}"] if source else tags)
    service = str(item.get("service") or attributes.get("service") or _tag_value(tags, "service") or "")
    fields = {
        "service": service,
        "host": str(item.get("host") or item.get("hostname") or ""),
        "source": source,
        "status": _status(attributes, message),
    }
    at = _milliseconds(item.get("timestamp") or item.get("date") or content.get("timestamp"), now)
    event = Event(
        id=f"{number:024d}",
        at=at,
        fields=fields,
        tags=tuple(tags),
        attributes=attributes,
        message=message,
        nested=content,
    )
    return _routed(event, indexes)


def _routed(event: Event, indexes: Sequence[LogIndex]) -> Event:
    """The first index whose filter matches takes the log, unless an exclusion filter drops it."""
    tier: Tier = "none"
    name = ""
    for index in indexes:
        if index.matches(event):
            dropped = any(exclusion(event) for exclusion in index.exclusions)
            tier = "none" if dropped else "flex" if index.flex_only else "indexes"
            name = index.name
            break
    return replace(event, fields={**event.fields, "index": name}, tier=tier, index=name)


def _document(message: Any) -> JsonObject:
    if isinstance(message, dict):
        return message
    text = str(message)
    if not text.lstrip().startswith("{"):
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _function_tag(tags: Sequence[str], attributes: Mapping[str, Any]) -> list[str]:
    arn = attributes.get("lambda.arn") or attributes.get("aws.lambda.arn")
    if not isinstance(arn, str) or any(tag.startswith("functionname:") for tag in tags):
        return []
    name = arn.split(":")[6:7]
    return [f"functionname:{name[0]}"] if name else []


def _tag_value(tags: Sequence[str], key: str) -> str | None:
    return next((tag.partition(":")[2] for tag in tags if tag.startswith(f"{key}:")), None)


def _status(attributes: Mapping[str, Any], message: str) -> str:
    for key in _STATUS_KEYS:
        if (known := _STATUS.get(str(attributes.get(key, "")).lower())) is not None:
            return known
    if match := _PREFIX.match(message):
        return _STATUS[match[1].lower()]
    return "info"


def _milliseconds(value: Any, now: float) -> int:
    """A timestamp in milliseconds since the epoch: a number, a number in a string, or ISO 8601."""
    if isinstance(value, str):
        try:
            return int(datetime.fromisoformat(value).timestamp() * 1000)
        except ValueError:
            value = float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value if value > 1e11 else value * 1000)
    return int(now * 1000)

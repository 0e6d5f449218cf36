"""Spans from trace payloads, in protobuf as the official Forwarder 5.4 posts them or the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ddsetup.sandbox.datadog.protobuf import double, fields
from ddsetup.sandbox.datadog.store import Event, nested
from ddsetup.sandbox.datadog.tags import all_normalised

#: Attributes of spans that are asked for without ``@`` (Trace Explorer, query syntax). Any other key without
#: ``@`` is a tag, and what a library puts on a span (its meta) is none.
RESERVED = frozenset(
    {
        "env",
        "ingestion_reason",
        "operation_name",
        "resource_name",
        "service",
        "span_id",
        "status",
        "trace_id",
        "type",
    }
)


@dataclass(slots=True)
class _Span:
    """The fields of ``pb.Span`` (datadog-agent, pkg/trace/pb/span.proto)."""

    service: str = ""
    name: str = ""
    resource: str = ""
    trace_id: int = 0
    span_id: int = 0
    parent_id: int = 0
    start: int = 0
    duration: int = 0
    error: int = 0
    meta: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    type: str = ""


def spans_from_json(payload: Any) -> list[Event]:
    """Spans of ``{"traces": [[span, ...]], "env"?, "tags"?}``, ids hexadecimal as the libraries log them.

    ``tags`` become meta of each span, as the official Forwarder makes them (trace_forwarder, model.go).
    ``_dd.tags.function`` becomes tags: so the Extension sends those of its function. Raises ValueError on
    anything else.
    """
    if not isinstance(payload, dict) or not isinstance(payload.get("traces"), list):
        raise ValueError("no traces")
    tags = payload.get("tags") or []
    tags = tags.split(",") if isinstance(tags, str) else tags
    extra = dict(str(tag).split(":", 1) for tag in tags if ":" in str(tag))
    env = str(payload.get("env") or extra.pop("env", "") or "none")
    service = extra.pop("service", "")
    function_tags = all_normalised(str(payload.get("_dd.tags.function") or "").split(","))
    events = []
    for trace in payload["traces"]:
        if not isinstance(trace, list):
            raise ValueError("a trace is a list of spans")
        for described in trace:
            span = _span_from_json(described)
            span.meta.update(extra)
            if service and span.service == "aws.lambda":
                span.service = service
            events.append(_event(span, env, function_tags))
    return events


def spans_from_protobuf(data: bytes) -> list[Event]:
    """Spans of a serialized ``pb.TracePayload``. Raises ValueError on malformed data or none at all."""
    env, events = "none", []
    traces: list[bytes] = []
    for number, value in fields(data):
        if number == 2 and isinstance(value, bytes):
            env = value.decode()
        elif number == 3 and isinstance(value, bytes):
            traces.append(value)
    for trace in traces:
        for number, value in fields(trace):
            if number == 2 and isinstance(value, bytes):
                events.append(_event(_span_from_protobuf(value), env))
    if not events:
        raise ValueError("no spans")
    return events


def _span_from_json(described: Any) -> _Span:
    if not isinstance(described, dict):
        raise ValueError("a span is an object")
    return _Span(
        service=str(described.get("service") or ""),
        name=str(described.get("name") or ""),
        resource=str(described.get("resource") or ""),
        trace_id=_hex_id(described.get("trace_id")),
        span_id=_hex_id(described.get("span_id")),
        parent_id=_hex_id(described.get("parent_id")),
        start=int(described.get("start") or 0),
        duration=int(described.get("duration") or 0),
        error=int(described.get("error") or 0),
        meta={str(k): str(v) for k, v in (described.get("meta") or {}).items()},
        metrics={str(k): float(v) for k, v in (described.get("metrics") or {}).items()},
        type=str(described.get("type") or ""),
    )


def _hex_id(value: Any) -> int:
    """An id of 64 bits: hexadecimal text (its last 16 digits), or a number."""
    if isinstance(value, int):
        return value
    return int(str(value or "0")[-16:], 16)


_PROTO_STRINGS = {1: "service", 2: "name", 3: "resource", 12: "type"}
_PROTO_NUMBERS = {4: "trace_id", 5: "span_id", 6: "parent_id", 7: "start", 8: "duration", 9: "error"}


def _span_from_protobuf(data: bytes) -> _Span:
    span = _Span()
    for number, value in fields(data):
        if number in _PROTO_STRINGS and isinstance(value, bytes):
            setattr(span, _PROTO_STRINGS[number], value.decode())
        elif number in _PROTO_NUMBERS and isinstance(value, int):
            setattr(span, _PROTO_NUMBERS[number], value)
        elif number in (10, 11) and isinstance(value, bytes):
            entry = dict(fields(value))
            key, content = entry.get(1, b""), entry.get(2, b"")
            if not isinstance(key, bytes) or not isinstance(content, bytes):
                raise ValueError("malformed map entry")
            if number == 10:
                span.meta[key.decode()] = content.decode()
            else:
                span.metrics[key.decode()] = double(content)
    return span


def _event(span: _Span, env: str, tags: Sequence[str] = ()) -> Event:
    meta = {key: value for key, value in span.meta.items() if not key.startswith("_dd.")}
    attributes: Mapping[str, Any] = {**meta, **span.metrics, "duration": span.duration}
    fields = {
        "service": span.service,
        "operation_name": span.name,
        "resource_name": span.resource or span.name,
        "env": env,
        "status": "error" if span.error else "ok",
        "type": span.type,
        "host": span.meta.get("_dd.hostname", ""),
        "ingestion_reason": "auto",
        "trace_id": str(span.trace_id),
        "span_id": str(span.span_id),
        "parent_id": str(span.parent_id),
    }
    return Event(
        id=f"{span.trace_id:016x}{span.span_id:016x}",
        at=span.start // 1_000_000,
        fields=fields,
        tags=tuple(all_normalised([*tags, "source:apm", f"env:{env}"])),
        attributes=attributes,
        nested=nested(attributes),
    )

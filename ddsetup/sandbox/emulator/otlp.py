"""Metrics in OpenTelemetry 1.0.0, as CloudWatch's metric streams send them.

A record holds `ExportMetricsServiceRequest` messages, each behind its length; a metric is a summary with
count, sum, and minimum and maximum as quantiles 0 and 1; its namespace, name and dimensions are attributes
(CloudWatch user guide, "CloudWatch metric stream output in OpenTelemetry 1.0.0 format"; numbers of fields
from opentelemetry-proto 1.0.0, `metrics.proto`, `common.proto`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PERIOD = 60
_NANOSECONDS = 10**9


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric in one minute, which `begins` at that second."""

    namespace: str
    metric: str
    unit: str
    dimensions: Mapping[str, str]
    begins: int
    count: float
    total: float
    least: float
    most: float


def request(resource: Mapping[str, str], summaries: Iterable[Summary]) -> bytes:
    """An export of these metrics behind its length. `resource` are the attributes that tell where from."""
    attributes = b"".join(_part(1, _attribute(*each)) for each in resource.items())
    metrics = b"".join(_part(2, _metric(each)) for each in summaries)
    message = _part(1, _part(1, attributes) + _part(2, metrics))
    return _varint(len(message)) + message


def _metric(summary: Summary) -> bytes:
    name = f"amazonaws.com/{summary.namespace}/{summary.metric}"
    return _part(1, name.encode()) + _part(3, summary.unit.encode()) + _part(11, _part(1, _point(summary)))


def _point(summary: Summary) -> bytes:
    dimensions = b"".join(_part(1, _attribute(*each)) for each in summary.dimensions.items())
    quantiles = ((0.0, summary.least), (1.0, summary.most))
    return b"".join(
        (
            _part(7, _attribute("Namespace", summary.namespace)),
            _part(7, _attribute("MetricName", summary.metric)),
            _part(7, _part(1, b"Dimensions") + _part(2, _part(6, dimensions))),
            _fixed(2, summary.begins * _NANOSECONDS),
            _fixed(3, (summary.begins + _PERIOD) * _NANOSECONDS),
            _fixed(4, int(summary.count)),
            _double(5, summary.total),
            *(_part(6, _double(1, quantile) + _double(2, value)) for quantile, value in quantiles),
        )
    )


def _attribute(key: str, value: str) -> bytes:
    return _part(1, key.encode()) + _part(2, _part(1, value.encode()))


def _part(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _fixed(number: int, value: int) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<Q", value)


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

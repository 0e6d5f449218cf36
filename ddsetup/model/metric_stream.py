"""A CloudWatch metric stream as it is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

MetricFilter: TypeAlias = tuple[str, tuple[str, ...]]
"""A namespace, and the metrics of it that are meant; none: all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricStream:
    """A stream that leads to Datadog. `delivery` is its delivery stream's name.

    Filters include or exclude; without either all of the region is in it. Of a stream that does not run
    they are not known.
    """

    name: str
    delivery: str
    running: bool
    output_format: str
    include: tuple[MetricFilter, ...] = ()
    exclude: tuple[MetricFilter, ...] = ()

    def carries(self, namespace: str, metric: str = "") -> bool:
        """Whether it runs, and this metric is in it; without one, all of the namespace."""
        if not self.running:
            return False
        if self.include:
            return any(_names(each, namespace, metric) for each in self.include)
        touched = (each for each in self.exclude if each[0] == namespace)
        return not any(not metric or not metrics or metric in metrics for _, metrics in touched)

    @property
    def carries_functions(self) -> bool:
        """Whether what functions did comes by it."""
        return self.carries("AWS/Lambda", "Invocations")

    def missing(self, namespaces: Iterable[str]) -> tuple[str, ...]:
        """Those of the namespaces that it does not carry as a whole."""
        return tuple(each for each in namespaces if not self.carries(each))


def _names(found: MetricFilter, namespace: str, metric: str) -> bool:
    """Whether a filter means this metric, or with none all of the namespace."""
    where, metrics = found
    return where == namespace and (not metrics or metric in metrics)

"""Whose data is meant, as the filters of Datadog's query languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ddsetup.facts.searches import any_of, datadog_name, datadog_names, logs_of, spans_in, spans_of
from ddsetup.gateways.datadog.telemetry import NAMED_AT_MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """One AWS account; `regions` and `functions` (names) narrow it down, empty ones do not.

    `known_as` are the names of the functions in Datadog.
    """

    account: str
    regions: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    known_as: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known_as", frozenset(datadog_names(self.functions)))

    @property
    def named(self) -> bool:
        """Whether the functions are few enough to be written into a query."""
        return 0 < len(self.functions) <= NAMED_AT_MOST

    def has(self, function: str, region: str = "") -> bool:
        """Whether data of this function is meant; data that does not tell its region is."""
        in_region = not self.regions or not region or region in self.regions
        return in_region and (not self.functions or datadog_name(function) in self.known_as)

    def metrics(self, *conditions: str) -> str:
        """The scope of a metric query, with further conditions."""
        parts = [f"(aws_account:{self.account} OR account_id:{self.account})"]
        if self.regions:
            parts.append(_in("region", self.regions))
        if self.named:
            parts.append(_in("functionname", sorted(self.known_as)))
        return " AND ".join((*parts, *conditions))

    def senders(self) -> str:
        """The scope of a query for metrics that not only functions of this account may send."""
        return _in("functionname", sorted(self.known_as)) if self.named else "*"

    def logs(self, *conditions: str) -> str:
        """The query of a search of logs, with further conditions; logs that tell no place are let in."""
        parts = list(conditions)
        if self.named:
            parts.append(logs_of(self.functions))
        for facet, values in (("aws_account", (self.account,)), ("region", self.regions)):
            if values:
                parts.append(f"({facet}:{any_of(values)} OR -{facet}:*)")
        return " ".join(parts)

    def spans(self, *conditions: str) -> str:
        """The query of a search of spans, with further conditions; spans that tell no place are let in."""
        named = (spans_of(self.functions),) if self.named else ()
        return " ".join((*conditions, *named, spans_in(self.account, self.regions)))

    def page_of_logs(self, *conditions: str) -> str:
        """The query of a page of Datadog: shorter, as a person would type it."""
        return " ".join((*conditions, *((logs_of(self.functions),) if self.named else ())))

    def page_of_spans(self, *conditions: str) -> str:
        """The same for spans."""
        return " ".join((*conditions, *((spans_of(self.functions),) if self.named else ())))


def _in(tag: str, values: Sequence[str]) -> str:
    return f"{tag}:{values[0]}" if len(values) == 1 else f"{tag} IN ({','.join(sorted(values))})"

"""Whose data is meant, as the filters of Datadog's query languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ddsetup.gateways.datadog.telemetry import NAMED_AT_MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """One AWS account; `regions` and `functions` (names in lower case) narrow it down, empty ones do not."""

    account: str
    regions: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Whether the functions are few enough to be written into a query."""
        return 0 < len(self.functions) <= NAMED_AT_MOST

    def has(self, function: str, region: str = "") -> bool:
        """Whether data of this function is meant; data that does not tell its region is."""
        in_region = not self.regions or not region or region in self.regions
        return in_region and (not self.functions or function.lower() in self.functions)

    def metrics(self, *conditions: str) -> str:
        """The scope of a metric query, with further conditions."""
        parts = [f"(aws_account:{self.account} OR account_id:{self.account})"]
        if self.regions:
            parts.append(_in("region", self.regions))
        if self.named:
            parts.append(_in("functionname", self.functions))
        return " AND ".join((*parts, *conditions))

    def senders(self) -> str:
        """The scope of a query for metrics that not only functions of this account may send."""
        return _in("functionname", self.functions) if self.named else "*"

    def events(self, *conditions: str) -> str:
        """The query of a search of logs or spans, with further conditions.

        Events that do not tell account or region are let in: what the Extension sends may lack them.
        """
        parts = list(conditions)
        if self.named:
            parts.append(f"functionname:{_any_of(self.functions)}")
        for facet, values in (("aws_account", (self.account,)), ("region", self.regions)):
            if values:
                parts.append(f"({facet}:{_any_of(values)} OR -{facet}:*)")
        return " ".join(parts)

    def page(self, *conditions: str) -> str:
        """The query of a page of Datadog: shorter, as a person would type it."""
        names = (f"functionname:{_any_of(self.functions)}",) if self.named else ()
        return " ".join((*conditions, *names))


def _in(tag: str, values: Sequence[str]) -> str:
    return f"{tag}:{values[0]}" if len(values) == 1 else f"{tag} IN ({','.join(sorted(values))})"


def _any_of(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"({' OR '.join(sorted(values))})"

"""What people log must not be shown again: secrets in texts that came from elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.facts.disclose import in_log
from ddsetup.model.account import Json

_TEXTS = frozenset({"message", "example", "pattern", "error", "what", "resource"})
"""Fields of what exploring tells whose text somebody else wrote."""


def masked(data: Mapping[str, Json], *, raw: bool = False) -> Mapping[str, Json]:
    """The data of a command with every text that somebody logged or raised made harmless, unless `raw`."""
    return data if raw else _masked(data)


def _masked(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {
            key: in_log(each) if key in _TEXTS and isinstance(each, str) else _masked(each)
            for key, each in value.items()
        }
    return [_masked(each) for each in value] if isinstance(value, list | tuple) else value

"""The regions of an account as they are offered: those with the most functions first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ddsetup.model.account import Unreadable
from ddsetup.model.lines import counted

FunctionsByRegion: TypeAlias = Mapping[str, int | Unreadable]
"""How many functions there are in each region."""
Offer: TypeAlias = tuple[str, str, str, str]
"""Value, label, hint, and why it cannot be taken."""


def region_offers(functions: FunctionsByRegion) -> list[Offer]:
    """Each region with the number of its functions; one that is not enabled cannot be taken."""
    return [
        _offer(region, functions[region]) for region in sorted(functions, key=lambda r: _rank(r, functions))
    ]


def regions_in_use(functions: FunctionsByRegion) -> tuple[str, ...]:
    """Those with functions."""
    return tuple(
        region for region, number in functions.items() if not isinstance(number, Unreadable) and number
    )


def without_functions(functions: FunctionsByRegion) -> bool:
    """Whether none has any: all that are enabled could be read."""
    read = [n for n in functions.values() if not (isinstance(n, Unreadable) and n.region_off)]
    return bool(read) and all(number == 0 for number in read)


def _rank(region: str, functions: FunctionsByRegion) -> tuple[int, str]:
    number = functions[region]
    if isinstance(number, Unreadable):
        return (2 if number.region_off else 0), region
    return -number if number else 1, region


def _offer(region: str, number: int | Unreadable) -> Offer:
    if not isinstance(number, Unreadable):
        return region, region, counted(number, "function") if number else "-", ""
    if number.region_off:
        return region, region, "", "not enabled for this account"
    return region, region, f"? {number.reason}", ""

"""Many accounts: which there are, and what is chosen of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean

Filter: TypeAlias = Literal["NONE", "INTERSECTION", "DIFFERENCE"]
"""Which accounts of units a StackSet is for: all, those that are named, or all but these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One AWS account among several.

    `state` is that of AWS Organizations (`Account.State`, else `Status`); only an ACTIVE one is worked on.
    `unit` is the organisational unit that it was found under, by the names on the way. `role` (a name or an
    ARN) and `profile` are how a file says that it is entered; `regions` are its own, where it has any.
    """

    account: str
    name: str = ""
    state: str = "ACTIVE"
    unit: str = ""
    management: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    profile: str = ""
    regions: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        return self.state == "ACTIVE"

    @property
    def passive(self) -> str:
        """Why it is not worked on; empty if it is."""
        return "" if self.active else f"the account is {self.state.lower().replace('_', ' ')}"

    @property
    def called(self) -> str:
        """The number, with the name where it has one."""
        return f"{self.account} ({self.name})" if self.name else self.account


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which accounts are meant: `accounts` and `exclude` are numbers, names or globs of names; all `tags`
    must fit, `*` is any value."""

    accounts: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A stack of a set in an account and region. `detail` is a StackInstanceDetailedStatus; `stack` the
    stack's id, empty where it never came to be."""

    account: str
    region: str
    detail: str
    reason: str = ""
    unit: str = ""
    stack: str = ""

    @property
    def there(self) -> bool:
        return self.detail == "SUCCEEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Accounts of units: all of them, only `accounts`, or all but these."""

    units: tuple[str, ...]
    regions: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    filter: Filter = "NONE"


_SEE = "ddsetup org status shows all of them"


def choose(members: Iterable[Member], which: Which) -> tuple[Member, ...]:
    """The members that are meant, by name. Raises UsageError for what fits none, with the nearest."""
    every = sorted(members, key=lambda member: (member.name, member.account))
    for pattern in (*which.accounts, *which.exclude):
        _check(pattern, every)
    found = [m for m in every if not which.accounts or any(_fits(m, p) for p in which.accounts)]
    found = [m for m in found if not any(_fits(m, p) for p in which.exclude)]
    found = [m for m in found if all(_tagged(m, *tag) for tag in which.tags)]
    if not found:
        raise UsageError("no account fits the choice", fix=_SEE)
    return tuple(found)


def _fits(member: Member, pattern: str) -> bool:
    return member.account == pattern or fnmatchcase(member.name, pattern)


def _tagged(member: Member, key: str, value: str) -> bool:
    return key in member.tags and fnmatchcase(member.tags[key], value)


def _check(pattern: str, members: Sequence[Member]) -> None:
    if any(_fits(member, pattern) for member in members):
        return
    known = [name for member in members for name in (member.name, member.account) if name]
    raise UsageError(f"{pattern!r} is no account that there is", fix=did_you_mean(pattern, known, _SEE))

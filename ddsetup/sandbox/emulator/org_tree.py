"""The organisation of the emulated AWS: its root, organisational units and accounts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ddsetup.sandbox.model import member_account

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
STATE_TAG = "ddsetup-sandbox-state"
"""An account that gets this tag is in the state that its value names: AWS suspends accounts, and has no call
for it."""
_STATUS = {"ACTIVE": "ACTIVE", "PENDING_CLOSURE": "PENDING_CLOSURE"}
"""The older field by the newer one; whatever else an account is, it was called suspended."""


def named(text: str, length: int) -> str:
    """Letters and digits that stand for a text, always the same ones."""
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:length])


@dataclass(slots=True)
class Unit:
    """An organisational unit, or the root."""

    id: str
    name: str
    parent: str


@dataclass(slots=True)
class Member:
    """An account of the organisation; `parent` is the id of its unit or of the root."""

    id: str
    name: str
    email: str
    parent: str
    method: str = "CREATED"
    state: str = "ACTIVE"
    joined: float = field(default_factory=time.time)

    @property
    def active(self) -> bool:
        return self.state == "ACTIVE"


@dataclass(slots=True)
class Organization:
    """All of it. `moved` is told of every account whose place has changed: account, unit before, unit after;
    an empty text is outside."""

    management: str
    features: str = "ALL"
    units: dict[str, Unit] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    services: dict[str, float] = field(default_factory=dict)
    """Service principals that have trusted access, with the time since when."""
    administrators: dict[tuple[str, str], float] = field(default_factory=dict)
    """Accounts and the services that they administer for the organisation, with the time since when."""
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What became of each CreateAccount."""
    moved: list[Callable[[str, str, str], None]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"o-{named(self.management, 10)}"

    @property
    def root(self) -> str:
        return f"r-{named(self.management, 4)}"

    def arn(self, rest: str) -> str:
        return f"arn:aws:organizations::{self.management}:{rest}"

    def path(self, node: str) -> str:
        """Where a root, unit or account is: `o-…/r-…/ou-…/`."""
        parents = [node]
        while parents[-1] != self.root:
            last = parents[-1]
            parents.append(self.members[last].parent if last in self.members else self.units[last].parent)
        return "/".join([self.id, *reversed(parents), ""])

    def around(self, unit: str) -> list[str]:
        """A unit and all the units that it is in; of an empty text none."""
        return [each for each in self.path(unit).split("/") if each in self.units] if unit else []

    def holds(self, node: str) -> bool:
        return node in self.units or node in self.members

    def below(self, unit: str) -> Iterator[Member]:
        """The accounts of a unit and of all the units in it."""
        for member in self.members.values():
            if f"/{unit}/" in self.path(member.id):
                yield member

    def administers(self, account: str, service: str = "") -> bool:
        """Whether an account is delegated administrator of that service, or of any."""
        return any(each == account and service in ("", of) for each, of in self.administrators)

    def add_unit(self, parent: str, name: str) -> Unit:
        unit = Unit(f"ou-{self.root[2:]}-{named(f'{self.management}{parent}{name}', 8)}", name, parent)
        self.units[unit.id] = unit
        return unit

    def new_account(self) -> str:
        """The number of the next account that is made."""
        return member_account(self.management, len(self.members))

    def move(self, account: str, target: str) -> None:
        member = self.members[account]
        before, member.parent = member.parent, target
        self.tell(account, before, target)

    def tell(self, account: str, before: str, after: str) -> None:
        """Tell whoever wants to know that an account's place has changed."""
        for told in self.moved:
            told(account, before, after)

    def described(self, member: Member) -> dict[str, Any]:
        """An account as AWS describes it."""
        return {
            "Id": member.id,
            "Arn": self.arn(f"account/{self.id}/{member.id}"),
            "Email": member.email,
            "Name": member.name,
            "Status": _STATUS.get(member.state, "SUSPENDED"),
            "State": member.state,
            "Paths": [self.path(member.id)],
            "JoinedMethod": member.method,
            "JoinedTimestamp": member.joined,
        }

    def described_unit(self, unit: Unit) -> dict[str, Any]:
        kind = "root" if unit.id == self.root else "ou"
        arn = self.arn(f"{kind}/{self.id}/{unit.id}")
        if kind == "root":
            policies = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
            return {"Id": unit.id, "Arn": arn, "Name": unit.name, "PolicyTypes": policies}
        return {"Id": unit.id, "Arn": arn, "Name": unit.name, "Path": self.path(unit.id)}


_current: list[Organization] = []


def current() -> Organization | None:
    """The one that there is, if any: an emulator has one at most."""
    return _current[0] if _current else None


def of_account(account: str) -> Organization | None:
    """The organisation that an account is in."""
    found = current()
    return found if found and account in found.members else None


def create(management: str, features: str) -> Organization:
    """Make it, with that account alone in it."""
    made = Organization(management, features)
    made.units[made.root] = Unit(made.root, "Root", "")
    email = f"aws+{management}@coffee.example"
    made.members[management] = Member(management, "management", email, made.root, "INVITED")
    _current[:] = [made]
    return made


def forget() -> None:
    """There is none any more."""
    _current.clear()

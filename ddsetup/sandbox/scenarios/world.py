"""What a scenario is told and what it may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

ClientOf: TypeAlias = Callable[[str, str], Any]
"""Gives the client of a service in a region."""


@dataclass(frozen=True, slots=True)
class World:
    """The emulated account while it is being furnished.

    `client(service, region)` gives a boto3 client with root credentials. `role` is an execution role that may
    write logs. `regions[0]` is where functions go unless the scenario says otherwise.
    """

    account: str
    regions: tuple[str, ...]
    role: str
    client: ClientOf
    many: int = 200
    client_in: Callable[[str], ClientOf] | None = None
    """Clients of another account, by its number, with its root's credentials."""

    @property
    def region(self) -> str:
        return self.regions[0]

    def lambda_(self, region: str = "") -> Any:
        return self.client("lambda", region or self.region)

    def inside(self, account: str) -> World:
        """The same of another account of the organisation; its functions have a role of the same name."""
        assert self.client_in is not None
        role = self.role.replace(self.account, account)
        return replace(self, account=account, client=self.client_in(account), role=role)

    def function_arn(self, name: str, region: str = "") -> str:
        return f"arn:aws:lambda:{region or self.region}:{self.account}:function:{name}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named state of the account (and of Datadog, through `datadog_seed`)."""

    description: str
    furnish: Callable[[World], None] = lambda _: None
    datadog_seed: Mapping[str, Any] = field(default_factory=dict)
    """Merged into what the stand-in holds from the start."""

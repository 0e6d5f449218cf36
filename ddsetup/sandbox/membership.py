"""Changes an account of a sandbox's organisation as its owners do: it joins, moves, lets nobody in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ddsetup.model.errors import UsageError
from ddsetup.sandbox import aws
from ddsetup.sandbox.accounts import ORGANISATION, root
from ddsetup.sandbox.bootstrap import FUNCTION_ROLE
from ddsetup.sandbox.model import Sandbox
from ddsetup.sandbox.scenarios import World, organisation


@dataclass(frozen=True, slots=True)
class Changed:
    """An account's number, and what was done to it."""

    number: str
    deeds: tuple[str, ...]


def change(sandbox: Sandbox, name: str, unit: str = "", *, refuses: bool | None = None) -> Changed:
    """Make the account of that name unless it is there, move it into the unit if it is elsewhere, and let it
    refuse or admit the management account.

    Raises `UsageError` where there is no organisation, no such unit, or an account that may not be changed.
    """
    if ORGANISATION not in sandbox.scenarios:
        fix = f"ddsetup sandbox up --scenario {ORGANISATION}"
        raise UsageError("the sandbox is no organisation", fix=fix)
    api = _client(sandbox, "organizations", sandbox.account)
    top = str(api.list_roots()["Roots"][0]["Id"])
    units = dict(_units(api, top))
    if unit and unit not in units:
        raise UsageError(f"there is no unit {unit!r}", fix=f"units: {', '.join(sorted(units))}")
    pages = api.get_paginator("list_accounts").paginate()
    there = {each["Name"]: each["Id"] for page in pages for each in page["Accounts"]}
    if there.get(name) == sandbox.account:
        raise UsageError("the management account stays where it is", fix="name another account")
    deeds = []
    if name not in there:
        there[name] = _make(sandbox, api, organisation.Sample(name, unit or "root"))
        deeds.append("made")
    if unit and (parent := api.list_parents(ChildId=there[name])["Parents"][0]["Id"]) != units[unit]:
        api.move_account(AccountId=there[name], SourceParentId=parent, DestinationParentId=units[unit])
        deeds.append(f"moved into {unit}")
    if refuses is not None:
        deeds.append(_let(sandbox, there[name], refuses=refuses))
    return Changed(there[name], tuple(deeds))


def _client(sandbox: Sandbox, service: str, account: str) -> Any:
    return aws.client(service, sandbox.aws_endpoint_url, sandbox.regions[0], root(sandbox, account))


def _units(api: Any, parent: str) -> Iterator[tuple[str, str]]:
    """Names and ids of all units below one."""
    for each in api.list_organizational_units_for_parent(ParentId=parent)["OrganizationalUnits"]:
        yield each["Name"], each["Id"]
        yield from _units(api, each["Id"])


def _make(sandbox: Sandbox, api: Any, sample: organisation.Sample) -> str:
    """A new account, at the root at first, with what the sample says."""
    number = organisation.make(api, sample)
    world = World(
        number,
        sandbox.regions,
        f"arn:aws:iam::{number}:role/{FUNCTION_ROLE}",
        lambda service, _region: _client(sandbox, service, number),
    )
    organisation.furnish_account(world, sandbox.account, sample)
    return number


def _let(sandbox: Sandbox, account: str, *, refuses: bool) -> str:
    iam = _client(sandbox, "iam", account)
    try:
        if refuses:
            organisation.refuse(iam, sandbox.account, account)
        else:
            organisation.admit(iam, sandbox.account)
    except iam.exceptions.NoSuchEntityException as error:
        fix = "name an account that was made in the organisation"
        raise UsageError("the account has no role of the organisation", fix=fix) from error
    return "refuses" if refuses else "admits"

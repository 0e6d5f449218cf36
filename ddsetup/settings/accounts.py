"""The file that names accounts where no organisation does: `--accounts accounts.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean
from ddsetup.model.organisation import Member
from ddsetup.settings import validate
from ddsetup.settings.config import read_toml

_MEMBERS = ("id", "name", "role", "profile", "regions", "tags")
_EXAMPLE = '[[account]] with id = "111122223333", and optional name, role, profile, regions, tags'


def read_accounts(path: Path) -> tuple[Member, ...]:
    """The accounts of a file. Raises UsageError, naming file and account, for what cannot be understood."""
    _, document = read_toml(path)
    tables = document.pop("account", None)
    if document or not isinstance(tables, list) or not tables:
        raise UsageError("it names no accounts, or more than accounts", where=str(path), fix=_EXAMPLE)
    found = [_member(table, f"{path}, account {at}") for at, table in enumerate(tables, 1)]
    numbers = [member.account for member in found]
    for number in numbers:
        if numbers.count(number) > 1:
            raise UsageError(f"account {number} stands there twice", where=str(path))
    return tuple(found)


def _member(table: Json, where: str) -> Member:
    if not isinstance(table, Mapping):
        raise UsageError("not a table", where=where, fix=_EXAMPLE)
    for key in table:
        if key not in _MEMBERS:
            raise UsageError(f"there is no {key!r} of an account", where=where, fix=_meant(key))
    number = table.get("id")
    if not isinstance(number, str) or not re.fullmatch(r"\d{12}", number):
        raise UsageError("id must be the 12 digits of an account, in quotes", where=where)
    if table.get("role") and table.get("profile"):
        raise UsageError("only one of role and profile can lead into an account", where=where)
    return Member(
        account=number,
        name=_text(table, "name", where),
        role=_text(table, "role", where),
        profile=_text(table, "profile", where),
        regions=_regions(table.get("regions", []), where),
        tags=_tags(table.get("tags", {}), where),
    )


def _meant(key: str) -> str:
    return did_you_mean(key, _MEMBERS, f"known are: {', '.join(_MEMBERS)}")


def _text(table: Mapping[str, Json], key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{key} must be a text in quotes", where=where)
    return value


def _regions(value: Json, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(region, str) for region in value):
        raise UsageError('regions must be a list of texts, like ["eu-west-1"]', where=where)
    try:
        return tuple(validate.region(region) for region in value)
    except ValueError as error:
        raise UsageError(str(error), where=where) from None


def _tags(value: Json, where: str) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise UsageError('tags must be a table of texts, like {env = "prod"}', where=where)
    return dict(value)

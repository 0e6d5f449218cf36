"""Findings to live with: the table `[doctor]` of `ddsetup.toml`, each with a reason."""

from __future__ import annotations

from pathlib import Path

from ddsetup.doctor.checks.registry import find
from ddsetup.doctor.diagnose import Ignore
from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError
from ddsetup.settings.config import read_toml

_FIX = 'e.g. [doctor] ignore = [{check = "layer-recent", resource = "legacy-*", reason = "retired in May"}]'


def read_ignores(path: Path) -> tuple[Ignore, ...]:
    """The findings that the file says to leave out.

    Raises UsageError for what is no list of tables with `check` and `reason` (and `resource`, a glob on the
    resource's name), and for checks that do not exist.
    """
    _, document = read_toml(path)
    table = document.get("doctor", {})
    if not isinstance(table, dict) or set(table) - {"ignore"}:
        raise UsageError("the table [doctor] knows `ignore` only", where=path.name, fix=_FIX)
    entries = table.get("ignore", [])
    if not isinstance(entries, list):
        raise UsageError("[doctor] ignore is a list of tables", where=path.name, fix=_FIX)
    return tuple(_ignore(entry, path) for entry in entries)


def _ignore(entry: Json, path: Path) -> Ignore:
    known = {"check", "reason", "resource"}
    fits = isinstance(entry, dict) and set(entry) <= known and all(isinstance(v, str) for v in entry.values())
    if not fits or not entry.get("check") or not entry.get("reason", "").strip():
        raise UsageError("every entry of [doctor] ignore has a check and a reason", where=path.name, fix=_FIX)
    try:
        find(entry["check"])
    except UsageError as error:
        raise UsageError(f"[doctor] ignore: {error.what}", where=path.name, fix=error.fix) from None
    return Ignore(check=entry["check"], reason=entry["reason"], resource=entry.get("resource", ""))

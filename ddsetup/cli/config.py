"""`ddsetup config`: each setting's value, and where it comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from ddsetup.flow.call import Call
from ddsetup.model.blocks import Block
from ddsetup.model.lines import Look, Span, line
from ddsetup.model.report import Report
from ddsetup.settings.given import Given
from ddsetup.settings.setting import PANELS, Setting
from ddsetup.settings.table import TABLE

_COVERED = ("api_key_kms", "forwarder_param")
"""Settings whose values may be key material: that they are given is told, and by whom."""


def run(call: Call) -> Report:
    """All settings with value and origin; `source` is flag, env, file, default or none.

    Raises WrongValue for a value that its setting does not take, as every command that uses it does.
    """
    found = [_row(setting, call.given) for setting in TABLE]
    file = os.fspath(call.config) if call.config else ""
    return Report(command="config", data={"file": file, "settings": found})


def _row(setting: Setting, given: Given) -> dict[str, Any]:
    raw = given.raw(setting.key)
    if raw is None:
        source = "none" if setting.default in (None, "", ()) else "default"
        value, where = setting.default, ""
    else:
        source, where, value = raw.source, raw.where, given.value(setting.key)
    if raw is not None and setting.key in _COVERED:
        value = "(set, not shown)"
    shown = list(value) if isinstance(value, tuple) else value
    return {"key": setting.key, "panel": setting.panel, "value": shown, "source": source, "where": where}


def blocks(report: Report, look: Look) -> list[Block]:
    """A heading for each kind of setting, a line for each setting."""
    rows = [r for r in report.data.get("settings", ()) if look.verbose or r["source"] != "none"]
    width = max((len(row["key"]) for row in rows), default=0)
    file = report.data.get("file")
    found: list[Block] = [line("File: ", file or "none (there is no ddsetup.toml here)")]
    for panel in PANELS:
        mine = [row for row in rows if row["panel"] == panel]
        if mine:
            found += [(), line(Span(panel, "bold")), *_lines(mine, width)]
    return found


def _lines(rows: list[Mapping[str, Any]], width: int) -> Iterator[Block]:
    for row in rows:
        origin = row["where"] or {"default": "default", "none": "not set"}[row["source"]]
        yield line(
            f"  {row['key']:<{width}}  ", Span(_said(row["value"]), "code"), Span(f"  {origin}", "dim")
        )


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else "-" if value is None else str(value)

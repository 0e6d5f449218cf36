"""Many accounts at a glance, and what became of each: one row an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.lines import Look, Span, Style, counted, line, names

_NAMED = 3
_STYLES: Mapping[str, Style] = {
    "ok": "good",
    "done": "good",
    "arrived": "good",
    "nothing to do": "good",
    "changes": "",
    "left out": "dim",
    "nothing is meant here": "dim",
    "unproven": "warn",
    "not started": "warn",
}


def status_blocks(data: Mapping[str, Json], _look: Look) -> list[Block]:
    """What of Datadog there is in each account, and who put it there."""
    units = any(row["unit"] for row in data["accounts"])
    rows = [
        [
            *_account(row),
            *([Span(row["unit"] or "-")] if units else []),
            Span(row.get("integrated", "-"), "good" if row.get("integrated") == "yes" else ""),
            Span(row.get("integration_role") or "-"),
            Span(_forwarders(row)),
            Span(_functions(row)),
            Span(_by(row)),
            Span(_remarks(row), "dim"),
        ]
        for row in data["accounts"]
    ]
    head = ["Account", "Name", *(["Unit"] if units else [])]
    head += ["Integrated", "Role", "Forwarders", "Functions", "By", "Remarks"]
    return [*_head(data), *table(head, rows, prose=True), *_left(data)]


def result_blocks(data: Mapping[str, Json], _look: Look) -> list[Block]:
    """What became of each account, in a line."""
    rows = [
        [
            *_account(row),
            Span(row["status"], _STYLES.get(row["status"], "bad")),
            Span(row.get("text") or row.get("reason") or ""),
        ]
        for row in data["accounts"]
    ]
    found = [*_head(data), *table(("Account", "Name", "Status", "What"), rows, prose=True)]
    remarks = [line(Span("  ! ", "warn"), text) for text in data.get("remarks", ())]
    return [*found, *([(), *remarks] if remarks else []), *_problems(data["accounts"]), *_left(data)]


def _head(data: Mapping[str, Json]) -> list[Block]:
    of = data["organisation"]
    where = f"organisation {of}" if of else "accounts of a file"
    return [line(Span(f"{counted(len(data['accounts']), 'account')}, {where}", "heading"))]


def _account(row: Mapping[str, Json]) -> list[Span]:
    return [Span(row["account"], "code"), Span(row["name"] + (" (management)" if row["management"] else ""))]


def _forwarders(row: Mapping[str, Json]) -> str:
    told = [
        f"{each['region']}{'' if each['registered'] else ' (not registered)'}"
        for each in row.get("forwarders", ())
    ]
    return names(told, _NAMED) if told else "-"


def _functions(row: Mapping[str, Json]) -> str:
    if "functions" not in row:
        return "-"
    return f"{row['with_datadog']:,} of {row['functions']:,}"


def _by(row: Mapping[str, Json]) -> str:
    makers = [row.get("integration_by", ""), *(each["by"] for each in row.get("forwarders", ()))]
    return names(list(dict.fromkeys(maker for maker in makers if maker)), _NAMED) or "-"


def _remarks(row: Mapping[str, Json]) -> str:
    unread = [f"cannot be read: {text}" for text in row.get("unreadable", ())]
    return "; ".join([*([row["reason"]] if row.get("reason") else []), *unread])


def _problems(rows: Sequence[Mapping[str, Json]]) -> list[Block]:
    """What did not come about, account by account."""
    found: list[Block] = []
    for row in rows:
        problems = row.get("problems", ())
        if not problems:
            continue
        found += [(), line(Span(f"{row['account']} {row['name']}".rstrip(), "bold"))]
        for each in problems[:_SHOWN]:
            found.append(line(Span("  ! ", "bad"), f"{each['what']}: {each['reason']}"))
            if each.get("fix"):
                found.append(line(Span(f"      do: {each['fix']}", "dim")))
        if len(problems) > _SHOWN:
            found.append(line(Span(f"  and {len(problems) - _SHOWN:,} more", "dim")))
    return found


_SHOWN = 10
"""Problems of an account that are told in a text; a document has all."""


def _left(data: Mapping[str, Json]) -> list[Block]:
    """What to do about accounts that could not be entered."""
    fixes = dict.fromkeys(row["fix"] for row in data["accounts"] if row.get("fix"))
    return [(), *(line(Span(f"  do: {fix}", "dim")) for fix in fixes)] if fixes else []

"""The account at a glance, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.lines import Line, Look, Span, Style, and_more, line, names
from ddsetup.show.source_lines import source_blocks


def status_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """The account at a glance: integration and Forwarders, then a row for every function."""
    if "integrations" not in data:
        return []
    found: list[Block] = [
        fact(f"Account {each['account']}", _integration_text(each)) for each in data["integrations"]
    ]
    for each in data["forwarders"]:
        version = f", version {each['version']}" if each.get("version") else ""
        stack = f", stack {each['stack']}" if each.get("stack") else ""
        found.append(fact("Forwarder", f"{each['name']} ({each['region']}){version}{stack}"))
    if not data["forwarders"]:
        found.append(fact("Forwarder", "none"))
    for each in data.get("streams", ()):
        by = f"stack {each['stack']}" if each["stack"] else f"metric stream {each['name']}"
        found.append(
            fact("Stream", f"{each['carries']} by Firehose, {by} ({each['region']}), {each['status']}")
        )
    found.extend(fact("Log policy", _policy_text(each)) for each in data.get("log_policies", ()))
    found.extend(
        line(Span("? ", "bad"), f"{each['what']} cannot be read: {each['reason']} ({each['action']})")
        for each in data["unreadable"]
    )
    functions = data["functions"]
    found.append(fact("Functions", _counts(functions)))
    if functions:
        found.append(())
        found.extend(_function_table(functions, look))
    return [*found, *source_blocks(data, look)]


def _policy_text(policy: Mapping[str, Json]) -> str:
    out = policy["left_out"]
    which = "log groups" if out is None else f"all log groups but {out}" if out else "all log groups"
    where = policy["to"].rpartition(":")[2] or "nowhere"
    to = f"to Datadog by {where}" if policy["datadog"] else f"to {where}"
    return f"{policy['name']} ({policy['region']}) leads {which} {to}"


def fact(label: str, text: str) -> Line:
    return line(Span(f"{label:<22} ", "bold"), text)


def _integration_text(integration: Mapping[str, Json]) -> str:
    match integration["state"]:
        case "missing":
            return "not integrated with Datadog"
        case "unreadable":
            return f"cannot be read: {integration['reason']}"
    metrics = "collects Lambda metrics" if integration["metrics"] else "does not collect Lambda metrics"
    role = f"role {integration['role']} ({integration['role_state']})"
    sources = f"; logs of {names(integration['log_sources'], 5)}" if integration["log_sources"] else ""
    return f"integrated through {role}; {metrics}{sources}"


def _counts(functions: Sequence[Mapping[str, Json]]) -> str:
    """`12: 8 none, 4 forwarder`."""
    ways: dict[str, int] = {}
    for row in functions:
        ways[row["datadog"]] = ways.get(row["datadog"], 0) + 1
    said = ", ".join(f"{n:,} {_WAYS.get(way, way)}" for way, n in sorted(ways.items()))
    return f"{len(functions):,}" + (f" ({said})" if said else "")


_WAYS = {
    "none": "without Datadog",
    "forwarder": "with Datadog by Forwarder",
    "extension": "with Datadog by Extension",
    "broken": "with Datadog half set up",
}


def _function_table(functions: Sequence[Mapping[str, Json]], look: Look) -> list[Block]:
    shown = functions if look.verbose or look.width == 0 else functions[:_ROWS]
    rows = [
        [
            Span(row["function"]),
            Span(row["region"]),
            Span(row["runtime"]),
            Span(row["datadog"] if row["datadog"] != "none" else "-", _HOW.get(row["datadog"], "")),
            Span("; ".join(part for part in (row["note"], _owned(row)) if part), "dim"),
        ]
        for row in shown
    ]
    found = table(["Function", "Region", "Runtime", "Datadog", "Remarks"], rows)
    return [*found, *and_more(len(functions) - len(shown))]


_HOW: Mapping[str, Style] = {"forwarder": "good", "extension": "good", "broken": "bad"}
_ROWS = 200


def _owned(row: Mapping[str, Json]) -> str:
    if not row["owner"]:
        return ""
    lost = (
        ", whose next deploy takes Datadog out"
        if row.get("by") in _BESIDE and row["datadog"] != "none"
        else ""
    )
    return f"managed by {row['owner']}{lost}"


_BESIDE = ("ddsetup", "datadog-ci")
"""Those who change functions beside the tool that deploys them."""

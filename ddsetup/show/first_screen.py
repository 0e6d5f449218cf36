"""The first screen of a guided run: who you are, which Datadog, and what is there already. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ddsetup.facts.catalog import site as site_of
from ddsetup.facts.functions_at_a_glance import FunctionRow, function_rows, status
from ddsetup.facts.kinds import CHOSEN
from ddsetup.gateways.datadog.keys import KeyCheck
from ddsetup.journal.brief import Brief
from ddsetup.model.account import Identity, Json
from ddsetup.model.lines import Line, Span, counted, line, names
from ddsetup.model.services import SERVICE_KINDS
from ddsetup.model.snapshot import Snapshot

LABEL = 14
"""Where what is said begins, behind its label."""
_RUNTIMES = 6
_WAYS: Mapping[str, str] = {
    "none": "without Datadog",
    "forwarder": "with Datadog's library, by Forwarder",
    "extension": "with Datadog's Extension",
    "broken": "with Datadog half set up",
}


def welcome_lines(
    snapshot: Snapshot,
    check: KeyCheck | None,
    keys_from: Sequence[str],
    last: Brief | None = None,
    alias: str = "",
) -> list[Line]:
    """What was found, in as many lines as it takes to know one's own account again (by its `alias`, too),
    and that the `last` run was interrupted."""
    seen = status(snapshot)
    rows = function_rows(snapshot)
    identities = [account.identity for _, account in sorted(snapshot.accounts.items())]
    regions = sorted({lane.region for lane in snapshot.lanes})
    found = [line(Span("What is there", "heading"))]
    found += [_fact("AWS", f"{_who(identity, alias)} in {', '.join(regions)}") for identity in identities]
    found.extend(_datadog_lines(snapshot, check, keys_from))
    found.extend(_fact("Integration", _integration(each)) for each in seen["integrations"])
    found.append(_fact("Forwarder", _forwarders(seen["forwarders"])))
    found.extend(_function_lines(rows))
    lists = ((kind, seen[CHOSEN[name].field]) for name, kind in SERVICE_KINDS.items())
    others = [kind.told(each) for kind, each in lists if each]
    found.extend([_fact("Others", "; ".join(others))] if others else [])
    found.extend(
        line(Span("? ", "warn"), f"{each['what']} cannot be read: {each['reason']} (needs {each['action']})")
        for each in seen["unreadable"]
    )
    if last is not None and last.interrupted:
        found.append(_fact("Interrupted", _left_off(last)))
    return found


def _left_off(run: Brief) -> str:
    """How far an interrupted run came, and both ways on."""
    far = f"{run.done:,} of {counted(max(run.header.planned, len(run.traces)), 'change')} done"
    when = f"{run.header.started:%d %B, %H:%M} UTC"
    return f"{far} by the run of {when}; this one goes on. Back instead: ddsetup undo {run.id}"


def _fact(label: str, text: str) -> Line:
    return line(Span(f"{label:<{LABEL}}", "bold"), text)


def _who(identity: Identity, alias: str) -> str:
    called = f" ({alias})" if alias else ""
    return f"account {identity.account}{called} as {identity.arn.split(':', 5)[-1]}"


def _datadog_lines(snapshot: Snapshot, check: KeyCheck | None, keys_from: Sequence[str]) -> list[Line]:
    site = site_of(snapshot.datadog.site)
    origin = " and ".join(dict.fromkeys(keys_from))
    name = f"organisation {check.organisation}, " if check is not None and check.organisation else ""
    found = [_fact("Datadog", f"{name}site {site.name} ({site.site}), keys from {origin} are valid")]
    if check is not None and check.denied:
        lacking = ", ".join(check.denied)
        found.append(_fact("", f"! the application key lacks {lacking}: what rests on it cannot be proven"))
    return found


def _integration(each: Mapping[str, Json]) -> str:
    match each["state"]:
        case "missing":
            return "none yet: Datadog does not know this account"
        case "unreadable":
            return f"cannot be read: {each['reason']}"
    metrics = "collects" if each["metrics"] else "does not collect"
    role = f" through role {each['role']}" if each["role"] else ""
    return f"there{role}; {metrics} Lambda metrics"


def _forwarders(forwarders: Sequence[Mapping[str, Json]]) -> str:
    if not forwarders:
        return "none yet"
    return names(
        [
            f"{each['name']} {each['version'] or '(release unknown)'} in {each['region']}"
            for each in forwarders
        ],
        3,
    )


def _function_lines(rows: Sequence[FunctionRow]) -> list[Line]:
    runtimes = Counter(row.runtime or "unknown" for row in rows).most_common()
    shown = [f"{number:,} {name}" for name, number in runtimes]
    found = [_fact("Functions", f"{len(rows):,}" + (f": {names(shown, _RUNTIMES)}" if shown else ""))]
    ways = Counter((row.datadog, row.by) for row in rows)
    said = [_way(datadog, by, number) for (datadog, by), number in ways.most_common()]
    if said:
        found.append(_fact("", "; ".join(said)))
    notes = Counter(row.note for row in rows if row.note.startswith("instrumented by"))
    owners = Counter(row.owner.split(" (")[0] for row in rows if row.owner)
    rest = [f"{number:,} {note}" for note, number in notes.items()]
    rest += [f"{number:,} managed by {tool}" for tool, number in owners.items()]
    if rest:
        found.append(_fact("", "; ".join(rest)))
    return found


def _way(datadog: str, by: str, number: int) -> str:
    made = f" (by {by})" if by and datadog != "none" else ""
    return f"{number:,} {_WAYS.get(datadog, datadog)}{made}"

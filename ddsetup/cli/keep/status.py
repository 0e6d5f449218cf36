"""`ddsetup keep status`: whether it is kept by itself, and how that goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report, of_data
from ddsetup.model.account import Json
from ddsetup.model.report import Report
from ddsetup.show.keeper_blocks import as_data, status_blocks

INSTALL = "ddsetup keep install"


def run(call: Call) -> Report:
    """Tell what is installed and how its last runs went. Ends with 1 if the last one failed."""
    from ddsetup.flow import verbs
    from ddsetup.flow.installing import find_keepers, look_at_alarms, look_at_runs, trail_notes
    from ddsetup.plan.keep_install import leads_back

    session = verbs.connect(call.given, call.host(), command="status", datadog=False)
    now = session.host.clock.now()
    rows: list[Json] = []
    for found in find_keepers(session):
        if not found.installed:
            rows.append(as_data(found, (), (), (), now))
            continue
        runs, alarms = look_at_runs(session, found.lane), look_at_alarms(session, found.lane)
        back = leads_back(found.stack, session.scope.site) if found.stack else ""
        notes = (*([f"it {back}"] if back else []), *trail_notes(session, found.lane))
        rows.append(as_data(found, runs, alarms, notes, now))
    return _judged(replace(base_report("keep status", session), data={"keepers": rows}), rows)


def _judged(report: Report, rows: Sequence[Json]) -> Report:
    failed = any(row["ok"] is False for row in rows)
    missing = any(not row["installed"] for row in rows)
    return replace(report, exit_code=1 if failed else 0, next=(INSTALL,) if missing else ())


blocks = of_data(status_blocks)
"""The keeper as text."""

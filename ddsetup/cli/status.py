"""`ddsetup status`: the account at a glance."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report, of_data
from ddsetup.model.report import Report
from ddsetup.settings.fields import selection_of
from ddsetup.show.status_lines import status_blocks


def run(call: Call) -> Report:
    """What is there: integration, Forwarders, and a row for every function meant (all by default)."""
    from ddsetup.facts.functions_at_a_glance import status
    from ddsetup.flow import verbs
    from ddsetup.observe.in_bulk import AT_A_GLANCE, WAYS
    from ddsetup.plan.select import select_in

    session = verbs.connect(call.given, call.host(), command="status", looks_next=True)
    snapshot = verbs.look(session, call.given.text("role_name"), fields=AT_A_GLANCE | WAYS)
    data = dict(status(snapshot))
    values = {key: value for key in call.given.values if (value := call.given.value(key)) is not None}
    selection = selection_of(values)
    if selection.given:
        chosen = {(f.name, f.region) for f in select_in(snapshot, selection)}
        data["functions"] = [row for row in data["functions"] if (row["function"], row["region"]) in chosen]
    return replace(base_report("status", session), data=data)


blocks = of_data(status_blocks)
"""The account as text."""

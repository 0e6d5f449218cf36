"""`ddsetup org undo`: give back what a run over many accounts changed."""

from __future__ import annotations

from ddsetup.flow.call import Call
from ddsetup.flow.organisation.across import across, rows_of_gone
from ddsetup.flow.organisation.run import confirm_rows, connected, journalled, report_of
from ddsetup.flow.organisation.undoing import Undoing, parts_of
from ddsetup.flow.organisation.who import accounts_of
from ddsetup.flow.results import of_data
from ddsetup.model.lines import counted
from ddsetup.model.report import Report
from ddsetup.show.account_blocks import result_blocks

COMMAND = "org undo"


def run(call: Call) -> Report:
    """Look at what is there in each account, have it confirmed, and give it back."""
    base = connected(call, "verify")
    chosen, parts, runs = parts_of(call.memory(), call.value("run"), base.scope.site)
    accounts = accounts_of(call, base)
    members = [member for member in accounts.members if member.account in parts]
    looking = Undoing(call, accounts, parts, runs, look_only=True)
    planned = across(call, accounts, members, looking)
    lost = rows_of_gone(accounts, parts)
    report = report_of(COMMAND, accounts, [*planned, *lost])
    due = [m for m, row in zip(members, planned, strict=True) if row["status"] == "changes"]
    if call.given.on("dry_run") or not due or base.host.cancel.is_set():
        return report
    question = f"Give back what run {chosen} changed in {counted(len(due), 'account')}?"
    confirm_rows(call, accounts, report, question)
    known = {row["account"]: row for row in planned}
    with journalled(accounts, COMMAND, undoes=chosen) as run:
        giving = Undoing(call, accounts, parts, runs, undo=run)
        for row in across(call, accounts, due, giving):
            known[row["account"]] = row
    # Given back is what a run made: an undo of many accounts is no run that could be given back itself.
    return report_of(COMMAND, accounts, [*known.values(), *lost])


blocks = of_data(result_blocks)
"""What was given back in each account."""

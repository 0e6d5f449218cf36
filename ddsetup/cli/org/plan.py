"""`ddsetup org plan`: what would change, account by account."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from ddsetup.cli.onward import with_choices
from ddsetup.flow.call import Call
from ddsetup.flow.organisation.across import Row, across
from ddsetup.flow.organisation.asking import asked
from ddsetup.flow.organisation.doing import NOTHING_MEANT, Planning
from ddsetup.flow.organisation.run import connected, report_of
from ddsetup.flow.organisation.who import Accounts, accounts_of
from ddsetup.flow.results import of_data
from ddsetup.journal.planbook import Planbook, Plans
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import names
from ddsetup.model.report import Report
from ddsetup.show.account_blocks import result_blocks

CHANGES = 3


def run(call: Call) -> Report:
    """A plan for each account, saved in one document if that is wanted. Nothing is changed."""
    call, accounts = asked(call, accounts_of(call, connected(call, "plan")))
    out = call.value("out")
    path = call.directory / Path(out).expanduser() if out is not None else None
    rows = _planned(call, accounts, None) if path is None else plan_all(call, accounts, path)[0]
    report = report_of("org plan", accounts, rows)
    changes = any(row["status"] == "changes" for row in rows)
    if path is not None:
        call.console.say(f"plans saved in {path}")
        then = (f"ddsetup org apply {shlex.quote(str(out))}",) if changes else ()
        report = replace(report, next=report.next or then)
    report = with_choices(call, report)
    if call.value("detailed_exitcode") and changes and not report.exit_code:
        return replace(report, exit_code=CHANGES)
    return report


def plan_all(call: Call, accounts: Accounts, path: Path) -> tuple[list[Row], Plans]:
    """A row for each account, and the plans, which go into a file. Raises UsageError when nothing is meant
    anywhere."""
    book = Planbook.create(path)
    try:
        return _planned(call, accounts, book), book.close()
    except BaseException:
        book.abandon()
        raise


def _planned(call: Call, accounts: Accounts, book: Planbook | None) -> list[Row]:
    whole = call.given.text("output") in ("json", "ndjson")
    planning = Planning(call, book, whole)
    rows = across(call, accounts, accounts.members, planning)
    looked_at = [row for row in rows if row["status"] != "left out"]
    if rows and all(row["status"] == NOTHING_MEANT for row in looked_at):
        reason = (looked_at or rows)[-1]["reason"]
        raise UsageError(f"in no account anything is meant: {reason}")
    if nowhere := sorted(set(call.given.items("function")) - planning.named):
        call.console.say(f"{names(nowhere, 3)}: no function of any account that was looked at", "warn")
    return rows


blocks = of_data(result_blocks)
"""The plans in brief."""

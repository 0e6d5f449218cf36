"""`ddsetup org verify`: did the data of each account arrive?"""

from __future__ import annotations

from dataclasses import replace

from ddsetup.flow.call import Call
from ddsetup.flow.organisation.proving import Proof, prove_all
from ddsetup.flow.organisation.run import connected, report_of
from ddsetup.flow.organisation.who import accounts_of
from ddsetup.flow.proof import LOOK_AGAIN, check_invoke
from ddsetup.flow.results import NOT_SEEN, of_data
from ddsetup.model.report import Report
from ddsetup.show.account_blocks import result_blocks


def run(call: Call) -> Report:
    """The proof of each account. Nothing is changed."""
    base = connected(call, "verify")
    check_invoke(call, base.host.prompter)
    accounts = accounts_of(call, base)
    rows = prove_all(accounts, accounts.members, Proof(call, call.given.number("wait", 0)))
    report = report_of("org verify", accounts, rows)
    if not any(row["exit_code"] == NOT_SEEN for row in rows):
        return report
    return replace(report, next=report.next or (AGAIN,))


AGAIN = LOOK_AGAIN.replace("ddsetup ", "ddsetup org ")
"""What goes on waiting."""

blocks = of_data(result_blocks)
"""What arrived of each account."""

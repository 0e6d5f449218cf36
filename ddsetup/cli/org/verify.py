"""`ddsetup org verify`: did the data of each account arrive?"""

from __future__ import annotations

from ddsetup.flow.call import Call
from ddsetup.flow.organisation.across import across
from ddsetup.flow.organisation.proving import Proving
from ddsetup.flow.organisation.run import connected, report_of
from ddsetup.flow.organisation.who import accounts_of
from ddsetup.flow.results import of_data
from ddsetup.model.report import Report
from ddsetup.show.account_blocks import result_blocks


def run(call: Call) -> Report:
    """The proof of each account. Nothing is changed."""
    accounts = accounts_of(call, connected(call, "verify"))
    proving = Proving(call, call.given.number("wait", 0))
    return report_of("org verify", accounts, across(call, accounts, accounts.members, proving))


blocks = of_data(result_blocks)
"""What arrived of each account."""

"""`ddsetup org status`: which accounts there are, and what of Datadog is in each."""

from __future__ import annotations

from ddsetup.flow.call import Call
from ddsetup.flow.organisation.across import Row, across
from ddsetup.flow.organisation.run import report_of
from ddsetup.flow.organisation.who import accounts_of
from ddsetup.flow.results import of_data
from ddsetup.model.organisation import Member
from ddsetup.model.report import Report
from ddsetup.show.account_blocks import status_blocks


def run(call: Call) -> Report:
    """A row for each account. Nothing is changed."""
    from ddsetup.flow import verbs
    from ddsetup.observe.in_bulk import AT_A_GLANCE
    from ddsetup.plan.accounts_at_a_glance import account_row

    def look(session: verbs.Session, member: Member) -> Row:
        snapshot = verbs.look(session, call.given.text("role_name"), fields=AT_A_GLANCE)
        return {"status": "ok", "exit_code": 0, **account_row(snapshot, member.account)}

    base = verbs.connect(call.given, call.host(), command="status")
    accounts = accounts_of(call, base)
    return report_of("org status", accounts, across(call, accounts, accounts.members, look))


blocks = of_data(status_blocks)
"""The accounts as text."""

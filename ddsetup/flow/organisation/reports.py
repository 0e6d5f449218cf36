"""The report of a run over many accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ddsetup.flow.organisation.across import Row, exit_code_of
from ddsetup.flow.organisation.who import Accounts
from ddsetup.flow.results import base_report
from ddsetup.model.report import Report


def report_of(command: str, accounts: Accounts, rows: Sequence[Row], *, run: str = "") -> Report:
    """A row for each account; ends with what they ended with together."""
    organisation = accounts.organisation
    data = {"organisation": organisation.id if organisation else "", "accounts": list(rows)}
    report = base_report(command, accounts.base)
    return replace(report, data=data, run=run, exit_code=exit_code_of(rows))

"""A run over many accounts as a whole: its journal, its lock, and which accounts it works on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.flow.carrying_out import header_of
from ddsetup.flow.connecting import connect
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row, exit_code_of
from ddsetup.flow.organisation.who import Accounts
from ddsetup.flow.results import base_report
from ddsetup.flow.showing import confirm
from ddsetup.journal.runs import Journal
from ddsetup.model.errors import Interrupted
from ddsetup.model.report import Report
from ddsetup.show.account_blocks import result_blocks


def connected(call: Call, command: str) -> Session:
    """Connect, and see that all is said that each account will need, where nobody can be asked for it.
    Raises UsageError naming what is not."""
    base = connect(call.given, call.host(), command=command)
    if command == "plan" and base.host.prompter is None:
        answers_from(call.given, None, None, command=command, scope=base.scope)
    return base


@contextmanager
def journalled(accounts: Accounts, command: str, undoes: str = "") -> Iterator[str]:
    """The run over all accounts, by its id, in its journal and under its lock while the block lasts.

    Raises Busy when another one is under way.
    """
    base, host = accounts.base, accounts.base.host
    started = host.clock.now()
    header = header_of(base, started, command, undoes)
    with (
        host.memory.lock((accounts.key,), header.run, started),
        closing(Journal.create(host.memory, header)) as journal,
    ):
        yield header.run
        journal.stopped = host.cancel.is_set()


def confirm_rows(call: Call, accounts: Accounts, report: Report, question: str) -> None:
    """Show what is to become of each account, and have it confirmed.

    Raises as `flow.confirm` does when it is not.
    """
    call.console.blocks([*result_blocks(report.data, call.console.room()), ()])
    confirm(call, accounts.base, question)


def report_of(
    command: str, accounts: Accounts, rows: Sequence[Row], run: str = "", remarks: Sequence[str] = ()
) -> Report:
    """A row for each account, and `remarks` on all of them; ends with what they ended with together.

    Whatever they say, after a Ctrl-C it is an interruption: what would have come next was not begun.
    """
    organisation = accounts.organisation
    data = {"organisation": organisation.id if organisation else "", "accounts": list(rows)}
    if remarks:
        data["remarks"] = list(remarks)
    report = replace(base_report(command, accounts.base), data=data, run=run, exit_code=exit_code_of(rows))
    go_on = accounts.base.host.go_on
    if not go_on:
        return report
    onward = (go_on, report.undo) if run else (go_on,)
    return replace(report, exit_code=Interrupted.exit_code, next=onward)

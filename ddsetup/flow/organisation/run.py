"""A run over many accounts as a whole: its journal, its lock, and which accounts it works on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from ddsetup._version import __version__
from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.flow.connecting import connect
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row, exit_code_of
from ddsetup.flow.organisation.who import Accounts
from ddsetup.flow.results import base_report
from ddsetup.journal.records import Header
from ddsetup.journal.runs import Journal, new_run_id
from ddsetup.model.report import Report


def connected(call: Call, command: str) -> Session:
    """Connect, and see that all is said that each account will need. Raises UsageError naming what is not."""
    base = connect(call.given, call.host(), command=command)
    if command == "plan":
        answers_from(call.given, None, None, command=command, scope=base.scope)
    return base


@contextmanager
def journalled(accounts: Accounts, command: str, undoes: str = "") -> Iterator[str]:
    """The run over all accounts, by its id, in its journal and under its lock while the block lasts.

    Raises Busy when another one is under way.
    """
    base, host = accounts.base, accounts.base.host
    started = host.clock.now()
    header = Header(
        run=new_run_id(started),
        version=__version__,
        command=command,
        accounts=(base.identity.account,),
        regions=base.scope.regions,
        site=base.scope.site,
        started=started,
        undoes=undoes,
        sandbox=host.sandbox,
    )
    with (
        host.memory.lock((accounts.key,), header.run, started),
        closing(Journal.create(host.memory, header)) as journal,
    ):
        yield header.run
        journal.stopped = host.cancel.is_set()


def report_of(command: str, accounts: Accounts, rows: Sequence[Row], run: str = "") -> Report:
    """A row for each account; ends with what they ended with together."""
    organisation = accounts.organisation
    report = base_report(command, accounts.base)
    return Report(
        command=command,
        account=report.account,
        regions=report.regions,
        sandbox=report.sandbox,
        data={"organisation": organisation.id if organisation else "", "accounts": list(rows)},
        run=run,
        exit_code=exit_code_of(rows),
    )

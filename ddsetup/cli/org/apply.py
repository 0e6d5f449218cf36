"""`ddsetup org apply`: every account planned, confirmed together, carried out side by side, and proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ddsetup.cli.command import CONNECT, WANTED
from ddsetup.cli.onward import going_on, with_choices
from ddsetup.cli.org.plan import plan_all
from ddsetup.cli.org.verify import AGAIN
from ddsetup.flow.call import Call
from ddsetup.flow.ending import WAIT_SECONDS
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row, across, rows_of_gone
from ddsetup.flow.organisation.asking import asked
from ddsetup.flow.organisation.doing import NOTHING_MEANT, Applying, rows_of_plans
from ddsetup.flow.organisation.proving import Proof, prove_all
from ddsetup.flow.organisation.run import confirm_rows, connected, journalled, report_of
from ddsetup.flow.organisation.who import Accounts, accounts_of
from ddsetup.flow.proof import check_invoke
from ddsetup.flow.results import of_data
from ddsetup.gateways.datadog.shared import Once
from ddsetup.journal.planbook import Plans, read_planbook
from ddsetup.journal.statedir import make_private
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import counted, names
from ddsetup.model.organisation import Member
from ddsetup.model.report import Report
from ddsetup.settings.given import Given
from ddsetup.show.account_blocks import result_blocks

COMMAND = "org apply"


def run(call: Call) -> Report:
    """Carry out saved plans, or make them first. What is confirmed is what is carried out."""
    named = call.value("file")
    if named is not None:
        _check_decided(call)
        plans = read_planbook(call.directory / Path(named).expanduser())
        accounts = accounts_of(call, _connected(call, "apply"))
        rows = [*rows_of_plans(call, accounts, plans), *rows_of_gone(accounts, plans.at)]
        return _applied(call, accounts, plans, rows)
    told, accounts = asked(call, accounts_of(call, _connected(call, "plan")))
    # Of its own for each run: another one may plan while somebody reads what this one is about to do.
    folder = make_private(call.state_dir() / "plans")
    with TemporaryDirectory(prefix=f"{accounts.key}-", dir=folder, ignore_cleanup_errors=True) as own:
        rows, plans = plan_all(told, accounts, Path(own) / "plans.jsonl")
        report = _applied(told, accounts, plans, rows)
    if told is call:
        return report
    repeat = going_on(told.given, "ddsetup org apply --yes --no-input", told.values)
    report = replace(report, next=(*report.next, repeat), data={**report.data, "ci": repeat})
    return with_choices(told, report)


def _connected(call: Call, command: str) -> Session:
    base = connected(call, command)
    check_invoke(call, base.host.prompter)
    return base


def _check_decided(call: Call) -> None:
    """Raises UsageError for what was decided when the plans were made: it would do nothing now."""
    said = call.given.typed(*(key for key in WANTED if key not in ("region", *CONNECT)))
    if said:
        raise UsageError(
            f"{names(said, 3)}: what is wanted stands in the saved plans",
            fix="leave it out, or make them again with it: ddsetup org plan --out FILE",
        )


def _applied(call: Call, accounts: Accounts, plans: Plans, planned: Sequence[Row]) -> Report:
    report = report_of(COMMAND, accounts, planned)
    known = {row["account"]: row for row in planned}
    due = [m for m in accounts.members if m.account in plans.changing]
    host = accounts.base.host
    if call.given.on("dry_run") or host.cancel.is_set():
        return report
    applying = Applying(accounts, plans, "")
    if due:
        confirm_rows(call, accounts, report, f"Carry this out in {counted(len(due), 'account')}?")
        with journalled(accounts, COMMAND) as run:
            applying = replace(applying, run=run)
            for row in across(call, accounts, due, applying):
                known[row["account"]] = row
    if call.given.on("verify", True) and not host.cancel.is_set():
        _prove_all(call, accounts, applying, known)
    report = report_of(COMMAND, accounts, list(known.values()), applying.run)
    return replace(report, next=report.next or (AGAIN,)) if due else report


def _prove_all(call: Call, accounts: Accounts, applying: Applying, known: dict[str, Row]) -> None:
    """Add to each row what of its account has arrived."""
    planned = (m for m in accounts.members if m.account in applying.plans.at)
    well = [m for m in planned if known[m.account]["exit_code"] != 1]
    changed = [m for m in well if m.account in applying.since]
    others = [m for m in well if m.account not in applying.plans.changing]
    of_changed, of_others = waits(call.given)
    _prove(accounts, changed, Proof(call, of_changed, applying, offer=True), known)
    _prove(accounts, others, Proof(call, of_others, applying), known)


def waits(given: Given) -> tuple[int, int]:
    """For how many seconds at most data is waited for where something was changed, and where nothing was:
    there only what is invoked now is on its way."""
    wait = given.number("wait", WAIT_SECONDS)
    return wait, wait if given.on("invoke") else 0


def _prove(accounts: Accounts, members: Sequence[Member], proof: Proof, known: dict[str, Row]) -> None:
    if accounts.base.dd is None or not members:
        return
    fresh = replace(accounts, once=Once.of(accounts.base.dd))
    for row in prove_all(fresh, members, proof):
        if row["status"] == NOTHING_MEANT:
            continue
        before = known[row["account"]]
        texts = (before.get("text"), row.get("text") or row.get("reason"))
        known[row["account"]] = {
            **before,
            "proof": row["status"],
            "signals": row.get("signals", {}),
            "text": "; ".join(text for text in texts if text),
            "problems": [*before.get("problems", ()), *row.get("problems", ())],
            "exit_code": before["exit_code"] or row["exit_code"],
        }


blocks = of_data(result_blocks)
"""What became of each account."""

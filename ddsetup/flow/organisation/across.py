"""Something done in each of many accounts, side by side: what goes wrong in one is a line, not the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TypeAlias

from ddsetup.apply.interrupt import first_interrupt_sets
from ddsetup.flow.call import Call
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.who import Accounts, host_of, session_of
from ddsetup.gateways.aws.members import NotEntered
from ddsetup.model.account import Json
from ddsetup.model.errors import BUG, DdsetupError, Interrupted, as_bug
from ddsetup.model.event import Event
from ddsetup.model.organisation import Member

AT_ONCE = 32
"""Accounts side by side: each takes some dozen threads, and what was read of it, for as long as it lasts."""
Row: TypeAlias = dict[str, Json]
"""What there is to say of one account, as JSON types. `exit_code` is what a run of its own would end with."""


def across(
    call: Call, accounts: Accounts, members: Sequence[Member], do: Callable[[Session, Member], Row]
) -> list[Row]:
    """A row for each member, in their order; each is told as soon as it is known. `do` as in `as_known`."""
    rows = {row["account"]: tell(call, accounts, row) for row in as_known(call, accounts, members, do)}
    return [rows[member.account] for member in members]


def tell(call: Call, accounts: Accounts, row: Row) -> Row:
    """Tell whoever watches of an account; gives what is kept of its row."""
    host = accounts.base.host
    host.on_event(_event(host.clock.now(), row))
    # A document holds every plan; lines are written and forgotten, so that many accounts take little room.
    whole = call.given.text("output") == "json"
    return {key: value for key, value in row.items() if whole or key != "plan"}


def as_known(
    call: Call, accounts: Accounts, members: Sequence[Member], do: Callable[[Session, Member], Row]
) -> Iterator[Row]:
    """A row for each member as soon as it is known.

    `do` gets a session in the account. Only active accounts are entered. Ctrl-C stops what has not begun.
    """
    host = accounts.base.host

    def work(member: Member) -> Row:
        if host.cancel.is_set():
            return {"status": "not started", "reason": "interrupted before it was started", "exit_code": 130}
        return _row_of(call, accounts, member, do)

    with first_interrupt_sets(host.cancel), ThreadPoolExecutor(_at_once(call), "account") as pool:
        asked: dict[Future[Row], Member] = {pool.submit(work, member): member for member in members}
        for future in as_completed(tuple(asked)):
            yield {**head(asked.pop(future)), **future.result()}


def check_whole(accounts: Accounts, so_far: str) -> None:
    """Raises Interrupted after a Ctrl-C, where something has to be known of each account before anything is
    done: what was not looked at must not count as what is not there."""
    host = accounts.base.host
    if host.cancel.is_set():
        raise Interrupted(f"interrupted; {so_far}", fix=f"to go on: {host.go_on}")


def _at_once(call: Call) -> int:
    return call.value("at_once") or AT_ONCE


def _row_of(call: Call, accounts: Accounts, member: Member, do: Callable[[Session, Member], Row]) -> Row:
    if member.passive:
        return {"status": "left out", "reason": member.passive, "exit_code": 0}
    try:
        side_by_side = min(_at_once(call), len(accounts.members))
        host = host_of(accounts.base.host, _failures_of(call), side_by_side)
        session = session_of(accounts, member, host)
        try:
            return {"role": _entered_by(session), **do(session, member)}
        finally:
            if session.aws is not accounts.base.aws:
                session.aws.close()
    except NotEntered as error:
        return {"status": "not entered", **_error(error)}
    except DdsetupError as error:
        return {"status": "interrupted" if isinstance(error, Interrupted) else "failed", **_error(error)}
    except Exception as error:  # noqa: BLE001 - one account must not stop the others
        return {"status": "failed", "reason": as_bug(error), "exit_code": BUG}


def head(member: Member) -> Row:
    """What each row begins with."""
    return {
        "account": member.account,
        "name": member.name,
        "state": member.state,
        "unit": member.unit,
        "management": member.management,
    }


def rows_of_gone(accounts: Accounts, wanted: Iterable[str]) -> list[Row]:
    """A row for each account that is wanted, and that is not among all the others any more."""
    reason = "it is not among the accounts any more"
    said = {"status": "not entered", "reason": reason, "exit_code": NotEntered.exit_code}
    return [{**head(Member(account=account)), **said} for account in accounts.gone(wanted)]


def _error(error: DdsetupError) -> Row:
    return {"reason": error.what, "fix": error.fix, "exit_code": error.exit_code}


def _entered_by(session: Session) -> str:
    """The role of the session, as its ARN has it; empty for what is no role's."""
    kind, _, name = session.identity.arn.split(":", 5)[-1].partition("/")
    return name.split("/")[0] if kind == "assumed-role" else ""


def _failures_of(call: Call) -> Callable[[Event], None]:
    """Of what happens in each of many accounts a person hears what fails; a program hears all but words."""

    def told(event: Event) -> None:
        outcome = event.outcome
        failed = outcome is not None and outcome.status in ("failed", "changed_since")
        if call.given.text("output") == "ndjson":
            if event.resource is not None:
                call.console.event(event)
        elif failed and event.resource is not None:
            call.console.say(f"{event.resource.account}: {outcome.reason if outcome else ''}", "warn")

    return told


def _event(at: Json, row: Row) -> Event:
    name = f" ({row['name']})" if row["name"] else ""
    said = row.get("text") or row.get("reason") or ""
    text = f"account {row['account']}{name}: {row['status']}{f', {said}' if said else ''}"
    return Event(kind="account", at=at, text=text, account=row)


def exit_code_of(rows: Sequence[Mapping[str, Json]]) -> int:
    """0 if all went well; what all of them ended with, if that is one thing; 5 if some went well; 6 if only
    proof is missing; 130 if it was interrupted."""
    codes = {int(row["exit_code"]) for row in rows if row["status"] != "left out"}
    if 130 in codes:
        return 130
    if len(codes) < 2:
        return next(iter(codes), 0)
    return max(codes) if codes <= {0, 3, 6} else 5

"""`ddsetup state prune`: forget runs of which nothing is left."""

from __future__ import annotations

from datetime import timedelta

from ddsetup.cli.undo import gone_with_sandbox
from ddsetup.flow.call import Call
from ddsetup.journal.forgetting import forgettable
from ddsetup.journal.runs import list_runs, new_run_id
from ddsetup.model.blocks import Block
from ddsetup.model.clock import SYSTEM_CLOCK
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look, counted, line
from ddsetup.model.report import Report

DAYS = 30
"""How long a run is remembered of which nothing is left, so that its undo can still be undone."""


def run(call: Call) -> Report:
    """Forget them, once that is confirmed; while no run works on their accounts.

    Raises UsageError for a wrong age, Busy when a run is under way.
    """
    from ddsetup.flow import verbs

    memory, now = call.memory(), SYSTEM_CLOCK.now()
    before = now - timedelta(days=days_of(call.value("older_than")))
    runs = list_runs(memory)
    for error in runs.unreadable:
        call.console.say(f"{error.where}: {error.what}", "warn")
    old = forgettable(runs.readable, before, gone_with_sandbox(call, runs.readable))
    rows = [{"run": each.id, "command": each.header.command, "undoes": each.header.undoes} for each in old]
    kept = len(runs.readable) + len(runs.unreadable) - len(old)
    look_only = call.given.on("dry_run")
    if old and not look_only:
        question = f"Forget {counted(len(old), 'run')} of which nothing is left?"
        verbs.confirm(call.host(), question, yes=call.given.on("yes"))
        accounts = sorted({account for each in old for account in each.header.accounts})
        with memory.lock(accounts, new_run_id(now), now):
            for each in old:
                memory.forget(each.id)
    return Report(
        command="state prune", data={"forgotten": rows, "kept": kept, "done": bool(old) and not look_only}
    )


def days_of(text: str | None) -> int:
    """The age in days. Raises UsageError."""
    if text is None:
        return DAYS
    if not text.isdecimal() or len(text) > 5:
        raise UsageError(f"no number of days: {text!r}", fix=f"--older-than {DAYS}")
    return int(text)


def blocks(report: Report, _look: Look) -> list[Block]:
    """What was forgotten, and how much is still remembered."""
    rows, kept = report.data["forgotten"], counted(report.data["kept"], "run")
    if not rows:
        return [line(f"Nothing to forget; {kept} remembered.")]
    said = "forgotten" if report.data["done"] else "would be forgotten"
    return [
        *(line(f"  {row['run']}  {row['command']}") for row in rows),
        line(f"{counted(len(rows), 'run')} {said}, {kept} remembered."),
    ]

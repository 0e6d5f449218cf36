"""A report as text: pure, complete, and with nothing in it that may be secret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from ddsetup.model.blocks import Block
from ddsetup.model.change import Outcome, Status
from ddsetup.model.errors import DdsetupError, GatewayError
from ddsetup.model.foreign import lines_of
from ddsetup.model.lines import Line, Look, Span, and_more, line
from ddsetup.model.report import Report, Severity
from ddsetup.show.ending_lines import link_lines, next_lines, remedy_lines
from ddsetup.show.layout import laid_out
from ddsetup.show.plan_lines import plan_lines, resource_text, skipped_lines
from ddsetup.show.signal_lines import signal_blocks

SANDBOX = "sandbox"
_LISTED = 10
"""How many applied changes are listed one by one."""

_OUTCOMES: Mapping[Status, Span] = {
    "failed": Span("✗ failed", "bad"),
    "changed_since": Span("! changed since", "warn"),
    "skipped": Span("! skipped", "warn"),
    "applied": Span("✓", "good"),
    "unchanged": Span("=", "dim"),
}
_DONE: Mapping[str | None, str] = {
    "create": "created",
    "update": "changed",
    "delete": "deleted",
    None: "done",
}
_SEVERITIES: Mapping[Severity, Span] = {
    "error": Span("✗ error", "bad"),
    "warning": Span("! warning", "warn"),
    "info": Span("i info", "dim"),
}


Body: TypeAlias = Callable[[Report, Look], Sequence[Block]]
"""What only one command has to say. The module of a command brings it, by the name `blocks`."""


def report_lines(report: Report, look: Look, body: Body | None = None) -> list[Line]:
    """All that a report has to say, in lines."""
    return laid_out(report_blocks(report, look, body), look)


def report_blocks(report: Report, look: Look, body: Body | None = None) -> list[Block]:
    """All that a report has to say. A plan that was carried out is told by its outcomes."""
    found: list[Block] = []
    if report.sandbox and report.command not in _READ_BY_PROGRAMS and "terraform" not in report.data:
        where = where_text(report)
        found.append(line(Span(f"[{SANDBOX}]", "warn"), f" {where}" if where else ""))
    carried_out = [outcome for outcome in report.outcomes if outcome.action is not None]
    if carried_out:
        found.extend(_spaced(outcome_lines(carried_out, look)))
        found.extend(skipped_lines(report.plan.skipped, look, unchanged=look.verbose))
    elif (
        report.command in _WITH_PLAN
        and not {"runs", "terraform"} & set(report.data)
        and (report.error is None or is_last(report))
    ):
        found.extend(_spaced(plan_lines(report.plan, look)))
    found.extend(_spaced(signal_blocks(report.signals, look)))
    if report.command not in _WITH_FINDINGS_OF_THEIR_OWN:
        found.extend(_spaced(_finding_lines(report)))
    if body is not None:
        found.extend(_spaced(body(report, look)))
    found.extend(_spaced(link_lines(report.links, look)))
    if report.undo and not any(command.startswith(report.undo) for command in report.next):
        gone = "sandbox_gone" in report.data
        how = "On an account that stays, this gives it back: " if gone else "To give it back: "
        found.append(line(how, Span(report.undo, "code")))
    if report.next:
        found.extend(next_lines(report, look))
    while found and found[-1] == ():
        found.pop()
    return [*found, (), *failure_lines(report)] if is_last(report) else found


_READ_BY_PROGRAMS = ("policy", "org policy", "sandbox env")
"""What these write is pasted or evaluated as it is; that it is a sandbox is said on standard error."""
_WITH_FINDINGS_OF_THEIR_OWN = ("doctor", "keep check", "keep apply")
"""Commands whose own part tells the findings, put together."""
_AFTERWARDS = (
    "monitors plan",
    "monitors apply",
    "monitors remove",
    "metrics percentiles",
    "dashboards create",
    "dashboards clone",
)
_WITH_PLAN = ("plan", "setup", "uninstrument", "teardown", "undo", "apply", "keep apply", *_AFTERWARDS)


def where_text(report: Report) -> str:
    """The account and regions of a report."""
    account = f"account {report.account}" if report.account else ""
    return ", ".join(part for part in (account, *report.regions) if part)


def outcome_lines(outcomes: Sequence[Outcome], look: Look) -> list[Line]:
    """What failed first, each with what to do, then what was done."""
    found: list[Line] = []
    for status in ("failed", "changed_since", "skipped"):
        for outcome in outcomes:
            if outcome.status == status and not outcome.not_started:
                found.append(line(_OUTCOMES[outcome.status], f" {resource_text(outcome.resource)}"))
                found.extend(line("    ", reason) for reason in lines_of(outcome.reason))
                if outcome.fix:
                    found.append(line("    ", Span("do: ", "bold"), outcome.fix))
    applied = [o for o in outcomes if o.status == "applied"]
    shown = applied if look.verbose or len(applied) <= _LISTED else applied[:_LISTED]
    for outcome in shown:
        remark = Span(f"  {outcome.reason}", "dim") if outcome.reason else Span("")
        text = f" {resource_text(outcome.resource)} {_DONE[outcome.action]}"
        found.append(line(_OUTCOMES["applied"], text, remark))
    found += and_more(len(applied) - len(shown))
    found.append(line(Span(outcome_summary(outcomes), "bold")))
    return found


def outcome_summary(outcomes: Sequence[Outcome]) -> str:
    """`12 applied, 1 failed`."""
    words = {"changed_since": "changed since and left alone"}
    counts = Counter("not started" if o.not_started else o.status for o in outcomes)
    return ", ".join(f"{counts[end]:,} {words.get(end, end)}" for end in _ORDER if counts[end])


_ORDER = ("applied", "unchanged", "failed", "changed_since", "skipped", "not started")


def outcome_text(outcome: Outcome) -> Line:
    """One outcome in a line, for progress."""
    what = f" {resource_text(outcome.resource)}"
    if outcome.status == "applied":
        return line(_OUTCOMES["applied"], what, f" {_DONE[outcome.action]}")
    reason = outcome.reason
    return line(_OUTCOMES[outcome.status], what, f": {reason}" if reason else "")


def error_lines(error: DdsetupError) -> list[Line]:
    """Where, what, and what to do."""
    first, *rest = lines_of(error.what) or [type(error).__name__]
    place = f"{error.where}: " if error.where else ""
    found = [line(Span("error: ", "bad"), place, first)]
    found.extend(line("  ", text) for text in rest)
    if isinstance(error, GatewayError) and error.action and error.action not in error.what:
        found.append(line("  needs: ", error.action))
    fixes = lines_of(error.fix)
    if fixes:
        found.append(line(Span("  do: ", "bold"), fixes[0]))
        found.extend(line("      ", text) for text in fixes[1:])
    return found


def is_last(report: Report) -> bool:
    """Whether a report with a result ends with the reason why it is no better, and what to do about it."""
    return bool(report.account and (report.error or {}).get("fix"))


def failure_lines(report: Report) -> list[Line]:
    """Why a report has no result, for a reader who does not see what was said on the way."""
    error = report.error or {}
    found = [line(Span("error: ", "bad"), text) for text in lines_of(error.get("what", ""))]
    return [*found, *(line("  ", Span("do: ", "bold"), text) for text in lines_of(error.get("fix", "")))]


def _spaced(blocks: Sequence[Block]) -> list[Block]:
    return [*blocks, ()] if blocks else []


def _finding_lines(report: Report) -> list[Line]:
    found: list[Line] = []
    for finding in report.findings:
        found.append(
            line(_SEVERITIES[finding.severity], f" {finding.what}", Span(f"  [{finding.check}]", "dim"))
        )
        found.extend(remedy_lines(finding, Look(verbose=True)))
    return found

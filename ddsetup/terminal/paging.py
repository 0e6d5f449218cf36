"""The result of a command as a page of HTML, where one is wanted."""

from __future__ import annotations

import os
from pathlib import Path

from ddsetup.flow.call import Call
from ddsetup.model.blocks import Block
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look, Span, line
from ddsetup.model.report import Report
from ddsetup.show.plan_lines import plan_lines
from ddsetup.show.report_lines import Body, report_blocks


def check_page(call: Call) -> None:
    """Raises UsageError where no page can be written: that is better known before a run than after it."""
    path = _path(call)
    if path is None:
        return
    if path.is_dir():
        raise UsageError("this is a directory; a page is a file", where=str(path))
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(
            "a page cannot be written here", where=str(path), fix="name another file after --html"
        )


def write_page(call: Call, report: Report, body: Body | None) -> None:
    """Write the page. It tells everything, as with -v; nobody has to be able to run the command again.

    Raises UsageError.
    """
    path = _path(call)
    if path is None:
        return
    from ddsetup.model.clock import SYSTEM_CLOCK
    from ddsetup.show.page import page

    call.save(path, page(report, everything(report, body), SYSTEM_CLOCK.now()))


def everything(report: Report, body: Body | None) -> list[Block]:
    """The report, and of changes that were carried out also what was there before."""
    look = Look(verbose=True)
    blocks = report_blocks(report, look, body)
    if not any(outcome.action for outcome in report.outcomes):
        return blocks
    return [*blocks, (), line(Span("Before and after", "heading")), *plan_lines(report.plan, look)]


def _path(call: Call) -> Path | None:
    named = call.given.text("html")
    return call.directory / Path(named).expanduser() if named else None

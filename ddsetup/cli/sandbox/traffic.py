"""`ddsetup sandbox traffic`: invoke the sample functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.flow.call import Call
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Line, Look, counted, line
from ddsetup.model.report import Report

if TYPE_CHECKING:
    from ddsetup.sandbox.model import Sandbox


def run(call: Call) -> Report:
    """Invoke the sample functions of the newest sandbox that runs."""
    from ddsetup.sandbox.traffic import traffic

    call.console.sandbox = True
    sandbox = running()
    names = tuple(call.value("names") or ()) or None
    done = traffic(sandbox, names, call.value("times") or 1)
    rows = [{"function": one.function, "region": one.region, "error": one.error} for one in done]
    return Report(
        command="sandbox traffic",
        account=sandbox.account,
        regions=sandbox.regions,
        sandbox=True,
        data={"invocations": rows},
    )


def running() -> Sandbox:
    """The newest sandbox that was left running, else the newest of all. Raises UsageError without any."""
    from ddsetup.sandbox.detached import status

    found = status()
    if not found:
        raise UsageError("no sandbox is running", fix="ddsetup sandbox up --detach")
    return next((sandbox for sandbox in found if sandbox.detached), found[0])


def blocks(report: Report, _look: Look) -> list[Line]:
    """How often they were invoked, and what went wrong."""
    done = report.data.get("invocations", ())
    found = [line(f"{counted(len(done), 'invocation')}")]
    failures = [row for row in done if row["error"]]
    found.extend(line("  ", f"{row['function']} ({row['region']}): {row['error']}") for row in failures)
    return found

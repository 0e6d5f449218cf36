"""`ddsetup sandbox traffic`: invoke the sample functions."""

from __future__ import annotations

from ddsetup.cli.sandbox.named import chosen, running
from ddsetup.flow.call import Call
from ddsetup.model.lines import Line, Look, counted, line
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Invoke the sample functions of the sandbox that is meant."""
    from ddsetup.sandbox.traffic import traffic

    call.console.sandbox = True
    sandbox = chosen(call, running(call))
    names = tuple(call.value("functions") or ()) or None
    done = traffic(sandbox, names, call.value("times") or 1)
    rows = [{"function": one.function, "region": one.region, "error": one.error} for one in done]
    return Report(
        command="sandbox traffic",
        account=sandbox.account,
        regions=sandbox.regions,
        sandbox=True,
        data={"invocations": rows},
    )


def blocks(report: Report, _look: Look) -> list[Line]:
    """How often they were invoked, and what went wrong."""
    done = report.data.get("invocations", ())
    found = [line(f"{counted(len(done), 'invocation')}")]
    failures = [row for row in done if row["error"]]
    found.extend(line("  ", f"{row['function']} ({row['region']}): {row['error']}") for row in failures)
    return found

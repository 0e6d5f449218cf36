"""`ddsetup sandbox env`: the variables by which any tool uses the sandbox.

Its keys are shown: they are good for nothing but the sandbox on this machine.
"""

from __future__ import annotations

import shlex

from ddsetup.cli.sandbox.traffic import running
from ddsetup.flow.call import Call
from ddsetup.model.lines import Line, Look, Span, line
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """The variables of the newest sandbox that runs."""
    call.console.sandbox = True
    sandbox = running()
    return Report(
        command="sandbox env",
        account=sandbox.account,
        regions=sandbox.regions,
        sandbox=True,
        data={"env": sandbox.env()},
    )


def lines(report: Report, _look: Look) -> list[Line]:
    """Variables as a shell reads them."""
    variables = report.data.get("env", {})
    return [line(Span(f"export {name}={shlex.quote(value)}", "code")) for name, value in variables.items()]

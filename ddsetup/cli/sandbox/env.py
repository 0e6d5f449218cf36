"""`ddsetup sandbox env`: the variables by which any tool uses the sandbox.

Its keys are shown: they are good for nothing but the sandbox on this machine.
"""

from __future__ import annotations

import shlex

from ddsetup.cli.sandbox.named import chosen, running
from ddsetup.flow.call import Call
from ddsetup.model.blocks import Block, Code
from ddsetup.model.lines import Look
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """The variables of the sandbox that is meant."""
    call.console.sandbox = True
    sandbox = chosen(call, running(call))
    return Report(
        command="sandbox env",
        account=sandbox.account,
        regions=sandbox.regions,
        sandbox=True,
        data={"env": sandbox.env()},
    )


def blocks(report: Report, _look: Look) -> list[Block]:
    """Variables as a shell reads them."""
    variables = report.data.get("env", {})
    text = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
    return [Code(text, "sh", indent=0)]

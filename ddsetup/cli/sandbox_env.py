"""`ddsetup sandbox env`: the variables by which any tool uses the sandbox.

Its keys are shown: they are good for nothing but the sandbox on this machine.
"""

from __future__ import annotations

from ddsetup.cli.call import Call
from ddsetup.cli.sandbox_traffic import running
from ddsetup.report import Report


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

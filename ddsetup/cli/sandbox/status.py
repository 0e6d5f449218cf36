"""`ddsetup sandbox status`: which sandboxes run."""

from __future__ import annotations

from ddsetup.cli.sandbox import up
from ddsetup.cli.sandbox.named import running
from ddsetup.cli.sandbox.up import described
from ddsetup.flow.call import Call
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Every sandbox of the state directory, the newest first."""
    call.console.sandbox = True
    return Report(
        command="sandbox status",
        sandbox=True,
        data={"sandboxes": [described(sandbox) for sandbox in running(call)]},
    )


blocks = up.blocks

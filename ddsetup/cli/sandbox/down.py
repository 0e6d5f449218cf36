"""`ddsetup sandbox down`: stop what was left running."""

from __future__ import annotations

from ddsetup.cli.sandbox import up
from ddsetup.cli.sandbox.up import described
from ddsetup.flow.call import Call
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Stop every detached sandbox of this user."""
    from ddsetup.sandbox.detached import down

    call.console.sandbox = True
    stopped = down()
    return Report(
        command="sandbox down", sandbox=True, data={"sandboxes": [described(sandbox) for sandbox in stopped]}
    )


blocks = up.blocks

"""`ddsetup sandbox status`: which sandboxes run."""

from __future__ import annotations

from ddsetup.cli import sandbox_up
from ddsetup.cli.call import Call
from ddsetup.cli.sandbox_up import described
from ddsetup.report import Report


def run(call: Call) -> Report:
    """Every sandbox of this user, the newest first."""
    from ddsetup.sandbox.detached import status

    call.console.sandbox = True
    return Report(
        command="sandbox status",
        sandbox=True,
        data={"sandboxes": [described(sandbox) for sandbox in status()]},
    )


lines = sandbox_up.lines

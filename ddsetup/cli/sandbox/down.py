"""`ddsetup sandbox down`: stop what was left running."""

from __future__ import annotations

from ddsetup.cli.sandbox import up
from ddsetup.cli.sandbox.named import chosen, registry, running
from ddsetup.cli.sandbox.up import described
from ddsetup.flow.call import Call
from ddsetup.model.errors import UsageError
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Stop the detached sandbox that is meant, or all of them."""
    from ddsetup.sandbox.detached import down

    call.console.sandbox = True
    if call.value("every") and call.value("sandbox_name"):
        raise UsageError("--all and a name exclude each other", fix="ddsetup sandbox down --all")
    detached = [sandbox for sandbox in running(call) if sandbox.detached]
    meant = detached
    if call.value("sandbox_name") or (detached and not call.value("every")):
        meant = [chosen(call, detached)]
    stopped = down(registry(call), *(sandbox.name for sandbox in meant))
    return Report(
        command="sandbox down", sandbox=True, data={"sandboxes": [described(sandbox) for sandbox in stopped]}
    )


blocks = up.blocks

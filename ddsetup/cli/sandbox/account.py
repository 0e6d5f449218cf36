"""`ddsetup sandbox account`: an account of the organisation, as its owners change it."""

from __future__ import annotations

from ddsetup.cli.sandbox.named import chosen, running
from ddsetup.flow.call import Call
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Line, Look, line
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Change it in the sandbox that is meant."""
    from ddsetup.sandbox.membership import change

    call.console.sandbox = True
    sandbox = chosen(call, running(call))
    name, refuses, admits = call.value("member"), bool(call.value("refuses")), bool(call.value("admits"))
    if not name:
        raise UsageError("no account was named", fix="ddsetup sandbox account --account coffee-new")
    if refuses and admits:
        raise UsageError("an account that refuses does not admit", fix="one of --refuses and --admits")
    decided = refuses if refuses or admits else None
    done = change(sandbox, name, call.value("unit") or "", refuses=decided)
    return Report(
        command="sandbox account",
        account=sandbox.account,
        regions=sandbox.regions,
        sandbox=True,
        data={"member": name, "number": done.number, "done": list(done.deeds)},
        next=("ddsetup org status",),
    )


def blocks(report: Report, _look: Look) -> list[Line]:
    """What was done to it."""
    data = report.data
    return [line(f"{data['member']} ({data['number']}): {', '.join(data['done']) or 'as it was'}")]

"""`ddsetup sandbox deploy`: deploy functions as a pipeline does that knows nothing of Datadog."""

from __future__ import annotations

from ddsetup.cli.sandbox.named import chosen, running
from ddsetup.flow.call import Call
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Line, Look, line
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Deploy them in the sandbox that is meant."""
    from ddsetup.sandbox.deployments import ROLE, SESSION, deploy

    call.console.sandbox = True
    sandbox = chosen(call, running(call))
    names = tuple(call.value("functions") or ())
    if not names:
        raise UsageError("no function was named", fix="ddsetup sandbox deploy --function coffee-orders")
    done = deploy(sandbox, names)
    return Report(
        command="sandbox deploy",
        account=sandbox.account,
        regions=sandbox.regions,
        sandbox=True,
        data={"deployed": [{"function": n, "how": how} for n, how in done], "by": f"{ROLE}/{SESSION}"},
        next=("ddsetup keep check",),
    )


def blocks(report: Report, _look: Look) -> list[Line]:
    """What was deployed."""
    by = report.data["by"]
    return [line(f"{row['function']}: {row['how']} by {by}") for row in report.data["deployed"]]

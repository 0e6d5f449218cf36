"""`ddsetup sandbox scenarios`: the states that a sandbox can start in."""

from __future__ import annotations

from ddsetup.flow.call import Call
from ddsetup.model.blocks import Block
from ddsetup.model.lines import Look, Span, line
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """All scenarios with what they are."""
    from ddsetup.sandbox.scenarios import SCENARIOS

    call.console.sandbox = True
    found = {name: scenario.description for name, scenario in SCENARIOS.items()}
    return Report(command="sandbox scenarios", sandbox=True, data={"scenarios": found})


def blocks(report: Report, _look: Look) -> list[Block]:
    """Each scenario in a line."""
    scenarios = report.data.get("scenarios", {})
    width = max((len(name) for name in scenarios), default=0)
    return [line(Span(f"{name:<{width}}", "bold"), f"  {text}") for name, text in scenarios.items()]

"""`ddsetup monitors plan`: what would be created or changed."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report
from ddsetup.model.blocks import Block, Code
from ddsetup.model.lines import Look
from ddsetup.model.report import Report
from ddsetup.monitors.terraform import terraform
from ddsetup.monitors.wanted import wanted


def run(call: Call) -> Report:
    """The plan, or the wanted monitors as Terraform. Nothing is changed."""
    found = wanted(call)
    if call.value("terraform"):
        report = base_report("monitors plan", found.session)
        return replace(report, data={"terraform": terraform(found.monitors, found.slos)})
    return base_report("monitors plan", found.session, found.plan)


def blocks(report: Report, _look: Look) -> list[Block]:
    """The file as it is saved, and nothing else."""
    return [Code(report.data["terraform"], "hcl", indent=0)] if "terraform" in report.data else []

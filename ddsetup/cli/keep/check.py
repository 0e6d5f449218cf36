"""`ddsetup keep check`: what has drifted, who did it, and when."""

from __future__ import annotations

from dataclasses import replace

from ddsetup.cli.onward import with_choices
from ddsetup.flow.call import Call
from ddsetup.flow.keeping import Kept, look_for_drift
from ddsetup.flow.results import base_report
from ddsetup.model.blocks import Block
from ddsetup.model.lines import Look
from ddsetup.model.report import Report
from ddsetup.show.drift_blocks import as_data, drift_blocks, findings

DRIFTED = 3


def run(call: Call) -> Report:
    """Look, and write it as SARIF, too, if that is wanted. Ends with 3 if anything drifted."""
    from ddsetup.flow import verbs

    session = verbs.connect(call.given, call.host(), command="plan", looks_next=True)
    kept = look_for_drift(session, call.given)
    report = with_choices(call, drift_report(base_report("keep check", session), kept))
    if call.value("sarif"):
        from ddsetup.doctor.sarif import of_findings
        from ddsetup.plan.drift import KINDS

        titles = {f"drift-{kind}": title for kind, title in KINDS.items()}
        call.save(call.value("sarif"), of_findings(report, titles, kept.notes))
    mendable = any(not each.fix for each in kept.drift)
    return replace(
        report,
        exit_code=DRIFTED if kept.drift else 0,
        next=("ddsetup keep apply",) if mendable else (),
    )


def drift_report(report: Report, kept: Kept) -> Report:
    """The report with what drifted."""
    data = as_data(kept.drift, len(kept.selected), kept.notes)
    return replace(report, findings=findings(kept.drift), data={**report.data, **data})


def blocks(report: Report, look: Look) -> list[Block]:
    """The drift as text."""
    return drift_blocks(report.data, look)

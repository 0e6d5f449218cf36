"""`ddsetup keep apply`: put right what has drifted."""

from __future__ import annotations

from ddsetup.cli.keep import check
from ddsetup.cli.keep.check import drift_report
from ddsetup.flow.call import Call
from ddsetup.flow.keeping import look_for_drift, prepare_repair
from ddsetup.flow.results import base_report
from ddsetup.flow.showing import carried_out
from ddsetup.model.blocks import Block
from ddsetup.model.lines import Look
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Look, plan no more than the drift, and carry it out once it is confirmed."""
    from ddsetup.flow import verbs

    session = verbs.connect(call.given, call.host(), command="plan", looks_next=True)
    kept = look_for_drift(session, call.given)
    if not kept.drift:
        return drift_report(base_report("keep apply", session), kept)
    prepared = prepare_repair(session, call.given, kept)
    report = drift_report(base_report("keep apply", session, prepared.plan), kept)
    return carried_out(call, session, report, prepared.snapshot, "Put this right?")


def blocks(report: Report, look: Look) -> list[Block]:
    """What drifted, while nothing is done about it yet: afterwards the outcomes tell."""
    return [] if report.run else check.blocks(report, look)

"""`ddsetup plan`: what setup would change."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from ddsetup.facts.kinds import exit_code_of
from ddsetup.flow.call import Call
from ddsetup.flow.costing import costed
from ddsetup.flow.guided import Guide, leaving
from ddsetup.flow.results import base_report, with_cause
from ddsetup.model.blocks import Block
from ddsetup.model.lines import Look
from ddsetup.model.report import Report
from ddsetup.project.at_source import in_words
from ddsetup.show.cost_blocks import cost_blocks

CHANGES = 3


def run(call: Call) -> Report:
    """The plan, saved if that is wanted. Nothing is changed.

    A foundation that has to be left out, as it could not be read or for another reason, fails as it does in
    `setup`, whatever else would change.
    """
    from ddsetup.flow import verbs

    host = call.host(partial(in_words, call.directory))
    with leaving(call, host):
        session, prepared = Guide(call, host).plan()
        costs = costed(call, session, prepared)
    report = base_report("plan", session, prepared.plan)
    report = replace(report, exit_code=exit_code_of(report.outcomes), data={"cost": costs} if costs else {})
    report = with_cause(report, prepared.snapshot, prepared.answers)
    out = call.value("out")
    if out is not None:
        from ddsetup.journal.planfile import save

        path = call.directory / Path(out).expanduser()
        meta = verbs.plan_meta(session, prepared.answers, prepared.selected)
        save(path, prepared.plan, meta)
        call.console.say(f"plan saved in {path}")
        report = replace(report, next=(f"ddsetup apply {out}",) if prepared.plan.changes else ())
    if call.value("detailed_exitcode") and prepared.plan.changes and not report.exit_code:
        return replace(report, exit_code=CHANGES)
    return report


def blocks(report: Report, look: Look) -> list[Block]:
    """What the plan costs each month."""
    return cost_blocks(report.data["cost"], look) if "cost" in report.data else []

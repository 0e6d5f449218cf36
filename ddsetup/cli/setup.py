"""`ddsetup setup`: ask, observe, plan, show, confirm, carry out, prove."""

from __future__ import annotations

from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ddsetup.ask.dialogue import forget
from ddsetup.ask.prompter import Back
from ddsetup.explore.offer import offer_to_explore
from ddsetup.facts.kinds import exit_code_of, is_foundation
from ddsetup.flow.call import Call
from ddsetup.flow.costing import costed
from ddsetup.flow.ending import WAIT_SECONDS, with_ways_on
from ddsetup.flow.guided import Guide, given_of, keep_answers, leaving, offer_to_resume
from ddsetup.flow.proof import LOOK_AGAIN, among, make_traffic, monitored, prove, things_of, watch_for
from ddsetup.flow.results import base_report, with_all_looked_at, with_cause, with_outcomes, with_signals
from ddsetup.flow.showing import agree
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block
from ddsetup.model.errors import CredentialsError
from ddsetup.model.lines import Look, Span, line
from ddsetup.model.report import Report
from ddsetup.project.at_source import change_source, check_source, in_words, source_note
from ddsetup.project.iac.show import iac_blocks
from ddsetup.show.cost_blocks import cost_blocks

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Host, Prepared, Session
    from ddsetup.project.iac.at_hand import AtHand


def run(call: Call) -> Report:
    """Set up monitoring; the report with outcomes and signals."""
    from ddsetup.cli.trial import sandbox_for

    with sandbox_for(call) if call.value("sandbox") else nullcontext(call) as here:
        return _set_up(here)


def _set_up(call: Call) -> Report:
    host = call.host(partial(in_words, call.directory))
    with leaving(call, host):
        session, prepared, source, costs = _agreed_plan(call, host)
    with closing(prepared.sweep) if prepared.sweep else nullcontext():
        report = _carried_out(call, host, session, prepared, source)
    report = with_cause(report, prepared.snapshot, prepared.answers)
    return replace(report, data={**report.data, "cost": costs}) if costs else report


def _carried_out(
    call: Call, host: Host, session: Session, prepared: Prepared, source: AtHand | None
) -> Report:
    from ddsetup.flow import verbs

    report = base_report("setup", session, prepared.plan)
    report = replace(report, exit_code=exit_code_of(report.outcomes))
    if call.given.on("dry_run"):
        return change_source(call, session, prepared, source, report) if source else report
    interrupted, since = False, None
    if prepared.plan.changes:
        applied = verbs.carry_out(
            session, prepared.plan.changes, prepared.snapshot, command="setup", late=prepared.late
        )
        interrupted, since = session.host.cancel.is_set(), applied.since
        report = with_outcomes(report, applied.run, applied.outcomes, host.go_on)
        call.console.rest()
    if interrupted:
        keep_answers(call, host)
    else:
        forget(host.state_dir)
    if interrupted or report.exit_code == 1:
        return report
    if source is not None:
        report = change_source(call, session, prepared, source, report)
    report = _proven(call, session, prepared, report, since)
    if prepared.sweep is not None:
        prepared = verbs.complete(session, prepared)
        report = with_all_looked_at(report, prepared.plan)
    return with_ways_on(call, given_of(call, host), prepared, report)


def _agreed_plan(call: Call, host: Host) -> tuple[Session, Prepared, AtHand | None, Json]:
    """The plan, confirmed unless there is nothing to confirm, what is to be changed at the source, and what
    it costs; going back leads to the last question."""
    offer_to_resume(call, host)
    guide = Guide(call, host)
    while True:
        session, prepared = guide.plan()
        try:
            source = check_source(call, session, prepared)
            costs = costed(call, session, prepared)
            if call.given.on("dry_run") or not prepared.plan.changes:
                return session, prepared, source, costs
            _note_source(call, prepared)
            agree(call, session, prepared, costs)
            guide.assure_signed_in(prepared)
            return session, prepared, source, costs
        except Back:
            guide.put_back(prepared)
            host.dialogue.back()
        except CredentialsError:
            guide.put_back(prepared)
            if host.prompter is None:
                raise
            # What was agreed to is planned anew, and agreed to again, with credentials that last.
            guide.session = None
        except BaseException:
            guide.put_back(prepared)
            raise


def _note_source(call: Call, prepared: Prepared) -> None:
    """Tell who changes functions beside the tool that deploys them from here, and was not asked."""
    if not prepared.answers.changes_owned or call.can_ask:
        return
    note = source_note(call.directory, prepared.snapshot, prepared.selected)
    if note:
        call.console.say(note, "warn")


def _proven(
    call: Call, session: Session, prepared: Prepared, report: Report, since: datetime | None
) -> Report:
    """The report with the proof, unless it is not wanted.

    Functions that were left alone have nothing to prove. Nobody waits if nothing was changed, or if what
    all data has to pass through could not be made.
    """
    if not call.given.on("verify", True):
        return report
    left_alone = {s.resource.id for s in prepared.plan.skipped if s.status == "skipped"}
    failed = [o.resource for o in report.outcomes if o.status not in ("applied", "unchanged")]
    left_alone |= {resource.id for resource in failed}
    selected = monitored(prepared.snapshot, prepared.selected)
    functions = tuple(f for f in selected if f.arn not in left_alone)
    hopeless = any(is_foundation(resource.kind) for resource in failed)
    rounds = None
    if not hopeless:
        idle_are_offered = since is not None and not call.value("sandbox")
        try:
            rounds = make_traffic(
                call, session, functions, lambda _: prepared.answers, offer=idle_are_offered
            )
        except KeyboardInterrupt:
            call.console.say(f"not waiting for proof; to look for it later: {LOOK_AGAIN}")
            return report
    wait = 0 if since is None or hopeless else WAIT_SECONDS
    skipped = left_alone | {s.resource.id for s in prepared.plan.skipped if s.status == "skipped"}
    things = things_of(prepared.snapshot, prepared.answers, prepared.plan, functions, skipped)
    watch = among(prepared.snapshot, watch_for(call, session, functions, prepared.answers, since, things))
    signals = prove(call, session, watch, wait=wait, rounds=rounds)
    offer_to_explore(call, session, functions, signals, since)
    return with_signals(report, signals, require_proof=call.given.on("require_proof"))


def blocks(report: Report, look: Look) -> list[Block]:
    """What became of the files of a project, where functions were changed at the source; and what it costs.

    Somebody who agreed to the plan has seen that, so it is told only where all is.
    """
    found: list[Block] = []
    data = report.data
    if "source" in data:
        changed = any(file["status"] == "changed" for file in data["source"]["files"])
        undo = Span("  (to give the files back: ddsetup iac --undo)", "dim")
        head = line(Span("At the source", "heading"), *((undo,) if changed else ()))
        found += [head, *iac_blocks(data["source"], look)]
    if "cost" in data and (look.verbose or not any(outcome.action for outcome in report.outcomes)):
        found += [*(((),) if found else ()), *cost_blocks(data["cost"], look)]
    return found

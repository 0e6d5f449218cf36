"""`ddsetup apply FILE`: what a saved plan says, unless things have moved on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ddsetup.facts.links import links
from ddsetup.flow.call import Call
from ddsetup.flow.ending import WAIT_SECONDS
from ddsetup.flow.proof import among, make_traffic, monitored, prove, things_of, watch_for
from ddsetup.flow.remembered import answers_of_plan, functions_of_plan
from ddsetup.flow.results import base_report, with_outcomes, with_signals
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.journal.planfile import PlanMeta, load
from ddsetup.model.report import Report
from ddsetup.settings.given import Given, Raw


def run(call: Call) -> Report:
    """Carry out a saved plan and prove what came of it."""
    from ddsetup.flow import verbs

    path = call.directory / Path(call.value("file")).expanduser()
    plan, meta = load(path)
    answers_of_plan(meta)
    functions_of_plan(meta)
    given = call.given.over(_scope_of(meta, path))
    session = verbs.connect(given, call.host(), command="apply")
    verbs.check_meta(session, meta)
    call.console.say(verbs.whose_plan(meta))
    report = base_report("apply", session, plan)
    if call.given.on("dry_run") or not plan.changes:
        return report
    show_plan(call.console, plan)
    confirm(call, session)
    snapshot = verbs.look(session)
    applied = verbs.carry_out(session, plan.changes, snapshot, command="apply")
    interrupted = session.host.cancel.is_set()
    report = with_outcomes(report, applied.run, applied.outcomes, session.host.go_on)
    if interrupted or report.exit_code == 1 or not call.given.on("verify", True):
        return report
    answers = answers_of_plan(meta)
    wanted = functions_of_plan(meta)
    functions = monitored(snapshot, tuple(f for f in snapshot.functions() if f.arn in wanted))
    rounds = make_traffic(call, session, functions)
    undone = {o.resource.id for o in report.outcomes if o.status not in ("applied", "unchanged")}
    things = things_of(snapshot, answers, plan, functions, undone)
    watch = among(snapshot, watch_for(call, session, functions, answers, applied.since, things))
    signals = prove(call, session, watch, wait=WAIT_SECONDS, rounds=rounds)
    report = with_signals(report, signals, require_proof=call.given.on("require_proof"))
    return replace(report, links=links(meta.site, functions, (meta.account,)))


def _scope_of(meta: PlanMeta, path: Path) -> Given:
    """Where the plan was made for; a flag that says otherwise wins, and is then refused by name."""
    return Given(
        {
            "region": Raw(meta.regions, "file", str(path)),
            "site": Raw(meta.site, "file", str(path)),
        }
    )

"""`ddsetup verify`: did the data arrive?"""

from __future__ import annotations

from dataclasses import replace

from ddsetup.ask.asking import answers_from
from ddsetup.facts.links import links
from ddsetup.flow.call import Call
from ddsetup.flow.proof import LOOK_AGAIN, among, make_traffic, monitored, prove, things_of, watch_for
from ddsetup.flow.results import NOT_SEEN, base_report, with_cause, with_signals
from ddsetup.model.answers import Selection
from ddsetup.model.change import Plan
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Every signal of the functions meant; without a choice, of those that have Datadog."""
    from ddsetup.flow import verbs
    from ddsetup.plan.select import select_in

    session = verbs.connect(call.given, call.host(), command="verify", looks_next=True)
    snapshot = verbs.look(session)
    answers = answers_from(call.given, snapshot, session.host.prompter, command="verify", scope=session.scope)
    selection = answers.selection
    if not selection.given:
        selection = replace(selection, all=True, state="instrumented")
    functions = select_in(snapshot, selection) if snapshot.functions() else ()
    functions = monitored(snapshot, functions)
    report = base_report("verify", session)
    if not functions and selection == Selection(all=True, state="instrumented"):
        call.console.say(
            "no function has Datadog yet (ddsetup setup); choose others with --function, --tag or --all"
        )
    started = snapshot.at if call.given.on("invoke") else None
    rounds = make_traffic(call, session, functions)
    things = things_of(snapshot, answers, Plan(), functions)
    watch = among(snapshot, watch_for(call, session, functions, answers, started, things))
    signals = prove(call, session, watch, wait=0, rounds=rounds)
    report = with_signals(report, signals, require_proof=call.given.on("require_proof"))
    again = (LOOK_AGAIN,) if report.exit_code == NOT_SEEN else ()
    pages = links(answers.site, functions, tuple(snapshot.accounts))
    report = replace(report, links=pages, next=again)
    return with_cause(report, snapshot, answers)

"""`ddsetup doctor`: every check, with cause and fix; `--fix` mends what it can and looks again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.cli.onward import with_choices
from ddsetup.doctor.finding_lines import doctor_lines
from ddsetup.facts.kinds import exit_code_of
from ddsetup.flow.call import Call
from ddsetup.flow.results import with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import counted, names
from ddsetup.model.report import Report, Severity
from ddsetup.settings.validate import time_in

if TYPE_CHECKING:
    from ddsetup.doctor.diagnose import Diagnosis
    from ddsetup.doctor.look import Visit, Wanted
    from ddsetup.facts.signals import Data

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
NO_CREDENTIALS = 4
_MOST_CHAINS = 5


def run(call: Call) -> Report:
    """The diagnosis. Exit code 1 if there is an error (or what `--fail-on` says), 4 without credentials."""
    from ddsetup.doctor.checks.registry import CHECKS, choose, find
    from ddsetup.doctor.findings import described

    if call.value("list"):
        return Report(command="doctor", data={"checks": [described(c, doc=False) for c in CHECKS]})
    if call.value("explain"):
        return Report(command="doctor", data={"checks": [described(find(i)) for i in call.value("explain")]})
    _check_narrowing(call)
    checks = choose(call.value("only") or (), call.value("skip") or ())
    severity, fail_on = _severity(call, "severity", "info"), _severity(call, "fail_on", "error")
    return _consult(call, _wanted(call, checks, severity), fail_on)


def _consult(call: Call, wanted: Wanted, fail_on: Severity) -> Report:
    from ddsetup.doctor.checks.registry import WEIGHT
    from ddsetup.doctor.look import enter, examine, watch
    from ddsetup.model.evidence import Looking

    seconds = _seconds(call.value("doctor_wait"))
    session, faults = enter(call.given, call.host())
    looking = Looking(environ=call.environ, deep=bool(call.value("deep")), faults=faults)

    def look() -> Visit:
        return examine(session, call.given, looking, wanted)

    def good(visit: Visit) -> bool:
        worst = visit.diagnosis.worst()
        return worst is None or WEIGHT[worst] < WEIGHT[fail_on]

    visit = look()
    report = _report(call, visit, fail_on)
    if call.value("fix") and session is not None:
        visit, report = _mend(call, visit, look, fail_on)
    elif seconds:
        visit = watch(visit, look, seconds=seconds, good=good)
        report = _report(call, visit, fail_on)
    if call.value("probe"):
        report = _probed(call, visit, report)
    _write_files(call, visit, report)
    return report


def _mend(call: Call, visit: Visit, look: Callable[[], Visit], fail_on: Severity) -> tuple[Visit, Report]:
    """Plan, show, confirm, carry out, look again; the last visit and its report."""
    from ddsetup.doctor.diagnose import difference, waits_for_a_person
    from ddsetup.doctor.findings import as_records
    from ddsetup.doctor.look import mend, plan_mending

    before = visit.diagnosis
    confirmed = call.can_ask or bool(call.value("only"))
    visit, plan = plan_mending(visit, before.found(), confirmed=confirmed)
    report = replace(_report(call, visit, fail_on), plan=plan)
    waiting = {} if confirmed else {f.check.id: None for f in before.found() if waits_for_a_person(f)}
    for check in waiting:
        call.console.say(f"{check} takes something away: fix it with --fix --only {check}, or on a terminal")
    call.console.say(_shares(before, confirmed=confirmed))
    if not plan.changes:
        call.console.say("ddsetup can fix nothing of this itself")
        return visit, report
    if call.given.on("dry_run"):
        show_plan(call.console, plan)
        return visit, report
    show_plan(call.console, plan)
    assert visit.session is not None
    confirm(call, visit.session, "Carry out these fixes?")
    applied = mend(visit, plan.changes)
    call.console.rest()
    after = look()
    report = _report(call, after, fail_on)
    changed = difference(before, after.diagnosis)
    fix = {"gone": as_records(changed.gone), "left": as_records(changed.left), "new": as_records(changed.new)}
    report = replace(report, plan=plan, data={**report.data, "fix": fix})
    interrupted = visit.session.host.cancel.is_set()
    code = report.exit_code
    report = with_outcomes(report, applied.run, applied.outcomes, visit.session.host.go_on)
    report = replace(report, exit_code=exit_code_of(applied.outcomes) or code if not interrupted else 130)
    return after, report


def _shares(diagnosis: Diagnosis, *, confirmed: bool) -> str:
    """How many of the findings `--fix` does something about, and which are left to the reader."""
    from ddsetup.doctor.diagnose import can_mend, waits_for_a_person

    found = [f for f in diagnosis.found() if f.severity != "info"]
    ours = [f for f in found if can_mend(f) and (confirmed or not waits_for_a_person(f))]
    yours = names(list(dict.fromkeys(f.check.id for f in found if f not in ours)), 8)
    rest = f"; {counted(len(found) - len(ours), 'is', 'are')} yours: {yours}" if yours else ""
    return f"{len(ours):,} of {counted(len(found), 'finding')} will be fixed{rest}"


def _report(call: Call, visit: Visit, fail_on: Severity) -> Report:
    from ddsetup.doctor.checks.registry import WEIGHT
    from ddsetup.doctor.diagnose import findings
    from ddsetup.doctor.findings import data_of, unseen_records

    worst = visit.diagnosis.worst()
    bad = worst is not None and WEIGHT[worst] >= WEIGHT[fail_on]
    refused = any(fault.kind != "unreachable" for fault in visit.case.evidence.faults)
    session = visit.session
    data = {**data_of(visit.diagnosis), "unseen": unseen_records(visit.case.evidence.unseen)}
    chains = _chains(call, visit)
    report = Report(
        command="doctor",
        exit_code=NO_CREDENTIALS if refused else int(bad),
        account=session.identity.account if session else "",
        regions=session.scope.regions if session else (),
        findings=findings(visit.diagnosis),
        sandbox=call.sandbox,
        data={**data, "chains": chains} if chains else data,
    )
    return with_choices(call, report)


def _chains(call: Call, visit: Visit) -> list[object]:
    """The path of each function that was named, if there are few of them."""
    from ddsetup.doctor.chain import chain
    from ddsetup.doctor.findings import chain_record

    if not _names_functions(call):
        return []
    if len(visit.case.subjects) > _MOST_CHAINS:
        call.console.say(f"the way of the data is shown for up to {_MOST_CHAINS} functions at a time")
        return []
    kinds = _kinds(call)
    return [chain_record(s, chain(visit.case, visit.diagnosis, s, kinds)) for s in visit.case.subjects]


def _names_functions(call: Call) -> bool:
    return bool(call.given.typed("function"))


def _check_narrowing(call: Call) -> None:
    """Raises UsageError for --logs, --metrics and --traces without a function whose way they narrow."""
    for kind in ("logs", "metrics", "traces"):
        if call.value(f"narrow_{kind}") and not _names_functions(call):
            fix = f"ddsetup doctor --function NAME --{kind}"
            raise UsageError(f"--{kind} narrows the way of one function's data", fix=fix)


def _kinds(call: Call) -> tuple[Data, ...]:
    from ddsetup.doctor.chain import KINDS

    wanted = tuple(kind for kind in KINDS if call.value(f"narrow_{kind}"))
    return wanted or KINDS


def _probed(call: Call, visit: Visit, report: Report) -> Report:
    """The report with what a live probe came to; it is asked for first."""
    from ddsetup.flow import verbs
    from ddsetup.verify.probe import probe

    session = visit.session
    place = next((p for p in visit.case.places if p.forwarder is not None), None)
    if session is None or session.dd is None or place is None or place.forwarder is None:
        call.console.say("nothing was sent: see the findings for why there is no way for it")
        return replace(report, exit_code=report.exit_code or 1)
    where = f"{place.forwarder.name} ({place.at.region})"
    text = f"Send one log, one metric and one span through {where} and wait for them in Datadog?"
    verbs.confirm(session.host, text, yes=call.given.on("yes"))
    result = probe(session.aws, session.datadog, place.at, place.forwarder.name)
    return replace(
        report,
        data={**report.data, "probe": result.record()},
        exit_code=report.exit_code or int(not result.arrived),
    )


def _write_files(call: Call, visit: Visit, report: Report) -> None:
    """The files that were asked for: JUnit XML, SARIF, a bundle for support."""
    from ddsetup.doctor.junit import junit
    from ddsetup.doctor.sarif import sarif

    unseen = visit.case.evidence.unseen
    if call.value("junit"):
        fail_on = _severity(call, "fail_on", "error")
        call.save(call.value("junit"), junit(report, visit.diagnosis, unseen, fail_on=fail_on))
    if call.value("sarif"):
        call.save(call.value("sarif"), sarif(report, visit.diagnosis, unseen))
    if call.value("bundle"):
        _bundle(call, visit, report)


def _bundle(call: Call, visit: Visit, report: Report) -> None:
    """The zip for support, once its contents were seen and confirmed."""
    from ddsetup.doctor.bundle import contents, write
    from ddsetup.flow import verbs

    path = call.directory / str(call.value("bundle"))
    files = contents(visit, report, call.environ)
    call.console.say(f"{path} will hold, with everything secret removed:")
    for name, content in files.items():
        call.console.say(f"  {name}  {len(content):,} characters")
    verbs.confirm(call.host(), "Write it?", yes=call.given.on("yes"))
    try:
        write(path, files)
    except OSError as error:
        raise UsageError(f"cannot write it: {error.strerror}", where=str(path)) from None
    call.console.say(f"written: {path}")


def _wanted(call: Call, checks: Sequence[object], severity: Severity) -> Wanted:
    from ddsetup.doctor.ignores import read_ignores
    from ddsetup.doctor.look import Wanted

    ignores = read_ignores(call.config) if call.config else ()
    return Wanted(checks=tuple(checks), severity=severity, ignores=ignores)  # type: ignore[arg-type]


def _severity(call: Call, name: str, default: Severity) -> Severity:
    value = call.value(name) or default
    if value not in SEVERITIES:
        raise UsageError(f"--{name.replace('_', '-')} is one of {', '.join(SEVERITIES)}, not {value!r}")
    return next(s for s in SEVERITIES if s == value)


def _seconds(text: str | None) -> int:
    try:
        return time_in(text, 1) if text else 0
    except ValueError as error:
        raise UsageError(f"--wait: {error}") from None


blocks = doctor_lines

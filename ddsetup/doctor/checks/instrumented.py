"""Functions: do they carry Datadog, does the next deployment keep it, and is it what serves their traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ddsetup.doctor.checks.case import Case, Place, Subject
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.doctor.checks.functions import instrumentable, problem
from ddsetup.doctor.checks.road import LIBRARY
from ddsetup.facts import catalog, recognise
from ddsetup.facts.guides import SETTINGS_GUIDE
from ddsetup.facts.ownership import INSTRUMENTATION_RULE, MARKS, REMOTE_STACK, is_forwarder
from ddsetup.model.account import Alias, Function, Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.evidence import Past

_LIST = ("lambda:ListFunctions",)
REMOTE_INSTRUMENTER = "datadog-remote-instrumenter"
check = Checks("functions")


@check(
    "function-instrumented",
    "functions that are meant carry Datadog",
    needs=(*_LIST, "lambda:ListVersionsByFunction"),
    fix="automatic",
    link=SETTINGS_GUIDE,
    at="layer",
    stops=LIBRARY,
)
def instrumented(case: Case) -> Iterator[Result]:
    """The function has neither Datadog's library nor its Extension.

    If it had, a deployment has taken Datadog out again. That it had is known from ddsetup's journals on this
    machine, from tags or DD_LAMBDA_HANDLER that are left, or from a version that was published then; what
    `ddsetup uninstrument` or `undo` took out is no fault. Run `ddsetup setup` after each deployment, or put
    Datadog into the deployment's own files.
    """
    for arn, known in case.evidence.history.items():
        if isinstance(known, Unreadable):
            yield Blind(ResourceId("function", arn), known)
    for s in case.subjects:
        if s.mode != "none" or not instrumentable(s):
            continue
        held = case.evidence.history.get(s.function.arn)
        past = None if isinstance(held, Unreadable) else held
        lost = _lost(s, past)
        expected = s.family is not None and (s.way == "extension" or s.family.forwarder)
        if expected and (lost or case.selected):
            yield problem(
                s,
                lost or "it carries no Datadog",
                f"instrument it; {_keeping(s)}" if lost else "instrument it",
                mends=(s.resource,),
                severity=None if case.selected or _marked(s) or (past and past.how == "run") else "warning",
            )


def _marked(subject: Subject) -> bool:
    return any(marker in subject.tags for marker in MARKS) or catalog.HANDLER_VARIABLE in subject.env


def _lost(subject: Subject, past: Past | None) -> str:
    """What tells that the function carried Datadog once, empty if nothing does."""
    owner = subject.owner
    by = f" by a deployment{f' of {owner}' if owner else ''}"
    if past and past.how == "run":
        return f"run {past.name} ({past.at}) instrumented it, and Datadog was taken out again{by}"
    if _marked(subject):
        return f"Datadog was taken out of it again{by}"
    return f"Datadog was taken out of it{by}: its version {past.name} has it" if past else ""


def _keeping(subject: Subject) -> str:
    """How it stays instrumented from then on."""
    owner = subject.owner
    which = f"--stack {owner.stack}" if owner and owner.stack else f"--function {subject.function.name}"
    return (
        f"to keep it, put Datadog into the files of {owner.tool if owner else 'the tool that deploys it'} "
        f"(`ddsetup iac PROJECT`), or run `ddsetup setup {which} --yes` after each deployment"
    )


@check(
    "any-function",
    "some function carries Datadog",
    "warning",
    needs=_LIST,
    link=SETTINGS_GUIDE,
    proves="instrumentation",
)
def any_function(case: Case) -> Iterator[Result]:
    """No function of these regions has Datadog, and none was named: there is nothing to look at.

    Where there is no function at all, it is the wrong region or account.
    """
    known = [p for p in case.places if not isinstance(p.lane.functions, Unreadable)]
    snapshot = case.snapshot
    some = any(
        not is_forwarder(f, snapshot.lanes[f.lane].tags_of(f), snapshot.lanes[f.lane])
        for f in snapshot.functions()
    )
    if not known or case.subjects or (case.selected and some):
        return
    at = known[0].at
    yield Problem(
        resource=ResourceId("region", at.region, at.region, at.account),
        what="no function carries Datadog" if some else "there is no Lambda function at all",
        fix="choose functions and set them up" if some else "look elsewhere: --region, --profile",
        command="ddsetup setup" if some else "",
    )


@check(
    "published-version",
    "traffic is served by what was instrumented",
    "warning",
    needs=("lambda:ListAliases", "lambda:ListVersionsByFunction"),
    at="invocations",
    stops=LIBRARY,
)
def published(case: Case) -> Iterator[Result]:
    """An alias or SnapStart serves a published version, and only $LATEST was instrumented.

    A published version never changes. Publish a new one and move the alias.
    """
    for s in case.subjects:
        if s.mode in ("none", "broken"):
            continue
        aliases = case.snapshot.lanes[s.function.lane].aliases.get(s.function.arn, ())
        held = [a for a in aliases if a.version != "$LATEST"]
        versions = case.evidence.published.get(s.function.arn)
        if isinstance(versions, Unreadable):
            yield Blind(s.resource, versions)
        known = versions if isinstance(versions, Mapping) else {}
        bare = [a for a in held if a.version in known and recognise.mode_of(known[a.version]) == "none"]
        unsure = [a for a in held if a.version not in known and not s.arrived("enhanced_metrics")]
        listed = ", ".join(f"{a.name} (version {a.version})" for a in bare or unsure)
        if listed:
            served = "is served by a version" if bare else "may be served by a version"
            yield problem(
                s,
                f"traffic by the alias {listed} {served} without Datadog",
                "publish a version, and move the alias to it (`ddsetup setup --publish` does both)",
                command=_publish(s, (bare or unsure)[0]),
                severity="warning" if bare or not s.arrived("traces") else "info",
            )


def _publish(subject: Subject, alias: Alias) -> str:
    where = f"--function-name {subject.function.name} --region {subject.function.region}"
    return (
        f"aws lambda update-alias {where} --name {alias.name} --function-version "
        f"$(aws lambda publish-version {where} --query Version --output text)"
    )


@check(
    "remote-instrumentation",
    "no other instrumenter reverts changes",
    "warning",
    needs=(*_LIST, "events:DescribeRule"),
)
def remote(case: Case) -> Iterator[Result]:
    """Datadog itself instruments functions in the region, from its AWS integration or by remote
    instrumentation, and reverts changes that are made by hand to those that its rules cover.

    Let one of the two do it. Functions that it instruments are no fault, and left alone.
    """
    for place in case.places:
        if not place.subjects:
            continue
        rule = place.lane.datadog_rule
        if isinstance(rule, Unreadable):
            yield Blind(ResourceId("region", place.at.region, place.at.region, place.at.account), rule)
        theirs = [s for s in place.subjects if s.owner is not None and s.owner.datadogs]
        others = len(place.subjects) - len(theirs)
        if rule is True and others:
            yield Problem(
                resource=ResourceId("region", place.at.region, place.at.region, place.at.account),
                what=f"Datadog instruments functions here from its AWS integration ({INSTRUMENTATION_RULE}), "
                "and reverts other changes to those that its rule covers",
                fix="in Datadog, take functions that others set up out of that rule",
            )
        yield from _remote_instrumenters(place)


def _remote_instrumenters(place: Place) -> Iterator[Result]:
    functions: tuple[Function, ...] | Unreadable = place.lane.functions
    for function in () if isinstance(functions, Unreadable) else functions:
        if function.name == REMOTE_INSTRUMENTER:
            yield Problem(
                resource=ResourceId("function", function.arn, function.region, function.account),
                what="Datadog's remote instrumentation is active here, and reverts other changes",
                fix=f"manage functions there, or remove its stack {REMOTE_STACK}",
            )


@check(
    "owned-by-tool",
    "functions are not taken back by the next deployment",
    "info",
    needs=("tag:GetResources",),
)
def owned(case: Case) -> Iterator[Result]:
    """A deployment tool owns the function, and Datadog was added beside it: the next deployment takes it out.

    Run ddsetup after each deployment, or put Datadog into the tool's own files.
    """
    for s in case.subjects:
        if s.owner is not None and not s.owner.datadogs and "dd_ddsetup" in s.tags:
            yield problem(s, f"it is owned by {s.owner}, whose next deployment takes Datadog out again")

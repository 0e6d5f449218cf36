"""Functions at work: do they come up, start, end in time, and get through to Datadog."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.doctor.checks.case import Case
from ddsetup.doctor.checks.check import Blind, Checks, Result
from ddsetup.doctor.checks.functions import command_for, problem
from ddsetup.doctor.checks.road import EVERYTHING, ROAD
from ddsetup.facts.failures import CANNOT_START, CORRECT_HANDLER, MORE_TIME, more_time
from ddsetup.facts.guides import LAMBDA_GUIDE, LOGS_GUIDE
from ddsetup.model.account import Unreadable
from ddsetup.model.change import ResourceId

_LIST = ("lambda:ListFunctions",)
LEAST_EXTENSION_MEMORY = 256
check = Checks("functions")


@check(
    "function-ready",
    "AWS could bring the functions up",
    needs=("lambda:GetFunction",),
    at="runtime",
    stops=ROAD,
)
def ready(case: Case) -> Iterator[Result]:
    """The function's state is Failed, or its last update failed: it does not run, or runs as before."""
    for s in case.subjects:
        f = case.evidence.state_of(s.function)
        if isinstance(f, Unreadable):
            yield Blind(s.resource, f)
        elif f.state == "Failed" or f.last_update_status == "Failed":
            yield problem(
                s,
                f"its state is {f.state or '?'}, its last update {f.last_update_status or '?'}",
                "look at the reason, then deploy it again",
                command=f"aws lambda get-function --function-name {f.name} --region {f.region}",
            )


@check("function-settled", "no function is being changed", "info", needs=("lambda:GetFunction",))
def settled(case: Case) -> Iterator[Result]:
    """The function is being updated at this moment; look again when it is done."""
    for s in case.subjects:
        f = case.evidence.state_of(s.function)
        if isinstance(f, Unreadable):
            yield Blind(s.resource, f)
        elif f.last_update_status == "InProgress":
            yield problem(s, "it is being updated right now", "wait, then look again")


@check(
    "function-concurrency",
    "functions may run",
    "warning",
    needs=("lambda:GetFunction",),
    at="invocations",
    stops=(*EVERYTHING, "invocations"),
)
def concurrency(case: Case) -> Iterator[Result]:
    """The function's reserved concurrency is 0, which switches it off: every call of it is throttled, and
    nothing of it comes to Datadog. CloudWatch does not count such calls as invocations.

    Somebody may have meant it so: then there is nothing to mend.
    """
    for s in case.subjects:
        f = case.evidence.state_of(s.function)
        if isinstance(f, Unreadable):
            yield Blind(s.resource, f)
        elif f.reserved == 0:
            yield problem(
                s,
                "its reserved concurrency is 0: it cannot run",
                "take the reservation away, unless it is meant to be off",
                command=f"aws lambda delete-function-concurrency --function-name {f.name} "
                f"--region {f.region}",
            )


@check(
    "function-starts",
    "functions start",
    needs=("logs:FilterLogEvents",),
    link=LAMBDA_GUIDE,
    at="handler",
    proves="start",
    stops=(*ROAD, "log group"),
)
def starts(case: Case) -> Iterator[Result]:
    """The function's log tells that it cannot start: a module or a handler is not found.

    After instrumenting, that is a DD_LAMBDA_HANDLER that names code that is gone, a missing layer, or a
    library of the function's own that does not fit the layer's. Logs are read only where data is missing.
    """
    for s in case.subjects:
        lines = case.evidence.lines.get(s.function.arn, ())
        if isinstance(lines, Unreadable):
            yield Blind(s.resource, lines)
            continue
        said = next((line for line in lines if any(word in line for word in CANNOT_START)), "")
        if said:
            yield problem(s, f"it cannot start: {said}", CORRECT_HANDLER)


@check("extension-memory", "functions with the Extension have the memory for it", "info", needs=_LIST)
def memory(case: Case) -> Iterator[Result]:
    """The function has less than 256 MB, which Datadog advises with the Extension."""
    for s in case.subjects:
        if s.mode == "extension" and s.function.memory < LEAST_EXTENSION_MEMORY:
            yield problem(
                s,
                f"it has {s.function.memory} MB; {LEAST_EXTENSION_MEMORY} are advised with the Extension",
                "raise its memory",
                command=command_for(s, f"--memory-size {LEAST_EXTENSION_MEMORY}"),
            )


@check(
    "extension-egress",
    "functions with the Extension reach Datadog",
    "warning",
    needs=("cloudwatch:GetMetricData",),
    link=LOGS_GUIDE,
    at="network",
    proves="way out",
    stops=ROAD,
)
def extension_egress(case: Case) -> Iterator[Result]:
    """The function is in a VPC, ran, and nothing that its Extension should send has arrived.

    It needs a way out to port 443: a NAT gateway, a proxy, or PrivateLink; and one to Secrets Manager.
    """
    for s in case.subjects:
        ran = any(signal.status == "missing" for signal in s.signals)
        silent = not (s.arrived("enhanced_metrics") or s.arrived("traces"))
        if s.mode == "extension" and s.function.vpc and ran and silent:
            yield problem(
                s, "it is in a VPC, ran, and its Extension sends nothing", "give its subnets a way out"
            )


@check(
    "timeout-margin",
    "functions end before their timeout",
    "warning",
    needs=("cloudwatch:GetMetricData",),
    link=LAMBDA_GUIDE,
    at="invocations",
)
def timeout(case: Case) -> Iterator[Result]:
    """The function's longest run came close to its timeout, or ran into it: what the library and the
    Extension were about to send at the end is cut off."""
    known = case.evidence.longest
    if isinstance(known, Unreadable):
        yield Blind(ResourceId("signal", "durations"), known)
        return
    for s in case.subjects:
        longest = known.get(s.function.arn, 0.0)
        if longest >= 950.0 * s.function.timeout:
            yield problem(
                s,
                f"its longest run took {longest / 1000:.1f} s of the {s.function.timeout} s it is given",
                MORE_TIME,
                command=more_time(s.function.name, s.function.region, s.function.timeout),
            )

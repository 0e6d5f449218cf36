"""The Forwarder of each region: is it there, and is it set up right."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from ddsetup.doctor.checks.case import Case, Place
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.doctor.checks.forwarder_places import (
    env_of,
    made_by_ddsetup,
    of_forwarder,
    readable,
    says,
    serving,
    stack_at,
    update_command,
)
from ddsetup.doctor.checks.road import ROAD
from ddsetup.facts.catalog import is_retired
from ddsetup.facts.guides import FORWARDER_GUIDE, LOGS_GUIDE
from ddsetup.facts.iam_documents import statements, strings
from ddsetup.facts.variables import KEY_SECRET_ARN, is_on
from ddsetup.model.account import Json, Unreadable
from ddsetup.plan.steps.api_key import secret_id
from ddsetup.plan.steps.forwarder_choice import site_of, version_of
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.forwarder_stack import state_obstacle

NEWEST = (5, 4, 11)
"""The Forwarder's newest release that ddsetup knows (datadog-serverless-functions)."""
OLDEST_GOOD = (4,)
check = Checks("forwarder")


@check(
    "forwarder-exists",
    "every region with functions has a Forwarder",
    needs=("tag:GetResources", "cloudformation:DescribeStacks", "lambda:ListFunctions"),
    fix="automatic",
    link=FORWARDER_GUIDE,
    at="Forwarder",
    stops=(*ROAD, "registration", "subscription", "one Forwarder"),
)
def exists(case: Case) -> Iterator[Result]:
    """A region in which functions report through the Forwarder has none that can be used.

    A Forwarder serves its own account and region only. One from before version 3.0, or one that sends to
    another Datadog site, does not count.
    """
    for place in case.places:
        if not place.forwarded or place.forwarder is not None:
            continue
        at = place.at
        resource = stack_id(at, case.answers.forwarder_stack)
        if isinstance(place.lane.forwarders, Unreadable):
            yield Blind(resource, place.lane.forwarders)
            continue
        passed = f" ({'; '.join(place.passed_over)})" if place.passed_over else ""
        yield Problem(
            resource=resource,
            what=f"there is no Forwarder in {at.region}{passed}",
            fix="deploy one",
            about=frozenset(s.function.arn for s in place.forwarded),
            mends=(resource, secret_id(at)),
        )


@check(
    "forwarder-stack",
    "the Forwarder's stack is in a state from which it can be updated",
    needs=("cloudformation:DescribeStacks",),
    link=FORWARDER_GUIDE,
    at="Forwarder",
)
def stack_state(case: Case) -> Iterator[Result]:
    """CloudFormation could not finish its last change of the Forwarder's stack.

    A stack whose first creation failed (ROLLBACK_COMPLETE) holds nothing and has to be deleted; ddsetup does
    that when it deploys again. Others need the leftovers removed, or the rollback continued.
    """
    for place in case.places:
        stacks = () if isinstance(place.lane.stacks, Unreadable) else place.lane.stacks
        made = stack_at(place)
        names = {case.answers.forwarder_stack, made.name if made else ""}
        for stack in stacks:
            if stack.name not in names or not place.forwarded:
                continue
            obstacle = state_obstacle(stack, place.at.region)
            if obstacle:
                yield Problem(
                    resource=stack_id(place.at, stack.name),
                    what=obstacle.reason,
                    fix=obstacle.fix,
                    severity="warning" if stack.status.endswith("_IN_PROGRESS") else "error",
                )


@check(
    "forwarder-ready",
    "the Forwarder's function can be invoked",
    needs=("lambda:GetFunction",),
    at="Forwarder",
    stops=(*ROAD, "Forwarder at work"),
)
def ready(case: Case) -> Iterator[Result]:
    """AWS could not bring the Forwarder's function up: its state is Failed, or its last update failed.

    CloudWatch Logs then refuses to subscribe it ("Could not execute the lambda function").
    """
    for place, listed in readable(case):
        function = case.evidence.state_of(listed)
        if isinstance(function, Unreadable):
            yield Blind(place.resource, function)
        elif function.state == "Failed" or function.last_update_status == "Failed":
            yield of_forwarder(
                place,
                f"its state is {function.state or '?'}, its last update {function.last_update_status or '?'}",
                "deploy it again, or look at the reason: "
                f"aws lambda get-function --function-name {function.name} --region {place.at.region}",
            )


@check(
    "forwarder-site",
    "the Forwarder sends to the chosen Datadog site",
    link=FORWARDER_GUIDE,
    at="Forwarder's key and site",
    stops=ROAD,
)
def site(case: Case) -> Iterator[Result]:
    """The Forwarder sends to another Datadog site than the one that is looked at.

    Everything it takes arrives there, or nowhere, as a key is good for one site only.
    """
    for place in serving(case):
        assert place.forwarder is not None
        sends_to = site_of(place.forwarder, place.lane)
        if sends_to and sends_to != case.answers.site:
            yield of_forwarder(
                place,
                f"it sends to {sends_to}, not to {case.answers.site}",
                f"look at {sends_to} instead (--site {sends_to}); or have all of it send there: "
                f"ddsetup setup --site {case.answers.site}",
            )


_NEW_KEY = '--secret-string "$DD_API_KEY"'


def _of_secret(place: Place, verb: str, *more: str) -> str:
    """What AWS's command line does with the secret of the Forwarder's key; empty where it has none."""
    arn = env_of(place.function).get(KEY_SECRET_ARN, "") if place.function else ""
    if not arn.startswith("arn:"):
        return ""
    where = arn.split(":")[3]
    return " ".join(
        ("aws secretsmanager", verb, "--secret-id", shlex.quote(arn), *more, "--region", shlex.quote(where))
    )


@check(
    "forwarder-key",
    "the API key of the Forwarder is valid on its site",
    needs=("secretsmanager:GetSecretValue",),
    link=FORWARDER_GUIDE,
    at="Forwarder's key and site",
    stops=(*ROAD, "Forwarder at work"),
)
def key(case: Case) -> Iterator[Result]:
    """Datadog refuses the API key that the Forwarder uses, or the secret does not hold one.

    The Forwarder checks its key when it starts and stops with "Failed to check if API Key is valid". The
    secret must hold the key as plain text of 32 characters, or JSON with the member DD_API_KEY. One that is
    scheduled for deletion gives its key to nobody.
    """
    for place in serving(case):
        health = place.health
        said = says(health.lines, "Failed to check if API Key is valid", "API Key is not valid")
        if health.key == "deleted":
            restore = _of_secret(place, "restore-secret")
            yield of_forwarder(place, health.key_reason, "restore the secret", command=restore)
        elif health.key in ("invalid", "malformed", "missing") or (said and health.key != "valid"):
            refused = "its log says that Datadog refuses its API key"
            known = health.key not in ("unknown", "valid")
            what = health.key_reason or f"its API key is {health.key}" if known else refused
            put = "" if health.key == "missing" else _of_secret(place, "put-secret-value", _NEW_KEY)
            yield of_forwarder(place, what, "put a valid key into the secret", command=put)
        elif health.key_unreadable is not None:
            yield Blind(place.resource, health.key_unreadable)


@check(
    "forwarder-logs-on",
    "the Forwarder sends logs on",
    fix="automatic",
    link=FORWARDER_GUIDE,
    at="Forwarder's filters",
    stops=("logs",),
)
def logs_on(case: Case) -> Iterator[Result]:
    """DdForwardLog is false: the Forwarder drops all logs and sends only metrics and traces."""
    if not case.answers.logs:
        return
    for place, function in readable(case):
        stack = stack_at(place)
        off = not is_on(env_of(function), "DD_FORWARD_LOG")
        if off or (stack and stack.parameters.get("DdForwardLog") == "false"):
            yield of_forwarder(
                place,
                "it drops all logs (DdForwardLog is false)",
                "set the stack's parameter DdForwardLog to true",
                mends=(stack_id(place.at, stack.name),) if stack and made_by_ddsetup(stack) else (),
                command="" if made_by_ddsetup(stack) else update_command(place, "DdForwardLog=true"),
            )


@check(
    "forwarder-filter",
    "the Forwarder lets every line through",
    "warning",
    link=LOGS_GUIDE,
    at="Forwarder's filters",
    stops=ROAD,
)
def pattern(case: Case) -> Iterator[Result]:
    """IncludeAtMatch or ExcludeAtMatch is set: lines are dropped by a regular expression.

    If it also matches Lambda's REPORT lines or the library's lines, enhanced metrics and traces are dropped
    with them.
    """
    for place, function in readable(case):
        found = [n for n in ("INCLUDE_AT_MATCH", "EXCLUDE_AT_MATCH") if env_of(function).get(n)]
        if found:
            yield of_forwarder(
                place,
                f"{' and '.join(found)} drops lines by a pattern",
                "see that REPORT lines and lines that start with { pass",
            )


@check("forwarder-version", "the Forwarder is of a recent version", "warning")
def version(case: Case) -> Iterator[Result]:
    """The Forwarder is old. Before 4.0 it may lack features that ddsetup relies on and run on a runtime
    that AWS no longer maintains."""
    for place in serving(case):
        assert place.forwarder is not None
        found = version_of(place.forwarder)
        if found and found < NEWEST:
            old = found < OLDEST_GOOD
            yield of_forwarder(
                place,
                f"its version is {place.forwarder.version}; there is {'.'.join(map(str, NEWEST))}",
                "upgrade it",
                command=update_command(place),
                severity="warning" if old else "info",
            )


@check("forwarder-runtime", "AWS maintains the Forwarder's runtime", "warning", at="Forwarder")
def runtime(case: Case) -> Iterator[Result]:
    """The Forwarder runs on a runtime that AWS has retired; it may stop working, and cannot be changed."""
    for place, function in readable(case):
        if function.runtime and (
            is_retired(function.runtime) or function.runtime in ("python3.7", "python3.8")
        ):
            yield of_forwarder(
                place, f"it runs on {function.runtime}", "upgrade it", command=update_command(place)
            )


@check(
    "forwarder-permission",
    "CloudWatch Logs may invoke the Forwarder",
    needs=("lambda:GetPolicy",),
    link=LOGS_GUIDE,
    at="Forwarder's permission",
    stops=(*ROAD, "subscription"),
)
def permission(case: Case) -> Iterator[Result]:
    """The Forwarder's resource policy does not let logs.amazonaws.com invoke it for the log groups here.

    No log group can be subscribed then, and filters that are there deliver nothing. The official stack has
    one statement for all log groups; a Forwarder made by other means needs it added.
    """
    for place in serving(case):
        policy = place.health.policy
        if isinstance(policy, Unreadable):
            yield Blind(place.resource, policy)
        elif place.health.policy_read and not _lets_logs_in(policy):
            at, name = place.at, place.forwarder.name if place.forwarder else ""
            yield of_forwarder(
                place,
                "its resource policy does not let CloudWatch Logs invoke it",
                "allow it for all log groups of the region",
                command=f"aws lambda add-permission --function-name {name} --region {at.region} "
                "--statement-id cloudwatch-logs --action lambda:InvokeFunction "
                f"--principal logs.amazonaws.com --source-account {at.account}",
            )


@check("forwarder-tags", "the Forwarder puts functions' tags onto their data", "warning")
def tags(case: Case) -> Iterator[Result]:
    """DdFetchLambdaTags is false: `env`, `service` and `version` do not reach metrics and logs."""
    for place in serving(case):
        stack = stack_at(place)
        if stack and stack.parameters.get("DdFetchLambdaTags") == "false":
            yield of_forwarder(
                place,
                "it does not read functions' tags (DdFetchLambdaTags is false)",
                "set the stack's parameter DdFetchLambdaTags to true",
                command=update_command(place, "DdFetchLambdaTags=true"),
            )


@check(
    "forwarder-address",
    "the Forwarder sends to Datadog's own addresses",
    "info",
    link=FORWARDER_GUIDE,
    at="Forwarder's key and site",
    stops=("traces",),
)
def address(case: Case) -> Iterator[Result]:
    """The stack overrides Datadog's addresses (DdUrl, DdApiUrl, DdTraceIntakeUrl), or switches TLS off.

    That is right for a proxy. If only one kind of data is missing (e.g. traces), its override is wrong.
    Where Datadog's API itself is called at another address, this is expected.
    """
    if case.evidence.local.endpoints.get("DDSETUP_DATADOG_URL"):
        return
    for place in serving(case):
        stack = stack_at(place)
        names = ("DdUrl", "DdApiUrl", "DdTraceIntakeUrl", "DdPort")
        given = [n for n in names if stack and stack.parameters.get(n)]
        if given:
            yield of_forwarder(place, f"its stack sets {', '.join(given)}", "see that these lead to Datadog")


def _lets_logs_in(policy: Json) -> bool:
    """Whether a statement lets CloudWatch Logs invoke the function."""
    for statement in statements(policy):
        principal = statement.get("Principal")
        services = strings(principal.get("Service")) if isinstance(principal, Mapping) else strings(principal)
        logs = any(s == "*" or (s.startswith("logs.") and "amazonaws.com" in s) for s in services)
        actions = strings(statement.get("Action"))
        invokes = any(a in ("*", "lambda:*", "lambda:InvokeFunction") for a in actions)
        if statement.get("Effect") == "Allow" and logs and invokes:
            return True
    return False

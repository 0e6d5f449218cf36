"""Log groups and their subscription filters: the road from a function's output to the Forwarder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from ddsetup.doctor.checks.case import Case, Place, Subject, modified, record_changed
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.doctor.checks.road import ROAD
from ddsetup.facts.account_policies import FilterPolicy, policy_resource
from ddsetup.facts.filters import (
    AUTOMATIC_PREFIX,
    MAX_FILTERS,
    OWN_PREFIX,
    describe,
    filter_resource,
    filter_state,
    group_resource,
)
from ddsetup.facts.guides import LOGS_GUIDE
from ddsetup.facts.iam_documents import statements, strings
from ddsetup.model.account import Integration, Role, SubscriptionFilter, Unreadable
from ddsetup.model.change import Change
from ddsetup.plan.steps.subscriptions.conflicts import STEP, deletion
from ddsetup.plan.steps.subscriptions.groups import log_group_of

TO_SUBSCRIBE = timedelta(minutes=15)
"""How long Datadog is given to subscribe a log group by itself; its documentation says minutes."""
_GROUPS = ("logs:DescribeLogGroups",)
_FILTERS = ("logs:DescribeSubscriptionFilters",)
check = Checks("log groups", needs=_FILTERS)


def _about(subjects: tuple[Subject, ...]) -> frozenset[str]:
    return frozenset(s.function.arn for s in subjects)


def _existing(case: Case) -> Iterator[tuple[Place, str, tuple[Subject, ...]]]:
    """Log groups that are there, in regions whose groups could be read."""
    for place in case.places:
        known = place.lane.log_groups
        for name, writers in place.groups.items():
            if not isinstance(known, Unreadable) and name in known:
                yield place, name, writers


def _filtered(
    case: Case,
) -> Iterator[tuple[Place, str, tuple[Subject, ...], tuple[SubscriptionFilter, ...]]]:
    """Log groups whose filters were looked at."""
    for place, name, writers in _existing(case):
        filters = place.filters_of(name)
        if filters is not None and not isinstance(filters, Unreadable):
            yield place, name, writers, filters


@check(
    "log-group-exists",
    "the log group of every function that ran exists",
    "warning",
    needs=_GROUPS,
    fix="automatic",
    at="log group",
    proves="log group",
    stops=ROAD,
)
def exists(case: Case) -> Iterator[Result]:
    """A function that was invoked has no log group: its role may not create it, or somebody deleted it.

    A function that never ran has none either, which is no fault.
    """
    traffic = case.evidence.traffic
    for place in case.places:
        known = place.lane.log_groups
        for name, writers in place.groups.items():
            if isinstance(known, Unreadable) or name in known:
                continue
            ran = not isinstance(traffic, Unreadable) and any(
                (traffic or {}).get(s.function.arn) for s in writers
            )
            if ran:
                yield Problem(
                    resource=group_resource(name, place.at),
                    what="it does not exist, although its function ran",
                    fix="create it, and let the function's role write logs",
                    about=_about(writers),
                    mends=(group_resource(name, place.at),),
                )


@check(
    "log-group-class",
    "log groups are of a class that can be subscribed",
    needs=_GROUPS,
    at="log group",
    stops=(*ROAD, "subscription"),
)
def group_class(case: Case) -> Iterator[Result]:
    """The log group's class has no subscription filters. AWS cannot change the class of a group."""
    for place, name, writers in _existing(case):
        known = place.lane.log_groups
        found = None if isinstance(known, Unreadable) else known[name]
        if found is not None and found.log_class != "STANDARD":
            yield Problem(
                resource=group_resource(name, place.at),
                what=f"its class is {found.log_class}, which has no subscription filters",
                fix="have the function write to a log group of class STANDARD, or use --via extension",
                about=_about(writers),
            )


@check(
    "log-group-subscribed",
    "a filter leads every function's log group to the Forwarder",
    fix="automatic",
    link=LOGS_GUIDE,
    at="subscription filter",
    proves="subscription",
    stops=ROAD,
)
def subscribed(case: Case) -> Iterator[Result]:
    """No subscription filter of the log group leads to the Forwarder, so nothing of the function gets there.

    With automatic triggers Datadog creates it within minutes after the Forwarder was registered or a function
    is new; if it stays away, the role lacks a permission, a tag filter is in the way, or the group has two
    filters already.
    """
    for place, name, writers in _existing(case):
        filters = place.filters_of(name)
        if isinstance(filters, Unreadable):
            yield Blind(group_resource(name, place.at), filters)
        elif place.leads_here(name) is False:
            own = f"{OWN_PREFIX}{place.forwarder.name}" if place.forwarder else ""
            mended = filter_resource(name, own, place.at)
            if case.subscribe == "account":
                mended = policy_resource(own, place.at)
            automatic = case.subscribe == "automatic"
            early = automatic and _early(case, place, writers)
            left_out = place.policy is not None
            yield Problem(
                resource=group_resource(name, place.at),
                what="no subscription filter leads it to the Forwarder" + (" yet" if early else ""),
                severity="warning" if early else None,
                fix=_LEFT_OUT if left_out else _BY_DATADOG if automatic else "put one",
                command=f"ddsetup setup --subscribe direct --function {writers[0].function.name}"
                if automatic or left_out
                else "",
                about=_about(writers),
                mends=() if automatic or left_out else (mended,),
            )


_BY_DATADOG = "Datadog puts one within minutes of the registration; or put one by --subscribe direct"
_LEFT_OUT = "the account's policy leaves it out: take it out of its selection, or put a filter of its own"


def _early(case: Case, place: Place, writers: tuple[Subject, ...]) -> bool:
    """Whether Datadog may not have come to it yet: the registration or the functions were just changed."""
    account = case.snapshot.accounts.get(place.at.account)
    record = account.integration if account else None
    registered = record_changed(record) if isinstance(record, Integration) else None
    changes = [registered, min((at for s in writers if (at := modified(s.function))), default=None)]
    return any(at is not None and at > case.snapshot.at - TO_SUBSCRIBE for at in changes)


@check(
    "log-group-room",
    "there is room for the Forwarder's filter",
    link=LOGS_GUIDE,
    at="subscription filter",
    stops=(*ROAD, "subscription"),
)
def room(case: Case) -> Iterator[Result]:
    """The log group has two filters, the most that AWS allows, and none leads to the Forwarder."""
    for place, name, writers, filters in _filtered(case):
        if len(filters) >= MAX_FILTERS and place.leads_here(name) is False:
            listed = "; ".join(describe(f) for f in filters)
            yield Problem(
                resource=group_resource(name, place.at),
                what=f"it has {MAX_FILTERS} filters, the most that AWS allows: {listed}",
                fix="delete one of them, or use --via extension for this function",
                command=f"ddsetup setup --function {writers[0].function.name} --on-conflict ask",
                about=_about(writers),
            )


@check(
    "filter-pattern",
    "filters to the Forwarder pass every line",
    "warning",
    fix="confirm",
    link=LOGS_GUIDE,
    at="subscription filter",
    stops=ROAD,
)
def pattern(case: Case) -> Iterator[Result]:
    """A filter to the Forwarder has a pattern: what it leaves out never reaches Datadog.

    Enhanced metrics come from REPORT lines, the library's data from lines of its own; a pattern for errors
    drops them all.
    """
    for place, name, writers, filters in _filtered(case):
        for found in filters:
            if _leads(found, place) and found.pattern.strip():
                yield Problem(
                    resource=filter_resource(name, found.name, place.at),
                    what=f"it passes only {found.pattern!r}",
                    fix="pass everything",
                    about=_about(writers),
                    changes=(_without_pattern(found, place),),
                )


@check(
    "filter-target",
    "filters lead to something that exists",
    "warning",
    needs=(*_FILTERS, "lambda:ListFunctions"),
    fix="confirm",
    at="subscription filter",
    stops=("subscription",),
)
def target(case: Case) -> Iterator[Result]:
    """A filter leads to a Lambda function that does not exist any more, and takes one of the two places."""
    for place, name, writers, filters in _filtered(case):
        functions = place.lane.functions
        there = None if isinstance(functions, Unreadable) else {f.arn for f in functions}
        for found in filters:
            parts = found.destination_arn.split(":")
            here = parts[2:5] == ["lambda", place.at.region, place.at.account]
            if there is not None and here and ":".join(parts[:7]) not in there:
                yield Problem(
                    resource=filter_resource(name, found.name, place.at),
                    what=f"it leads to {found.destination_arn}, which does not exist",
                    fix="delete the filter",
                    about=_about(writers),
                    changes=(deletion(found, place.at, "its destination does not exist any more"),),
                )


@check("forwarder-loop", "the Forwarder's own log group does not feed it", fix="confirm", at="Forwarder")
def loop(case: Case) -> Iterator[Result]:
    """The log group of the Forwarder itself is subscribed to it: every line it logs makes it run again.

    The loop never ends and costs money on both sides.
    """
    for place in case.places:
        if place.forwarder is None:
            continue
        own = log_group_of(place.function) if place.function else f"/aws/lambda/{place.forwarder.name}"
        if (policy := place.policy) and policy.delivers(own):
            yield _policy_loop(policy, own, place)
        filters = place.filters_of(own)
        if isinstance(filters, Unreadable):
            yield Blind(group_resource(own, place.at), filters)
            continue
        for found in filters or ():
            if found.destination_arn == place.forwarder.arn:
                yield Problem(
                    resource=filter_resource(own, found.name, place.at),
                    what="the Forwarder is subscribed to its own log group, in an endless loop",
                    fix="delete the filter at once",
                    changes=(deletion(found, place.at, "the Forwarder feeds on its own log"),),
                )


def _policy_loop(policy: FilterPolicy, own: str, place: Place) -> Problem:
    change = Change(
        step=STEP,
        resource=policy_resource(policy.state.name, place.at),
        before=policy.state,
        after=policy.without(own),
        why="the Forwarder feeds on its own log",
    )
    return Problem(
        resource=change.resource,
        what=f"the account's policy takes in {own}, where the Forwarder itself logs, in an endless loop",
        fix="have it leave out that log group at once",
        changes=(change,),
    )


@check(
    "role-writes-logs",
    "functions' roles may write logs",
    needs=("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"),
    link=LOGS_GUIDE,
    at="execution role",
    stops=(*ROAD, "log group"),
)
def role_writes(case: Case) -> Iterator[Result]:
    """The function's role may not write to CloudWatch Logs, or is forbidden to (`DenyCloudWatchLogs`, which
    `datadog-ci cloudwatch disable` puts there).

    The Forwarder gets nothing then. Roles are read only for functions whose logs do not arrive.
    """
    for subject in case.subjects:
        role = case.evidence.roles.get(subject.function.role)
        if isinstance(role, Unreadable):
            yield Blind(subject.resource, role)
        if not isinstance(role, Role) or subject.way != "forwarder":
            continue
        denied = [name for name, document in role.inline.items() if _about_logs(document, "Deny")]
        if denied:
            yield _unwritten(
                subject, f"its role {role.name} is forbidden to write logs ({', '.join(denied)})"
            )
        elif not role.attached and not any(
            _about_logs(document, "Allow") for document in role.inline.values()
        ):
            yield _unwritten(subject, f"its role {role.name} may not write logs")


def _unwritten(subject: Subject, what: str) -> Problem:
    role = subject.function.role.rsplit("/", 1)[-1]
    return Problem(
        resource=subject.resource,
        what=what,
        fix="let the role write logs",
        command=f"aws iam attach-role-policy --role-name {role} --policy-arn "
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        about=subject.about,
    )


def _about_logs(document: object, effect: str) -> bool:
    return any(
        s.get("Effect") == effect and any(_is_logs(a) for a in strings(s.get("Action")))
        for s in statements(document)
    )


def _is_logs(action: str) -> bool:
    return action.lower() in ("*", "logs:*", "logs:putlogevents", "logs:put*")


def _leads(found: SubscriptionFilter, place: Place) -> bool:
    return place.forwarder is not None and found.destination_arn == place.forwarder.arn


def _without_pattern(found: SubscriptionFilter, place: Place) -> Change:
    before = filter_state(found)
    automatic = found.name.startswith(AUTOMATIC_PREFIX)
    return Change(
        step=STEP,
        resource=filter_resource(found.log_group, found.name, place.at),
        before=before,
        after=replace(before, pattern=""),
        why="what the pattern leaves out never reaches Datadog",
        note="Datadog made this filter and may change it again" if automatic else "",
    )

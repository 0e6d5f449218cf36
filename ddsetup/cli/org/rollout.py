"""`ddsetup org rollout`: the Forwarder, or the role for each account, by a StackSet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.flow.organisation import rolling_out
from ddsetup.flow.organisation.across import Row, head
from ddsetup.flow.organisation.rolling_out import Found, Wish
from ddsetup.flow.organisation.run import confirm_rows, connected, report_of
from ddsetup.flow.organisation.who import Accounts, accounts_of, onward
from ddsetup.flow.results import of_data
from ddsetup.journal.runs import list_runs, new_run_id
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import counted
from ddsetup.model.organisation import Member
from ddsetup.model.report import Report
from ddsetup.plan.policy import least_policy
from ddsetup.plan.policy_organisation import FOR, ROLE, member_template
from ddsetup.plan.rollout import (
    API_KEY,
    NAMES,
    Rollout,
    What,
    forwarder_parameters,
    forwarder_template,
    role_template,
)
from ddsetup.show.account_blocks import result_blocks

_TOLERANCE = 10
"""Percent of the accounts of a region in which a stack may fail before no further ones are begun."""


def run(call: Call) -> Report:
    """Look what is there, show what is missing, and have CloudFormation bring it, the canary first."""
    what = _what(call)
    _check_said(call, what)
    base = connected(call, "status")
    accounts = accounts_of(call, base)
    answers = answers_from(call.given, None, None, command="status", scope=base.scope)
    found = rolling_out.find(accounts, what)
    with base.host.memory.lock((accounts.key,), new_run_id(base.host.clock.now()), base.host.clock.now()):
        if call.value("remove"):
            return _removed(call, accounts, found)
        return _rolled_out(call, accounts, found, what, answers)


def _what(call: Call) -> What:
    said = call.value("what") or "forwarder"
    if said not in NAMES:
        raise UsageError(f"nothing called {said!r} can be rolled out", fix=f"one of: {', '.join(NAMES)}")
    return "role" if said == "role" else "forwarder"


def _check_said(call: Call, what: What) -> None:
    """Raises UsageError for an option that would do nothing."""
    if call.value("remove"):
        idle = [
            *(["--canary"] if call.value("canary") else []),
            *(["--failure-tolerance"] if call.value("failure_tolerance") is not None else []),
            *(["--import"] if call.value("take_over") else []),
        ]
        if idle:
            raise UsageError(f"{', '.join(idle)}: about a rollout, and --remove takes one back")
    if what == "role" and call.value("take_over"):
        raise UsageError("--import: about stacks of Forwarders, and this brings a role")


def _rolled_out(call: Call, accounts: Accounts, found: Found, what: What, answers: Answers) -> Report:
    base, preferences = accounts.base, _preferences(call)
    template, parameters = _contents(accounts, what, answers)
    held = rolling_out.forwarders_held(call, accounts, answers) if what == "forwarder" else {}
    wish = Wish(
        # A role is there for all regions.
        regions=base.scope.regions if what == "forwarder" else base.scope.regions[:1],
        canary=tuple(call.value("canary") or ()),
        narrowed=accounts.named,
        take_over=bool(call.value("take_over")),
    )
    rollout = rolling_out.plan_rollout(accounts, found, held, wish)
    planned = rolling_out.rows_of(accounts, found.instances, rollout, planned=True)
    report = report_of("org rollout", accounts, planned)
    if call.given.on("dry_run") or not rollout.due:
        return report
    question = f"Roll this out to {counted(len(rollout.due), 'account')}?"
    confirm_rows(call, accounts, report, question, _said_before(found, parameters))
    found = rolling_out.make_set(found, template, parameters)
    rolling_out.roll_out(accounts, found, rollout, preferences)
    there = rolling_out.stacks_of(found)
    rows = rolling_out.rows_of(accounts, there, _after(rollout), planned=False)
    then = "ddsetup org apply --all" if what == "forwarder" else f"ddsetup org status --member-role {ROLE}"
    return replace(report_of("org rollout", accounts, rows), next=(onward(call, then),))


def _after(rollout: Rollout) -> Rollout:
    """Of which it is told what came of it."""
    return replace(rollout, left_out={a: reason for a, reason in rollout.left_out.items() if reason})


def _said_before(found: Found, parameters: Mapping[str, str]) -> list[str]:
    said = []
    if not found.trusted:
        said.append("StackSets may not work in this organisation yet; this allows it (trusted access)")
    if found.made is None and API_KEY in parameters:
        said.append(
            "the API key becomes a NoEcho parameter of the StackSet, which CloudFormation shows nobody"
        )
    return said


def _contents(
    accounts: Accounts, what: What, answers: Answers
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The template of the set and its parameters. Raises UsageError where something about them cannot be."""
    identity, keys = accounts.base.identity, accounts.base.keys
    if what == "forwarder":
        template = forwarder_template(answers, identity.partition)
        return template, forwarder_parameters(answers, keys.api_key if keys else "")
    policy = least_policy(answers, identity.partition, ("*",), accounts.base.scope.regions, FOR)
    return role_template(member_template(policy, identity.account)), {}


def _preferences(call: Call) -> dict[str, str | int]:
    said = call.value("failure_tolerance")
    tolerance = _TOLERANCE if said is None else said
    if not 0 <= tolerance <= 100:
        raise UsageError(f"--failure-tolerance {tolerance} is no percentage")
    return {"FailureTolerancePercentage": tolerance}


def _removed(call: Call, accounts: Accounts, found: Found) -> Report:
    """Take back what was rolled out to the accounts that are meant, unless runs rely on it there."""
    every = len(found.instances)
    found = replace(found, instances=tuple(i for i in found.instances if accounts.means(i.account)))
    if every and not found.instances:
        raise UsageError(f"StackSet {found.place.name} has no stack in the accounts that are meant")
    having = sorted({each.account for each in found.instances})
    known = {member.account: member for member in accounts.everyone}
    members = [known.get(account, Member(account=account)) for account in having]
    rows = [_row(member, "changes", "its stacks go") for member in members]
    report = report_of("org rollout", accounts, rows)
    if found.made is None or call.given.on("dry_run"):
        return report
    if found.place.name == NAMES["forwarder"] and (run := _relying(call, accounts)):
        raise UsageError(f"run {run} relies on it", fix="give that back first: ddsetup org undo")
    name, stacks = found.place.name, counted(len(found.instances), "stack")
    whole = len(found.instances) == every
    confirm_rows(
        call,
        accounts,
        report,
        f"Delete StackSet {name} and its {stacks}?" if whole else f"Delete {stacks} of StackSet {name}?",
    )
    rolling_out.take_back(accounts, found)
    left = {each.account: each.reason for each in rolling_out.stacks_of(found)}
    done = [
        _row(member, "failed", left[member.account], 1)
        if member.account in left
        else _row(member, "done", "its stacks are gone")
        for member in members
    ]
    return report_of("org rollout", accounts, done)


def _relying(call: Call, accounts: Accounts) -> str:
    """The newest run in force in accounts that are meant; empty if there is none."""
    from ddsetup.flow.organisation.undoing import in_force

    runs = in_force(list_runs(call.memory()).readable)
    meant = (
        run for run, parts in runs.items() if any(accounts.means(part.header.accounts[0]) for part in parts)
    )
    return max(meant, default="")


def _row(member: Member, status: str, text: str, exit_code: int = 0) -> Row:
    return {**head(member), "status": status, "text": text, "exit_code": exit_code}


blocks = of_data(result_blocks)
"""What became of each account."""

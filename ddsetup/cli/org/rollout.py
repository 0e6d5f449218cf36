"""`ddsetup org rollout`: the Forwarder, or the role for each account, by a StackSet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ddsetup.ask.asking import answers_from
from ddsetup.cli.command import CONNECT, WANTED
from ddsetup.cli.table.org import FORWARDER
from ddsetup.flow.call import Call
from ddsetup.flow.organisation import rolling_out
from ddsetup.flow.organisation.across import Row, head
from ddsetup.flow.organisation.emptying import empty_buckets
from ddsetup.flow.organisation.rolling_out import Wish
from ddsetup.flow.organisation.run import confirm_rows, connected, report_of
from ddsetup.flow.organisation.stack_set import Found, find, make_set, stacks_of
from ddsetup.flow.organisation.who import Accounts, accounts_of
from ddsetup.flow.results import of_data
from ddsetup.gateways.aws import stacks
from ddsetup.journal.runs import list_runs, new_run_id
from ddsetup.model.account import Lane
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import counted, names
from ddsetup.model.organisation import Member
from ddsetup.model.report import Report
from ddsetup.plan.policy_organisation import ROLE, role_document
from ddsetup.plan.rollout import (
    API_KEY,
    NAMES,
    Rollout,
    What,
    check_hidden,
    forwarder_parameters,
    forwarder_template,
    is_same_template,
    role_template,
    stays,
    was_before,
)
from ddsetup.show.account_blocks import result_blocks

_TOLERANCE = 10
"""Percent of the accounts of a region in which a stack may fail before no further ones are begun."""


def run(call: Call) -> Report:
    """Look what is there, show what is missing, and have CloudFormation bring it, the canary first."""
    what = _what(call)
    _check_said(call, what)
    tolerance = _tolerance(call)
    base = connected(call, "status")
    accounts = accounts_of(call, base)
    command = "policy" if what == "role" else "status"
    answers = answers_from(call.given, None, None, command=command, scope=base.scope)
    found = find(accounts, what)
    with base.host.memory.lock((accounts.key,), new_run_id(base.host.clock.now()), base.host.clock.now()):
        if call.value("remove"):
            return _removed(call, accounts, found)
        return _rolled_out(call, accounts, found, answers, tolerance)


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
    elif call.value("delete_failed_events"):
        raise UsageError("--delete-failed-events: about stacks that go, and only --remove has them go")
    if what == "role" and call.value("take_over"):
        raise UsageError("--import: about stacks of Forwarders, and this brings a role")
    if what == "forwarder":
        said = call.given.typed(*(key for key in WANTED if key not in ("region", *CONNECT, *FORWARDER)))
        if said:
            raise UsageError(f"{names(said, 3)}: about the rights of a role, and this brings a Forwarder")


def _rolled_out(call: Call, accounts: Accounts, found: Found, answers: Answers, tolerance: int) -> Report:
    base, role = accounts.base, found.place.name == NAMES["role"]
    template, parameters = _contents(accounts, answers, role=role)
    held = {} if role else rolling_out.forwarders_held(call, accounts, answers)
    wish = Wish(
        # A role is there for all regions.
        regions=base.scope.regions[:1] if role else base.scope.regions,
        canary=tuple(call.value("canary") or ()),
        narrowed=accounts.named,
        renewed=role and found.made is not None and not is_same_template(found.made.template, template),
    )
    rollout = rolling_out.plan_rollout(accounts, found, held, wish)
    remarks = _remarks(accounts, found, parameters, rollout)
    planned = rolling_out.planned_rows(accounts, rollout)
    report = report_of("org rollout", accounts, planned, remarks=remarks)
    if call.given.on("dry_run") or not (rollout.changing or rollout.automated):
        return report
    _check_trust(call, found)
    number = counted(rollout.changing, "account")
    question = f"Roll this out to {number}?" if rollout.changing else "Have later accounts get it, too?"
    confirm_rows(call, accounts, report, question)
    found = make_set(accounts, found, template, parameters)
    lost = rolling_out.roll_out(accounts, found, rollout, template, tolerance)
    rows = rolling_out.done_rows(accounts, stacks_of(found), rollout, lost)
    then = f"ddsetup org status --member-role {ROLE}" if role else "ddsetup org apply --all"
    return replace(report_of("org rollout", accounts, rows), next=(then,))


def _check_trust(call: Call, found: Found) -> None:
    """Raises UsageError where nobody is there to agree that StackSets may work in the organisation."""
    if not found.trusted and call.given.on("yes") and not call.value("allow_trusted_access"):
        raise UsageError(
            "StackSets may not work in this organisation yet (trusted access)",
            fix="allow it as part of the run: --allow-trusted-access",
        )


def _remarks(accounts: Accounts, found: Found, parameters: Mapping[str, str], rollout: Rollout) -> list[str]:
    """What is to be known before it is confirmed, beside what is to become of each account."""
    said = []
    if not found.trusted:
        said.append("StackSets may not work in this organisation yet; this allows it (trusted access)")
    if found.made is None and API_KEY in parameters:
        said.append(
            "the API key becomes a NoEcho parameter of the StackSet, which CloudFormation shows nobody"
        )
    if rollout.automated:
        said.append("from now on accounts that come into the units get it by themselves")
    elif accounts.named and found.made is not None and found.made.automatic:
        said.append("accounts that come into the units get it by themselves, whichever are named now")
    elif accounts.named and found.made is None:
        said.append("single accounts are named, so those that come later do not get it by themselves")
    if rollout.renewed:
        said.append(
            f"the rights of the role change in every account that has it "
            f"({counted(len({each.account for each in found.instances}), 'account')})"
        )
    return said


def _contents(
    accounts: Accounts, answers: Answers, *, role: bool
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The template of the set and its parameters. Raises UsageError where something about them cannot be."""
    base = accounts.base
    identity, keys = base.identity, base.keys
    if role:
        document = role_document(answers, identity.partition, base.scope.regions, identity.account)
        return role_template(document), {}
    template = forwarder_template(answers, identity.partition)
    parameters = forwarder_parameters(answers, keys.api_key if keys else "")
    if API_KEY in parameters:
        lane = Lane(identity.account, base.scope.regions[0])
        hidden = stacks.hidden_parameters(base.aws, lane, TemplateURL=template["TemplateURL"])
        check_hidden(hidden, own_template=bool(answers.template_url))
    return template, parameters


def _tolerance(call: Call) -> int:
    said = call.value("failure_tolerance")
    tolerance = _TOLERANCE if said is None else said
    if not 0 <= tolerance <= 100:
        raise UsageError(f"--failure-tolerance {tolerance} is no percentage")
    return tolerance


def _removed(call: Call, accounts: Accounts, found: Found) -> Report:
    """Take back what was rolled out to the accounts that are meant, unless runs rely on it there."""
    if not found.trusted:
        raise UsageError(
            "StackSets may not work in this organisation, so they can take nothing back (trusted access)",
            fix="aws cloudformation activate-organizations-access",
        )
    every = len(found.instances)
    found = replace(found, instances=tuple(i for i in found.instances if accounts.means(i.account)))
    if every and not found.instances:
        raise UsageError(f"StackSet {found.place.name} has no stack in the accounts that are meant")
    having = sorted({each.account for each in found.instances})
    known = {member.account: member for member in accounts.everyone}
    members = [known.get(account, Member(account=account)) for account in having]
    rows = [_row(member, "changes", _gone(found, member, "its stacks go")) for member in members]
    report = report_of("org rollout", accounts, rows)
    if found.made is None or call.given.on("dry_run"):
        return report
    if run := _relying(call, accounts):
        raise UsageError(f"run {run} relies on it", fix="give that back first: ddsetup org undo")
    name, number = found.place.name, counted(len(found.instances), "stack")
    whole = len(found.instances) == every
    confirm_rows(
        call,
        accounts,
        report,
        f"Delete StackSet {name} and its {number}?" if whole else f"Delete {number} of StackSet {name}?",
    )
    going = [each for each in found.instances if not stays(each, name)]
    kept = {} if name == NAMES["role"] else empty_buckets(call, accounts, going)
    found = replace(found, instances=tuple(i for i in found.instances if i.account not in kept))
    rolling_out.take_back(accounts, found)
    left = {each.account: kept.get(each.account, each.reason) for each in stacks_of(found)}
    done = [
        _row(member, "failed", left[member.account], 1)
        if member.account in left
        else _row(member, "done", _gone(found, member, "its stacks are gone"))
        for member in members
    ]
    return report_of("org rollout", accounts, done)


def _gone(found: Found, member: Member, text: str) -> str:
    """What becomes of what the set has in an account."""
    kept = [i for i in found.instances if i.account == member.account and was_before(i, found.place.name)]
    return f"{text}; what was taken in stays, and is no more of the set" if kept else text


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

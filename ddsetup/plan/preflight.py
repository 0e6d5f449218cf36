"""Missing AWS permissions, told before anything is written.

IAM's policy simulator answers "allowed", "denied" or "unknown"; only a plain "denied" stops a run, and only
if a planned change needs the action. What the simulator cannot tell is left for AWS to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ddsetup.facts import permissions
from ddsetup.facts.firehose import STACK as LOG_STREAM
from ddsetup.facts.metric_streams import STACK as METRIC_STREAM
from ddsetup.facts.permissions import PURPOSE
from ddsetup.model.account import Role, Secret, Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan
from ddsetup.model.errors import CredentialsError
from ddsetup.model.snapshot import AccountSnapshot, Snapshot
from ddsetup.plan.policy import required_actions
from ddsetup.plan.policy_scope import Scope
from ddsetup.plan.select import select_in
from ddsetup.plan.steps.api_key import SECRET_NAME, secret_name
from ddsetup.plan.steps.durable import STACK as DURABLE

_SECRET_SUFFIX = "-AbCdEf"
"""Secrets Manager ends ARNs with six characters of its own; any will do for asking."""
_MOST_ROLES = 50
"""Execution roles of functions that are asked about."""
_STACK_SUFFIX = "00000000-0000-0000-0000-000000000000"


def check_permissions(snapshot: Snapshot, changes: Sequence[Change]) -> None:
    """Raises CredentialsError that names every denied action with the steps that need it.

    Says nothing when all is allowed or unknown.
    """
    lines = []
    for account in sorted(snapshot.accounts):
        held = snapshot.accounts[account]
        steps = _denied_by_step(held.simulated, (c for c in changes if c.resource.account == account))
        lines += [f"{action} (for {', '.join(names)})" for action, names in steps.items()]
    if lines:
        who = ", ".join(sorted(a.identity.arn for a in snapshot.accounts.values()))
        raise CredentialsError(
            f"AWS denies {who} what this plan needs: {'; '.join(lines)}",
            fix="attach the policy that `ddsetup policy` prints for the same options",
        )


def check_readable(plan: Plan) -> None:
    """Raises CredentialsError that names every permission without which a foundation, or what is in a log
    group, could not be looked at.

    What cannot be seen can be neither adopted nor made, and nothing of a setup would work without it.
    """
    lacking: dict[str, dict[str, None]] = {}
    for skipped in plan.skipped:
        if skipped.permission:
            lacking.setdefault(skipped.permission, {})[skipped.reason] = None
    if lacking:
        named = ", ".join(sorted(lacking))
        why = "; ".join(reason for reasons in lacking.values() for reason in reasons)
        raise CredentialsError(
            f"what has to be known first cannot be looked at without {named}: {why}",
            fix="attach the policy that `ddsetup policy` prints for the same options (AWS), or use an "
            "application key with the permission (Datadog); nothing was changed",
        )


def permission_warnings(snapshot: Snapshot) -> tuple[str, ...]:
    """Denied actions that no run depends on, but without which it has less to say."""
    denied = {
        action
        for account in snapshot.accounts.values()
        for action, verdict in account.simulated.items()
        if verdict == "denied" and action in permissions.OPTIONAL
    }
    return tuple(f"{action} is denied: ddsetup sees less than it could" for action in sorted(denied))


def questions(
    account: AccountSnapshot, snapshot: Snapshot, answers: Answers
) -> Mapping[str, tuple[str, ...]]:
    """The actions that ddsetup itself calls, each with the ARNs on which the simulator has to allow it.

    No ARNs: AWS knows none for the action, or it is about functions and log groups; those may be allowed
    one by one, so asking about all of them at once could give a wrong "denied".
    """
    required, known = set(required_actions(answers)), _resources(account, snapshot, answers)
    asked: dict[str, set[str]] = {action: set() for action in permissions.LOOK}
    for kind, writes in permissions.WRITES.items():
        for action in required & {*writes.create, *writes.update, *writes.delete}:
            asked.setdefault(action, set()).update(known.get(kind, ()))
    if answers.via == "extension" and answers.grant_key_access:
        # Functions' roles take the same actions as the integration's, and may be allowed where that is not.
        number = account.identity.account
        roles = {f.role for f in select_in(snapshot, answers.selection) if f.account == number and f.role}
        for action in permissions.WRITES["role_policy"].of("create"):
            asked[f"{action}{PURPOSE}role_policy"] = set(sorted(roles)[:_MOST_ROLES])
    return {action: tuple(sorted(arns)) for action, arns in asked.items()}


def _resources(
    account: AccountSnapshot, snapshot: Snapshot, answers: Answers
) -> Mapping[str, tuple[str, ...]]:
    """Concrete ARNs of what is single in an account or region: its role, secrets and stacks."""
    number, partition = account.identity.account, account.identity.partition
    lanes = [lane for at, lane in snapshot.lanes.items() if at.account == number]
    scope = Scope(answers, partition, number, ())
    secrets, stacks = [], []
    for lane in lanes:
        prefix = f"{lane.lane.region}:{number}"
        secret = (
            None
            if isinstance(lane.secrets, Unreadable)
            else lane.secrets.get(secret_name(lane, answers.site))
        )
        secrets.append(_secret_arn(secret, f"arn:{partition}:secretsmanager:{prefix}"))
        for name in _stacks(answers):
            stack = None if isinstance(lane.stacks, Unreadable) else _named(lane.stacks, name)
            made_up = f"arn:{partition}:cloudformation:{prefix}:stack/{name}/{_STACK_SUFFIX}"
            stacks.append(stack.stack_id if stack and stack.stack_id else made_up)
    role = (account.role.arn,) if isinstance(account.role, Role) else scope.role()
    return {"iam_role": role, "secret": tuple(secrets), "stack": tuple(stacks)}


def _stacks(answers: Answers) -> tuple[str, ...]:
    """The names of the stacks that may be made or changed."""
    made = (
        (answers.forwarder_stack, answers.via != "extension" or answers.forwarder_upgrade),
        (DURABLE, answers.via == "extension" and answers.durable_events),
        (LOG_STREAM, answers.streams_logs),
        (METRIC_STREAM, answers.metrics == "stream"),
    )
    return tuple(name for name, wanted in made if wanted)


def _secret_arn(secret: Secret | None, prefix: str) -> str:
    return secret.arn if secret else f"{prefix}:secret:{SECRET_NAME}{_SECRET_SUFFIX}"


def _named(stacks: Sequence[Stack], name: str) -> Stack | None:
    return next((stack for stack in stacks if stack.name == name), None)


def _denied_by_step(simulated: Mapping[str, str], changes: Iterable[Change]) -> Mapping[str, list[str]]:
    """Denied actions, each with the steps whose changes need it."""
    found: dict[str, list[str]] = {}
    for change in changes:
        for action in permissions.actions_for(change):
            verdict = simulated.get(f"{action}{PURPOSE}{change.resource.kind}", simulated.get(action))
            if verdict == "denied" and change.step not in found.setdefault(action, []):
                found[action].append(change.step)
    return {action: steps for action, steps in sorted(found.items()) if steps}

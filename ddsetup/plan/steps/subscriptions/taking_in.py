"""What a policy for all log groups takes in, and what is in its way."""

from __future__ import annotations

from collections.abc import Collection

from ddsetup.facts.account_policies import FilterPolicy, policy_resource
from ddsetup.model.account import Unreadable
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.model.lines import counted
from ddsetup.plan.steps.subscriptions.conflicts import STEP
from ddsetup.plan.steps.subscriptions.groups import Group, Region
from ddsetup.plan.steps.wording import cannot_see, listed

_LAMBDAS = "/aws/lambda/"


def taken_in(region: Region, groups: tuple[Group, ...], left_out: Collection[str]) -> str:
    """Which groups beyond those of the chosen functions the policy takes in."""
    known = region.lane.log_groups
    every = "every log group that is made later"
    if isinstance(known, Unreadable):
        return f"also takes in log groups that cannot be seen here, and {every}"
    chosen = {*(group.name for group in groups), *left_out}
    others = sorted(n for n, found in known.items() if n not in chosen and found.log_class == "STANDARD")
    lambdas = [name for name in others if name.startswith(_LAMBDAS)]
    beyond = [name for name in others if not name.startswith(_LAMBDAS)]
    parts = [every]
    if lambdas:
        parts.insert(0, f"{counted(len(lambdas), 'log group')} of functions that were not chosen")
    if beyond:
        many = counted(len(beyond), "log group")
        parts.insert(0, f"{many} beyond Lambda's ({listed(beyond, 8)}), which Datadog bills, too")
    return f"also takes in {', '.join(parts)}; leaves out {listed(sorted(left_out))}"


def unseen(resource: ResourceId, held: Unreadable) -> Plan:
    """Nothing is done where it is unknown which policy there is."""
    reason = cannot_see("the account's subscription policies", held)
    return STEP.skip(resource, reason, "grant the permission, then again")


def another(there: FilterPolicy, region: Region, resource: ResourceId) -> Plan | None:
    """Somebody else's policy that is in the way, unless they gave it away: AWS allows one in a region."""
    if there.own or region.answers.on_conflict == "replace":
        return None
    fix = "take it out, or --on-conflict replace; or --subscribe automatic or direct"
    return STEP.skip(resource, f"AWS allows one policy in a region, and there is {_leads(there)}", fix)


def replaced(there: FilterPolicy, region: Region, needs: tuple[ResourceId, ...]) -> Change:
    """A policy that gives way: one of ddsetup's that leads elsewhere, or one that was given away."""
    return Change(
        step=STEP,
        resource=policy_resource(there.state.name, region.at),
        before=there.state,
        after=None,
        why="AWS allows one policy in a region",
        needs=needs,
        note=f"removes {_leads(there)}",
    )


def _leads(there: FilterPolicy) -> str:
    whose = "ddsetup's" if there.own else "somebody else's"
    where = there.destination_arn or "an unknown destination"
    return f"{there.state.name} ({whose}), which leads to {where}"

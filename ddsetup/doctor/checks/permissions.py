"""What this identity may not see or do on AWS."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.doctor.checks.case import Case
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.facts import permissions
from ddsetup.model.account import Unreadable
from ddsetup.model.change import ResourceId

check = Checks("permissions")


@check(
    "aws-permissions",
    "this identity may do what setting up and looking takes",
    "info",
    needs=("iam:SimulatePrincipalPolicy",),
)
def aws(case: Case) -> Iterator[Result]:
    """IAM's simulator says that an action is denied to this identity.

    An action that only writes need does not matter for looking; `--fix` and `ddsetup setup` stop before they
    write anything if one of theirs is denied. `ddsetup policy --for doctor` prints the least policy.
    """
    for account in case.accounts:
        denied = sorted(action for action, verdict in account.simulated.items() if verdict == "denied")
        if denied:
            number = account.identity.account
            yield Problem(
                resource=ResourceId("identity", account.identity.arn, "", number),
                what=f"IAM denies {', '.join(denied)}",
                fix="attach the policy that this prints, as far as you want ddsetup to do it",
                command="ddsetup policy --for doctor --for setup --for undo",
                severity="warning" if any(a in permissions.OPTIONAL or _reads(a) for a in denied) else "info",
            )


@check(
    "bulk-reads",
    "functions, tags, stacks and log groups can be read",
    needs=(
        "lambda:ListFunctions",
        "tag:GetResources",
        "cloudformation:DescribeStacks",
        "logs:DescribeLogGroups",
    ),
)
def bulk_reads(case: Case) -> Iterator[Result]:
    """One of the bulk reads that nearly every check rests on was refused or failed.

    It is never a finding by itself: what it hides is unknown, which is neither healthy nor broken.
    """
    for place in case.places:
        lane, at = place.lane, place.at
        for name, value in (
            ("functions", lane.functions),
            ("tags", lane.tags),
            ("stacks", lane.stacks),
            ("log groups", lane.log_groups),
        ):
            if isinstance(value, Unreadable):
                yield Blind(ResourceId("region", f"{name} of {at.region}", at.region, at.account), value)


def _reads(action: str) -> bool:
    return action.partition(":")[2].startswith(("Get", "List", "Describe"))

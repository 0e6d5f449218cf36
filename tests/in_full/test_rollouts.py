"""Rollouts by StackSets to the letter: what is asked, what is waited for, and what is said of each account.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ddsetup.flow.organisation import rolling_out, stack_set
from ddsetup.flow.organisation.rolling_out import Wish
from ddsetup.flow.organisation.stack_set import Found
from ddsetup.gateways.aws.organizations import Unit
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.stack_sets import Made
from ddsetup.model.organisation import Instance, Member
from ddsetup.plan.rollout import Rollout
from ddsetup.plan.steps.api_key import OWN_TAGS
from tests.gateways.aws_stand import FakeTime
from tests.in_full.aws_script import Script, aws, scripted, time
from tests.in_full.calls.world import Answer
from tests.in_full.members import (
    ADMINISTRATORS,
    EVERYONE,
    FOREIGN,
    GONE,
    LAB,
    MASTER,
    NO_SET,
    ORGANISATION,
    REGIONS,
    ROOT,
    SET,
    SHOP,
    TAKEN,
    THERE,
    TILL,
    Told,
    operation,
    place,
    stack,
    summary,
)
from tests.in_full.test_aws_calls import told
from tests.unit.show.test_render import matches_golden

__all__ = ["aws", "time"]

Case = tuple[Callable[[Aws, Told], Any], Mapping[str, Sequence[Answer]]]


def find(what: str = "forwarder", **over: Any) -> Callable[[Aws, Told], Any]:
    def found(aws: Aws, told: Told) -> Any:
        found = stack_set.find(told.accounts(aws, **over), what)  # type: ignore[arg-type]
        return (
            found.place.name,
            found.place.lane,
            found.place.delegated,
            found.made,
            found.instances,
            found.trusted,
        )

    return found


FIND: Mapping[str, Case] = {
    "a set that is there": (
        find(),
        {**THERE, "ListStackInstances": [{"Summaries": [summary(SHOP, REGIONS[0], "SUCCEEDED")]}]},
    ),
    "a set for roles": (find("role"), THERE),
    "no trusted access": (find(), {"DescribeOrganizationsAccess": [{"Status": "DISABLED"}]}),
    "no trusted access any more": (
        find(),
        {"DescribeOrganizationsAccess": [{"Status": "DISABLED_PERMANENTLY"}]},
    ),
    "a delegated administrator": (find(caller=SHOP.account), {**THERE, **ADMINISTRATORS}),
    "a delegated administrator without trusted access": (
        find(caller=SHOP.account),
        {"DescribeOrganizationsAccess": [{"Status": "DISABLED"}], **ADMINISTRATORS},
    ),
    "an account that may not": (find(caller=TILL.account), {**THERE, **ADMINISTRATORS}),
    "a self-managed set": (
        find(),
        {**THERE, "DescribeStackSet": [{"StackSet": {**SET, "PermissionModel": "SELF_MANAGED"}}]},
    ),
    "a set of somebody else's": (find(), {**THERE, "DescribeStackSet": [FOREIGN]}),
    "no organisation": (find(organisation=None), {}),
    "an organisation for bills alone": (
        find(organisation=replace(ORGANISATION, features="CONSOLIDATED_BILLING")),
        {},
    ),
    "operations under way": (
        find(),
        {
            **THERE,
            "ListStackSetOperations": [
                {
                    "Summaries": [
                        {"OperationId": name, "Status": status}
                        for name, status in (("a", "RUNNING"), ("b", "FAILED"), ("c", "QUEUED"))
                    ]
                }
            ],
            **operation("RUNNING", *["QUEUED"] * 7, "STOPPED", "SUCCEEDED"),
        },
    ),
}


def plan(
    *members: Member,
    held: Mapping[str, Mapping[str, Any]] | None = None,
    instances: Sequence[Instance] = (),
    over: Mapping[str, Any] | None = None,
    **wish: Any,
) -> Callable[[Aws, Told], Any]:
    def planned(aws: Aws, told: Told) -> Any:
        accounts = told.accounts(aws, *members, **(over or {}))
        found = Found(place=place(aws), made=Made(id="set:1"), instances=tuple(instances))
        numbers = {member.name: member.account for member in EVERYONE}
        rows = {numbers[name]: dict(row) for name, row in (held or {}).items()}
        rollout = rolling_out.plan_rollout(accounts, found, rows, Wish(**{"regions": REGIONS, **wish}))
        rows_ = rolling_out.planned_rows(accounts, rollout)
        return (
            rollout,
            rollout.batches(),
            [(r["name"], r["status"], r.get("reason", r.get("text"))) for r in rows_],
        )

    return planned


OWN = {"held": ["fwd (eu-west-1)"]}
PLAN: Mapping[str, Case] = {
    "plan: everyone": (plan(), ROOT),
    "plan: units": (
        plan(
            SHOP, TILL, MASTER, over={"units": (Unit(id="ou-1", path="/Prod"), Unit(id="ou-2", path="/EU"))}
        ),
        {},
    ),
    "plan: one has a Forwarder": (plan(held={"till": OWN, "shop": {"held": []}}), ROOT),
    "plan: one has the set's, another a part of it": (
        plan(instances=[stack(SHOP, r) for r in REGIONS] + [stack(LAB, REGIONS[0])]),
        ROOT,
    ),
    "plan: one has the set's beside its own": (
        plan(SHOP, TILL, held={"shop": OWN, "till": OWN}, instances=[stack(SHOP, r) for r in REGIONS]),
        ROOT,
    ),
    "plan: all have it": (
        plan(SHOP, TILL, instances=[stack(m, r) for m in (SHOP, TILL) for r in REGIONS]),
        ROOT,
    ),
    "plan: a canary by name, one by number": (plan(canary=("till", SHOP.account)), ROOT),
    "plan: a canary that has it": (
        plan(canary=("till", "lab"), instances=[stack(TILL, r) for r in REGIONS]),
        ROOT,
    ),
    "plan: a canary that nobody knows": (plan(canary=("tilt",)), ROOT),
    "plan: a canary that gets none": (plan(canary=("gone",)), ROOT),
    "plan: some are named": (plan(SHOP, TILL, narrowed=True), ROOT),
    "plan: stacks to take over": (
        plan(
            held={
                "till": {"held": ["fwd (eu-west-1)"], "stacks": ["arn:stack:1", "arn:stack:2"]},
                "shop": OWN,
            },
        ),
        ROOT,
    ),
    "plan: stacks that cannot be taken over": (
        plan(held={"till": {"held": ["fwd (eu-west-1)"], "unfit": ["stack s (eu-west-1): no"]}}),
        ROOT,
    ),
    "plan: a stack that is in the set already": (
        plan(
            held={"shop": {"stacks": [stack(SHOP, REGIONS[0]).stack, "arn:other"]}},
            instances=[stack(SHOP, REGIONS[0])],
        ),
        ROOT,
    ),
    "plan: a template for those that have it": (
        plan(renewed=True, instances=[stack(SHOP, r) for r in REGIONS]),
        ROOT,
    ),
    "plan: accounts of no organisation": (plan(over={"organisation": None}), ROOT),
}
ROLLOUT = Rollout(units=("ou-1",), regions=REGIONS, due=(SHOP.account, TILL.account, LAB.account), canary=())


def roll_out(rollout: Rollout = ROLLOUT, tolerance: int = 10) -> Callable[[Aws, Told], Any]:
    def done(aws: Aws, told: Told) -> Any:
        found = Found(place=place(aws), made=Made(id="set:1", tags=OWN_TAGS))
        return rolling_out.roll_out(told.accounts(aws), found, rollout, {"TemplateURL": "u"}, tolerance)

    return done


BROUGHT: Mapping[str, list[Answer]] = {
    "CreateStackInstances": [{}],
    "ImportStacksToStackSet": [{}],
    "UpdateStackSet": [{}],
}
CANARY = replace(ROLLOUT, canary=(TILL.account,))
ROLL: Mapping[str, Case] = {
    "roll out": (roll_out(), {**BROUGHT, **operation("QUEUED", "SUCCEEDED")}),
    "roll out, and it fails": (roll_out(), {**BROUGHT, **operation("FAILED")}),
    "roll out as it is wished": (
        roll_out(tolerance=0),
        {**BROUGHT, **operation("SUCCEEDED")},
    ),
    "roll out, the canary first": (roll_out(CANARY), {**BROUGHT, **operation("RUNNING", "SUCCEEDED")}),
    **{
        f"a canary that {status}, {reason}": (
            roll_out(CANARY),
            {
                **BROUGHT,
                **operation(status, reason=reason),
                "ListStackInstances": [{"Summaries": instances}],
            },
        )
        for status, reason, instances in (
            (
                "FAILED",
                "too many",
                [summary(TILL, REGIONS[0], "FAILED", "no"), summary(SHOP, "x", "FAILED", "other")],
            ),
            ("STOPPED", "somebody did", [summary(TILL, REGIONS[0], "SUCCEEDED")]),
            ("STOPPED", "", []),
        )
    },
    "take stacks in": (
        roll_out(replace(ROLLOUT, imports=(*(f"arn:{n}" for n in range(10)), stack(SHOP, "x").stack))),
        {
            **BROUGHT,
            **operation("SUCCEEDED"),
            "ListStackInstances": [
                {
                    "Summaries": [
                        {**summary(LAB, REGIONS[1], "FAILED_IMPORT", "it has drifted"), "StackId": "arn:1"},
                        {**summary(TILL, REGIONS[0], "FAILED_IMPORT"), "StackId": "arn:2"},
                        {**summary(SHOP, "x", "SUCCEEDED"), "StackId": stack(SHOP, "x").stack},
                        {**summary(GONE, "x", "FAILED", "what else is wrong"), "StackId": "arn:else"},
                    ]
                }
            ],
            "DeleteStackInstances": [{}],
            **ROOT,
        },
    ),
    "give those that have it another template": (
        roll_out(replace(ROLLOUT, due=(), there=(SHOP.account,), renewed=True)),
        {"UpdateStackSet": [{}], **operation("RUNNING", "SUCCEEDED")},
    ),
}


def make(made: Made | None = None, *, trusted: bool = True) -> Callable[[Aws, Told], Any]:
    def done(aws: Aws, told: Told) -> Any:
        found = Found(place=place(aws), made=made, trusted=trusted)
        after = stack_set.make_set(told.accounts(aws), found, {"TemplateURL": "u"}, {"A": "b"})
        return after.made, after.trusted

    return done


def take_back(*instances: Instance, made: bool = True, **over: Any) -> Callable[[Aws, Told], Any]:
    def done(aws: Aws, told: Told) -> Any:
        found = Found(place=place(aws), made=Made(id="set:1") if made else None, instances=instances)
        return rolling_out.take_back(told.accounts(aws, **over), found)

    return done


TAKEN_BACK: Mapping[str, list[Answer]] = {
    **ROOT,
    **operation("SUCCEEDED"),
    "DeleteStackInstances": [{}],
    "ListStackInstances": [{}],
    "DeleteStackSet": [{}],
}
TAKEN_IN = "arn:aws:cloudformation:us-east-1:1:stack/datadog-forwarder/1"
LEFT: Answer = {"Summaries": [summary(SHOP, REGIONS[0], "FAILED", "no way in")]}
MAKE: Mapping[str, Case] = {
    "make it": (make(), {"CreateStackSet": [{"StackSetId": "set:1"}]}),
    "let StackSets in, and find what they made before": (
        make(trusted=False),
        {
            **THERE,
            "ActivateOrganizationsAccess": [{}],
            "DescribeOrganizationsAccess": [{"Status": status} for status in ("DISABLED", "ENABLED")],
        },
    ),
    "StackSets are let in, and it takes for ever": (
        make(trusted=False),
        {
            **THERE,
            "ActivateOrganizationsAccess": [{}],
            "DescribeOrganizationsAccess": [{"Status": "DISABLED"}],
        },
    ),
    "it is there": (make(Made(id="set:1")), {}),
    "it was made by a call whose answer was lost": (
        make(),
        {"CreateStackSet": [TAKEN], "DescribeStackSet": [{"StackSet": SET}]},
    ),
    "the name was taken in between": (make(), {"CreateStackSet": [TAKEN], "DescribeStackSet": [FOREIGN]}),
    "the name was taken for a moment": (make(), {"CreateStackSet": [TAKEN], "DescribeStackSet": [NO_SET]}),
    "it may not be made": (make(), {"CreateStackSet": [{"refused": ("AccessDenied", "no", 403)}]}),
    "its stacks": (
        lambda aws, told: stack_set.stacks_of(Found(place=place(aws))),
        {**THERE, "ListStackInstances": [LEFT]},
    ),
    "stacks of a set that is gone": (
        lambda aws, told: stack_set.stacks_of(Found(place=place(aws))),
        {"DescribeStackSet": [NO_SET]},
    ),
    "take back": (
        take_back(stack(SHOP, REGIONS[0]), stack(SHOP, REGIONS[1]), stack(TILL, REGIONS[1], unit="ou-2")),
        TAKEN_BACK,
    ),
    "take back what never came to be": (
        take_back(stack(SHOP, REGIONS[0]), stack(LAB, REGIONS[1], "FAILED", stack="", unit="")),
        TAKEN_BACK,
    ),
    "take back what never came to be in one region each": (
        take_back(
            stack(SHOP, REGIONS[0]),
            stack(SHOP, REGIONS[1], "FAILED", stack=""),
            stack(TILL, REGIONS[0], "FAILED", stack=""),
            stack(TILL, REGIONS[1]),
        ),
        TAKEN_BACK,
    ),
    "take back, but what was taken in": (
        take_back(
            stack(SHOP, REGIONS[0]),
            stack(SHOP, REGIONS[1], stack=TAKEN_IN),
        ),
        TAKEN_BACK,
    ),
    "take back, but what was taken in and cannot be struck off": (
        take_back(
            stack(SHOP, REGIONS[0]),
            stack(SHOP, REGIONS[1], stack=TAKEN_IN),
            stack(TILL, REGIONS[0]),
            stack(TILL, REGIONS[1]),
        ),
        {
            **TAKEN_BACK,
            "ListStackInstances": [
                {"Summaries": [{**summary(SHOP, REGIONS[1], "FAILED", "no way in"), "StackId": TAKEN_IN}]}
            ],
        },
    ),
    "take back, and something stays": (
        take_back(stack(SHOP, REGIONS[0])),
        {**TAKEN_BACK, "ListStackInstances": [LEFT]},
    ),
    "take back an empty set": (take_back(), TAKEN_BACK),
    "take back nothing": (take_back(made=False), {}),
}


def planned(rollout: Rollout) -> Callable[[Aws, Told], Any]:
    return lambda aws, told: rolling_out.planned_rows(told.accounts(aws, SHOP, TILL, LAB, GONE), rollout)


def done(
    *instances: Instance, rollout: Rollout, lost: Mapping[str, str] | None = None
) -> Callable[[Aws, Told], Any]:
    return lambda aws, told: rolling_out.done_rows(
        told.accounts(aws, SHOP, TILL, LAB, GONE), instances, rollout, lost or {}
    )


OUTCOME = (
    *(stack(SHOP, region) for region in REGIONS),
    stack(TILL, REGIONS[0]),
    stack(TILL, REGIONS[1], "FAILED", reason="a name is taken"),
    stack(TILL, "ap-south-1", "FAILED", reason="no region"),
)
PART = replace(
    ROLLOUT,
    due=(SHOP.account, TILL.account),
    there=(LAB.account,),
    canary=(TILL.account,),
    left_out={GONE.account: "closed"},
    imports=(stack(SHOP, REGIONS[0]).stack, "arn:aws:cloudformation:x:9:stack/other/1"),
)
RENEWED = replace(PART, renewed=True)
ROWS: Mapping[str, Case] = {
    "rows before": (planned(PART), {}),
    "rows before, with another template": (planned(RENEWED), {}),
    "rows after": (done(*OUTCOME, rollout=PART), {}),
    "rows after, with another template": (
        done(*OUTCOME, stack(LAB, REGIONS[0]), stack(LAB, REGIONS[1], "CANCELLED"), rollout=RENEWED),
        {},
    ),
    "rows of what could not be taken in": (done(*OUTCOME, rollout=PART, lost={SHOP.account: "no"}), {}),
    "rows of what was not begun": (done(stack(LAB, REGIONS[0], "PENDING"), rollout=ROLLOUT), {}),
    "how much changes": (lambda aws, told: (PART.changing, RENEWED.changing), {}),
}


@pytest.mark.parametrize(
    ("name", "cases"),
    [("find", FIND), ("plan", PLAN), ("roll", ROLL), ("make", MAKE), ("rows", ROWS)],
)
def test_rollouts(aws: Aws, time: FakeTime, tmp_path: Path, name: str, cases: Mapping[str, Case]) -> None:
    lines: list[str] = []
    with scripted(aws) as script:
        for case, (call, answers) in cases.items():
            lines += [f"[{case}]", *_case(aws, time, script, tmp_path, call, answers), ""]
    matches_golden(f"rollouts/{name}", "\n".join(lines))


def _case(
    aws: Aws,
    time: FakeTime,
    script: Script,
    home: Path,
    call: Callable[[Aws, Told], Any],
    answers: Mapping[str, Sequence[Answer]],
) -> list[str]:
    script.answers = {operation: list(each) for operation, each in answers.items()}
    here = Told(home, time)
    *asked, result = told(aws, time, script, lambda aws: call(aws, here))
    return [*asked, *(f"  said: {text}" for text in here.said), result]

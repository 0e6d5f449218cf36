"""Before stacks of Forwarders go: their buckets are emptied, which CloudFormation does not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.flow.call import Call
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row, as_known, check_whole
from ddsetup.flow.organisation.who import Accounts
from ddsetup.gateways.aws.buckets import empty, has_objects
from ddsetup.gateways.aws.stacks import stack_resources
from ddsetup.model.account import Lane
from ddsetup.model.errors import NotFound
from ddsetup.model.organisation import Instance, Member
from ddsetup.plan.steps.forwarder_stack import FAILED_EVENTS

_KEPT = "held"


def empty_buckets(call: Call, accounts: Accounts, instances: Sequence[Instance]) -> Mapping[str, str]:
    """Empty the buckets of stacks that are to go. Gives the accounts whose stacks hold what Datadog did not
    take, and that were left as they are, each with the reason. Raises Interrupted.

    Accounts that nobody can enter are none of these: whether their stacks go is seen when they are to.
    """
    lose = bool(call.value("delete_failed_events"))

    def work(session: Session, member: Member) -> Row:
        own = [(Lane(i.account, i.region), i.stack) for i in instances if i.account == member.account]
        buckets = [(lane, bucket) for lane, stack in own for bucket in _buckets(session, lane, stack)]
        for lane, bucket in buckets:
            if not lose and has_objects(session.aws, lane, bucket, FAILED_EVENTS):
                reason = f"its bucket {bucket} still holds what Datadog did not take ({FAILED_EVENTS})"
                return {"status": _KEPT, "reason": reason}
        for lane, bucket in buckets:
            empty(session.aws, lane, bucket)
        return {"status": "done"}

    having = {each.account for each in instances}
    members = [m for m in accounts.everyone if m.account in having]
    rows = as_known(call, accounts, members, work)
    kept = {row["account"]: row["reason"] for row in rows if row["status"] == _KEPT}
    check_whole(accounts, "no stack was deleted")
    return kept


def _buckets(session: Session, lane: Lane, stack: str) -> Sequence[str]:
    try:
        return stack_resources(session.aws, lane, stack, "AWS::S3::Bucket")
    except NotFound:
        return ()

"""What a Forwarder could not send waits in its bucket, and is lost when its stack is deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ddsetup.ask.prompter import Back, Prompt
from ddsetup.flow.host import Session
from ddsetup.gateways.aws.buckets import has_objects
from ddsetup.gateways.aws.stacks import stack_resources
from ddsetup.model.account import Lane
from ddsetup.model.change import Change
from ddsetup.model.errors import GatewayError
from ddsetup.model.states import StackState
from ddsetup.plan.steps.durable import failed_events
from ddsetup.plan.steps.forwarder_stack import FAILED_EVENTS, LOSE_FAILED_EVENTS


def settle_failed_events(session: Session, changes: Iterable[Change], *, lose: bool) -> tuple[Change, ...]:
    """The changes; deletions of stacks may take such events with them if `lose` or a person says so.

    Where nobody can be asked a stack that holds some is left to the writer, which leaves it as it is.
    """
    return tuple(
        replace(change, precondition=LOSE_FAILED_EVENTS)
        if isinstance(change.before, StackState)
        and change.after is None
        and (lose or _asked(session, change))
        else change
        for change in changes
    )


def _asked(session: Session, change: Change) -> bool:
    prompter = session.host.prompter
    waiting = failed_events(change.before) if isinstance(change.before, StackState) else FAILED_EVENTS
    bucket = _bucket_with_events(session, change, waiting) if prompter is not None else ""
    if prompter is None or not bucket:
        return False
    question = Prompt(
        kind="confirm",
        text=f"Delete stack {change.resource.name} with what Datadog did not take yet?",
        why=f"its bucket {bucket} holds events that could not be sent ({waiting or 'all of it'}); they would "
        "be lost",
        default=False,
    )
    try:
        return bool(prompter.ask(question))
    except Back:
        return False


def _bucket_with_events(session: Session, change: Change, waiting: str) -> str:
    """The stack's bucket that holds such events, empty if there is none or that cannot be seen."""
    lane = Lane(change.resource.account, change.resource.region)
    try:
        buckets = stack_resources(session.aws, lane, change.resource.name, "AWS::S3::Bucket")
        return next((b for b in buckets if has_objects(session.aws, lane, b, waiting)), "")
    except GatewayError:
        return ""

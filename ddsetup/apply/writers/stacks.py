"""Creates, updates and deletes stacks, and tells each of its events as it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, failed, gone, moved
from ddsetup.apply.writers.stack_failures import explain
from ddsetup.gateways.aws.buckets import delete_bucket, empty, has_objects
from ddsetup.gateways.aws.errors import AlreadyExists
from ddsetup.gateways.aws.functions import function_exists
from ddsetup.gateways.aws.logs import delete_log_group
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.stacks import (
    StackEvent,
    create_stack,
    delete_stack,
    read_stack,
    read_template,
    stack_events,
    stack_resources,
    template_parameters,
    update_stack,
)
from ddsetup.model.account import Lane, Stack, Unreadable
from ddsetup.model.change import Change, Outcome
from ddsetup.model.clock import Clock
from ddsetup.model.errors import GatewayError, NotFound
from ddsetup.model.event import Event, OnEvent
from ddsetup.model.states import StackState
from ddsetup.plan.steps.durable import failed_events
from ddsetup.plan.steps.forwarder_stack import FAILED_EVENTS, LEFT_LOG_GROUP, LOSE_FAILED_EVENTS

POLL_SECONDS = 3.0
LONGEST_SECONDS = 3600.0
STARTS_WITHIN_SECONDS = 30.0
_ATTEMPTS = 4
"""How often a stack's bucket is emptied before its deletion is given up."""
MASKED = "****"
"""What CloudFormation answers for the value of a NoEcho parameter."""

_Action: TypeAlias = Literal["create", "update", "delete", "earlier"]
"""What is waited for; "earlier" is whatever an earlier run started."""

_GOOD: Mapping[_Action, tuple[str, ...]] = {
    "create": ("CREATE_COMPLETE",),
    "update": ("UPDATE_COMPLETE",),
    "delete": ("DELETE_COMPLETE",),
    "earlier": (),
}


_TEMPLATE = ("template", "template_url", "version")
"""The parts of a state that tell a template from another."""


@dataclass(frozen=True, slots=True)
class _Place:
    change: Change
    lane: Lane
    name: str


class StackWriter(OneByOne):
    """Carries out changes of stacks; a stack that ddsetup did not make is never deleted."""

    def __init__(self, aws: Aws, issued: Issued, clock: Clock, on_event: OnEvent) -> None:
        super().__init__(issued)
        self._aws = aws
        self._clock = clock
        self._on_event = on_event

    def write_one(self, change: Change) -> Outcome:
        before, after = change.before, change.after
        state = after or before
        if not isinstance(state, StackState):
            raise TypeError("not a change of a stack")
        place = _Place(change, Lane(change.resource.account, change.resource.region), state.name)
        live = read_stack(self._aws, place.lane, place.name)
        if live is not None and live.status == "DELETE_COMPLETE":
            live = None
        if isinstance(after, StackState):
            if before is None:
                return self._create(place, after, live)
            if isinstance(before, StackState):
                return self._update(place, before, after, live)
        return self._delete(place, state, live)

    def _create(self, place: _Place, after: StackState, live: Stack | None) -> Outcome:
        change = place.change
        if live is not None:
            if _is_ours(live, after) and live.status.endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE")):
                off = _parameters_off(live, after.parameters)
                return moved(change, off) if off else already_so(change)
            planned = live.status in change.precondition.split()
            if not planned or not (live.status == "ROLLBACK_COMPLETE" or _is_ours(live, after)):
                return moved(change, f"stack {place.name} exists already ({live.status})")
            cleared = self._remove(place, live.stack_id)
            if cleared is not None:
                return cleared
        if LEFT_LOG_GROUP in change.precondition:
            self._bury_log_group(place, after)
        try:
            stack_id = create_stack(
                self._aws,
                place.lane,
                place.name,
                after.template or after.template_url,
                after.parameters,
                after.tags,
            )
        except AlreadyExists:
            # The token makes a repetition the same request; where it is not honoured, the tags tell whose.
            made = read_stack(self._aws, place.lane, place.name)
            mine = made is not None and _is_ours(made, after) and not _parameters_off(made, after.parameters)
            if made is None or not mine or made.status not in ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"):
                return moved(change, f"stack {place.name} was made by somebody else meanwhile")
            stack_id = made.stack_id
        return self._follow(place, stack_id, "create", "") or applied(change)

    def _update(self, place: _Place, before: StackState, after: StackState, live: Stack | None) -> Outcome:
        change = place.change
        if live is None:
            return moved(change, f"stack {place.name} is not there any more")
        same_template = all(getattr(before, part) == getattr(after, part) for part in _TEMPLATE)
        if not same_template and not (after.template or after.template_url):
            reason = "the template that the stack was made from before is not known, so it stays as it is"
            return failed(change, reason, "update it with the template of your choice: --forwarder-version")
        if same_template and not _parameters_off(live, after.parameters):
            return already_so(change)
        off = _parameters_off(live, before.parameters)
        if off:
            return moved(change, off)
        if not same_template and before.template is not None:
            found = read_template(self._aws, place.lane, place.name)
            if found != before.template:
                return moved(change, f"the template of stack {place.name} is another one meanwhile")
        template = "" if same_template else after.template or after.template_url
        url = template if isinstance(template, str) else ""
        parameters = self._kept(place, live, url, before, after)
        newest = self._newest_event(place, live.stack_id)
        if not update_stack(self._aws, place.lane, place.name, template, parameters, after.tags):
            return already_so(change, "CloudFormation finds nothing to update")
        return self._follow(place, live.stack_id, "update", newest) or applied(change)

    def _kept(
        self, place: _Place, live: Stack, url: str, before: StackState, after: StackState
    ) -> Mapping[str, str | None]:
        """All parameters of the stack keep their value (None) but those of `after`; ones that the new
        template does not have are left out, since naming them is refused.
        """
        known: Sequence[str] = tuple(live.parameters)
        if url:
            found = template_parameters(self._aws, place.lane, url)
            # Without a look into the template, what the plan says has to do.
            lost = set(before.parameters) - set(after.parameters)
            known = [k for k in live.parameters if k not in lost] if isinstance(found, Unreadable) else found
        kept: dict[str, str | None] = {name: None for name in live.parameters if name in known}
        return kept | dict(after.parameters)

    def _delete(self, place: _Place, before: StackState, live: Stack | None) -> Outcome:
        change = place.change
        if live is None:
            return gone(change)
        if not _is_ours(live, before):
            return moved(change, f"stack {place.name} does not carry the tags that ddsetup gave it")
        if live.status.endswith("_IN_PROGRESS"):
            # A run that was killed left it at work; its end does not matter, only that it has ended.
            self._follow(place, live.stack_id, "earlier", self._newest_event(place, live.stack_id))
            live = read_stack(self._aws, place.lane, live.stack_id)
            if live is None or live.status == "DELETE_COMPLETE":
                return gone(change)
        off = _parameters_off(live, before.parameters)
        if off:
            return moved(change, off)
        left = self._remove(place, live.stack_id)
        if left is None:
            self._bury_log_group(place, before)
        return left or applied(change)

    def _remove(self, place: _Place, stack_id: str) -> Outcome | None:
        """Delete a stack with what is in its buckets: None if it is gone, else the outcome.

        Until its function is gone the Forwarder goes on writing to its bucket, so that it may take more than
        one attempt. What Datadog did not take yet is not deleted unless the change says so.
        """
        left: Outcome | None = None
        buckets = stack_resources(self._aws, place.lane, stack_id, "AWS::S3::Bucket")
        for _ in range(_ATTEMPTS):
            left = self._kept_for_datadog(place, buckets) or self._empty_and_delete(place, stack_id, buckets)
            if left is None or left.details.get("left") != "bucket":
                break
        return left

    def _empty_and_delete(self, place: _Place, stack_id: str, buckets: Sequence[str]) -> Outcome | None:
        for bucket in buckets:
            count = empty(self._aws, place.lane, bucket)
            if count:
                self._say(place, f"{count} objects deleted from its bucket {bucket}", {})
        newest = self._newest_event(place, stack_id)
        delete_stack(self._aws, place.lane, stack_id)
        left = self._follow(place, stack_id, "delete", newest)
        if left is None and not _waiting(place.change):
            for bucket in buckets:
                # The template of durable executions keeps it when the stack goes; it is empty, and ours.
                delete_bucket(self._aws, place.lane, bucket)
        return left

    def _kept_for_datadog(self, place: _Place, buckets: Sequence[str]) -> Outcome | None:
        waiting = _waiting(place.change)
        if LOSE_FAILED_EVENTS in place.change.precondition:
            return None
        again = "keep what you need"
        if waiting:
            again = 'send it again (invoke the Forwarder with {"retry": true})'
        for bucket in buckets:
            if has_objects(self._aws, place.lane, bucket, waiting):
                return failed(
                    place.change,
                    f"its bucket {bucket} still holds what Datadog did not take ({waiting or 'all of it'}); "
                    "the stack is left as it is",
                    f"{again}, or lose it: ddsetup undo --delete-failed-events",
                )
        return None

    def _bury_log_group(self, place: _Place, state: StackState) -> None:
        """Delete the log group of a Forwarder that is gone, which Lambda makes anew for its last lines."""
        name = state.parameters.get("FunctionName", "")
        if not name or function_exists(self._aws, place.lane, name):
            return
        try:
            if delete_log_group(self._aws, place.lane, f"/aws/lambda/{name}"):
                self._say(place, f"log group /aws/lambda/{name} deleted, which Lambda had made anew", {})
        except GatewayError as error:
            self._say(place, f"log group /aws/lambda/{name} may be left: {error.what}", {})

    def _newest_event(self, place: _Place, stack_id: str) -> str:
        events = stack_events(self._aws, place.lane, stack_id)
        return events[-1].event_id if events else ""

    def _follow(self, place: _Place, stack_id: str, action: _Action, newest: str) -> Outcome | None:
        """Tell the events until CloudFormation is done: None if it went well, else the outcome."""
        seen: list[StackEvent] = []
        begun = self._clock.monotonic()
        while True:
            stack = read_stack(self._aws, place.lane, stack_id)
            fresh = self._fresh_events(place, stack_id, seen[-1].event_id if seen else newest)
            seen.extend(fresh)
            for event in fresh:
                self._tell(place, event)
            status = stack.status if stack is not None else "DELETE_COMPLETE"
            waited = self._clock.monotonic() - begun
            # Right after the request the status may still be the old one: then there is no event yet.
            stale = action in ("update", "delete") and not seen and waited < STARTS_WITHIN_SECONDS
            if not status.endswith("_IN_PROGRESS") and (status in _GOOD["delete"] or not stale):
                break
            if waited >= LONGEST_SECONDS:
                return failed(place.change, f"CloudFormation is still at it after an hour ({status})")
            self._clock.sleep(POLL_SECONDS)
        if status in _GOOD[action]:
            return None
        why = explain(seen, status, stack.status_reason if stack is not None else "")
        return failed(place.change, why.reason, why.fix, stack_status=status, **why.details)

    def _fresh_events(self, place: _Place, stack_id: str, newest: str) -> Sequence[StackEvent]:
        try:
            return stack_events(self._aws, place.lane, stack_id, newest)
        except NotFound:
            return ()
        except GatewayError as error:
            self._say(place, f"events cannot be read: {error.what}", {})
            return ()

    def _tell(self, place: _Place, event: StackEvent) -> None:
        text = f"{event.logical_id} {event.status}" + (f": {event.reason}" if event.reason else "")
        details = {
            "logical_id": event.logical_id,
            "resource_type": event.resource_type,
            "status": event.status,
            "reason": event.reason,
        }
        self._say(place, text, details)

    def _say(self, place: _Place, text: str, details: Mapping[str, str]) -> None:
        self._on_event(
            Event(
                kind="stack",
                at=self._clock.now(),
                resource=place.change.resource,
                step=place.change.step,
                text=text,
                details=details,
            )
        )


def _waiting(change: Change) -> str:
    state = change.before or change.after
    return failed_events(state) if isinstance(state, StackState) else FAILED_EVENTS


def _is_ours(live: Stack, state: StackState) -> bool:
    return bool(state.tags) and all(live.tags.get(key) == value for key, value in state.tags.items())


def _parameters_off(live: Stack, wanted: Mapping[str, str]) -> list[str]:
    """The parameters that differ, by name. What CloudFormation masks cannot be compared."""
    found = live.parameters
    return [f"parameter {name}" for name, value in wanted.items() if found.get(name) not in (value, MASKED)]

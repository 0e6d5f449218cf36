"""Writes how state machines log, and where stages of APIs write their access logs."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, failed, moved
from ddsetup.gateways.aws import apis, states
from ddsetup.gateways.aws.errors import RoleRefused
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import GatewayError
from ddsetup.model.services import ApiStage, ApiStageState, StateMachineSettings, StateMachineState
from ddsetup.plan.steps.sources.delivery import allow_delivery

_GONE = "it is not there any more"


class StateMachineWriter(OneByOne):
    """Sets the logging of state machines, then their tags; definition, role and all other tags stay.

    These are two or three calls. What an interrupted one left is as before in some parts and as after in the
    others, which counts as not moved.
    """

    def __init__(self, aws: Aws) -> None:
        super().__init__(None)
        self._aws = aws

    def write_one(self, change: Change) -> Outcome:
        before, after = change.before, change.after
        if not isinstance(before, StateMachineState) or not isinstance(after, StateMachineState):
            raise TypeError("not a change of a state machine")
        lane, arn = Lane(change.resource.account, change.resource.region), change.resource.id
        live = states.read_settings(self._aws, lane, arn)
        if live is None:
            return moved(change, _GONE)
        if isinstance(live, Unreadable):
            raise GatewayError(f"cannot look at the state machine: {live.reason}", action=live.action)
        owned = {*before.tags, *after.tags}
        tags = states.read_tags(self._aws, lane, arn) if owned else {}
        off = ["its logging"] if _logging(live) not in (_logging(before), _logging(after)) else []
        off += [f"tag {key}" for key in sorted(owned) if not _known(key, tags, before, after)]
        if off:
            return moved(change, off)
        wrong_tags = {key for key in owned if tags.get(key) != after.tags.get(key)}
        if _logging(live) == _logging(after) and not wrong_tags:
            return already_so(change)
        try:
            self._send(lane, arn, live, after, wrong_tags)
        except RoleRefused as error:
            return failed(change, error.what, allow_delivery(live.role))
        return applied(change)

    def _send(
        self,
        lane: Lane,
        arn: str,
        live: StateMachineSettings,
        after: StateMachineState,
        wrong_tags: set[str],
    ) -> None:
        if _logging(live) != _logging(after):
            wanted = StateMachineSettings(
                level=after.level,
                include_execution_data=after.include_execution_data,
                destinations=after.destinations,
            )
            states.set_logging(self._aws, lane, arn, wanted)
        fresh = {key: after.tags[key] for key in sorted(wrong_tags) if key in after.tags}
        if fresh:
            states.tag_state_machine(self._aws, lane, arn, fresh)
        gone = sorted(wrong_tags - set(fresh))
        if gone:
            states.untag_state_machine(self._aws, lane, arn, gone)


class ApiStageWriter(OneByOne):
    """Sets and takes away the access logs of stages; they work at once, without a deployment."""

    def __init__(self, aws: Aws) -> None:
        super().__init__(None)
        self._aws = aws
        self._lock = threading.Lock()
        self._of_api: dict[str, threading.Lock] = {}

    def write_one(self, change: Change) -> Outcome:
        """Stages of one API one after another: API Gateway refuses changes of it at the same time."""
        with self._lock:
            turn = self._of_api.setdefault(change.resource.id.partition("/")[0], threading.Lock())
        with turn:
            return self._write(change)

    def _write(self, change: Change) -> Outcome:
        before, after = change.before, change.after
        if not isinstance(before, ApiStageState) or not isinstance(after, ApiStageState):
            raise TypeError("not a change of an API's stage")
        api, _, stage = change.resource.id.partition("/")
        there = ApiStage(
            api_id=api,
            api_name=after.api,
            protocol=after.protocol,
            stage=stage,
            region=change.resource.region,
            account=change.resource.account,
        )
        live = apis.read_api_stage(self._aws, there)
        if live is None:
            return moved(change, _GONE)
        if isinstance(live, Unreadable):
            raise GatewayError(f"cannot look at the stage: {live.reason}", action=live.action)
        found = (live.destination, live.format)
        if found == (after.destination, after.format):
            return already_so(change)
        if found != (before.destination, before.format):
            return moved(change, "its access logs")
        apis.set_access_log(self._aws, there, after.destination, after.format)
        return applied(change)


def _logging(of: StateMachineSettings | StateMachineState) -> tuple[str, bool, tuple[str, ...]]:
    return of.level, of.include_execution_data, of.destinations


def _known(key: str, tags: Mapping[str, str], before: StateMachineState, after: StateMachineState) -> bool:
    """Whether a tag is as it was planned on, or already as it shall be."""
    return tags.get(key) in (before.tags.get(key), after.tags.get(key))

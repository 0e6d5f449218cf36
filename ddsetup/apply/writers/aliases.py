"""Publishes a version of a function and lets an alias serve it; moves the alias back.

AWS publishes no second version of the same code and configuration (PublishVersion API reference), so a
repetition finds the one that is there. A published version stays: nothing runs it unless it is asked for.
"""

from __future__ import annotations

from dataclasses import replace

from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, failed, moved
from ddsetup.gateways.aws.function_reads import function_configuration
from ddsetup.gateways.aws.functions import (
    move_alias,
    publish_version,
    read_alias,
    wait_published,
)
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane
from ddsetup.model.change import Change, Outcome
from ddsetup.model.clock import Clock
from ddsetup.model.errors import GatewayError, NotFound
from ddsetup.model.states import REF_VERSION, AliasState


class AliasWriter(OneByOne):
    """Moves aliases. The version is published before the change is recorded, as its number is issued then."""

    def __init__(self, aws: Aws, clock: Clock) -> None:
        super().__init__(None)
        self._aws = aws
        self._clock = clock

    def resolve(self, change: Change) -> Change:
        after = change.after
        if not isinstance(after, AliasState) or after.version != REF_VERSION:
            return change
        # Nothing but the code that is served already: somebody may have deployed since the plan was made.
        before, lane = change.before, _lane(change)
        served = before.version if isinstance(before, AliasState) else ""
        code = function_configuration(self._aws, lane, after.function, served).get("CodeSha256") or ""
        version = publish_version(self._aws, lane, after.function, code)
        return replace(change, after=replace(after, version=version))

    def write_one(self, change: Change) -> Outcome:
        before, after, lane = change.before, change.after, _lane(change)
        if not isinstance(before, AliasState) or not isinstance(after, AliasState):
            raise TypeError("an alias is neither created nor deleted here")
        try:
            live = read_alias(self._aws, lane, after.function, after.alias)
            if live.alias.version == after.version and not live.alias.weighted:
                return already_so(change)
            if live.alias.version != before.version or live.alias.weighted:
                return moved(change, f"the alias serves version {live.alias.version}")
            wait_published(self._aws, lane, after.function, after.version, self._clock)
            move_alias(self._aws, lane, after.function, after.alias, after.version, live.revision_id)
        except NotFound:
            return moved(change, "the alias or its version is gone", "")
        except GatewayError as error:
            return failed(change, error.what, error.fix or "the alias still serves what it served")
        return applied(change, f"{after.alias} serves version {after.version}", version=after.version)


def _lane(change: Change) -> Lane:
    return Lane(change.resource.account, change.resource.region)

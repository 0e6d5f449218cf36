"""One function with everything around it that decides how it is instrumented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ddsetup.facts import catalog, recognise
from ddsetup.facts.catalog import Family
from ddsetup.facts.edge import on_edge
from ddsetup.facts.ownership import Owner, arn_of_function, is_datadog_helper, is_forwarder, owner
from ddsetup.model.account import Function
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, ResourceId, Step
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.plan.steps.api_key import secret_id, secret_name

STEP = Step("instrument")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a function is left alone, and what to do instead. "unchanged": nothing needs to be done."""

    reason: str
    fix: str = ""
    unchanged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A function, its tags (empty if they could not be read), its owner, its region and what is wanted.

    `applied` and `tags_applied` are what earlier runs of ddsetup left in force on it. `secret_name` spares to
    look for what is the same for all of a region: see `secret`.
    """

    function: Function
    tags: Mapping[str, str]
    owner: Owner | None
    lane: LaneSnapshot
    answers: Answers
    applied: Change | None = None
    tags_applied: Change | None = None
    secret_name: str = ""

    @property
    def written_before(self) -> bool:
        """Whether an earlier run instrumented it: one that was killed may not have come to all of it."""
        return self.applied is not None and self.applied.step == STEP

    @property
    def env(self) -> Mapping[str, str]:
        """The function's variables; empty when they cannot be read, which is refused before."""
        return self.function.env or {}

    @property
    def family(self) -> Family | None:
        return catalog.family_of(self.function.runtime)

    @property
    def extension(self) -> bool:
        """Whether the function is to report through the Extension."""
        return self.answers.via == "extension"

    @property
    def starts_otherwise(self) -> str:
        """Why nothing but the Extension can be attached, empty if all can be.

        The function does not start by a handler that could be redirected, or Datadog's start-up script would
        need the place of another one.
        """
        script, runtime = recognise.foreign_wrapper(self.function), self.function.runtime
        if script and self.family is not None and self.family.wrapped:
            return f"{catalog.WRAPPER_VARIABLE} is {script}; Datadog needs that place for {runtime}"
        return recognise.stays_as_it_starts(self.function)

    @property
    def edge(self) -> str:
        """What tells that the function runs on Lambda@Edge; empty if nothing does."""
        return on_edge(self.function, self.lane)

    @property
    def datadogs_own(self) -> bool:
        """Whether it is a Forwarder, also one that only the answers name, or belongs to Datadog's stacks."""
        named = {arn_of_function(arn) for arn in self.answers.forwarder_arns}
        return (
            self.function.arn in named
            or is_forwarder(self.function, self.tags, self.lane)
            or is_datadog_helper(self.function, self.tags)
        )

    @property
    def secret(self) -> ResourceId:
        """The secret of ddsetup's own with the key of this run's site."""
        return secret_id(self.lane.lane, self.secret_name or secret_name(self.lane, self.answers.site))

    @property
    def resource(self) -> ResourceId:
        return function_resource(self.function)


def function_resource(function: Function) -> ResourceId:
    """The function's configuration as a resource."""
    return ResourceId("function", function.arn, function.region, function.account)


def tags_resource(function: Function) -> ResourceId:
    """The function's tags as a resource of their own: they are read and written by other calls."""
    return ResourceId("function_tags", function.arn, function.region, function.account)


def subject_of(function: Function, snapshot: Snapshot, answers: Answers) -> Subject:
    """The function in its surroundings."""
    lane = snapshot.lanes[function.lane]
    tags = lane.tags_of(function)
    applied = snapshot.applied or {}
    return Subject(
        function=function,
        tags=tags,
        owner=owner(function, tags),
        lane=lane,
        answers=answers,
        applied=applied.get(function_resource(function)),
        tags_applied=applied.get(tags_resource(function)),
    )

"""Which Forwarder serves a region: the one named, the best one found, or one to deploy.

The answer is needed before anything is deployed (log collection and subscription filters point to its
ARN), and it is known then, because a new Forwarder's function gets an explicit name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ddsetup.facts.catalog import FORWARDER_LAYER, parse_layer
from ddsetup.facts.recognise import mode_of
from ddsetup.facts.variables import SITE
from ddsetup.model.account import Forwarder, Function, Integration, Lane, Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.plan.select import select_in
from ddsetup.plan.steps.api_key import SITE_PARAMETER, made_by_us
from ddsetup.plan.steps.forwarder_stack import Obstacle, creation_obstacle, function_name
from ddsetup.plan.steps.wording import cannot_see, denied_action, listed

OLDEST_VERSION = (3,)
"""Forwarders before 3.0 were no stacks, and cannot be upgraded in place (datadog-serverless-functions)."""

_UNSETTLED = frozenset({"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"})
"""States of a stack in which its function is there but may be gone in a moment."""

_NOT_USABLE = _UNSETTLED | {"DELETE_FAILED"}
_WEAK_SIGNS = frozenset({"function", "filter"})
"""Ways of finding a Forwarder that also find what only resembles one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What serves a lane. `arn` is None if nothing does: not wanted, or `reason` says what is in the way, and
    `permission` what was denied when it was looked for.

    `forwarder` is the one found behind `arn`, None for one to deploy and for one that was named but not
    recognised.
    """

    how: Literal["unwanted", "named", "found", "deploy", "blocked"]
    arn: str | None = None
    forwarder: Forwarder | None = None
    reason: str = ""
    fix: str = ""
    permission: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """One lane with all that a decision about its Forwarder depends on."""

    lane: LaneSnapshot
    answers: Answers
    partition: str

    @property
    def region(self) -> str:
        return self.lane.lane.region


def choose(lane: Lane, snapshot: Snapshot, answers: Answers) -> Choice:
    """Decides for one lane. It looks through all functions there: call it per lane, not per function."""
    snap = snapshot.lanes[lane]
    named = [arn for arn in answers.forwarder_arns if lane_of(arn) == lane]
    if named:
        return Choice(how="named", arn=named[0], forwarder=_known(named[0], snap))
    if answers.via == "extension" or not (answers.logs or answers.traces or answers.enhanced_metrics):
        return Choice(how="unwanted", warnings=_left_at_another_site(snap, snapshot, answers))
    partition = partition_of_account(lane.account, snapshot)
    if partition == "aws-cn":
        return Choice(
            how="blocked",
            reason="Datadog publishes no Forwarder layer in AWS China",
            fix="name a Forwarder of your own: --forwarder-arn ARN",
        )
    if isinstance(snap.forwarders, Unreadable):
        return Choice(
            how="blocked",
            reason=cannot_see("which Forwarders exist", snap.forwarders),
            fix="grant the permission, or name one: --forwarder-arn ARN",
            permission=denied_action(snap.forwarders),
        )
    return _found_or_new(snap, snapshot, answers, partition)


def forwarder_arn(lane: Lane, snapshot: Snapshot, answers: Answers) -> str | None:
    """The ARN of the Forwarder that serves a lane once the plan is carried out.

    None: none is wanted (Extension mode without `--forwarder-arn`), or none can be had.
    """
    return choose(lane, snapshot, answers).arn


def check_arns(answers: Answers, lanes: Iterable[Lane]) -> None:
    """Raises UsageError for a `--forwarder-arn` of an account or region that this run does not look at, and
    for two of the same region."""
    held, seen = set(lanes), dict[Lane, str]()
    for arn in answers.forwarder_arns:
        lane = lane_of(arn)
        if lane is None:
            raise UsageError(f"not the ARN of a function: {arn}")
        if lane not in held:
            raise UsageError(
                f"Forwarder {arn} is in an account or region that this run is not about",
                where=", ".join(f"{at.account} {at.region}" for at in sorted(held)),
                fix="a Forwarder serves its own account and region only: name one there, or leave it out",
            )
        if lane in seen and seen[lane] != arn:
            raise UsageError(f"two Forwarders named for region {lane.region}: {seen[lane]} and {arn}")
        seen[lane] = arn


def lane_of(arn: str) -> Lane | None:
    """The account and region in a function's ARN, None if it is not one."""
    parts = arn.split(":")
    if len(parts) < 7 or parts[0] != "arn" or parts[2] != "lambda" or parts[5] != "function":
        return None
    return Lane(parts[4], parts[3])


def partition_of_account(account: str, snapshot: Snapshot) -> str:
    """The partition that an account of this run is in."""
    held = snapshot.accounts.get(account)
    return held.identity.partition if held else "aws"


def stack_of(forwarder: Forwarder, lane: LaneSnapshot) -> Stack | None:
    """The stack that made a Forwarder, None if there is none or it cannot be read."""
    if isinstance(lane.stacks, Unreadable) or not forwarder.stack:
        return None
    return next((s for s in lane.stacks if forwarder.stack in (s.name, s.stack_id)), None)


def site_of(forwarder: Forwarder, lane: LaneSnapshot) -> str | None:
    """The Datadog site a Forwarder sends to, by its environment or its stack; None if neither says."""
    function = _function(forwarder.arn, lane)
    if function and function.env and function.env.get(SITE):
        return function.env[SITE]
    stack = stack_of(forwarder, lane)
    return stack.parameters.get(SITE_PARAMETER) if stack else None


def version_of(forwarder: Forwarder) -> tuple[int, ...]:
    """A Forwarder's version for comparing; empty if unknown."""
    parts = (forwarder.version or "").split(".")
    return tuple(int(p) for p in parts) if all(p.isdecimal() for p in parts) else ()


def _found_or_new(lane: LaneSnapshot, snapshot: Snapshot, answers: Answers, partition: str) -> Choice:
    living = _living(lane)
    usable = usable_forwarders(lane, snapshot, answers)
    why_not = {
        f.arn: f"Forwarder {f.arn} is not used: {_why_not(f, lane, answers)}"
        for f in living
        if f not in usable
    }
    passed_over = tuple(why_not.values())
    if usable:
        best = usable[0]
        others = ", ".join(f.name for f in usable[1:])
        several = f"{len(usable)} Forwarders in {lane.lane.region}: {best.name} is used, not {others}"
        warnings = (*passed_over, several) if others else passed_over
        return Choice(how="found", arn=best.arn, forwarder=best, warnings=warnings)
    moving = next((f for f in living if _can_move(f, lane, answers)), None)
    left = left_behind(moving, lane, snapshot, answers) if moving else ()
    if moving and not left:
        about_others = tuple(said for arn, said in why_not.items() if arn != moving.arn)
        return Choice(how="found", arn=moving.arn, forwarder=moving, warnings=about_others)
    obstacle = _coming_or_going(living) or creation_obstacle(lane, answers)
    if moving and obstacle:
        obstacle = Obstacle(
            f"Forwarder {moving.name} sends to {site_of(moving, lane)}, also what functions report that are "
            f"not chosen: {listed(left)}",
            "choose these, too; or deploy beside it: --forwarder-stack NAME --forwarder-name NAME",
        )
    if obstacle:
        return Choice(
            how="blocked",
            reason=obstacle.reason,
            fix=obstacle.fix,
            permission=obstacle.permission,
            warnings=passed_over,
        )
    arn = f"arn:{partition}:lambda:{lane.lane.region}:{lane.lane.account}:function:{function_name(answers)}"
    return Choice(how="deploy", arn=arn, warnings=passed_over)


def left_behind(
    forwarder: Forwarder, lane: LaneSnapshot, snapshot: Snapshot, answers: Answers
) -> tuple[str, ...]:
    """The functions that report through a Forwarder, or may, and that this run does not choose: with it they
    would be moved to another site, too."""
    chosen = {f.arn for f in select_in(snapshot, answers.selection)} if answers.selection.given else None
    functions = () if isinstance(lane.functions, Unreadable) else lane.functions
    found = () if isinstance(lane.forwarders, Unreadable) else lane.forwarders
    own = {forwarder.arn, *(f.arn for f in found)}
    others = (f for f in functions if chosen is not None and f.arn not in {*chosen, *own})
    return tuple(f.name for f in others if mode_of(f) == "forwarder")


def _left_at_another_site(lane: LaneSnapshot, snapshot: Snapshot, answers: Answers) -> tuple[str, ...]:
    """Forwarders of ddsetup's that go on sending to another site while functions leave them as well."""
    moving = [f for f in _living(lane) if _can_move(f, lane, answers)]
    if not moving or answers.via != "extension":
        return ()
    chosen = (f for f in select_in(snapshot, answers.selection) if f.lane == lane.lane)
    if not any(mode_of(f) == "forwarder" for f in chosen):
        return ()
    return tuple(
        f"Forwarder {f.name} goes on sending to {site_of(f, lane)} what its log groups bring: lead it to "
        f"{answers.site} first (--via forwarder), and change to the Extension then"
        for f in moving
    )


def _can_move(forwarder: Forwarder, lane: LaneSnapshot, answers: Answers) -> bool:
    """Whether a Forwarder sends to another site, and its stack is ddsetup's to lead it to this one."""
    stack, site = stack_of(forwarder, lane), site_of(forwarder, lane)
    ours = stack is not None and made_by_us(stack.tags)
    return ours and bool(site) and site != answers.site and forwarder.stack_status not in _NOT_USABLE


def usable_forwarders(lane: LaneSnapshot, snapshot: Snapshot, answers: Answers) -> tuple[Forwarder, ...]:
    """The Forwarders of a lane that can serve it, the best one first: known to Datadog, then the newest."""
    registered = registered_arns(snapshot, lane.lane.account)
    usable = [f for f in _living(lane) if not _why_not(f, lane, answers)]
    return tuple(
        sorted(usable, key=lambda f: (f.arn in registered, version_of(f), f.arn), reverse=True),
    )


def _living(lane: LaneSnapshot) -> list[Forwarder]:
    if isinstance(lane.forwarders, Unreadable):
        return []
    return [f for f in lane.forwarders if f.region == lane.lane.region and _lives(f, lane)]


def registered_arns(snapshot: Snapshot, account: str) -> frozenset[str]:
    """The Forwarders that Datadog's record of the account names; empty if it cannot be read."""
    held = snapshot.accounts.get(account)
    integration = held.integration if held else None
    return frozenset(integration.lambdas) if isinstance(integration, Integration) else frozenset()


def other_site(snapshot: Snapshot, answers: Answers) -> tuple[str, str] | None:
    """The site that a region was set up for, with a Forwarder that sends there, where none sends to the one
    that is meant; None where that is not so, or no Forwarder is meant."""
    if answers.via == "extension" or answers.forwarder_arns:
        return None
    for _, lane in sorted(snapshot.lanes.items()):
        ways = [(site_of(forwarder, lane), forwarder.name) for forwarder in _living(lane)]
        elsewhere = [(site, name) for site, name in ways if site and site != answers.site]
        if ways and len(elsewhere) == len(ways):
            return elsewhere[0]
    return None


def _coming_or_going(living: Iterable[Forwarder]) -> Obstacle | None:
    """One that somebody deploys or deletes right now: what to do depends on how that ends."""
    for forwarder in living:
        if forwarder.stack_status in _UNSETTLED:
            reason = f"the stack of Forwarder {forwarder.name} is in the state {forwarder.stack_status}"
            return Obstacle(reason, "wait until it is done, then again")
    return None


def _why_not(forwarder: Forwarder, lane: LaneSnapshot, answers: Answers) -> str:
    if forwarder.stack_status in _NOT_USABLE:
        return f"its stack is in the state {forwarder.stack_status}"
    site = site_of(forwarder, lane)
    if site and site != answers.site:
        return f"it sends to {site}, not to {answers.site}"
    if forwarder.stack:
        return ""
    version = version_of(forwarder)
    if version and version < OLDEST_VERSION:
        return f"version {forwarder.version} is too old"
    if not version and set(forwarder.found_by) <= _WEAK_SIGNS and not _has_layer(forwarder, lane):
        return "it has no version: a release before 3.0, or no Forwarder; to use it: --forwarder-arn ARN"
    return ""


def _has_layer(forwarder: Forwarder, lane: LaneSnapshot) -> bool:
    function = _function(forwarder.arn, lane)
    layers = (parse_layer(layer.arn) for layer in function.layers) if function else ()
    return any(layer is not None and layer.name == FORWARDER_LAYER for layer in layers)


def _lives(forwarder: Forwarder, lane: LaneSnapshot) -> bool:
    """Whether the function is there: tags, stacks, filters and Datadog remember deleted ones for long."""
    return isinstance(lane.functions, Unreadable) or _function(forwarder.arn, lane) is not None


def _known(arn: str, lane: LaneSnapshot) -> Forwarder | None:
    if isinstance(lane.forwarders, Unreadable):
        return None
    return next((f for f in lane.forwarders if f.arn == arn), None)


def _function(arn: str, lane: LaneSnapshot) -> Function | None:
    if isinstance(lane.functions, Unreadable):
        return None
    return next((f for f in lane.functions if f.arn == arn), None)

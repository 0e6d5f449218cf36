"""Finding the Datadog Forwarders of a region among what was observed, in five ways. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ddsetup.facts import recognise
from ddsetup.facts.catalog import FORWARDER_LAYER, parse_layer
from ddsetup.facts.filters import FORWARDER_FILTERS
from ddsetup.facts.ownership import FORWARDER_TAG, STACK_TAG, is_datadog_helper
from ddsetup.model.account import (
    Forwarder,
    Function,
    Integration,
    Lane,
    Stack,
    SubscriptionFilter,
    Unreadable,
)

Tags: TypeAlias = Mapping[str, Mapping[str, str]]
Filters: TypeAlias = Mapping[str, tuple[SubscriptionFilter, ...] | Unreadable]

ARN_OUTPUT = "DatadogForwarderArn"
"""The output of the Forwarder's template, and of the quick start's root stack, which passes it on."""
_HANDLER = "lambda_function.lambda_handler"
_BUCKET_VARIABLE = "DD_S3_BUCKET_NAME"
_KEY_VARIABLE = "DD_API_KEY_SECRET_ARN"
"""Names that Datadog's automatic triggers and datadog-ci give to filters whose target is a Forwarder."""


@dataclass(slots=True)
class _Found:
    ways: dict[str, None] = field(default_factory=dict)
    stack: Stack | None = None


def find_forwarders(
    functions: Sequence[Function] | Unreadable,
    tags: Tags | Unreadable,
    stacks: Sequence[Stack] | Unreadable,
    integration: Integration | Unreadable | None = None,
    filters: Filters | None = None,
    *,
    lane: Lane,
) -> tuple[Forwarder, ...] | Unreadable:
    """Every Forwarder of the lane with the ways that gave it away: "tag", "stack", "function", "integration",
    "filter".

    Unreadable when none was found while functions, tags or stacks could not be read: then it is not known
    that there is none. Where the functions can be read, an ARN without a function is no Forwarder.
    """
    found: dict[str, _Found] = {}
    for way, arn in _signs(functions, tags, integration, filters or {}, lane):
        found.setdefault(arn, _Found()).ways[way] = None
    for stack in () if isinstance(stacks, Unreadable) else stacks:
        output = stack.outputs.get(ARN_OUTPUT, "")
        if _in_lane(output, lane):
            entry = found.setdefault(output, _Found())
            entry.ways["stack"] = None
            # The quick start's root stack has the same output; the nested one is the one to update.
            entry.stack = stack if entry.stack is None or stack.parent_id else entry.stack
    known = None if isinstance(functions, Unreadable) else {function.arn for function in functions}
    result = tuple(
        _forwarder(arn, found[arn], tags, stacks, lane)
        for arn in sorted(found)
        if known is None or arn in known
    )
    fault = next((read for read in (functions, tags, stacks) if isinstance(read, Unreadable)), None)
    return fault if fault is not None and not result else result


def _signs(
    functions: Sequence[Function] | Unreadable,
    tags: Tags | Unreadable,
    integration: Integration | Unreadable | None,
    filters: Filters,
    lane: Lane,
) -> Iterable[tuple[str, str]]:
    """Pairs of (way, ARN) for all ways but the stacks."""
    if not isinstance(tags, Unreadable):
        yield from (("tag", arn) for arn, pairs in tags.items() if FORWARDER_TAG in pairs)
    if not isinstance(functions, Unreadable):
        by_arn: Tags = {} if isinstance(tags, Unreadable) else tags
        for function in functions:
            if _looks_like_one(function) and not is_datadog_helper(function, by_arn.get(function.arn, {})):
                yield "function", function.arn
    if isinstance(integration, Integration):
        yield from (("integration", arn) for arn in integration.lambdas if _in_lane(arn, lane))
    for group in filters.values():
        for entry in () if isinstance(group, Unreadable) else group:
            if entry.name.startswith(FORWARDER_FILTERS) and _in_lane(entry.destination_arn, lane):
                yield "filter", entry.destination_arn


def _looks_like_one(function: Function) -> bool:
    """By its layer; or, as older ones were uploaded code, by handler and variables or name."""
    layers = [parse_layer(layer.arn) for layer in function.layers]
    if any(layer is not None and layer.name == FORWARDER_LAYER for layer in layers):
        return True
    if function.handler != _HANDLER or not (function.runtime or "").startswith("python"):
        return False
    # Consoles give every Python function this handler, and an instrumented one may hold the key's ARN.
    if recognise.datadog_layers(function):
        return False
    env = function.env or {}
    return _BUCKET_VARIABLE in env or _KEY_VARIABLE in env or recognise.forwarder_like(function.name)


def _forwarder(
    arn: str, found: _Found, tags: Tags | Unreadable, stacks: Sequence[Stack] | Unreadable, lane: Lane
) -> Forwarder:
    own = {} if isinstance(tags, Unreadable) else tags.get(arn, {})
    name = own.get(STACK_TAG) or (found.stack.name if found.stack else None)
    stack = found.stack
    if name and not isinstance(stacks, Unreadable):
        stack = next((s for s in stacks if s.name == name), stack)
    return Forwarder(
        arn=arn,
        name=arn.rsplit(":", 1)[-1],
        region=lane.region,
        version=own.get(FORWARDER_TAG) or None,
        stack=name,
        stack_status=stack.status if stack else None,
        nested=bool(stack and stack.parent_id),
        found_by=tuple(found.ways),
    )


def _in_lane(arn: str, lane: Lane) -> bool:
    parts = arn.split(":")
    return len(parts) == 7 and parts[2] == "lambda" and (parts[4], parts[3]) == (lane.account, lane.region)

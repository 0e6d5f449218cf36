"""What somebody changed of a function since, judged by what a change owns of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ddsetup.model.account import Function
from ddsetup.model.states import FunctionState


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the live function stands to a change, by the names of what it owns; never values.

    `not_before`: owned settings that are not as in `before`; `not_after`: those not as in `after`.
    """

    not_before: tuple[str, ...]
    not_after: tuple[str, ...]


def compare(live: Function, before: FunctionState, after: FunctionState) -> Comparison:
    """Compare the owned settings only. A setting equal on both sides of the change is not looked at, except
    variables: naming one makes it owned.
    """
    return Comparison(not_before=_off(live, before, after), not_after=_off(live, after, before))


def _off(live: Function, wanted: FunctionState, other: FunctionState) -> tuple[str, ...]:
    """What of the live function is not as the one side of a change says."""
    env = live.env or {}
    handler = wanted.handler not in (other.handler, live.handler)
    level = wanted.system_log_level not in (other.system_log_level, live.system_log_level)
    return (
        *(["handler"] if handler else []),
        *(f"variable {k}" for k in sorted({*wanted.env, *other.env}) if env.get(k) != wanted.env.get(k)),
        *_layers_off(live, wanted.layers, other.layers),
        *(["system log level"] if level else []),
    )


def _layers_off(live: Function, wanted: Sequence[str], other: Sequence[str]) -> list[str]:
    """The layers that differ between the two sides and are not attached as `wanted` says."""
    attached = {layer.arn for layer in live.layers}
    missing = [arn for arn in wanted if arn not in other and arn not in attached]
    extra = [arn for arn in other if arn not in wanted and arn in attached]
    return [f"layer {_layer_name(arn)}" for arn in (*missing, *extra)]


def _layer_name(arn: str) -> str:
    return ":".join(arn.split(":")[6:]) or arn

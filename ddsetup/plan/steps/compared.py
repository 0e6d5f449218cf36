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
    owned = sorted(set(before.env) | set(after.env))
    env = live.env or {}
    handler, logging = before.handler != after.handler, before.system_log_level != after.system_log_level
    return Comparison(
        not_before=(
            *(["handler"] if handler and live.handler != before.handler else []),
            *(f"variable {key}" for key in owned if env.get(key) != before.env.get(key)),
            *_layers_off(live, before.layers, after.layers),
            *(["system log level"] if logging and live.system_log_level != before.system_log_level else []),
        ),
        not_after=(
            *(["handler"] if handler and live.handler != after.handler else []),
            *(f"variable {key}" for key in owned if env.get(key) != after.env.get(key)),
            *_layers_off(live, after.layers, before.layers),
            *(["system log level"] if logging and live.system_log_level != after.system_log_level else []),
        ),
    )


def _layers_off(live: Function, wanted: Sequence[str], other: Sequence[str]) -> list[str]:
    """The layers that differ between the two sides and are not attached as `wanted` says."""
    attached = {layer.arn for layer in live.layers}
    missing = [arn for arn in wanted if arn not in other and arn not in attached]
    extra = [arn for arn in other if arn not in wanted and arn in attached]
    return [f"layer {_layer_name(arn)}" for arn in (*missing, *extra)]


def _layer_name(arn: str) -> str:
    return ":".join(arn.split(":")[6:]) or arn

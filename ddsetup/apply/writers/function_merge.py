"""The three-way merge of a function: what a change owns, laid over what is there now. Pure.

`before` and `after` say what ddsetup owns; the live function has the rest, which comes out as it was: other
variables, layers of other vendors and their order, a handler that the change does not touch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ddsetup.gateways.aws.functions import FunctionUpdate
from ddsetup.model.account import Function
from ddsetup.model.states import FunctionState

MOST_LAYERS = 5
"""Layers that a function can have (AWS Lambda quotas page)."""


def merged(live: Function, before: FunctionState, after: FunctionState) -> FunctionUpdate:
    """The one update that takes the live function from `before` to `after`.

    Only what differs is part of it. The environment must be readable (`live.env` is not None).
    """
    assert live.env is not None
    owned = set(before.env) | set(after.env)
    env = {key: value for key, value in live.env.items() if key not in owned or key in after.env}
    env.update(after.env)
    attached = tuple(layer.arn for layer in live.layers)
    layers = merge_layers(attached, before.layers, after.layers)
    return FunctionUpdate(
        revision_id=live.revision_id,
        handler=after.handler if after.handler != before.handler else None,
        layers=layers if layers != attached else None,
        env=env if env != dict(live.env) else None,
        logging=_logging(live, after.system_log_level)
        if before.system_log_level != after.system_log_level
        else None,
    )


def merge_layers(live: Sequence[str], before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """The live list with what the change takes out and puts in.

    A list that is as it was planned on becomes `after` to the letter. Otherwise a layer that takes the place
    of another one takes it here, too, and one that is put in comes behind the one that precedes it in
    `after`, or before the one that follows it: the others keep their order.
    """
    if tuple(live) == tuple(before):
        return tuple(after)
    pairs = zip(before, after, strict=False)
    heirs = {old: new for old, new in pairs if old not in after and new not in before and new not in live}
    result = [heirs.get(arn, arn) for arn in live if arn in heirs or arn in after or arn not in before]
    for position, arn in enumerate(after):
        if arn in before or arn in result:
            continue
        earlier = next((a for a in reversed(after[:position]) if a in result), None)
        later = next((a for a in after[position:] if a in result), None)
        if earlier is not None:
            result.insert(result.index(earlier) + 1, arn)
        elif later is not None:
            result.insert(result.index(later), arn)
        else:
            result.append(arn)
    return tuple(result)


def moved_besides_revision(planned: Function, live: Function) -> bool:
    """Whether anything moved but the revision and what AWS itself keeps track of.

    Tags, a permission or a finished update move a function's RevisionId without touching its configuration.
    """
    return _still(planned) != _still(live)


def _still(function: Function) -> Function:
    return replace(
        function, revision_id="", last_modified="", state=None, last_update_status=None, versions=()
    )


def _logging(live: Function, level: str | None) -> Mapping[str, str]:
    """AWS's LoggingConfig with one level set and the others carried over, since it replaces the whole."""
    config = {"LogFormat": live.log_format, "LogGroup": live.log_group}
    if live.application_log_level:
        config["ApplicationLogLevel"] = live.application_log_level
    if level:
        config["SystemLogLevel"] = level
    return config

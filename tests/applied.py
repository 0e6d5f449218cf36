"""What a function looks like after a change was written: the merge that AWS and the writer do together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ddsetup.model.account import Function, Layer, Unreadable
from ddsetup.model.change import Change
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import REF_SECRET, FunctionState, TagsState


def applied(function: Function, change: Change) -> Function:
    """The function after `change`, which must have been planned on this very function."""
    before, after = change.before, change.after
    assert isinstance(before, FunctionState)
    assert isinstance(after, FunctionState)
    assert function.env is not None
    assert function.handler == before.handler
    assert tuple(layer.arn for layer in function.layers) == before.layers
    owned = {*before.env, *after.env}
    assert {k: v for k, v in function.env.items() if k in owned} == before.env
    env = {k: v for k, v in function.env.items() if k not in owned}
    env |= {k: _issued(v, function) for k, v in after.env.items()}
    sizes = {layer.arn: layer.code_size for layer in function.layers}
    level = function.system_log_level
    if before.system_log_level != after.system_log_level:
        level = after.system_log_level
    return replace(
        function,
        handler=after.handler,
        layers=tuple(Layer(arn, sizes.get(arn, 0)) for arn in after.layers),
        env=env,
        system_log_level=level,
        revision_id=f"{function.revision_id}+",
    )


def carried_out(snapshot: Snapshot, changes: Iterable[Change]) -> Snapshot:
    """The snapshot after all changes of functions and their tags."""
    by_kind: dict[tuple[str, str], Change] = {(c.resource.kind, c.resource.id): c for c in changes}
    return replace(snapshot, lanes={lane: _lane(held, by_kind) for lane, held in snapshot.lanes.items()})


def _lane(lane: LaneSnapshot, changes: Mapping[tuple[str, str], Change]) -> LaneSnapshot:
    assert not isinstance(lane.functions, Unreadable)
    functions = []
    tags = {} if isinstance(lane.tags, Unreadable) else dict(lane.tags)
    for function in lane.functions:
        change = changes.get(("function", function.arn))
        functions.append(applied(function, change) if change else function)
        tagging = changes.get(("function_tags", function.arn))
        if tagging:
            tags[function.arn] = _tagged(tags.get(function.arn, {}), tagging)
    return replace(
        lane, functions=tuple(functions), tags=lane.tags if isinstance(lane.tags, Unreadable) else tags
    )


def _tagged(tags: Mapping[str, str], change: Change) -> Mapping[str, str]:
    before, after = change.before, change.after
    owned: dict[str, str] = {}
    if isinstance(before, TagsState):
        assert {k: v for k, v in tags.items() if k in before.tags} == before.tags
        owned |= before.tags
    left = {k: v for k, v in tags.items() if k not in owned}
    return {**left, **(after.tags if isinstance(after, TagsState) else {})}


def _issued(value: str, function: Function) -> str:
    if not value.startswith(REF_SECRET):
        return value
    name = value.removeprefix(REF_SECRET)
    return f"arn:aws:secretsmanager:{function.region}:{function.account}:secret:{name}-AbCdEf"

"""Monitors that ddsetup made (`/api/v1/monitor`). They are known by their tags, never by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.pages import Items, by_number
from ddsetup.gateways.datadog.shapes import ANYTHING, Shape
from ddsetup.model.account import Json
from ddsetup.model.states import MonitorState

READ = "monitors_read"
WRITE = "monitors_write"

CREATED_BY = "created_by:ddsetup"
KEY_TAG = "serverless_monitor_id:"
SCOPE_TAG = "ddsetup_scope:"
TYPE, LOGS = "query alert", "log alert"
"""The types of monitors on metrics and on logs."""

_MONITORS = "/api/v1/monitor"
_PAGE = 1_000
_MONITOR: Shape = {
    "id": int,
    "name": str,
    "query": str,
    "type?": str,
    "message?": str,
    "tags": [str],
    "options?": {},
}


@dataclass(frozen=True, slots=True)
class LiveMonitor:
    """A monitor as Datadog keeps it. `state` holds all its options, those of its users among them."""

    number: int
    state: MonitorState
    options: Mapping[str, Json] = field(default_factory=dict)


def identity_tags(key: str, scope: str) -> tuple[str, ...]:
    """The tags by which a monitor is found again."""
    return (CREATED_BY, f"{KEY_TAG}{key}", f"{SCOPE_TAG}{scope}")


def find_monitors(dd: Datadog, *tags: str) -> tuple[LiveMonitor, ...]:
    """The monitors that ddsetup made and that have these tags too, the oldest first.

    Raises Denied when `monitors_read` is missing.
    """
    wanted = ",".join((CREATED_BY, *(tag for tag in tags if tag != CREATED_BY)))

    def read(page: int) -> Items:
        query = {"monitor_tags": wanted, "page": str(page), "page_size": str(_PAGE)}
        monitors: Items = dd.get(_MONITORS, action=READ, query=query, shape=[_MONITOR])
        return monitors

    found = (_live(monitor) for monitor in by_number(read, _PAGE))
    return tuple(sorted(found, key=lambda live: live.number))


def validate_monitor(dd: Datadog, state: MonitorState) -> None:
    """Have Datadog check a definition. Raises Rejected with its reason."""
    dd.post(f"{_MONITORS}/validate", _body(state), action=READ, shape=ANYTHING)


def create_monitor(dd: Datadog, state: MonitorState) -> int:
    """Create the monitor, once, whatever becomes of the answers; its number."""

    def look() -> Json | None:
        there = find_monitors(dd, *identity_tags(state.key, state.scope))
        return next(({"id": live.number} for live in there if same(owned_part(live, state), state)), None)

    made = dd.create(_MONITORS, _body(state), action=WRITE, shape={"id": int}, look=look)
    return int(made["id"])


def update_monitor(dd: Datadog, live: LiveMonitor, before: MonitorState, after: MonitorState) -> None:
    """Make of `live` what `after` says; its options that neither side owns keep their value."""
    kept = {name: value for name, value in live.options.items() if name not in before.options}
    foreign = tuple(tag for tag in live.state.tags if tag not in (*before.tags, *after.tags))
    state = replace(after, options={**kept, **after.options}, tags=(*after.tags, *foreign))
    body = {name: value for name, value in _body(state).items() if name != "type"}
    dd.call("PUT", f"{_MONITORS}/{live.number}", action=WRITE, body=body, shape=_MONITOR)


def delete_monitor(dd: Datadog, number: int) -> None:
    """Delete a monitor. Raises NotFound when it is not there any more."""
    dd.call("DELETE", f"{_MONITORS}/{number}", action=WRITE, shape={"deleted_monitor_id": int})


def owned_part(live: LiveMonitor, wanted: MonitorState) -> MonitorState:
    """Of a monitor that is there, what `wanted` would set: what a change holds as `before`."""
    options = {name: live.options[name] for name in wanted.options if name in live.options}
    tags = tuple(tag for tag in wanted.tags if tag in live.state.tags)
    return replace(live.state, options=options, tags=tags)


def same(one: MonitorState, other: MonitorState) -> bool:
    """Whether two definitions mean the same: white space in queries does not count, nor the order of tags."""
    return not differing(one, other)


def differing(one: MonitorState, other: MonitorState) -> tuple[str, ...]:
    """The names of the fields in which two definitions differ."""
    pairs = {
        "name": (one.name, other.name),
        "query": ("".join(one.query.split()), "".join(other.query.split())),
        "message": (one.message.strip(), other.message.strip()),
        "tags": (set(one.tags), set(other.tags)),
        "options": (one.options, other.options),
    }
    return tuple(name for name, (left, right) in pairs.items() if left != right)


def _live(monitor: Json) -> LiveMonitor:
    tags, options = monitor["tags"], monitor.get("options") or {}
    state = MonitorState(
        key=tag_value(tags, KEY_TAG),
        scope=tag_value(tags, SCOPE_TAG),
        name=monitor["name"],
        query=monitor["query"],
        type=monitor.get("type") or TYPE,
        message=monitor.get("message") or "",
        tags=tuple(tags),
        options=options,
    )
    return LiveMonitor(monitor["id"], state, options)


def tag_value(tags: Sequence[str], prefix: str) -> str:
    """What stands after a prefix in the first tag that begins with it."""
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), "")


def _body(state: MonitorState) -> dict[str, Json]:
    return {
        "name": state.name,
        "type": state.type,
        "query": state.query,
        "message": state.message,
        "tags": list(state.tags),
        "options": dict(state.options),
    }

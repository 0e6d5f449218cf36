"""Service level objectives that ddsetup made (`/api/v1/slo`). Known by their tags, as monitors are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.monitors import CREATED_BY, KEY_TAG, SCOPE_TAG, identity_tags, tag_value
from ddsetup.gateways.datadog.pages import Items, by_number
from ddsetup.gateways.datadog.shapes import Shape
from ddsetup.gateways.datadog.telemetry import path_in
from ddsetup.model.account import Json
from ddsetup.model.states import SloState

READ = "slos_read"
WRITE = "slos_write"
EVENTS, TIME = "metric", "time_slice"
"""The types: good events among all, and the time in which something is so."""

_SLOS = "/api/v1/slo"
_PAGE = 1_000
_QUERY = "query1"
_SLO: Shape = {
    "id": str,
    "name": str,
    "type": str,
    "description?": str,
    "tags?": [str],
    "thresholds": [{"target": float, "timeframe": str}],
    "query?": {},
    "sli_specification?": {},
}


@dataclass(frozen=True, slots=True)
class LiveSlo:
    """An objective as Datadog keeps it."""

    number: str
    state: SloState


def find_slos(dd: Datadog, *tags: str) -> tuple[LiveSlo, ...]:
    """The objectives that ddsetup made and that have these tags too.

    Datadog filters by one tag only. Raises Denied when `slos_read` is missing.
    """

    def read(page: int) -> Items:
        query = {"tags_query": CREATED_BY, "limit": str(_PAGE), "offset": str(page * _PAGE)}
        found: Items = dd.get(_SLOS, action=READ, query=query, shape={"data": [_SLO]})["data"]
        return found

    found = (_live(slo) for slo in by_number(read, _PAGE))
    return tuple(live for live in found if {CREATED_BY, *tags} <= set(live.state.tags))


def create_slo(dd: Datadog, state: SloState) -> str:
    """Create the objective, once, whatever becomes of the answers; its id."""

    def look() -> Json | None:
        there = find_slos(dd, *identity_tags(state.key, state.scope))
        same = (live for live in there if not differing(owned_part(live, state), state))
        return next(({"data": [{"id": live.number}]} for live in same), None)

    shape: Shape = {"data": [{"id": str}]}
    return str(dd.create(_SLOS, _body(state), action=WRITE, shape=shape, look=look)["data"][0]["id"])


def update_slo(dd: Datadog, live: LiveSlo, before: SloState, after: SloState) -> None:
    """Make of `live` what `after` says; tags that neither side owns stay."""
    foreign = tuple(tag for tag in live.state.tags if tag not in (*before.tags, *after.tags))
    body = _body(replace(after, tags=(*after.tags, *foreign)))
    dd.call("PUT", f"{_SLOS}/{live.number}", action=WRITE, body=body, shape={"data": [_SLO]})


def delete_slo(dd: Datadog, number: str) -> None:
    """Delete an objective. Raises NotFound when it is not there any more, Rejected when it is in use."""
    dd.call("DELETE", f"{_SLOS}/{number}", action=WRITE, shape={"data": [str]})


def owned_part(live: LiveSlo, wanted: SloState) -> SloState:
    """Of an objective that is there, what `wanted` would set."""
    return replace(live.state, tags=tuple(tag for tag in wanted.tags if tag in live.state.tags))


def differing(one: SloState, other: SloState) -> tuple[str, ...]:
    """The names of the fields in which two objectives differ."""
    pairs = {
        "name": (one.name, other.name),
        "description": (one.description.strip(), other.description.strip()),
        "measure": (_plain(one.measure), _plain(other.measure)),
        "target": ((one.target, one.timeframe), (other.target, other.timeframe)),
        "tags": (set(one.tags), set(other.tags)),
    }
    return tuple(name for name, (left, right) in pairs.items() if left != right)


def _plain(measure: Mapping[str, Json]) -> Mapping[str, Json]:
    return {
        name: "".join(value.split()) if isinstance(value, str) else value for name, value in measure.items()
    }


def _live(slo: Json) -> LiveSlo:
    tags = slo.get("tags") or ()
    threshold: Mapping[str, Json] = next(iter(slo["thresholds"]), {})
    state = SloState(
        key=tag_value(tags, KEY_TAG),
        scope=tag_value(tags, SCOPE_TAG),
        name=slo["name"],
        type=slo["type"],
        measure=_measure(slo),
        target=float(threshold.get("target", 0)),
        timeframe=str(threshold.get("timeframe", "")),
        description=slo.get("description") or "",
        tags=tuple(tags),
    )
    return LiveSlo(slo["id"], state)


def _measure(slo: Json) -> Mapping[str, Json]:
    if slo["type"] == EVENTS:
        query = slo.get("query") or {}
        return {"good": query.get("numerator"), "total": query.get("denominator")}
    held = path_in(slo, "sli_specification", "time_slice") or {}
    queries = path_in(held, "query", "queries") or [{}]
    return {
        "query": path_in(queries[0], "query"),
        "comparator": path_in(held, "comparator"),
        "threshold": path_in(held, "threshold"),
    }


def _body(state: SloState) -> dict[str, Json]:
    body: dict[str, Json] = {
        "name": state.name,
        "type": state.type,
        "description": state.description,
        "tags": list(state.tags),
        "thresholds": [{"target": state.target, "timeframe": state.timeframe}],
    }
    measure = state.measure
    if state.type == EVENTS:
        return body | {"query": {"numerator": measure["good"], "denominator": measure["total"]}}
    queries = [{"data_source": "metrics", "name": _QUERY, "query": measure["query"]}]
    condition = {
        "query": {"formulas": [{"formula": _QUERY}], "queries": queries},
        "comparator": measure["comparator"],
        "threshold": measure["threshold"],
    }
    return body | {"sli_specification": {"time_slice": condition}}

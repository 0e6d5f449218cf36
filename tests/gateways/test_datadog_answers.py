"""Answers of Datadog that are none: refused in words, bounded in size, depth and time, never "not there"."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsetup.gateways.datadog import (
    catalogues,
    event_search,
    events,
    health,
    keys,
    series,
    sightings,
    telemetry,
)
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.dashboards import create_dashboard, find_dashboards
from ddsetup.gateways.datadog.faults import Misread
from ddsetup.gateways.datadog.integration import (
    delete_integration,
    get_integration,
    new_external_id,
    read_integration,
)
from ddsetup.gateways.datadog.metric_tags import list_distributions, read_configuration, tag_keys
from ddsetup.gateways.datadog.monitors import create_monitor, delete_monitor, find_monitors
from ddsetup.gateways.datadog.shapes import ANYTHING, mismatch, parse_json
from ddsetup.gateways.datadog.slos import create_slo, find_slos
from ddsetup.model.account import Unreadable
from ddsetup.model.errors import GatewayError, NotFound
from ddsetup.model.states import DashboardState
from ddsetup.monitors.objectives import parse_slo, slos_for
from ddsetup.monitors.wish import Wish, monitors_for
from tests.builders import function
from tests.gateways.bare_servers import going_on
from tests.gateways.datadog_world import World, datadog

ACCOUNT = "123456789012"
CONFIG = "7b0d0a6c-39c4-4d32-8f3c-1d5ba1ed6c0a"
HTML = "<html><body>502 proxy</body></html>"

ODD: dict[str, dict[str, Any]] = {
    "no content": {"status": 200, "raw": ""},
    "204": {"status": 204},
    "304": {"status": 304},
    "null": {"status": 200, "body": None},
    "an empty object": {"status": 200, "body": {}},
    "an empty list in it": {"status": 200, "body": [{}]},
    "data null": {"status": 200, "body": {"data": None}},
    "data of another kind": {"status": 200, "body": {"data": "x", "dashboards": 3, "indexes": {}}},
    "a number": {"status": 200, "raw": "7"},
    "NaN": {"status": 200, "raw": '{"data": [NaN]}'},
    "beyond all numbers": {"status": 200, "raw": '{"data": 1e999}'},
    "a bottomless list": {"status": 200, "raw": "[" * 100_000},
    "a deep list": {"status": 200, "raw": "[" * 500 + "]" * 500},
    "half an answer": {"status": 200, "raw": '{"data": ['},
    "a page": {"status": 200, "raw": HTML, "content_type": "text/html"},
    "a redirect": {"status": 302, "headers": {"Location": "https://login.example.com/"}},
    "a page with 404": {"status": 404, "raw": HTML, "content_type": "text/html"},
    "an empty 404": {"status": 404, "raw": ""},
    "a 400 in Latin-1": {"status": 400, "raw": "\udce9"},
}
"""What proxies, caches, load balancers and half-broken services send."""


def _window(world: World) -> telemetry.Window:
    return telemetry.Window(world.now(), world.now())


ORDERS = [function("orders", account=ACCOUNT)]
READERS: dict[str, Any] = {
    "integration": lambda dd, _: _raised(read_integration(dd, ACCOUNT)),
    "integration by id": lambda dd, _: get_integration(dd, CONFIG),
    "external id": lambda dd, _: new_external_id(dd),
    "monitors": lambda dd, _: find_monitors(dd),
    "objectives": lambda dd, _: find_slos(dd),
    "dashboards": lambda dd, _: find_dashboards(dd, "Shop"),
    "distributions": lambda dd, _: list_distributions(dd, "*", 60),
    "tags of a metric": lambda dd, _: tag_keys(dd, "a.b"),
    "logs": lambda dd, window: event_search.search_logs(dd, window, "x"),
    "count of logs": lambda dd, window: event_search.count_logs(dd, window, "x"),
    "spans": lambda dd, window: event_search.search_spans(dd, window, "x"),
    "duration of spans": lambda dd, window: event_search.span_duration(dd, window, "x", "max"),
    "sightings in logs": lambda dd, window: list(sightings.log_sightings(dd, window, ORDERS)),
    "sightings in spans": lambda dd, window: list(sightings.span_sightings(dd, window, ORDERS)),
    "carriers": events.log_carriers,
    "points": lambda dd, window: series.timeseries(dd, window, {"a": "avg:a.b{*}"}),
    "values": lambda dd, window: telemetry.metrics_seen(dd, window, ("a.b",)),
    "indexes": lambda dd, _: _raised(health.log_indexes(dd)),
}


def _raised(found: Any) -> Any:
    if isinstance(found, Unreadable):
        raise GatewayError(found.reason, action=found.action)
    return found


@pytest.fixture(scope="module")
def started() -> Iterator[World]:
    with datadog() as world:
        yield world


@pytest.fixture
def world(started: World) -> Iterator[World]:
    yield started
    started.standin.server.world.faults.clear()


@pytest.mark.parametrize("odd", ODD)
def test_no_reader_takes_an_odd_answer_for_nothing_there(world: World, odd: str) -> None:
    dd = world.connect()
    for name, read in READERS.items():
        world.standin.server.world.faults.clear()
        world.fault("/api/*", **ODD[odd], times=9)
        with pytest.raises(GatewayError) as caught:
            read(dd, _window(world))
        assert not isinstance(caught.value, NotFound), name
        assert caught.value.what, name


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_is_neither_a_valid_key_nor_an_invalid_one(world: World, odd: str) -> None:
    world.fault("/api/v1/validate", **ODD[odd], times=9)
    with pytest.raises(GatewayError):
        keys.check_keys(world.connect(), needed=())


@pytest.mark.parametrize("odd", [o for o in ODD if "404" in o or "304" in o or o == "an empty object"])
def test_what_was_not_answered_for_is_not_deleted(world: World, odd: str) -> None:
    """A 404 of something on the way is not Datadog's "not found"."""
    dd = world.connect()
    world.fault("/api/*", **ODD[odd], times=3)
    with pytest.raises(Misread):
        delete_integration(dd, CONFIG)
    with pytest.raises(Misread):
        delete_monitor(dd, 1)
    with pytest.raises(Misread):
        read_configuration(dd, "a.b")


@pytest.mark.parametrize("odd", ODD)
def test_a_catalogue_falls_back_to_the_copy(world: World, odd: str) -> None:
    world.fault("/api/*", **ODD[odd], times=9)
    assert catalogues.namespaces(world.connect())[1] == "bundled"


def test_the_words_say_what_was_expected_and_where(world: World) -> None:
    account = {"id": CONFIG, "attributes": {"aws_account_id": ACCOUNT, "auth_config": {"role_name": 7}}}
    world.fault("/api/v2/integration/*", status=200, body={"data": [account]})
    found = read_integration(world.connect(), ACCOUNT)
    assert isinstance(found, Unreadable)
    assert "data[0].attributes.auth_config.role_name is a whole number, not a text" in found.reason
    world.fault("/api/v2/integration/*", **ODD["a redirect"])
    found = read_integration(world.connect(), ACCOUNT)
    assert isinstance(found, Unreadable)
    assert "302, a redirect to login.example.com" in found.reason


def test_keys_do_not_follow_a_redirect(world: World) -> None:
    to = f"{world.standin.server.url}/api/v1/stolen"
    world.fault("/api/v2/integration/*", status=307, headers={"Location": to})
    assert isinstance(read_integration(world.connect(), ACCOUNT), Unreadable)
    assert world.calls("/stolen") == []


def test_an_answer_that_drips_has_an_end(world: World) -> None:
    world.fault("/api/v2/integration/*", status=200, body={"data": []}, drip=0.05)
    began = time.monotonic()
    with pytest.raises(GatewayError, match="did not end within"):
        world.connect(patience=0.2).get("/api/v2/integration/aws/accounts", action="x", shape=ANYTHING)
    assert time.monotonic() - began < 5


def test_an_answer_that_is_too_large_is_not_taken_in(world: World) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"
    with going_on(head, b"x" * 1_000_000) as url, pytest.raises(GatewayError, match="larger than 64 MB"):
        world.connect(url=url).get("/api/v2/integration/aws/accounts", action="x", shape=ANYTHING)


@pytest.mark.parametrize("reset", ["nan", "inf", "-5", "soon"])
def test_an_odd_header_is_waited_for_like_none(world: World, reset: str) -> None:
    world.slept.clear()
    world.fault("/api/v2/integration/*", status=429, headers={"X-RateLimit-Reset": reset})
    dd = world.connect()
    assert dd.get("/api/v2/integration/aws/accounts", action="x", shape={"data": [{}]}) == {"data": []}
    assert world.slept == [1.0]


# --- what makes something new at every call

LOST: dict[str, dict[str, Any]] = {
    "the connection": {"status": None},
    "a gateway's error": {"status": 502, "raw": HTML},
    "an empty answer": {"status": 200, "body": {}},
}
MONITOR = monitors_for(Wish(keys=("timeout",)))[0]
SLO = slos_for([parse_slo("high_error_rate=99.9")], Wish())[0]
DASHBOARD = DashboardState(title="Shop", description="Made by ddsetup", layout_type="ordered", widgets=[])
MADE: dict[str, Any] = {
    "/api/v1/monitor": lambda dd: create_monitor(dd, MONITOR),
    "/api/v1/slo": lambda dd: create_slo(dd, SLO),
    "/api/v1/dashboard": lambda dd: create_dashboard(dd, DASHBOARD),
}


def _documents(world: World) -> int:
    documents = world.standin.server.world.documents
    return len(documents.monitors) + len(documents.slos) + len(documents.dashboards)


@pytest.fixture
def empty(world: World) -> World:
    documents = world.standin.server.world.documents
    documents.monitors.clear()
    documents.slos.clear()
    documents.dashboards.clear()
    return world


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("path", MADE)
def test_lost_answers_make_one(empty: World, path: str, lost: str) -> None:
    empty.fault(path, method="POST", **LOST[lost], after_effect=True, times=9)
    MADE[path](empty.connect())
    assert _documents(empty) == 1


@pytest.mark.parametrize("path", MADE)
def test_a_call_that_had_no_effect_is_made_again(empty: World, path: str) -> None:
    empty.fault(path, method="POST", status=503, times=2)
    MADE[path](empty.connect())
    assert _documents(empty) == 1


@pytest.mark.parametrize("path", MADE)
def test_nothing_is_sent_again_while_nobody_can_look(empty: World, path: str) -> None:
    empty.fault(path, method="POST", status=None, after_effect=True)
    empty.fault(path, method="GET", status=200, body={}, times=9)
    with pytest.raises(GatewayError, match="it may have taken effect all the same"):
        MADE[path](empty.connect())
    assert _documents(empty) == 1


# --- shapes


@pytest.mark.parametrize(
    ("document", "shape", "said"),
    [
        ({"a": 1, "more": 2}, {"a": int}, ""),
        ({}, {"a?": int}, ""),
        ({"a": None}, {"a?": int}, ""),
        ({"a": None}, {"a": int}, "a is null, not a whole number"),
        ({}, {"a": int}, "a is missing"),
        ({}, {"a": ANYTHING}, "a is missing"),
        ({"a": True}, {"a": int}, "a is true or false, not a whole number"),
        ({"a": 1}, {"a": float}, ""),
        ([{"a": []}, {"a": {}}], [{"a": [str]}], "[1].a is an object, not a list"),
        (None, {}, "the whole is null, not an object"),
        (None, type(None), ""),
        ({}, type(None), "the whole is an object, not null"),
    ],
)
def test_what_does_not_fit_is_named(document: Any, shape: Any, said: str) -> None:
    assert mismatch(document, shape) == said


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_is_read_as_it_is(document: Any) -> None:
    assert parse_json(json.dumps(document).encode()) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_a_reason(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse_json(data)


def test_a_client_can_be_told_how_long_to_wait(world: World) -> None:
    assert isinstance(world.connect(patience=1.0), Datadog)

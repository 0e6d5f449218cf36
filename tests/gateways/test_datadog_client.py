"""The connection to Datadog: what it does when calls fail, and that keys never leave it."""

from __future__ import annotations

import http.server
import logging
import pickle
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis.vendor.pretty import pretty
from rich.pretty import pretty_repr

from ddsetup.gateways.datadog.client import Datadog, DatadogKeys, _transport
from ddsetup.gateways.datadog.faults import RateLimited, Rejected, error_texts
from ddsetup.gateways.datadog.shapes import ANYTHING
from ddsetup.gateways.datadog.shared import InTurn
from ddsetup.model.clock import SYSTEM_CLOCK, Clock
from ddsetup.model.errors import Denied, GatewayError, NotFound, UsageError
from tests.gateways.datadog_world import KEYS, World, datadog
from tests.gateways.standin import API_KEY, APP_KEY

ACCOUNTS = "/api/v2/integration/aws/accounts"


@pytest.fixture
def world() -> Iterator[World]:
    with datadog() as started:
        yield started


def test_a_dropped_connection_and_5xx_are_tried_again(world: World) -> None:
    world.fault(ACCOUNTS, status=None)
    world.fault(ACCOUNTS, status=503)
    assert world.connect().get(ACCOUNTS, action="x", shape=ANYTHING) == {"data": []}
    assert world.slept == [1.0, 2.0]


def test_a_fault_that_stays_is_an_error_that_says_what_datadog_said(world: World) -> None:
    world.fault(ACCOUNTS, status=502, times=9, body={"errors": ["upstream is away"]})
    with pytest.raises(GatewayError, match="502: upstream is away"):
        world.connect().get(ACCOUNTS, action="x", shape=ANYTHING)
    assert len(world.calls(ACCOUNTS)) == 4


def test_a_rate_limit_that_lifts_soon_is_waited_for(world: World) -> None:
    world.fault(ACCOUNTS, status=429, headers={"X-RateLimit-Reset": "7"})
    assert world.connect().get(ACCOUNTS, action="x", shape=ANYTHING) == {"data": []}
    assert world.slept == [7.0]


def test_a_rate_limit_of_an_hour_is_an_error_at_once(world: World) -> None:
    headers = {"X-RateLimit-Reset": "3000", "X-RateLimit-Name": "logs_search"}
    world.fault(ACCOUNTS, status=429, headers=headers)
    with pytest.raises(RateLimited, match="logs_search is used up; it resets in 3000 s") as caught:
        world.connect().get(ACCOUNTS, action="x", shape=ANYTHING)
    assert caught.value.retry_after == 3000
    assert world.slept == []


def test_what_a_path_has_left_of_its_limit_is_remembered(world: World) -> None:
    dd = world.connect()
    now = int(world.standin.clock.now)
    query = {"from": str(now - 60), "to": str(now), "query": "avg:a.b{*}"}
    dd.get("/api/v1/query", action="timeseries_query", query=query, shape=ANYTHING)
    limit = dd.limits["/api/v1/query"]
    assert (limit.name, limit.limit, limit.remaining) == ("timeseries_query", 1600, 1599)


def test_writes_of_many_accounts_wait_where_little_is_left_of_a_limit(world: World) -> None:
    written = {"status": 200, "body": {"data": {}}}
    left = {"X-RateLimit-Limit": "100", "X-RateLimit-Reset": "9", "X-RateLimit-Period": "60"}
    for remaining in ("4", "3", "50"):
        world.fault(f"{ACCOUNTS}/1", **written, headers={**left, "X-RateLimit-Remaining": remaining})
    dd = InTurn.of(world.connect())
    waits = []
    for method in ("PATCH", "PATCH", "GET", "PATCH"):
        write = method == "PATCH"
        body = {"data": {"type": "account", "attributes": {"aws_account_id": "1" * 12}}} if write else None
        dd.call(method, f"{ACCOUNTS}/1" if write else ACCOUNTS, action="x", shape=ANYTHING, body=body)
        waits.append(round(sum(world.slept)))
    assert waits == [0, 0, 0, 9]


def test_many_threads_do_not_make_noise(world: World, caplog: pytest.LogCaptureFixture) -> None:
    dd = world.connect()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: dd.get(ACCOUNTS, action="x", shape=ANYTHING), range(60)))
    assert answers == [{"data": []}] * 60
    assert caplog.text == ""


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_permission(world: World, status: int) -> None:
    world.fault(ACCOUNTS, status=status, body={"errors": [{"title": "Forbidden"}]})
    with pytest.raises(Denied, match=r"permission aws_configuration_read \(40[13]: Forbidden\)") as caught:
        world.connect().get(ACCOUNTS, action="aws_configuration_read", shape=ANYTHING)
    assert caught.value.action == "aws_configuration_read"


def test_other_errors_keep_their_kind(world: World) -> None:
    dd = world.connect()
    with pytest.raises(NotFound, match="not integrated"):
        dd.get(f"{ACCOUNTS}/00000000-0000-0000-0000-000000000000", action="x", shape=ANYTHING)
    with pytest.raises(Rejected, match='invalid parameter "aws_account_config_id"') as caught:
        dd.get(f"{ACCOUNTS}/1", action="x", shape=ANYTHING)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ({"errors": ["Forbidden", "again"]}, ("Forbidden", "again")),
        (
            {"errors": [{"status": "400", "title": "Bad Request", "detail": "d", "meta": {"x": "bad x"}}]},
            ("Bad Request: d: bad x",),
        ),
        ({"errors": [{"title": "Generic Error"}]}, ("Generic Error",)),
        ({"errors": "one"}, ("one",)),
        ({"data": []}, ()),
        (None, ()),
        (["x"], ()),
    ],
)
def test_both_styles_of_errors_are_read(body: object, texts: tuple[str, ...]) -> None:
    assert error_texts(body) == texts


def test_nobody_there_names_the_host() -> None:
    clock = Clock(SYSTEM_CLOCK.now, SYSTEM_CLOCK.monotonic, lambda _: None)
    dd = Datadog.connect("datadoghq.com", KEYS, "http://127.0.0.1:9", clock=clock)
    with pytest.raises(
        GatewayError, match=r"no connection to Datadog at 127\.0\.0\.1:9: .*refused"
    ) as caught:
        dd.get(ACCOUNTS, action="x", shape=ANYTHING)
    assert "0x" not in caught.value.what


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(GatewayError, match="not an address"):
        Datadog.connect("datadoghq.com", KEYS, "api.datadoghq.com")


class _Portal(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>please log in</html>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def test_a_proxys_page_is_not_taken_for_an_answer() -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Portal)
    threading.Thread(target=server.handle_request, daemon=True).start()
    dd = Datadog.connect("datadoghq.com", KEYS, f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(GatewayError, match="not Datadog's API"):
        dd.get(ACCOUNTS, action="x", shape=ANYTHING)
    server.server_close()


def test_an_api_host_follows_from_the_site() -> None:
    assert Datadog.connect("us2.ddog-gov.com", KEYS).url == "https://api.us2.ddog-gov.com"


def test_keys_do_not_show() -> None:
    dd = Datadog.connect("datadoghq.com", KEYS)
    for text in (repr(KEYS), str(KEYS), f"{KEYS!r:>80}", pretty(KEYS), pretty_repr(KEYS), repr(dd), str(dd)):
        assert API_KEY not in text
        assert APP_KEY not in text
    with pytest.raises(TypeError, match="not stored"):
        pickle.dumps(KEYS)


def test_a_key_that_cannot_be_sent_is_refused_without_being_quoted() -> None:
    with pytest.raises(UsageError) as caught:
        DatadogKeys("se\ncret", APP_KEY)
    assert "cret" not in caught.value.what


def test_no_error_and_no_log_holds_a_key(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.fault(ACCOUNTS, status=403, body={"errors": [f"key {API_KEY} of {APP_KEY} is bad"]})
    world.fault(ACCOUNTS, status=400, body={"errors": [f"key {API_KEY} is bad"]})
    dd = world.connect()
    for _ in range(2):
        with pytest.raises(GatewayError, match=r"\*\*\*") as caught:
            dd.get(ACCOUNTS, action="x", shape=ANYTHING)
        told = "".join(traceback.format_exception(caught.value))
        assert API_KEY not in told
        assert APP_KEY not in told
    assert API_KEY not in caplog.text
    assert APP_KEY not in caplog.text


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://p:3128"}, "http://p:3128"),
        ({"http_proxy": "http://p:3128"}, None),
        ({"https_proxy": "http://p:3128", "no_proxy": "datadoghq.eu"}, None),
        ({"https_proxy": "http://p:3128", "no_proxy": "api.datadoghq.eu,x.example"}, None),
        ({"https_proxy": "http://p:3128", "no_proxy": "datadoghq.com"}, "http://p:3128"),
        ({"https_proxy": "http://p:3128", "no_proxy": "*"}, None),
    ],
)
def test_a_proxy_is_the_environments_unless_it_leaves_the_host_out(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], proxy: str | None
) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert _transport("https://api.datadoghq.eu", KEYS).configuration.proxy == proxy

"""Every call of Datadog's API to the letter: what is sent, what becomes of the answer, and of odd ones.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from ddsetup.gateways.datadog import dashboards, monitors, slos
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.shapes import parse_json
from ddsetup.model.errors import DdsetupError, GatewayError
from tests.gateways.aws_stand import FakeTime, Reply, ScriptedAws, scripted_aws
from tests.in_full.datadog_cases import CALLS, DASHBOARD, MONITOR, SLO, Call
from tests.in_full.told import shown
from tests.unit.show.test_render import matches_golden


@pytest.fixture(scope="module")
def script() -> Iterator[ScriptedAws]:
    with scripted_aws() as served:
        yield served


def told(script: ScriptedAws, call: Call, *replies: Reply) -> list[str]:
    """What was sent, how long was waited, and the result."""
    script.script(*replies)
    script.requests.clear()
    time = FakeTime()
    dd = Datadog.connect("datadoghq.eu", DatadogKeys("a" * 32, "b" * 40), script.url, clock=time.clock)
    try:
        result = [f"= {shown(call(dd))}"]
    except DdsetupError as error:
        action = f" ({error.action})" if isinstance(error, GatewayError) and error.action else ""
        result = [f"! {type(error).__name__}{action}: {error.what}"]
    sent = [_request(method, path, body) for method, path, body in script.requests]
    waited = [f"  waited {sum(time.slept):g} s"] if time.slept else []
    host = script.url.removeprefix("http://")
    return [line.replace(host, "HOST") for line in (*sent, *waited, *result)]


def _request(method: str, path: str, body: bytes) -> str:
    text = json.dumps(json.loads(body), sort_keys=True) if body else ""
    return f"  {method} {unquote(path)} {text}".rstrip()


def ok(body: Any) -> Reply:
    return Reply(body)


def test_calls_and_answers(script: ScriptedAws) -> None:
    lines: list[str] = []
    for name, (call, answers) in CALLS.items():
        lines += [f"[{name}]", *told(script, call, *map(ok, answers)), ""]
    matches_golden("datadog/calls", "\n".join(lines))


DASHBOARDS_FIELDS: dict[str, dict[str, Any]] = {
    "title": {"title": "x"},
    "description": {"description": "x"},
    "layout": {"layout_type": "free"},
    "widgets": {"widgets": []},
    "template variables": {"template_variables": [{"name": "x"}]},
}
MONITORS_FIELDS: dict[str, dict[str, Any]] = {
    "name": {"name": "x"},
    "query": {"query": "x"},
    "message": {"message": "x"},
    "tags": {"tags": ()},
    "options": {"options": {}},
}
OBJECTIVES_FIELDS: dict[str, dict[str, Any]] = {
    "name": {"name": "x"},
    "description": {"description": "x"},
    "measure": {"measure": {}},
    "target": {"timeframe": "7d"},
    "tags": {"tags": ()},
}


@pytest.mark.parametrize(
    ("differing", "wanted", "fields"),
    [
        (dashboards.differing, DASHBOARD, DASHBOARDS_FIELDS),
        (monitors.differing, MONITOR, MONITORS_FIELDS),
        (slos.differing, SLO, OBJECTIVES_FIELDS),
        (slos.differing, SLO, {"target": {"target": 1.0}}),
    ],
)
def test_each_field_that_differs_is_named_and_no_other(
    differing: Callable[[Any, Any], tuple[str, ...]], wanted: Any, fields: dict[str, dict[str, Any]]
) -> None:
    found = {name: differing(replace(wanted, **over), wanted) for name, over in fields.items()}
    assert found == {name: (name,) for name in fields}


def test_what_datadog_writes_in_another_way_is_no_difference() -> None:
    spaced = replace(MONITOR, query=MONITOR.query.replace(" ", "  "), message=" why\n", tags=MONITOR.tags * 2)
    assert monitors.differing(spaced, MONITOR) == ()
    measure = {name: f" {value} " for name, value in SLO.measure.items()}
    assert slos.differing(replace(SLO, measure=measure, description=" \n"), SLO) == ()
    more = [{"id": 3, "definition": {"type": "note", "show_tick": False}}]
    assert dashboards.differing(replace(DASHBOARD, widgets=more, template_variables=None), DASHBOARD) == ()
    assert dashboards.differing(DASHBOARD, replace(DASHBOARD, widgets=more)) == ("widgets",)


@pytest.mark.parametrize("text", ["NaN", "[-Infinity]", "1e999", '{"a": -1e400}'])
def test_a_number_that_is_none_is_no_answer(text: str) -> None:
    with pytest.raises(ValueError, match="a number that is none"):
        parse_json(text.encode())
    assert parse_json(b"[1e300, -0.5]") == [1e300, -0.5]


REFUSALS = {
    "403": Reply({"errors": ["Forbidden"]}, 403),
    "404": Reply({"errors": ["Not found"]}, 404),
    "400": Reply({"errors": [{"title": "Bad", "detail": "no such facet"}]}, 400),
    "429": Reply({"errors": ["slow"]}, 429, {"x-ratelimit-reset": "3", "x-ratelimit-name": "q"}),
    "500": Reply({"errors": ["oops"]}, 500),
    "empty": Reply({}),
    "null": Reply("null"),
    "words": Reply("<html>proxy</html>", 200, {"content-type": "text/html"}),
    "redirect": Reply("", 302, {"location": "https://login.example/"}),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_odd_answers(script: ScriptedAws, refusal: str) -> None:
    lines: list[str] = []
    for name, (call, _) in CALLS.items():
        if not name.endswith("of many"):
            *sent, result = told(script, call, REFUSALS[refusal])
            lines.append(f"[{name}] {sum(not s.startswith('  waited') for s in sent)} calls {result}")
    matches_golden(f"datadog/odd-{refusal}", "\n".join([*lines, ""]))

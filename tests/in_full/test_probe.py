"""What a probe sends, how it asks for what arrives, and what it comes to.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.health import key_state
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.verify.probe import ProbeResult, event, probe
from ddsetup.verify.probe_forms import Marked, ask_all, forms, lines
from tests.gateways.aws_stand import FakeTime, Reply, ScriptedAws, scripted_aws
from tests.in_full.aws_script import aws, scripted, time
from tests.in_full.calls.world import LANE
from tests.unit.show.test_render import matches_golden

__all__ = ["aws", "time"]

FORWARDER = "datadog-forwarder"
MARKED = Marked(LANE, "ddsetup-probe-0123456789ab")
FOUND = {
    "logs": {"data": [{"id": "1", "attributes": {"attributes": {}}}]},
    "counted": {"data": {"buckets": [{"by": {}, "computes": {"c0": 1}}]}},
}
RAN: Any = {"Invoke": [{"StatusCode": 200, "Payload": b"{}"}]}


@pytest.fixture(scope="module")
def script() -> Iterator[ScriptedAws]:
    with scripted_aws() as served:
        yield served


def datadog(script: ScriptedAws, time: FakeTime) -> Datadog:
    return Datadog.connect("datadoghq.eu", DatadogKeys("a" * 32, "b" * 40), script.url, clock=time.clock)


def as_told(text: str, script: ScriptedAws) -> str:
    """Without what is drawn by chance."""
    text = text.replace(script.url.removeprefix("http://"), "HOST")
    return re.sub(r"ddsetup-probe-[0-9a-f]{12}", "WORDS", re.sub(r"\b[0-9a-f]{16}\b", "ID", text))


def asked(script: ScriptedAws) -> list[str]:
    sent = [(m, p, json.loads(body) if body else "") for m, p, body in script.requests]
    return [f"  {m} {unquote(p)} {json.dumps(body, sort_keys=True) if body else ''}" for m, p, body in sent]


def test_what_is_written_into_the_log() -> None:
    at = 1_763_802_000_123
    text, metric, span = lines(MARKED, at)
    told = json.loads(event(MARKED, at))
    assert set(told) == {"awslogs"}
    document = json.loads(gzip.decompress(base64.b64decode(told["awslogs"]["data"])))
    stream = document.pop("logStream")
    assert re.fullmatch(r"probe/\[\$LATEST\][0-9a-f]{32}", stream)
    sent = json.dumps(document, indent=1, sort_keys=True)
    parts = [text, json.dumps(json.loads(metric), indent=1), json.dumps(json.loads(span), indent=1), sent]
    said = re.sub(r"\b[0-9a-f]{16}\b", "ID", "\n".join([*parts, ""]))
    matches_golden("probe/written", said)


def test_how_it_is_asked_for(script: ScriptedAws, time: FakeTime) -> None:
    dd, now = datadog(script, time), time.clock.now()
    window = Window(now, now)
    told = []
    for reply in (Reply({"data": []}), Reply({"errors": ["Forbidden"]}, 403)):
        script.requests.clear()
        script.script(reply)
        told += [json.dumps(s.record(), sort_keys=True) for s in ask_all(dd, window, forms(MARKED))]
        told += [as_told(line, script) for line in asked(script)]
    matches_golden("probe/asked", "\n".join([*told, ""]))


GROUPED = {
    "log": {"data": {"buckets": [{"by": {"functionname": "ddsetup_probe"}, "computes": {"c0": 2}}]}},
    "log of another": {"data": {"buckets": [{"by": {"functionname": "orders"}, "computes": {"c0": 2}}]}},
    "none": {"data": {"buckets": [{"by": {}, "computes": {"c0": 0}}]}},
    "span": {
        "data": [{"attributes": {"by": {"@function_arn": "x", "@functionname": ""}, "compute": {"c0": 1}}}]
    },
    "searched": FOUND["logs"],
    "metric": {
        "data": {
            "attributes": {
                "columns": [
                    {"name": "functionname", "type": "group", "values": [["ddsetup_probe"]]},
                    {"name": "a", "type": "number", "values": [1.0]},
                ]
            }
        }
    },
}


@pytest.mark.parametrize("answer", GROUPED)
def test_what_counts_as_found(script: ScriptedAws, time: FakeTime, answer: str) -> None:
    dd, now = datadog(script, time), time.clock.now()
    script.script(Reply(GROUPED[answer]))
    said = ask_all(dd, Window(now, now), forms(MARKED))
    lines = [f"{each.form.signal} {each.form.text}: {each.answer}" for each in said]
    matches_golden(f"probe/found-{answer.replace(' ', '-')}", "\n".join([*lines, ""]))


def tried(
    aws: Aws, time: FakeTime, script: ScriptedAws, answers: Any, *replies: Reply, patience: float = 12
) -> ProbeResult:
    script.requests.clear()
    script.script(*replies)
    time.slept.clear()
    with scripted(aws) as invoked:
        if isinstance(answers, tuple):
            invoked.refusal = answers
        else:
            invoked.answers = {k: [dict(each) for each in v] for k, v in answers.items()}
        return probe(aws, datadog(script, time), LANE, FORWARDER, patience=patience)


def test_what_a_probe_comes_to(aws: Aws, time: FakeTime, script: ScriptedAws) -> None:
    nothing, spans = Reply({"data": []}), Reply(FOUND["logs"])
    denied = ("AccessDeniedException", "User: u is not authorized to perform: lambda:InvokeFunction", 403)
    failed: Any = {
        "Invoke": [{"StatusCode": 200, "FunctionError": "Unhandled", "Payload": b'{"errorType": "KeyError"}'}]
    }
    cases: dict[str, tuple[Any, tuple[Reply, ...], float]] = {
        "may not be invoked": (denied, (nothing,), 12),
        "fails": (failed, (nothing,), 12),
        "nothing arrives": (RAN, (nothing,), 12),
        "nothing arrives at once": (RAN, (nothing,), 0),
        "in vain for a moment": (RAN, (nothing,), 4.95),
        "a log arrives": (RAN, (spans, nothing), 12),
        "may not be asked": (RAN, (Reply({"errors": ["Forbidden"]}, 403),), 6),
    }
    told = []
    for name, (answers, replies, patience) in cases.items():
        result = tried(aws, time, script, answers, *replies, patience=patience)
        record = json.dumps(result.record(), indent=1, sort_keys=True)
        waits = ", ".join(f"{each:g}" for each in time.slept)
        told += [f"[{name}] {len(script.requests)} asked, waited {waits}", as_told(record, script)]
    matches_golden("probe/results", "\n".join([*told, ""]))


def test_all_of_a_probe_arrives(aws: Aws, time: FakeTime, script: ScriptedAws) -> None:
    """The log at once; metric and span with the second look."""
    nothing, metric = Reply({"data": []}), Reply(GROUPED["metric"])
    found = Reply(FOUND["logs"])
    result = tried(aws, time, script, RAN, found, nothing, nothing, metric, found, patience=60)
    assert result.arrived
    assert [leg.seconds for leg in result.legs[1:]] == [0.0, 5.0, 5.0]
    assert {each.form.signal for each in result.forms} == {"log", "metric", "span"}


@pytest.mark.parametrize(
    ("held", "answer", "state", "reason"),
    [
        ("", Reply({"valid": True}), "missing", "the secret with its API key is empty"),
        (" \n", Reply({"valid": True}), "missing", "the secret with its API key is empty"),
        ('{"DD_API_KEY": ""}', Reply({"valid": True}), "missing", "the secret with its API key is empty"),
        ("1" * 32, Reply({"valid": True}), "valid", ""),
        (f" {'1' * 32}\n", Reply({"valid": True}), "valid", ""),
        (json.dumps({"DD_API_KEY": f" {'1' * 32} "}), Reply({"valid": True}), "valid", ""),
        ("1" * 32, Reply({"valid": False}), "invalid", "Datadog refuses its API key on datadoghq.eu"),
        ("1" * 32, Reply({"errors": ["x"]}, 403), "invalid", "Datadog refuses its API key on datadoghq.eu"),
        ("1" * 32, Reply({"errors": ["x"]}, 404), "unknown", ""),
        (
            "1" * 40,
            Reply({"valid": True}),
            "malformed",
            "its secret does not hold an API key of 32 hex digits: it has the form of an application key",
        ),
        *(
            (odd, Reply({"valid": True}), "malformed", "its secret does not hold an API key of 32 hex digits")
            for odd in ("x", "1" * 31, '{"key": "x"}', '{"DD_API_KEY": 1}', "{odd", '{"a": 1} ')
        ),
    ],
)
def test_what_a_secret_holds(
    script: ScriptedAws, time: FakeTime, held: str, answer: Reply, state: str, reason: str
) -> None:
    script.requests.clear()
    script.script(answer)
    assert key_state(datadog(script, time), held, "datadoghq.eu") == (state, reason)
    asked = {path for _, path, _ in script.requests}
    assert asked == (set() if state in ("missing", "malformed") else {"/api/v1/validate"})


def test_a_key_of_another_site_is_not_asked_about_where_datadog_is_replaced(
    script: ScriptedAws, time: FakeTime
) -> None:
    script.requests.clear()
    assert key_state(datadog(script, time), "1" * 32, "datadoghq.com") == ("unknown", "")
    assert script.requests == []

"""How Datadog finds a log, a metric and a span of a function: each way that ddsetup relies on, asked once.

The probe sends one of each through the Forwarder, as a function writes them into its log. Its function has a
name with two underscores and one at the end, because tags are normalised and attributes of spans are not.
What comes back settles what only a real account can tell.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ddsetup.facts.searches import INVOCATIONS, any_of, datadog_name, logs_of, spans_in, spans_of
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.event_search import count_logs, search_logs, search_spans
from ddsetup.gateways.datadog.sightings import log_groups, span_groups
from ddsetup.gateways.datadog.telemetry import Window, grouped_values
from ddsetup.model.account import Json, Lane
from ddsetup.model.errors import GatewayError

FUNCTION = "ddsetup__Probe_"
"""The function that the data pretends to come from; it need not exist."""
METRIC = "ddsetup_probe"

Signal: TypeAlias = Literal["log", "metric", "span"]


@dataclass(frozen=True, slots=True)
class Form:
    """One way of asking. `relied`: the proof finds data so, or by one of the others that are relied on.

    `text` is the query without anything of the account in it, fit to be shown to others.
    """

    signal: Signal
    text: str
    relied: bool
    ask: Callable[[Datadog, Window], bool]


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a form: "found", "not found", or why it could not be asked."""

    form: Form
    answer: str

    def record(self) -> Mapping[str, Json]:
        """As JSON."""
        return {
            "signal": self.form.signal,
            "query": self.form.text,
            "relied": self.form.relied,
            "answer": self.answer,
        }


@dataclass(frozen=True, slots=True)
class Marked:
    """The probe's own data: `words` are in its log, and stand for the request; ids are of its span."""

    lane: Lane
    words: str

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.lane.region}:{self.lane.account}:function:{FUNCTION}".lower()


def lines(marked: Marked, at_ms: int) -> tuple[str, str, str]:
    """A log, a metric and a span, as the Datadog library writes them into a function's log (the shapes of
    datadog-lambda-python 8: metric.py, `{"m", "v", "e", "t"}`, and the trace exporter, `{"traces"}`)."""
    tags = [f"probe:{marked.words}", f"functionname:{FUNCTION.lower()}", f"region:{marked.lane.region}"]
    tags.append(f"aws_account:{marked.lane.account}")
    metric = {"m": METRIC, "v": 1, "e": at_ms // 1000, "t": tags}
    span = {
        "trace_id": secrets.token_hex(8),
        "span_id": secrets.token_hex(8),
        "parent_id": "0",
        "name": "aws.lambda",
        "resource": FUNCTION,
        "service": "ddsetup-probe",
        "type": "serverless",
        "start": at_ms * 1_000_000,
        "duration": 1_000_000,
        "error": 0,
        "meta": {
            "functionname": FUNCTION.lower(),
            "function_arn": marked.arn,
            "request_id": marked.words,
            "resource_names": FUNCTION,
        },
        "metrics": {"_sampling_priority_v1": 2},
    }
    text = f"[INFO] {marked.words}: a test of the way through the Datadog Forwarder, sent by ddsetup"
    return text, json.dumps(metric), json.dumps({"traces": [[span]]})


def forms(marked: Marked) -> tuple[Form, ...]:
    """Every way of asking for what the probe sent."""
    return (*_logs(marked), *_metrics(marked), *_spans(marked))


def ask_all(dd: Datadog, window: Window, wanted: Sequence[Form]) -> tuple[Said, ...]:
    """Ask in each form once. Never raises GatewayError: that it cannot be asked is an answer."""
    return tuple(Said(form, _answer(dd, window, form)) for form in wanted)


def _answer(dd: Datadog, window: Window, form: Form) -> str:
    try:
        return "found" if form.ask(dd, window) else "not found"
    except GatewayError as error:
        return error.what


def _logs(marked: Marked) -> list[Form]:
    words, name = f'"{marked.words}"', any_of((datadog_name(FUNCTION),))

    def searched(query: str) -> Callable[[Datadog, Window], bool]:
        return lambda dd, window: bool(search_logs(dd, window, f"{query} {words}", limit=1))

    def grouped(dd: Datadog, window: Window) -> bool:
        found = log_groups(dd, window, f"source:lambda {words}", {"functionname": 10})
        return any(datadog_name(group.get("functionname", "")) == name for group in found)

    queries = {
        "source:lambda": True,
        f"source:lambda {logs_of((FUNCTION,))}": True,
        f"source:lambda functionname:{FUNCTION.lower()}": False,
        "source:lambda forwardername:*": True,
        "source:lambda region:* aws_account:*": True,
        f"service:{datadog_name(FUNCTION)}": False,
    }
    found = [Form("log", f"{query} WORDS", relied, searched(query)) for query, relied in queries.items()]
    counted = Form("log", "count of WORDS", True, lambda dd, window: count_logs(dd, window, words) > 0)
    return [*found, counted, Form("log", "source:lambda WORDS by functionname", True, grouped)]


def _metrics(marked: Marked) -> list[Form]:
    def asked(scope: str, by: str = "") -> Callable[[Datadog, Window], bool]:
        group = f" by {{{by}}}" if by else ""
        text = f"sum:{METRIC}{{probe:{marked.words}{scope}}}{group}.as_count()"
        return lambda dd, window: bool(grouped_values(dd, window, {"a": (text, "sum")}, (by,) if by else ()))

    name = datadog_name(FUNCTION)
    scopes = {
        "": True,
        f",functionname:{name}": True,
        f",functionname:{FUNCTION.lower()}": False,
        f",region:{marked.lane.region}": True,
        f",aws_account:{marked.lane.account}": True,
        ",forwardername:*": False,
    }
    shown = {scope: scope.replace(marked.lane.account or "-", "ACCOUNT") for scope in scopes}
    found = [
        Form("metric", f"sum:{METRIC}{{probe:WORDS{shown[scope]}}}", relied, asked(scope))
        for scope, relied in scopes.items()
    ]
    text = f"sum:{METRIC}{{probe:WORDS}} by {{functionname}}"
    return [*found, Form("metric", text, True, asked("", "functionname"))]


def _spans(marked: Marked) -> list[Form]:
    def searched(query: str) -> Callable[[Datadog, Window], bool]:
        own = f"@request_id:{marked.words} {query}".strip()
        return lambda dd, window: bool(search_spans(dd, window, own, limit=1))

    def grouped(facet: str) -> Callable[[Datadog, Window], bool]:
        def ask(dd: Datadog, window: Window) -> bool:
            groups = span_groups(dd, window, f"@request_id:{marked.words}", {facet: 10})
            return any(group.get(facet) for group in groups)

        return ask

    queries = {
        "": True,
        "operation_name:aws.lambda": True,
        INVOCATIONS: True,
        spans_of((FUNCTION,)): True,
        f"functionname:{datadog_name(FUNCTION)}": False,
        f"@functionname:{FUNCTION.lower()}": False,
        f"@functionname:{datadog_name(FUNCTION)}": False,
        spans_in(marked.lane.account, (marked.lane.region,)): True,
        "service:ddsetup-probe": False,
        "forwardername:*": False,
        "@forwardername:*": True,
    }
    account = marked.lane.account or "-"
    found = [
        Form(
            "span", f"@request_id:WORDS {query}".strip().replace(account, "ACCOUNT"), relied, searched(query)
        )
        for query, relied in queries.items()
    ]
    facets = {"@function_arn": True, "@forwardername": True, "functionname": False, "@functionname": False}
    by = [Form("span", f"@request_id:WORDS by {f}", relied, grouped(f)) for f, relied in facets.items()]
    return [*found, *by]

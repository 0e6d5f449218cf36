"""The official client as referee: each request of ddsetup, and each answer of the stand-in, by its models.

What ddsetup and its stand-in agree on may still be wrong. The models of `datadog_api_client` are made from
the OpenAPI document that Datadog publishes, so neither of the two wrote them.
"""

# The Datadog client's constructors carry no annotations.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import datadog_api_client.version
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import OpenApiException
from datadog_api_client.model_utils import UnparsedObject, validate_and_convert_types

from ddsetup.sandbox.datadog.wire import Request, Response
from tests import environment
from tests.gateways import shapes
from tests.gateways.shapes import Fitting, shape

APIS = (
    "v1.api.authentication_api:AuthenticationApi",
    "v1.api.dashboards_api:DashboardsApi",
    "v1.api.logs_indexes_api:LogsIndexesApi",
    "v1.api.metrics_api:MetricsApi",
    "v1.api.monitors_api:MonitorsApi",
    "v1.api.service_level_objectives_api:ServiceLevelObjectivesApi",
    "v2.api.aws_integration_api:AWSIntegrationApi",
    "v2.api.aws_logs_integration_api:AWSLogsIntegrationApi",
    "v2.api.key_management_api:KeyManagementApi",
    "v2.api.logs_api:LogsApi",
    "v2.api.metrics_api:MetricsApi",
    "v2.api.organizations_api:OrganizationsApi",
    "v2.api.spans_api:SpansApi",
    "v2.api.users_api:UsersApi",
)

UNMODELLED: Mapping[tuple[str, str], str] = {
    ("POST", "/api/v2/awsmetrics"): "Firehose asks it, for metric streams",
    ("POST", "/v1/input"): "Firehose asks it, for log groups",
    ("POST", "/api/v2/intake-key"): "the Extension asks it, not people",
    ("POST", "/api/v0.2/traces"): "the intake of traces, which the client does not have",
    ("GET", "/api/v2/cloud_auth/aws/intake_mapping"): "of AWS's only the Go client has them so far",
    ("POST", "/api/v2/cloud_auth/aws/intake_mapping"): "of AWS's only the Go client has them so far",
    ("DELETE", "/api/v2/cloud_auth/aws/intake_mapping/{id}"): "of AWS's only the Go client has them so far",
    ("GET", "/api/v2/cloud_auth/aws/intake_mapping/{id}"): "of AWS's only the Go client has them so far",
}
"""Endpoints for which the client has no model: method, path, and why they are there all the same."""


def _unmodelled(method: str, path: str) -> bool:
    return any(
        method == verb and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        for verb, template in UNMODELLED
    )


OTHERWISE: Mapping[tuple[str, str], Mapping[str, str]] = {
    # A list of lists then, as the official quick start template reads it.
    ("GET", "/api/v2/integration/aws/iam_permissions/resource_collection"): {"chunked": "true"},
}
"""Queries that the client does not have, with an answer of another shape than its model."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as the client knows it."""

    method: str
    path: re.Pattern[str]
    template: str
    answer: Any
    parameters: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """What is wrong with an exchange."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """All endpoints of the APIs above. One that is known by its literal path comes before a captured one."""
    client = ApiClient(Configuration())
    found = []
    for name in APIS:
        module, _, kind = name.partition(":")
        api = getattr(import_module(f"datadog_api_client.{module}"), kind)(client)
        for part in vars(api).values():
            if hasattr(part, "settings"):
                template = part.settings["endpoint_path"]
                pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)))
                method, answer = part.settings["http_method"], part.settings["response_type"]
                found.append(Endpoint(method, pattern, template, answer, part.params_map))
    return tuple(sorted(found, key=lambda one: one.template.count("{")))


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """The client's endpoint for a request."""
    return next((e for e in endpoints() if e.method == method and e.path.fullmatch(path)), None)


class Referee:
    """Watches a stand-in, and keeps what was wrong. `ours` tells the requests that ddsetup sent."""

    def __init__(self) -> None:
        self.wrong: list[Verdict] = []
        self.seen: set[tuple[str, str]] = set()

    def __call__(self, request: Request, response: Response, *, faulty: bool) -> None:
        asked = (request.method, request.path)
        if _unmodelled(*asked) or (request.query and request.query == OTHERWISE.get(asked)):
            return
        endpoint = endpoint_of(request.method, request.path)
        ours = request.headers.get("user-agent", "").startswith("ddsetup/")
        if endpoint is None:
            if ours or response.status < 400:
                self.wrong.append(
                    Verdict(f"{request.method} {request.path}", "the client has no such endpoint")
                )
            return
        self.seen.add((endpoint.method, endpoint.template))
        if ours and (faulty or response.status not in (400, 404, 422)):
            self.wrong += _of_request(endpoint, request)
        if not faulty:
            self.wrong += _of_answer(endpoint, response)


@cache
def fitting() -> Fitting:
    """What was found to fit by the same models, judged by the same lines."""
    models = datadog_api_client.version.__version__
    lines = b"".join(Path(file).read_bytes() for file in (__file__, str(shapes.__file__)))
    return Fitting(environment.common() / f"fitting-{models}-{hashlib.sha256(lines).hexdigest()[:16]}")


def _of_request(endpoint: Endpoint, request: Request) -> Iterator[Verdict]:
    what = f"the request {request.method} {request.path}"
    known = {p["attribute"]: p for p in endpoint.parameters.values() if p["location"] == "query"}
    for name, text in request.query.items():
        if name not in known:
            yield Verdict(what, f"the client has no parameter {name}")
        else:
            value = _parameter(text, known[name]["openapi_types"])
            yield from _misfits(what, value, known[name]["openapi_types"], strict=True)
    needed = {n for n, p in known.items() if p.get("required")} - set(request.query)
    if needed:
        yield Verdict(what, f"it lacks {', '.join(sorted(needed))}")
    body = endpoint.parameters.get("body")
    if body is not None and request.raw_body:
        yield from _misfits(what, json.loads(request.body()), body["openapi_types"], strict=True)
    elif body is not None and body.get("required"):
        yield Verdict(what, "it lacks a body")
    elif body is None and request.raw_body:
        yield Verdict(what, "the client sends no body")


def _of_answer(endpoint: Endpoint, response: Response) -> Iterator[Verdict]:
    what = f"the answer {response.status} to {endpoint.method} {endpoint.template}"
    payload = response.payload()
    if response.status >= 400:
        document = json.loads(payload)
        if not isinstance(document.get("errors"), list) or not document["errors"]:
            yield Verdict(what, "it has no list of errors")
        return
    if endpoint.answer is None:
        if payload:
            yield Verdict(what, "the client expects no content")
        return
    yield from _misfits(what, json.loads(payload) if payload else None, endpoint.answer, strict=False)


def _parameter(text: str, types: tuple[Any, ...]) -> Any:
    """A value of a query string, as the client would have been given it."""
    if types[0] in (int, float):
        return types[0](text)
    return {"true": True, "false": False}.get(text, text) if types[0] is bool else text


def _misfits(what: str, value: Any, types: Any, *, strict: bool) -> Iterator[Verdict]:
    """Where a document is not of the client's type; `strict`: also where it has members nobody knows."""
    asked = f"{types} {strict} {shape(value, counted=strict)}"
    if asked in fitting():
        return
    wrong = list(_looked_for(what, value, types, strict=strict))
    if not wrong:
        fitting().add(asked)
    yield from wrong


def _looked_for(what: str, value: Any, types: Any, *, strict: bool) -> Iterator[Verdict]:
    try:
        typed = validate_and_convert_types(value, types, ["it"], True, True, Configuration())
    except (OpenApiException, TypeError, ValueError, AttributeError) as error:
        yield Verdict(what, str(error).splitlines()[0])
        return
    for place, why in _odd(typed, "it"):
        if strict or "nobody knows" not in why:
            yield Verdict(what, f"{place} {why}")
    if value is None:
        yield Verdict(what, "it has no content")


def _odd(typed: Any, place: str) -> Iterator[tuple[str, str]]:
    """What the client could not parse, or has no name for."""
    if isinstance(typed, UnparsedObject):
        yield place, f"fits none of the client's models: {str(typed._data_store)[:200]}"
        return
    for name, item in _parts(typed):
        yield from _odd(item, f"{place}{name}")
    known = set(getattr(type(typed), "attribute_map", ()) or ())
    for name in _inner(typed):
        if name not in known and known and "additional_properties_type" not in vars(type(typed)):
            yield f"{place}.{name}", "is a member that nobody knows"
    if getattr(typed, "_unparsed", False) and not _inner(typed):
        yield place, f"is none of the values that the client knows: {typed!r}"[:200]


def _parts(typed: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(typed, list | tuple):
        yield from ((f"[{index}]", item) for index, item in enumerate(typed))
    inside = typed if isinstance(typed, dict) else _inner(typed)
    yield from ((f".{name}", item) for name, item in inside.items())


def _inner(typed: Any) -> Mapping[str, Any]:
    store = getattr(typed, "_data_store", None)
    return (
        store if isinstance(store, dict) and "value" not in (store.keys() if len(store) == 1 else ()) else {}
    )

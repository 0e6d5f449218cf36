"""Lists that Datadog keeps and that change over time, each with a dated, bundled copy to fall back on."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Literal, TypeAlias

from ddsetup.facts.iam_documents import fitting
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import READ
from ddsetup.gateways.datadog.shapes import Shape
from ddsetup.model.errors import GatewayError

Origin: TypeAlias = Literal["live", "bundled"]
Catalogue: TypeAlias = tuple[tuple[str, ...], Origin]


def permissions(dd: Datadog) -> Catalogue:
    """The IAM actions that Datadog wants on its role for standard collection."""
    path = "/api/v2/integration/aws/iam_permissions/standard"
    return _catalogue(dd, path, "permissions", "iam_standard.json")


def resource_collection(dd: Datadog) -> tuple[tuple[str, ...], ...]:
    """The IAM actions that Datadog wants for the collection of resources, policy by policy.

    `chunked` is what the official quick start asks for; the client's model knows the plain list only.
    """
    path = "/api/v2/integration/aws/iam_permissions/resource_collection"
    shape: Shape = {"data": {"attributes": {"permissions": [[str]]}}}
    try:
        answer = dd.get(path, action=READ, shape=shape, query={"chunked": "true"})
        live = [chunk for chunk in answer["data"]["attributes"]["permissions"] if chunk]
    except GatewayError:
        live = []
    chunks = live or [_bundled("iam_resource_collection.json", "permissions")]
    return tuple(fit for chunk in chunks for fit in fitting(chunk))


def log_services(dd: Datadog) -> Catalogue:
    """The log sources for which Datadog can subscribe the forwarder by itself, e.g. "lambda"."""
    return _catalogue(dd, "/api/v2/integration/aws/logs/services", "logs_services", "log_services.json")


def namespaces(dd: Datadog) -> Catalogue:
    """The CloudWatch namespaces that Datadog can collect, e.g. "AWS/Lambda"."""
    return _catalogue(dd, "/api/v2/integration/aws/available_namespaces", "namespaces", "namespaces.json")


def _catalogue(dd: Datadog, path: str, attribute: str, bundled: str) -> Catalogue:
    try:
        answer = dd.get(path, action=READ, shape={"data": {"attributes": {attribute: [str]}}})
    except GatewayError:
        return _bundled(bundled, attribute), "bundled"
    live = tuple(answer["data"]["attributes"][attribute])
    return (live, "live") if live else (_bundled(bundled, attribute), "bundled")


def _bundled(file: str, attribute: str) -> tuple[str, ...]:
    text = files("ddsetup").joinpath("data", file).read_text(encoding="utf-8")
    return tuple(json.loads(text)[attribute])

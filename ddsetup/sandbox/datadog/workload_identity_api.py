"""Workload identity federation: the organisation, and from which roles of AWS it takes data without a key.

Answers and refusals as terraform-provider-datadog expects them (`datadog_aws_wif_intake_mapping` and its
tests); the organisation as the official client's `ManagedOrgsResponse`.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.request
import uuid

from ddsetup.sandbox.datadog.auth_api import ORG_ID, ORGANISATION
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, json_api, text_error
from ddsetup.sandbox.datadog.world import World

TYPE = "aws_cloud_auth_intake_mapping"
_PATTERN = re.compile(r"arn:aws:(?:sts::(\d{12}):assumed-role/[^/*]+/(?:\*|[^/*]+)|iam::(\d{12}):user/[^*]+)")
"""One wildcard only, and only as the end behind a specific resource; commercial partition."""


def list_orgs(_: Request, __: World) -> Response:
    """``GET /api/v2/org``."""
    attributes = {
        "created_at": "2019-09-26T17:28:28Z",
        "description": "",
        "disabled": False,
        "modified_at": "2019-09-26T17:28:28Z",
        "name": ORGANISATION,
        "public_id": "c0ffee",
        "sharing": "none",
        "url": "",
    }
    org = {"type": "orgs", "id": ORG_ID}
    relationships = {"current_org": {"data": org}, "managed_orgs": {"data": []}}
    data = {"type": "managed_orgs", "id": ORG_ID, "relationships": relationships}
    return json_api({"data": data, "included": [{**org, "attributes": attributes}]})


def list_mappings(_: Request, world: World) -> Response:
    """``GET /api/v2/cloud_auth/aws/intake_mapping``."""
    with world.documents.lock:
        return json_api({"data": [_shown(*each) for each in world.documents.intake_mappings.items()]})


def get_mapping(request: Request, world: World) -> Response:
    """``GET /api/v2/cloud_auth/aws/intake_mapping/{id}``."""
    number = request.captures["id"]
    with world.documents.lock:
        pattern = world.documents.intake_mappings.get(number)
    if pattern is None:
        raise text_error(404, "Not Found")
    return json_api({"data": _shown(number, pattern)})


def create_mapping(request: Request, world: World) -> Response:
    """``POST /api/v2/cloud_auth/aws/intake_mapping``."""
    data = request.json_object().get("data") or {}
    pattern = str((data.get("attributes") or {}).get("arn_pattern"))
    found = _PATTERN.fullmatch(pattern)
    if data.get("type") != TYPE or found is None:
        raise text_error(400, "Invalid ARN pattern")
    account = found[1] or found[2]
    if account not in {each.aws_account_id for each in world.integrations.accounts()}:
        raise text_error(400, "AWS Account Id is not integrated with this Datadog account")
    with world.documents.lock:
        if any(_overlap(pattern, other) for other in world.documents.intake_mappings.values()):
            raise text_error(409, "ARN pattern conflicts with an existing mapping")
        number = str(uuid.uuid4())
        world.documents.intake_mappings[number] = pattern
    return json_api({"data": _shown(number, pattern)}, 201)


def intake_key(request: Request, world: World) -> Response:
    """``POST /api/v2/intake-key``: a key for a role that is mapped, which AWS itself confirms."""
    scheme, _, proof = request.headers.get("authorization", "").partition(" ")
    arn = _caller(proof, world.aws_endpoint) if scheme == "Delegated" else ""
    with world.documents.lock:
        patterns = list(world.documents.intake_mappings.values())
    if not arn or not any(_overlap(pattern, arn) for pattern in patterns):
        raise text_error(403, "Forbidden")
    attributes = {"api_key": min(world.keys.api_keys)}
    return json_api({"data": {"type": "intake-key", "id": str(uuid.uuid4()), "attributes": attributes}})


def _caller(proof: str, aws_endpoint: str) -> str:
    """The ARN of who signed, by AWS's own answer; empty where it is not signed for this organisation."""
    try:
        body, headers, method, address = proof.split("|")
        if method != "POST" or str(base64.b64decode(address), "ascii") != aws_endpoint:
            return ""
        said = {name: values[0] for name, values in json.loads(base64.b64decode(headers)).items()}
        signed = said["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        lower = {name.lower(): value for name, value in said.items()}
        if lower.get("x-ddog-org-id") != ORG_ID or "x-ddog-org-id" not in signed:
            return ""
        asked = urllib.request.Request(aws_endpoint, base64.b64decode(body), said)  # noqa: S310 (loopback)
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
            found = re.search(r"<Arn>([^<]+)</Arn>", str(answer.read(), "utf-8"))
    except (ValueError, KeyError, OSError, AttributeError):
        return ""
    return found[1] if found else ""


def delete_mapping(request: Request, world: World) -> Response:
    """``DELETE /api/v2/cloud_auth/aws/intake_mapping/{id}``."""
    with world.documents.lock:
        if world.documents.intake_mappings.pop(request.captures["id"], None) is None:
            raise text_error(404, "Not Found")
    return Response(204)


def _overlap(one: str, other: str) -> bool:
    wide, narrow = sorted((one, other), key=lambda pattern: not pattern.endswith("*"))
    return one == other or (wide.endswith("*") and narrow.startswith(wide[:-1]))


def _shown(number: str, pattern: str) -> JsonObject:
    return {"type": TYPE, "id": number, "attributes": {"arn_pattern": pattern}}

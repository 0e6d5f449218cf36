"""The endpoints that say whether keys are valid."""

from __future__ import annotations

from ddsetup.sandbox.datadog.keys import api_key_id
from ddsetup.sandbox.datadog.wire import Request, Response
from ddsetup.sandbox.datadog.world import World


def validate_v1(request: Request, world: World) -> Response:
    """``GET /api/v1/validate``: API key only, 403 when invalid."""
    world.keys.require_api_key(request)
    return Response(200, {"valid": True})


def validate_v2(request: Request, world: World) -> Response:
    """``GET /api/v2/validate``: API key only."""
    key = world.keys.require_api_key(request, v2=True)
    attributes = {"valid": True, "api_key_id": api_key_id(key), "api_key_scopes": []}
    return Response(200, {"data": {"type": "validate_v2", "id": api_key_id(key), "attributes": attributes}})


ORGANISATION = "Coffee (sandbox)"
ORG_ID, _USER_ID = "0c0ffee0-0000-4000-8000-000000000001", "0c0ffee0-0000-4000-8000-000000000002"


def current_user(request: Request, world: World) -> Response:
    """``GET /api/v2/current_user``: the owner of the application key, with their organisation."""
    world.keys.require_api_key(request, v2=True)
    world.keys.require_app_key(request, None)
    org = {"type": "orgs", "id": ORG_ID}
    user = {"name": "Operator", "handle": "operator@example.com", "email": "operator@example.com"}
    data = {"type": "users", "id": _USER_ID, "attributes": user, "relationships": {"org": {"data": org}}}
    included = [{**org, "attributes": {"name": ORGANISATION, "public_id": "c0ffee"}}]
    return Response(200, {"data": data, "included": included})


def validate_keys(request: Request, world: World) -> Response:
    """``GET /api/v2/validate_keys``: 401 for the API key, 403 for the application key."""
    world.keys.require_api_key(request, v2=True)
    world.keys.require_app_key(request, None)
    return Response(200, {"status": "ok"})

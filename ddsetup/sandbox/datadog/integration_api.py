"""The v2 AWS integration endpoints: accounts, external ids, namespaces, log services, IAM permissions."""

from __future__ import annotations

from typing import Any

from ddsetup.sandbox.datadog.account_config import invalid, recorded
from ddsetup.sandbox.datadog.integrations import Account
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, json_api, text_error
from ddsetup.sandbox.datadog.world import World

#: The official template attaches at most this many actions by policy.
PERMISSIONS_PER_POLICY = 150


def list_accounts(request: Request, world: World) -> Response:
    """``GET /accounts[?aws_account_id=]``: an unknown account is an empty list, not an error."""
    wanted = request.query.get("aws_account_id")
    accounts = [a for a in world.integrations.accounts() if wanted in (None, "", a.aws_account_id)]
    return json_api({"data": [_described(account) for account in accounts]})


def create_account(request: Request, world: World) -> Response:
    """``POST /accounts``: answers 200, not 201."""
    return json_api({"data": _described(world.integrations.create(_attributes(request)))})


def get_account(request: Request, world: World) -> Response:
    """``GET /accounts/{id}``."""
    return json_api({"data": _described(world.integrations.get(request.captures["id"]))})


def update_account(request: Request, world: World) -> Response:
    """``PATCH /accounts/{id}``: fields merge, arrays are replaced."""
    world.integrations.get(request.captures["id"])
    updated = world.integrations.update(request.captures["id"], _attributes(request))
    return json_api({"data": _described(updated)})


def delete_account(request: Request, world: World) -> Response:
    """``DELETE /accounts/{id}``."""
    world.integrations.delete(request.captures["id"])
    return Response(204)


def new_external_id(_request: Request, world: World) -> Response:
    """``POST /generate_new_external_id``."""
    external_id = world.integrations.new_external_id()
    return json_api(
        {"data": {"id": external_id, "type": "external_id", "attributes": {"external_id": external_id}}}
    )


def available_namespaces(_request: Request, _world: World) -> Response:
    """``GET /available_namespaces``: as recorded."""
    names = recorded("namespaces", "namespaces")
    return json_api({"data": {"id": "namespaces", "type": "namespaces", "attributes": {"namespaces": names}}})


def log_services(_request: Request, _world: World) -> Response:
    """``GET /logs/services``: as recorded."""
    names = recorded("log_services", "logs_services")
    return json_api(
        {"data": {"id": "logs_services", "type": "logs_services", "attributes": {"logs_services": names}}}
    )


def all_permissions(_request: Request, _world: World) -> Response:
    """``GET /iam_permissions``: both lists together."""
    return _permissions(sorted({*recorded("iam_standard", "permissions"), *_resource_collection()}))


def standard_permissions(_request: Request, _world: World) -> Response:
    """``GET /iam_permissions/standard``: as recorded."""
    return _permissions(recorded("iam_standard", "permissions"))


def resource_collection_permissions(request: Request, _world: World) -> Response:
    """``GET /iam_permissions/resource_collection[?chunked=true]``: chunked: one list for each policy."""
    names = _resource_collection()
    if request.query.get("chunked") == "true":
        return _permissions(
            [names[i : i + PERMISSIONS_PER_POLICY] for i in range(0, len(names), PERMISSIONS_PER_POLICY)]
        )
    return _permissions(names)


def _resource_collection() -> list[str]:
    try:
        return recorded("iam_resource_collection", "permissions")
    except FileNotFoundError:
        raise text_error(404, "Not found") from None


def _permissions(permissions: list[Any]) -> Response:
    attributes = {"permissions": permissions}
    return json_api({"data": {"id": "permissions", "type": "permissions", "attributes": attributes}})


def _attributes(request: Request) -> JsonObject:
    data = request.json_object().get("data")
    if not isinstance(data, dict) or data.get("type") != "account":
        raise invalid("type", "expected account")
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        raise invalid("attributes", "attributes are required")
    return attributes


def _described(account: Account) -> JsonObject:
    attributes = dict(account.attributes)
    attributes["auth_config"] = {
        k: v for k, v in attributes["auth_config"].items() if k != "secret_access_key"
    }
    return {"id": account.id, "type": "account", "attributes": attributes}

"""Datadog's record of an AWS account: `/api/v2/integration/aws/accounts` (AWSIntegrationApi v2).

Writes send only the fields that differ; Datadog merges them by field, but replaces lists whole. There is no
ETag, so every write is followed by a read and a comparison. Lists may be absent in old records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import TypeAlias

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.faults import Rejected, unreadable
from ddsetup.gateways.datadog.shapes import ANYTHING, Shape
from ddsetup.model.account import Integration, Json, NamespaceFilter, Unreadable
from ddsetup.model.errors import ChangedSince, GatewayError, NotFound
from ddsetup.model.states import IntegrationState

READ = "aws_configuration_read"
EDIT = "aws_configuration_edit"
MANAGE = "aws_configurations_manage"

ACCOUNTS = "/api/v2/integration/aws/accounts"
_NEW_EXTERNAL_ID = "/api/v2/integration/aws/generate_new_external_id"

JsonObject: TypeAlias = dict[str, Json]

_NAMES: Shape = [str]
_RECORD: Shape = {
    "id": str,
    "attributes": {
        "aws_account_id": str,
        "aws_partition?": str,
        "account_tags?": _NAMES,
        "auth_config?": {"role_name?": str, "external_id?": str},
        "aws_regions?": {"include_only?": _NAMES},
        "metrics_config?": {
            "enabled?": bool,
            "namespace_filters?": {"include_only?": _NAMES, "exclude_only?": _NAMES},
        },
        "logs_config?": {"lambda_forwarder?": {"lambdas?": _NAMES, "sources?": _NAMES}},
        "resources_config?": {"extended_collection?": bool},
    },
}
ALL_ACCOUNTS: Shape = {"data": [_RECORD]}
"""What a list of records has to look like."""
_ISSUED: Shape = {"data": {"attributes": {"external_id": str}}}


def read_integration(dd: Datadog, account: str) -> Integration | Unreadable | None:
    """The record of the AWS account with this 12-digit number, None if Datadog has none."""
    try:
        return _find(dd, account)
    except GatewayError as error:
        return unreadable(error)


def new_external_id(dd: Datadog) -> str:
    """An external ID for the trust policy, issued by Datadog. It is not yet tied to an account."""
    answer = dd.post(_NEW_EXTERNAL_ID, None, action=EDIT, shape=_ISSUED)
    issued = str(answer["data"]["attributes"]["external_id"])
    if not issued:
        raise GatewayError("Datadog issued no external ID", action=EDIT, where=dd.url)
    return issued


def create_integration(dd: Datadog, state: IntegrationState, external_id: str) -> Integration:
    """Register the account. The role must exist and trust `external_id`.

    Safe to repeat: if the account turns out to be there already (a first attempt whose answer was lost), its
    record is read back, and taken when it is exactly the one asked for. Raises ChangedSince when somebody
    else registered the account otherwise, GatewayError when Datadog keeps something else than was sent.
    """
    body = _envelope(_attributes(state, external_id))
    try:
        dd.post(ACCOUNTS, body, action=MANAGE, shape=ANYTHING)
    except Rejected as error:
        if error.status != 409:
            raise
        live = _find(dd, state.aws_account_id)
        if live is None or live.external_id != external_id or state.differing(integration_state(live)):
            raise ChangedSince(
                f"AWS account {state.aws_account_id} was registered with Datadog by somebody else meanwhile",
                action=MANAGE,
                fix="run the command again: it will look at that registration first",
            ) from None
        return live
    created = _find(dd, state.aws_account_id)
    if created is None:
        raise GatewayError(
            f"Datadog accepted AWS account {state.aws_account_id} but does not list it", action=MANAGE
        )
    if created.external_id != external_id:
        raise GatewayError("Datadog registered the account with another external ID than the role trusts")
    _check_kept(created, state, state.differing(integration_state(created)))
    return created


def update_integration(
    dd: Datadog, config_id: str, before: IntegrationState, after: IntegrationState, live: Integration
) -> Integration:
    """Change the fields in which `before` and `after` differ; `live` is the record as read just now.

    Raises ChangedSince, without writing, when one of those fields is no longer as in `before`; GatewayError
    when Datadog does not keep what was sent; NotFound when the record is gone.
    """
    now = integration_state(live)
    todo = tuple(name for name in before.differing(after) if name in now.differing(after))
    moved = [name for name in todo if name in now.differing(before)]
    if live.config_id != config_id or moved:
        raise ChangedSince(
            f"Datadog's record of AWS account {live.account} has changed: {', '.join(moved) or 'replaced'}",
            action=EDIT,
            fix="run the command again",
        )
    if not todo:
        return live
    attributes = _changed_attributes(after, todo)
    _patch(dd, config_id, attributes)
    kept = get_integration(dd, config_id)
    _check_kept(kept, after, todo)
    return kept


def delete_integration(dd: Datadog, config_id: str) -> None:
    """Delete the record. One that is already gone counts as deleted."""
    try:
        dd.call("DELETE", f"{ACCOUNTS}/{config_id}", action=MANAGE, shape=NoneType)
    except NotFound:
        return


def set_log_collection(
    dd: Datadog, live: Integration, lambdas: Sequence[str], sources: Sequence[str]
) -> Integration:
    """Register exactly these forwarder ARNs and log sources; what else the section holds is carried over.

    `live` is the record as read just now: the caller adds to, or takes from, its lists. The record as it is
    then: Datadog replaces lists whole and has no revision to write on, so whoever writes at the same time
    may have won.
    """
    forwarder = dict(_object(_object(live.raw, "logs_config"), "lambda_forwarder"))
    forwarder["lambdas"] = list(lambdas)
    forwarder["sources"] = list(sources)
    attributes = {"aws_account_id": live.account, "logs_config": {"lambda_forwarder": forwarder}}
    _patch(dd, live.config_id, attributes)
    return get_integration(dd, live.config_id)


def get_integration(dd: Datadog, config_id: str) -> Integration:
    """The record with this id. Raises NotFound and the other errors of `Datadog.call`."""
    answer = dd.get(f"{ACCOUNTS}/{config_id}", action=READ, shape={"data": _RECORD})
    return _parse(answer["data"])


def integration_state(live: Integration) -> IntegrationState:
    """The facet of a record that ddsetup owns, to compare with what was planned."""
    tags = live.raw.get("account_tags")
    return IntegrationState(
        aws_account_id=live.account,
        partition=live.partition,
        role_name=live.role_name or "",
        metrics_enabled=live.metrics_enabled,
        namespaces_mode=live.namespaces.mode if live.namespaces else "",
        namespaces=live.namespaces.names if live.namespaces else (),
        regions=live.regions or (),
        resource_collection=live.resource_collection,
        tags=_strings(tags),
    )


def _patch(dd: Datadog, config_id: str, attributes: JsonObject) -> None:
    """Send the change. Nothing is read from the answer: the record is read again afterwards."""
    path = f"{ACCOUNTS}/{config_id}"
    dd.call("PATCH", path, action=EDIT, body=_envelope(attributes), shape=ANYTHING)


def _find(dd: Datadog, account: str) -> Integration | None:
    query = {"aws_account_id": account}
    for record in dd.get(ACCOUNTS, action=READ, query=query, shape=ALL_ACCOUNTS)["data"]:
        found = _parse(record)
        if found.account == account:
            return found
    return None


def _parse(record: Json) -> Integration:
    """A record as answered. Every section may be missing: records of 2024 lack empty ones."""
    raw = _object(record, "attributes")
    auth = _object(raw, "auth_config")
    metrics = _object(raw, "metrics_config")
    forwarder = _object(_object(raw, "logs_config"), "lambda_forwarder")
    regions = _object(raw, "aws_regions").get("include_only")
    return Integration(
        config_id=str(record["id"]),
        account=str(raw.get("aws_account_id", "")),
        partition=str(raw.get("aws_partition", "aws")),
        role_name=auth.get("role_name"),
        external_id=auth.get("external_id"),
        access_key_auth="access_key_id" in auth,
        metrics_enabled=metrics.get("enabled") is not False,
        namespaces=_namespaces(_object(metrics, "namespace_filters")),
        regions=None if regions is None else _strings(regions),
        lambdas=_strings(forwarder.get("lambdas")),
        sources=_strings(forwarder.get("sources")),
        resource_collection=_object(raw, "resources_config").get("extended_collection") is True,
        raw=raw,
    )


def _namespaces(filters: JsonObject) -> NamespaceFilter | None:
    if (only := filters.get("include_only")) is not None:
        return NamespaceFilter(mode="include_only", names=_strings(only))
    if (but := filters.get("exclude_only")) is not None:
        return NamespaceFilter(mode="exclude_only", names=_strings(but))
    return None


def _attributes(state: IntegrationState, external_id: str) -> JsonObject:
    names = ("metrics_enabled", "namespaces", "regions", "resource_collection", "tags")
    attributes = _changed_attributes(state, names)
    attributes["auth_config"] = {"role_name": state.role_name, "external_id": external_id}
    attributes["aws_partition"] = state.partition
    attributes["resources_config"]["cloud_security_posture_management_collection"] = False
    return attributes


def _changed_attributes(state: IntegrationState, names: Sequence[str]) -> JsonObject:
    """The attributes of a request that set the named fields of `state`; the account is always part of it.

    Filters are one-of unions: sending two members of one is refused. An empty mode of namespaces is not
    sent at all: Datadog has no value for "the default".
    """
    body: JsonObject = {"aws_account_id": state.aws_account_id}
    metrics: JsonObject = {}
    if "metrics_enabled" in names:
        metrics["enabled"] = state.metrics_enabled
    if {"namespaces", "namespaces_mode"} & set(names) and state.namespaces_mode:
        metrics["namespace_filters"] = {state.namespaces_mode: list(state.namespaces)}
    if metrics:
        body["metrics_config"] = metrics
    if "regions" in names:
        body["aws_regions"] = (
            {"include_only": list(state.regions)} if state.regions else {"include_all": True}
        )
    if "resource_collection" in names:
        body["resources_config"] = {"extended_collection": state.resource_collection}
    if "tags" in names:
        body["account_tags"] = list(state.tags)
    if "role_name" in names:
        body["auth_config"] = {"role_name": state.role_name}
    return body


def _check_kept(kept: Integration, wanted: IntegrationState, names: Sequence[str]) -> None:
    lost = [name for name in wanted.differing(integration_state(kept)) if name in names]
    if lost:
        raise GatewayError(
            f"Datadog accepted the change of AWS account {kept.account}, but keeps other values of"
            f" {', '.join(lost)}",
            action=EDIT,
        )


def _envelope(attributes: JsonObject) -> JsonObject:
    return {"data": {"type": "account", "attributes": attributes}}


def _object(document: Json, name: str) -> JsonObject:
    value = document.get(name) if isinstance(document, Mapping) else None
    return value if isinstance(value, dict) else {}


def _strings(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()

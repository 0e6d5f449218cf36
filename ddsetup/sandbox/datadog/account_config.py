"""The configuration of one AWS account: defaults, checks and merging, as recorded from the v2 API."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from ddsetup.sandbox.datadog.wire import ApiError, JsonObject, object_error

PARTITIONS = ("aws", "aws-cn", "aws-us-gov")

#: What Datadog leaves out when a create request names no ``namespace_filters`` (recorded 2025-08-06).
DEFAULT_EXCLUDED_NAMESPACES = ("AWS/SQS", "AWS/ElasticMapReduce")

# One of two members each; a PATCH replaces them as a whole.
_UNIONS: Mapping[str, tuple[str, str]] = {
    "aws_regions": ("include_all", "include_only"),
    "namespace_filters": ("include_only", "exclude_only"),
    "xray_services": ("include_all", "include_only"),
}

_LAMBDA_ARN = re.compile(r"arn:aws[\w-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+")

_FIELDS = {
    "account_tags",
    "auth_config",
    "aws_account_id",
    "aws_partition",
    "aws_regions",
    "logs_config",
    "metrics_config",
    "resources_config",
    "traces_config",
}


def recorded(name: str, key: str) -> list[str]:
    """A recorded list that ships with ddsetup, for example ``("namespaces", "namespaces")``."""
    text = resources.files("ddsetup").joinpath("data", f"{name}.json").read_text(encoding="utf-8")
    values: list[str] = json.loads(text)[key]
    return values


def defaults() -> JsonObject:
    """What an account has that the create request did not mention."""
    return {
        "account_tags": [],
        "aws_regions": {"include_all": True},
        "logs_config": {
            "lambda_forwarder": {"lambdas": [], "sources": [], "log_source_config": {"tag_filters": []}}
        },
        "metrics_config": {
            "enabled": True,
            "automute_enabled": True,
            "collect_custom_metrics": False,
            "collect_cloudwatch_alarms": False,
            "tag_filters": [],
            "namespace_filters": {"exclude_only": list(DEFAULT_EXCLUDED_NAMESPACES)},
        },
        "resources_config": {
            "cloud_security_posture_management_collection": False,
            "extended_collection": True,
        },
        "traces_config": {"xray_services": {"include_only": []}},
    }


def merged(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> JsonObject:
    """``sent`` over ``stored``: sections and fields merge, arrays and one-of unions are replaced."""
    result: JsonObject = copy.deepcopy(dict(stored))
    for key, value in sent.items():
        if value is None:
            continue
        inner = result.get(key)
        if isinstance(value, dict) and isinstance(inner, dict) and key not in _UNIONS:
            result[key] = merged(inner, value)
        elif not (key in _UNIONS and value == {}):  # an empty union changes nothing (recorded)
            result[key] = copy.deepcopy(value)
    return result


def check(attributes: Mapping[str, Any], *, creating: bool) -> None:
    """Refuse what Datadog refuses, and fields that are not known here. Raises ApiError 400."""
    if unknown := set(attributes) - _FIELDS:
        raise invalid(min(unknown), "unknown field")
    _check_identity(attributes, creating=creating)
    _check_auth(attributes.get("auth_config"), required=creating)
    _strings(attributes.get("account_tags"), "account_tags")
    _union(attributes, "aws_regions")
    _check_logs(_section(attributes, "logs_config"))
    _check_metrics(_section(attributes, "metrics_config"))
    _check_resources(_section(attributes, "resources_config"))
    traces = _section(attributes, "traces_config")
    _known(traces, {"xray_services"}, "traces_config")
    _union(traces, "xray_services")


def invalid(field: str, why: str) -> ApiError:
    """The recorded answer to an invalid create request, naming the field."""
    return object_error(400, "Bad Request", "invalid value", {field: why})


def _check_identity(attributes: Mapping[str, Any], *, creating: bool) -> None:
    account = attributes.get("aws_account_id")
    if not isinstance(account, str) or not re.fullmatch(r"\d{12}", account):
        raise invalid("aws_account_id", "invalid account id")
    partition = attributes.get("aws_partition")
    if partition is None and not creating:
        return
    if partition not in PARTITIONS:
        message = f"invalid partition: {partition}"
        if creating:
            raise invalid("aws_partition", message)
        raise ApiError(400, [{"title": "Generic Error", "detail": message}])


def _check_auth(auth: Any, *, required: bool) -> None:
    if auth is None and not required:
        return
    if not isinstance(auth, dict):
        raise invalid("auth_config", "auth_config is required")
    by_role, by_key = "role_name" in auth, "access_key_id" in auth
    if by_role == by_key:
        raise invalid("auth_config", "exactly one of role or access key is needed")
    _known(
        auth,
        {"role_name", "external_id"} if by_role else {"access_key_id", "secret_access_key"},
        "auth_config",
    )
    name = auth["role_name"] if by_role else auth["access_key_id"]
    if not isinstance(name, str) or not name or len(name) > 576 or "/" in name:
        raise invalid("auth_config", "invalid name")


def _check_logs(logs: Mapping[str, Any]) -> None:
    _known(logs, {"lambda_forwarder"}, "logs_config")
    forwarder = _section(logs, "lambda_forwarder")
    _known(forwarder, {"lambdas", "sources", "log_source_config"}, "lambda_forwarder")
    for arn in _strings(forwarder.get("lambdas"), "lambdas"):
        if not _LAMBDA_ARN.fullmatch(arn):
            raise invalid("lambdas", f"invalid lambda arn: {arn}")
    services = recorded("log_services", "logs_services")
    for source in _strings(forwarder.get("sources"), "sources"):
        if source not in services:
            raise invalid("sources", f"unknown source: {source}")
    sources = _section(forwarder, "log_source_config")
    _known(sources, {"tag_filters"}, "log_source_config")
    _tag_filters(sources.get("tag_filters"), "source")


def _check_metrics(metrics: Mapping[str, Any]) -> None:
    flags = {"enabled", "automute_enabled", "collect_custom_metrics", "collect_cloudwatch_alarms"}
    _known(metrics, flags | {"namespace_filters", "tag_filters", "metric_name_filters"}, "metrics_config")
    _flags(metrics, flags)
    chosen = _union(metrics, "namespace_filters")
    known = recorded("namespaces", "namespaces")
    for namespace in chosen if isinstance(chosen, list) else []:
        if namespace not in known:
            raise invalid("namespace_filters", f"unknown namespace: {namespace}")
    _tag_filters(metrics.get("tag_filters"), "namespace")
    for name_filter in _objects(metrics.get("metric_name_filters"), "metric_name_filters"):
        if ("include_only" in name_filter) == ("exclude_only" in name_filter):
            raise invalid("metric_name_filters", "exactly one of include_only or exclude_only is needed")


def _check_resources(section: Mapping[str, Any]) -> None:
    flags = {"cloud_security_posture_management_collection", "extended_collection"}
    _known(section, flags, "resources_config")
    _flags(section, flags)
    if (
        section.get("cloud_security_posture_management_collection")
        and section.get("extended_collection") is False
    ):
        raise invalid(
            "resources_config", "cloud_security_posture_management_collection needs extended_collection"
        )


def _section(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(name, "expected an object")
    return value


def _known(section: Mapping[str, Any], names: set[str], where: str) -> None:
    if unknown := set(section) - names:
        raise invalid(where, f"unknown field {min(unknown)}")


def _union(holder: Mapping[str, Any], name: str) -> Any:
    """The value of the one member that a one-of union has, None without a union."""
    value = _section(holder, name)
    if not value:
        return None
    members = _UNIONS[name]
    if len(value) != 1 or next(iter(value)) not in members:
        raise invalid(name, f"exactly one of {members[0]} or {members[1]} is needed")
    member, content = next(iter(value.items()))
    if member == "include_all":
        if content is not True:
            raise invalid(name, "include_all must be true")
        return True
    return _strings(content, name)


def _flags(section: Mapping[str, Any], names: set[str]) -> None:
    for name in names & set(section):
        if not isinstance(section[name], bool):
            raise invalid(name, "expected true or false")


def _strings(value: Any, where: str) -> list[str]:
    return _list_of(value, where, lambda item: isinstance(item, str))


def _objects(value: Any, where: str) -> list[JsonObject]:
    return _list_of(value, where, lambda item: isinstance(item, dict))


def _list_of(value: Any, where: str, test: Callable[[Any], bool]) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(map(test, value)):
        raise invalid(where, "invalid list")
    return value


def _tag_filters(value: Any, key: str) -> None:
    for item in _objects(value, "tag_filters"):
        _known(item, {key, "tags"}, "tag_filters")
        _strings(item.get("tags"), "tag_filters")

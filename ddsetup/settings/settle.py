"""From values by setting to `Answers`, and back again for `ddsetup.toml` and the CI command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ddsetup.model.answers import Answers, KeySource, OnConflict, Selection, Tracing
from ddsetup.settings.setting import Value
from ddsetup.settings.table import KEY_SOURCES

_SAME = (
    "site",
    "via",
    "logs",
    "traces",
    "enhanced_metrics",
    "env",
    "service",
    "layer_version",
    "extension_version",
    "fips",
    "grant_key_access",
    "role_name",
    "role_boundary",
    "role_path",
    "resource_collection",
    "forwarder_stack",
    "forwarder_version",
    "forwarder_upgrade",
    "subscribe",
    "create_log_groups",
    "on_conflict",
    "owned",
    "publish",
)
"""Settings whose key is the name of the field, and whose value is the field's."""

_RENAMED = {
    "region": "regions",
    "version_tag": "version",
    "integration_namespace": "integration_namespaces",
    "forwarder_arn": "forwarder_arns",
    "forwarder_name": "forwarder_function",
    "forwarder_template_url": "template_url",
    "log_source": "log_sources",
    "state_machine": "state_machines",
    "api_stage": "api_stages",
}

_SELECTION = {
    "function": "names",
    "exclude": "exclude",
    "runtime": "runtimes",
    "stack": "stacks",
    "all": "all",
    "state": "state",
}

_TRACING = {
    "log_level": "log_level",
    "capture_payload": "capture_payload",
    "merge_xray": "merge_xray",
    "appsec": "appsec",
    "llmobs": "llmobs",
    "apm_flush_deadline": "apm_flush_deadline_ms",
    "git_commit": "git_commit",
    "git_repository": "git_repository",
}


def answers_of(values: Mapping[str, Value]) -> Answers:
    """The answers that checked values add up to; what is not there takes its default.

    `site` and `region` may be missing for commands that need neither; they are then empty.
    """
    fields: dict[str, Any] = {"site": "", "regions": ()}
    fields |= {key: values[key] for key in _SAME if key in values}
    fields |= {name: values[key] for key, name in _RENAMED.items() if key in values}
    if "extra_tag" in values:
        fields["extra_tags"] = tuple(_pair(text, ":") for text in _texts(values["extra_tag"]))
    if "resource_tag" in values:
        fields["resource_tags"] = tuple(_pair(text, "=") for text in _texts(values["resource_tag"]))
    if "forwarder_param" in values:
        fields["forwarder_params"] = dict(_pair(text, "=") for text in _texts(values["forwarder_param"]))
    if "conflict" in values:
        decided = (text.rpartition("=") for text in _texts(values["conflict"]))
        fields["conflicts"] = {which: cast(OnConflict, decision) for which, _, decision in decided}
    tracing = {name: values[key] for key, name in _TRACING.items() if key in values}
    return Answers(
        **fields,
        selection=selection_of(values),
        key_source=_key_source(values),
        tracing=Tracing(**cast(dict[str, Any], tracing)),
    )


def selection_of(values: Mapping[str, Value]) -> Selection:
    """Which functions the values mean. A state alone means all functions in that state."""
    fields: dict[str, Any] = {name: values[key] for key, name in _SELECTION.items() if key in values}
    if "tag" in values:
        fields["tags"] = tuple(_pair(text, "=") for text in _texts(values["tag"]))
    selection = Selection(**fields)
    if selection.state != "any" and not selection.given:
        return Selection(**{**fields, "all": True})
    return selection


def values_of(answers: Answers) -> dict[str, Value]:
    """The values that give these answers again; defaults are left out, except site and regions."""
    usual = Answers(site="", regions=())
    names = {**{key: key for key in _SAME}, **_RENAMED}
    values = _differing(names, answers, usual)
    values |= _differing(_SELECTION, answers.selection, Selection())
    values |= _differing(_TRACING, answers.tracing, Tracing())
    lists = {
        "tag": tuple(f"{k}={v}" for k, v in answers.selection.tags),
        "extra_tag": tuple(f"{k}:{v}" for k, v in answers.extra_tags),
        "resource_tag": tuple(f"{k}={v}" for k, v in answers.resource_tags),
        "forwarder_param": tuple(f"{k}={v}" for k, v in answers.forwarder_params.items()),
        "conflict": tuple(f"{k}={v}" for k, v in answers.conflicts.items()),
    }
    values |= {key: items for key, items in lists.items() if items}
    if answers.key_source.value:
        values[f"api_key_{answers.key_source.kind}"] = answers.key_source.value
    return values


def _differing(names: Mapping[str, str], record: object, usual: object) -> dict[str, Value]:
    """The values by setting of the fields that are not as in `usual`."""
    found = {key: getattr(record, name) for key, name in names.items()}
    return {key: value for key, value in found.items() if value != getattr(usual, names[key])}


def _key_source(values: Mapping[str, Value]) -> KeySource:
    for key in KEY_SOURCES:
        if key in values:
            return KeySource(kind=cast(Any, key.removeprefix("api_key_")), value=str(values[key]))
    return KeySource()


def _pair(text: str, separator: str) -> tuple[str, str]:
    key, _, value = text.partition(separator)
    return key, value


def _texts(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)

"""From values by setting to `Answers`, and back again for `ddsetup.toml` and the CI command line.

Which field a setting fills is said by the setting itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ddsetup.model.answers import Answers, KeySource, Selection
from ddsetup.settings.setting import USUAL, Setting, Value, field_of
from ddsetup.settings.table import TABLE

_KEY = "key_source"


def answers_of(values: Mapping[str, Value]) -> Answers:
    """The answers that checked values add up to; what is not there takes its default.

    `site` and `region` may be missing for commands that need neither; they are then empty.
    """
    fields: dict[str, Any] = {}
    for setting in _filling(values):
        if setting.field == _KEY:
            fields.setdefault(_KEY, _key_source(setting.key, values))
        elif not setting.field.startswith("selection."):
            _put(fields, setting, values[setting.key])
    tracing = {name: fields.pop(name) for name in list(fields) if name.startswith("tracing.")}
    below = {name.partition(".")[2]: value for name, value in tracing.items()}
    return replace(USUAL, **fields, selection=selection_of(values), tracing=replace(USUAL.tracing, **below))


def _key_source(key: str, values: Mapping[str, Value]) -> KeySource:
    if key in (_KEY, "org_uuid"):
        wif = values.get(_KEY, "wif") == "wif"
        return KeySource(kind="wif", value=str(values.get("org_uuid", ""))) if wif else KeySource()
    kind: Any = key.removeprefix("api_key_")
    return KeySource(kind=kind, value=str(values[key]))


def selection_of(values: Mapping[str, Value]) -> Selection:
    """Which functions the values mean. A state alone means all functions in that state."""
    fields: dict[str, Any] = {}
    for setting in _filling(values):
        if setting.field.startswith("selection."):
            _put(fields, setting, values[setting.key])
    selection = Selection(**{name.removeprefix("selection."): value for name, value in fields.items()})
    if selection.state != "any" and not selection.given:
        return replace(selection, all=True)
    return selection


def values_of(answers: Answers) -> dict[str, Value]:
    """The values that give these answers again; defaults are left out, except site and regions."""
    found: dict[str, Value] = {}
    for setting in TABLE:
        if not setting.field:
            continue
        value: Any = field_of(answers, setting.field)
        if isinstance(value, KeySource):
            if setting.key == _KEY and value.kind == "wif":
                found |= {_KEY: "wif"} | ({"org_uuid": value.value} if value.value else {})
            elif value.value and setting.key == f"api_key_{value.kind}":
                found[setting.key] = value.value
        elif value != field_of(USUAL, setting.field):
            found[setting.key] = _texts(setting, value) if setting.pair else value
    return found


def _filling(values: Mapping[str, Value]) -> Iterator[Setting]:
    return (setting for setting in TABLE if setting.field and setting.key in values)


def _put(fields: dict[str, Any], setting: Setting, value: Value) -> None:
    if not setting.pair:
        fields[setting.field] = value
        return
    texts = value if isinstance(value, tuple) else (str(value),)
    split = str.rpartition if setting.pair_at_end else str.partition
    parts = (split(text, setting.pair) for text in texts)
    pairs = tuple((key, of) for key, _, of in parts)
    mapping = isinstance(field_of(USUAL, setting.field), Mapping)
    fields[setting.field] = dict(pairs) if mapping else pairs


def _texts(setting: Setting, value: Any) -> tuple[str, ...]:
    pairs = value.items() if isinstance(value, Mapping) else value
    return tuple(f"{key}{setting.pair}{of}" for key, of in pairs)

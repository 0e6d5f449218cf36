"""The JSON schema of `ddsetup.toml`, for editors: `docs/generate.py` writes it to ddsetup/data."""

from __future__ import annotations

import json
from typing import Any

from ddsetup.settings.setting import Setting
from ddsetup.settings.table import TABLE

_TIME = r"^\s*\d+\s*[smhdSMHD]?\s*$"
_TYPES: dict[str, Any] = {
    "text": {"type": "string"},
    "number": {"type": "integer", "minimum": 0},
    "seconds": {"type": ["integer", "string"], "minimum": 0, "pattern": _TIME},
    "minutes": {"type": ["integer", "string"], "minimum": 0, "pattern": _TIME},
    "switch": {"type": "boolean"},
}


def schema() -> str:
    """The schema as JSON; what `ddsetup.toml` may not hold is not in it."""
    document = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "ddsetup.toml",
        "description": "Answers for ddsetup: Datadog for the Lambda functions of an AWS account.",
        "type": "object",
        "properties": {
            **{setting.key: _setting(setting) for setting in TABLE if setting.in_file},
            "doctor": _DOCTOR,
        },
        "additionalProperties": False,
    }
    return json.dumps(document, indent=2) + "\n"


def _setting(setting: Setting) -> dict[str, Any]:
    about = {"description": setting.help}
    if setting.is_list:
        one: dict[str, Any] = {"type": "string"}
        pairs = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}
        many = [{"type": "array", "items": one, "uniqueItems": True}, one]
        return about | {"anyOf": [*many, pairs] if "=" in setting.metavar or ":" in setting.metavar else many}
    if setting.choices:
        return about | {"enum": list(setting.choices)}
    return about | _TYPES[setting.kind]


_DOCTOR = {
    "description": "What ddsetup doctor leaves out.",
    "type": "object",
    "properties": {
        "ignore": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "check": {"type": "string", "description": "The name of a check."},
                    "resource": {"type": "string", "description": "A name or glob; without it all."},
                    "reason": {"type": "string", "description": "Why, for whoever reads the report."},
                },
                "required": ["check", "reason"],
                "additionalProperties": False,
            },
        }
    },
    "additionalProperties": False,
}

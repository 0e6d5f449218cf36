"""What Datadog says to a key that somebody else holds, how it indexes logs, and one log by its text."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.faults import unreadable
from ddsetup.gateways.datadog.keys import VALIDITY, key_kind
from ddsetup.gateways.datadog.shapes import Shape
from ddsetup.gateways.datadog.telemetry import path_in
from ddsetup.model.account import Unreadable
from ddsetup.model.errors import Denied, GatewayError, UsageError
from ddsetup.model.evidence import KeyState, LogIndex

_READ_CONFIG = "logs_read_config"
_EXCLUSION: Shape = {"is_enabled?": bool, "filter?": {"query?": str, "sample_rate?": float}}
_INDEXES: Shape = {
    "indexes": [
        {
            "name": str,
            "filter?": {"query?": str},
            "is_rate_limited?": bool,
            "exclusion_filters?": [_EXCLUSION],
        }
    ]
}


def key_state(dd: Datadog, text: str, site: str) -> tuple[KeyState, str]:
    """Whether what a secret holds is an API key that is valid on `site`, and if not, what is wrong with it.

    The value is sent to Datadog's validation and kept nowhere. The Forwarder takes plain text, or JSON with
    the member DD_API_KEY (datadog-serverless-functions 5.4.11).
    """
    key = _key_in(text)
    if not key:
        return "missing", "the secret with its API key is empty"
    if key_kind(key) != "api":
        other = ": it has the form of an application key" if key_kind(key) == "app" else ""
        return "malformed", f"its secret does not hold an API key of 32 hex digits{other}"
    if site != dd.site and not dd.knows_sites:
        return "unknown", ""
    try:
        there = Datadog.connect(site, DatadogKeys(key, ""), dd.given or None, clock=dd.clock)
        answer = there.get("/api/v1/validate", action="", shape=VALIDITY)
    except Denied:
        return "invalid", f"Datadog refuses its API key on {site}"
    except (GatewayError, UsageError):
        return "unknown", ""
    valid = path_in(answer, "valid") is True
    return ("valid", "") if valid else ("invalid", f"Datadog refuses its API key on {site}")


def log_indexes(dd: Datadog) -> tuple[LogIndex, ...] | Unreadable:
    """The indexes of logs, in their order. Needs `logs_read_config`."""
    try:
        answer = dd.get("/api/v1/logs/config/indexes", action=_READ_CONFIG, shape=_INDEXES)
    except GatewayError as error:
        return unreadable(error)
    found = []
    for index in answer["indexes"]:
        filters = path_in(index, "exclusion_filters") or ()
        active = [path_in(f, "filter") or {} for f in filters if path_in(f, "is_enabled")]
        found.append(
            LogIndex(
                name=str(path_in(index, "name") or ""),
                query=str(path_in(index, "filter", "query") or ""),
                limited=path_in(index, "is_rate_limited") is True,
                exclusions=tuple((str(f.get("query") or ""), _share(f.get("sample_rate"))) for f in active),
            )
        )
    return tuple(found)


def _key_in(text: str) -> str:
    text = text.strip()
    if not text.startswith("{"):
        return text
    try:
        document = json.loads(text)
    except ValueError:
        return text
    held = document.get("DD_API_KEY") if isinstance(document, Mapping) else None
    return held.strip() if isinstance(held, str) else text


def _share(value: object) -> float:
    """The share of matching logs that an exclusion filter drops."""
    return float(value) if isinstance(value, int | float) else 0.0

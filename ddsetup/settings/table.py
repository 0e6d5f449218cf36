"""Every option there is, once.

The command line, the environment, the configuration file, the prompts, the equivalent CI command and the
reference documentation are all made from this table, so that none of them can know an option that another
does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.settings.running import HOW, PROOF
from ddsetup.settings.setting import Setting
from ddsetup.settings.telemetry import DELIVERY, LIBRARY, WHAT
from ddsetup.settings.where import DATADOG, FUNCTIONS, INTEGRATIONS, WHERE

__all__ = ["INTEGRATIONS", "KEY_SOURCES", "SETTINGS", "TABLE", "WHICH"]

TABLE: tuple[Setting, ...] = FUNCTIONS + WHERE + DATADOG + WHAT + DELIVERY + LIBRARY + PROOF + HOW
SETTINGS: Mapping[str, Setting] = {setting.key: setting for setting in TABLE}

WHICH = tuple(s.key for s in FUNCTIONS)
"""The settings that together answer which functions are meant."""

KEY_SOURCES = ("key_source", "api_key_secret", "api_key_ssm", "api_key_kms")
"""The settings of which one may say where functions find the API key."""

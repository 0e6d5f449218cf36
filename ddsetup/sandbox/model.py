"""What a sandbox is made from and what it offers once it runs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACCOUNT = "123456789012"
LAYER_ACCOUNT = "464622532012"
OPERATOR = "ddsetup-operator"
FAILED = "Its state is Failed."
"""The description of a function that the emulated AWS says it could not bring up."""


_NUMBERS, _FIRST = 9 * 10**11, 10**11
"""How many account numbers of twelve digits there are that do not begin with 0, and the first of them."""
_STRIDE = 61_803_398_875


def new_account() -> str:
    """An account number of its own: journals of two sandboxes must never be taken for one account's."""
    return str(secrets.randbelow(_NUMBERS) + _FIRST)


def member_account(account: str, number: int) -> str:
    """The number of an account of the organisation that `account` manages; 0 is that account itself."""
    return str((int(account) - _FIRST + number * _STRIDE) % _NUMBERS + _FIRST)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What to put together. `operator_policy` is the IAM policy document of the sandbox's user."""

    operator_policy: Mapping[str, Any]
    scenarios: tuple[str, ...] = ("healthy",)
    regions: tuple[str, ...] = ("us-east-1",)
    """The first one is the default region; scenarios put their functions there, some also in the others."""
    site: str = "datadoghq.com"
    time_scale: float = 600.0
    """How much faster than Datadog the stand-in's background runs: 600 turns ten minutes into a second."""
    many: int = 200
    """How many functions the scenario `many` makes."""
    datadog_seed: Mapping[str, Any] = field(default_factory=dict)
    """What the stand-in holds from the start, beyond what the scenarios put there."""
    forwarder_zip: Path | None = None
    """An official Forwarder release to run instead of the sandbox's own."""
    cache_directory: Path | None = None
    account: str = ACCOUNT
    name: str = ""
    """What it is called in the registry; empty: the first name that is free."""
    registry: Path | None = None
    """Where it is entered while it runs, so that others find it; None: nowhere."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials of the emulated AWS; good on this machine, for this sandbox only."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: an AWS account and a Datadog organisation on loopback."""

    aws_endpoint_url: str
    datadog_url: str
    account: str
    regions: tuple[str, ...]
    operator: Keys
    """The IAM user that ddsetup is run as."""
    root: Keys
    """May do everything in the account; nothing of it is checked."""
    api_key: str = field(repr=False)
    app_key: str = field(repr=False)
    site: str
    forwarder_template_url: str
    forwarder_template_urls: Mapping[str, str]
    """By version of the Forwarder; `latest` is one of them."""
    call_log: Path
    """One JSON document a line for every AWS call (see `ddsetup.sandbox.emulator.calls`)."""
    directory: Path
    scenarios: tuple[str, ...]
    pid: int
    """The process that owns the sandbox: when it ends, all of it ends."""
    detached: bool = False
    macro_template_url: str = ""
    durable_template_url: str = ""
    name: str = ""

    def env(self) -> dict[str, str]:
        """The variables that make any AWS or Datadog tool, ddsetup too, use this sandbox."""
        several = {"DDSETUP_REGION": ",".join(self.regions)} if len(self.regions) > 1 else {}
        return {
            "AWS_ENDPOINT_URL": self.aws_endpoint_url,
            "AWS_ACCESS_KEY_ID": self.operator.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.operator.secret_access_key,
            "AWS_DEFAULT_REGION": self.regions[0],
            "AWS_REGION": self.regions[0],
            "AWS_EC2_METADATA_DISABLED": "true",
            "DDSETUP_DATADOG_URL": f"{self.datadog_url}/{{site}}",
            "DD_API_KEY": self.api_key,
            "DD_APP_KEY": self.app_key,
            "DD_SITE": self.site,
            "DDSETUP_FORWARDER_TEMPLATE_URL": self.forwarder_template_url,
            "DDSETUP_MACRO_TEMPLATE_URL": self.macro_template_url,
            "DDSETUP_DURABLE_TEMPLATE_URL": self.durable_template_url,
            **several,
        }

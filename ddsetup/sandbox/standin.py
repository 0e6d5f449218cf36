"""Starts the Datadog stand-in as a process."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddsetup.facts.catalog import trust_account
from ddsetup.sandbox.datadog.exchanges import VARIABLE
from ddsetup.sandbox.model import ACCOUNT, LAYER_ACCOUNT, SandboxOptions, member_account
from ddsetup.sandbox.process import Child, base_environment, spawn, wait_for

_PORT_SECONDS = 30.0
_MOST_ACCOUNTS = 50
"""Accounts of an organisation that a scenario's seed may name."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the stand-in needs: the emulated AWS that it watches, and the keys it knows."""

    aws_url: str
    api_key: str
    app_key: str
    account: str


@dataclass(frozen=True, slots=True)
class EmulatedDatadog:
    """The stand-in's process and where it listens."""

    url: str
    child: Child


def start(
    directory: Path, options: SandboxOptions, access: Access, seeds: Sequence[Mapping[str, Any]]
) -> EmulatedDatadog:
    """Start the stand-in; it listens when this returns. Raises `SandboxStartError` if it does not come up."""
    own = directory / "datadog"
    (own / "state").mkdir(parents=True)
    seed_file, port_file = own / "seed.json", own / "port"
    seed = json.dumps(merged([*seeds, options.datadog_seed]))
    seed_file.write_text(_of_account(seed, access.account), encoding="utf-8")
    datadog_account = trust_account(options.site, "aws") or LAYER_ACCOUNT
    arguments = {
        "--port": "0",
        "--port-file": str(port_file),
        "--aws-endpoint": access.aws_url,
        "--account-key": datadog_account,
        "--principal-account": datadog_account,
        "--api-key": access.api_key,
        "--app-key": access.app_key,
        "--site": options.site,
        "--time-scale": str(options.time_scale),
        "--state-dir": str(own / "state"),
        "--seed": str(seed_file),
    }
    if os.environ.get(VARIABLE):
        arguments["--exchanges"] = str(Path(os.environ[VARIABLE]).resolve() / f"{uuid.uuid4().hex}.jsonl")
    child = spawn(
        "ddsetup.sandbox.datadog",
        [part for pair in arguments.items() for part in pair],
        log=directory / "datadog.log",
        environment=base_environment(directory),
    )
    try:
        wait_for(child, port_file.exists, what="The Datadog stand-in", timeout=_PORT_SECONDS)
    except BaseException:
        child.stop()
        raise
    return EmulatedDatadog(f"http://127.0.0.1:{port_file.read_text(encoding='utf-8')}", child)


def _of_account(seed: str, account: str) -> str:
    """Scenarios are written for one account and those of its organisation, whichever they are."""
    numbers = {member_account(ACCOUNT, n): member_account(account, n) for n in range(_MOST_ACCOUNTS)}
    return re.sub(r"\d{12}", lambda found: numbers.get(found[0], found[0]), seed)


def merged(seeds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One seed of several: lists and mappings are joined, anything else comes from the last that has it."""
    result: dict[str, Any] = {}
    for seed in seeds:
        for key, value in seed.items():
            if isinstance(value, list):
                result[key] = [*result.get(key, ()), *value]
            elif isinstance(value, Mapping):
                result[key] = {**result.get(key, {}), **value}
            else:
                result[key] = value
    return result

"""Starts the emulated AWS and talks to it as its administrator. The only module that knows how."""

from __future__ import annotations

import os
import threading
import urllib.request
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata, util
from pathlib import Path
from typing import Any

from ddsetup.sandbox import faults, layers
from ddsetup.sandbox.emulator.settings import EmulatorSettings
from ddsetup.sandbox.errors import SandboxUnavailable
from ddsetup.sandbox.model import ACCOUNT, LAYER_ACCOUNT, Keys
from ddsetup.sandbox.process import Child, base_environment, spawn, wait_for

DATADOG_FILE = "datadog.json"
"""In a sandbox's directory: `{"url", "site"}` of Datadog's stand-in."""
_PORT_SECONDS = 30.0
_READY_SECONDS = 60.0
_NEEDED = ("ministack", "datadog_lambda", "hypercorn")

ROOT = Keys(ACCOUNT, "test")
"""A 12-digit access key is the root user of that account; the emulator does not check its secret."""


@dataclass(frozen=True, slots=True)
class EmulatedAws:
    """The emulator's process and where it listens."""

    endpoint_url: str
    call_log: Path
    child: Child


def require_extra() -> None:
    """Raise `SandboxUnavailable` unless the packages of the extra `ddsetup[sandbox]` are installed, on
    a system that can end a group of processes together."""
    if not hasattr(os, "killpg"):
        raise SandboxUnavailable("a system with process groups", fix="try it on Linux, on macOS or in WSL")
    for name in _NEEDED:
        if util.find_spec(name) is None:
            raise SandboxUnavailable(f"the package {name.replace('_', '-')}, which is not installed")
    if not metadata.version("ministack").startswith("1.5."):
        raise SandboxUnavailable("the package ministack 1.5")


def start(directory: Path, cache: Path, forwarder_archive: bytes, account: str = ACCOUNT) -> EmulatedAws:
    """Start the emulator with an empty account and Datadog's layers; follow with `wait_until_ready`.

    Raises `SandboxStartError` when it does not get as far as listening.
    """
    settings = _settings(directory, cache, forwarder_archive, account)
    settings_file = Path(settings.directory) / "settings.json"
    settings.write(settings_file)
    child = spawn(
        "ddsetup.sandbox.emulator",
        [str(settings_file)],
        log=directory / "aws.log",
        environment=base_environment(directory),
        remove=directory,
    )
    port_file = Path(settings.port_file)
    try:
        wait_for(child, port_file.exists, what="The emulated AWS", timeout=_PORT_SECONDS)
    except BaseException:
        child.stop()
        raise
    url = f"http://127.0.0.1:{port_file.read_text(encoding='utf-8')}"
    return EmulatedAws(url, directory / "aws-calls.jsonl", child)


def _settings(directory: Path, cache: Path, forwarder_archive: bytes, account: str) -> EmulatorSettings:
    """What the emulator is told, with the files that it is told about."""
    library = layers.library_layer(cache)
    runtime_packages = layers.runtime_packages(cache)
    own = directory / "aws"
    for path in (own, directory / "tmp"):
        path.mkdir(exist_ok=True)
    archive = own / "forwarder-layer.zip"
    archive.write_bytes(forwarder_archive)
    return EmulatorSettings(
        directory=str(own),
        port_file=str(own / "port"),
        call_log=str(directory / "aws-calls.jsonl"),
        faults=str(directory / faults.FILE_NAME),
        datadog_file=str(directory / DATADOG_FILE),
        account=account,
        layer_account=LAYER_ACCOUNT,
        library_directory=str(library.directory),
        library_archive=str(library.archive),
        library_start=str(layers.common_start(library, runtime_packages, cache)),
        forwarder_archive=str(archive),
        runtime_packages=str(runtime_packages),
    )


def wait_until_ready(emulated: EmulatedAws) -> None:
    """Return when the emulator answers. Raises `SandboxStartError` when it ends or takes too long."""

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{emulated.endpoint_url}/_ministack/health", timeout=5):  # noqa: S310
                return True
        except OSError:
            return False

    wait_for(emulated.child, answers, what="The emulated AWS", timeout=_READY_SECONDS)


_making = threading.Lock()


@lru_cache(maxsize=256)
def client(service: str, endpoint_url: str, region: str, keys: Keys = ROOT) -> Any:
    """A boto3 client of the emulated account, thread-safe; made once, as that takes longer than a call."""
    from botocore.config import Config

    config = Config(
        retries={"max_attempts": 2, "mode": "standard"},
        read_timeout=120,
        max_pool_connections=32,
        s3={"addressing_style": "path"},
    )
    # Calls of a client may overlap, making clients of one session may not.
    with _making:
        return _session().client(
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token or None,
            config=config,
        )


@cache
def _session() -> Any:
    """One for all keys: each session reads the whole list of AWS's endpoints anew."""
    import boto3

    return boto3.session.Session()

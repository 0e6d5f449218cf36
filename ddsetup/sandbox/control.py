"""Starts and stops sandboxes.

    with start(SandboxOptions(operator_policy=policy)) as sandbox:
        subprocess.run(["ddsetup", "setup"], env={**os.environ, **sandbox.env()})

Two processes make a sandbox: the emulated AWS and the Datadog stand-in. Both belong to the process that
started them and end with it, however it ends; everything they write is in one temporary directory.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ddsetup.model.errors import UsageError
from ddsetup.sandbox import (
    aws,
    bootstrap,
    durable_release,
    forwarder_release,
    macro_release,
    standin,
    state,
)
from ddsetup.sandbox.model import Keys, Sandbox, SandboxOptions
from ddsetup.sandbox.scenarios import SCENARIOS, World
from ddsetup.sandbox.scenarios.world import ClientOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_LANES = 4


@contextlib.contextmanager
def start(options: SandboxOptions) -> Iterator[Sandbox]:
    """A sandbox for the length of the block; nothing of it is left afterwards.

    Raises `SandboxUnavailable` when the extra is not installed, `UsageError` for an unknown scenario and
    `SandboxStartError` when a part does not come up.
    """
    aws.require_extra()
    check_scenarios(options.scenarios)
    directory = Path(tempfile.mkdtemp(prefix=state.PREFIX))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        stack.enter_context(state.held(directory))
        if options.registry is not None:
            name = stack.enter_context(state.entered(options.registry, options.name, directory))
            options = replace(options, name=name)
        sandbox = _assemble(options, directory, stack)
        state.write(sandbox)
        yield sandbox


def check_scenarios(names: tuple[str, ...]) -> None:
    """Raise `UsageError`, naming those there are, when one of `names` is not a scenario."""
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        known = ", ".join(sorted(SCENARIOS))
        raise UsageError(f"There is no sandbox scenario {', '.join(unknown)}.", fix=f"Scenarios: {known}")


def _assemble(options: SandboxOptions, directory: Path, stack: contextlib.ExitStack) -> Sandbox:
    archive = forwarder_release.layer_archive(options.forwarder_zip)
    emulated = aws.start(directory, options.cache_directory or _cache_directory(), archive, options.account)
    root = Keys(options.account, aws.ROOT.secret_access_key)
    stack.callback(emulated.child.stop)
    api_key, app_key = secrets.token_hex(16), secrets.token_hex(20)
    access = standin.Access(emulated.endpoint_url, api_key, app_key, options.account)
    datadog = _start_datadog(options, directory, access)
    stack.callback(datadog.child.stop)
    aws.wait_until_ready(emulated)

    def clients_in(account: str) -> ClientOf:
        keys = Keys(account, root.secret_access_key)
        return lambda service, region: aws.client(service, emulated.endpoint_url, region, keys)

    clients = clients_in(options.account)
    operator = bootstrap.create_operator(clients("iam", options.regions[0]), options.operator_policy)
    bootstrap.create_trail(clients("cloudtrail", options.regions[0]))
    with ThreadPoolExecutor(1) as pool:
        furnished = pool.submit(_furnish, options, clients_in)
        templates = _publish(options, clients, emulated.endpoint_url, datadog.url)
        furnished.result()
    return Sandbox(
        aws_endpoint_url=emulated.endpoint_url,
        datadog_url=datadog.url,
        account=options.account,
        regions=options.regions,
        operator=operator,
        root=root,
        api_key=api_key,
        app_key=app_key,
        site=options.site,
        **templates,
        call_log=emulated.call_log,
        directory=directory,
        scenarios=options.scenarios,
        pid=os.getpid(),
        name=options.name,
    )


def _start_datadog(
    options: SandboxOptions, directory: Path, access: standin.Access
) -> standin.EmulatedDatadog:
    """Datadog's stand-in, which the emulated AWS, started before it, finds by a file."""
    seeds = [SCENARIOS[name].datadog_seed for name in options.scenarios]
    datadog = standin.start(directory, options, access, seeds)
    told = json.dumps({"url": datadog.url, "site": options.site})
    (directory / aws.DATADOG_FILE).write_text(told, encoding="utf-8")
    return datadog


def _furnish(options: SandboxOptions, clients_in: Callable[[str], ClientOf]) -> None:
    clients = clients_in(options.account)
    role = bootstrap.create_function_role(clients("iam", options.regions[0]))
    world = World(options.account, options.regions, role, clients, options.many, clients_in)
    for name in options.scenarios:
        SCENARIOS[name].furnish(world)


def _publish(options: SandboxOptions, clients: ClientOf, aws_url: str, datadog_url: str) -> dict[str, Any]:
    """The fields of a `Sandbox` that say where its templates are."""
    by_region = [
        forwarder_release.publish(clients("s3", region), region, aws_url, urlsplit(datadog_url), options.site)
        for region in options.regions
    ]
    urls, s3 = by_region[0], clients("s3", options.regions[0])
    return {
        "forwarder_template_url": urls["latest"],
        "forwarder_template_urls": urls,
        "macro_template_url": macro_release.publish(s3, urls["latest"]),
        "durable_template_url": durable_release.publish(s3, urls["latest"]),
    }


def _cache_directory() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("ddsetup") / "sandbox"

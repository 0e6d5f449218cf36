"""``python -m ddsetup.sandbox.datadog``: run the stand-in until it is told to stop."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ddsetup.sandbox.datadog.backend import Backend, BackendOptions
from ddsetup.sandbox.datadog.exchanges import Exchanges
from ddsetup.sandbox.datadog.server import StandIn
from ddsetup.sandbox.datadog.wire import ApiError
from ddsetup.sandbox.datadog.world import World, build_world

#: Datadog's AWS account for the sites US1, US3, US5 and EU1.
DATADOG_ACCOUNT = "464622532012"


def main(arguments: list[str] | None = None) -> int:
    """Listen, write the port to a file, serve; 2 when the seed is not valid."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    seed: dict[str, Any] = json.loads(options.seed.read_text(encoding="utf-8")) if options.seed else {}
    try:
        world = build_world(
            (options.api_key, options.app_key),
            seed,
            time.time,
            time_scale=options.time_scale,
            state_dir=options.state_dir,
        )
    except ApiError as error:
        print(f"the seed is not valid: {error.errors}", file=sys.stderr)  # noqa: T201 - a program of its own
        return 2
    world = replace(world, aws_endpoint=options.aws_endpoint or "")
    backend = _backend(options, world, seed)
    server = StandIn(world, options.port, backend.crawl if backend else None)
    server.site = options.site
    if options.exchanges:
        server.watch = Exchanges(options.exchanges, world.keys)
    if backend:
        backend.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    if options.port_file:
        _write_port(options.port_file, server.port)
    server.serve_forever(poll_interval=0.1)
    if backend:
        backend.stop()
    return 0


def _backend(options: argparse.Namespace, world: World, seed: Mapping[str, Any]) -> Backend | None:
    """What looks at the emulated AWS, if there is one."""
    if not options.aws_endpoint:
        return None
    access = BackendOptions(
        options.aws_endpoint,
        options.account_key,
        options.principal_account,
        options.time_scale,
        adaptive=bool(seed.get("adaptive_polling")),
    )
    return Backend(world.telemetry, world.integrations, access)


def _write_port(file: Path, port: int) -> None:
    """Whole or not at all: whoever waits for the file must never read half a number."""
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(str(port), encoding="utf-8")
    os.replace(partial, file)  # noqa: PTH105 - Path.replace is the same call


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ddsetup.sandbox.datadog", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: any free one)")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it listens")
    parser.add_argument("--aws-endpoint", help="the emulated AWS; without it the backend does nothing")
    parser.add_argument(
        "--account-key", default=DATADOG_ACCOUNT, help="Datadog's access key id in the emulated AWS"
    )
    parser.add_argument(
        "--principal-account", default=DATADOG_ACCOUNT, help="Datadog's own AWS account number"
    )
    parser.add_argument("--api-key", required=True, help="a key of the sandbox, not a secret of anyone")
    parser.add_argument("--app-key", required=True, help="an unscoped application key of the sandbox")
    parser.add_argument("--site", default="datadoghq.com", help="the site on which the keys are good")
    parser.add_argument("--time-scale", type=float, default=1.0, help="600: ten minutes take a second")
    parser.add_argument("--state-dir", type=Path, help="keep integrations and the log of requests here")
    parser.add_argument("--exchanges", type=Path, help="write requests and answers, without keys, here")
    parser.add_argument("--seed", type=Path, help="JSON file with what is there from the start")
    return parser


if __name__ == "__main__":
    sys.exit(main())

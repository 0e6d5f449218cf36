"""``python -m ddsetup.sandbox.emulator SETTINGS``: serves the emulated account on loopback."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
from pathlib import Path
from typing import Any

from ddsetup.sandbox.emulator import changes, door, faults
from ddsetup.sandbox.emulator.settings import EmulatorSettings


def main(settings_file: str) -> None:
    """Bind a free port of 127.0.0.1, tell it, put the account together and serve it until killed."""
    settings = EmulatorSettings.read(Path(settings_file))
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    port = listener.getsockname()[1]
    _configure(settings, port)
    staged = Path(f"{settings.port_file}.new")
    staged.write_text(str(port), encoding="utf-8")
    staged.rename(settings.port_file)
    gc.disable()  # what is imported stays; to look for garbage in it is a fifth of the start
    application = door.guarded(_application(settings), port)
    gc.freeze()
    gc.enable()
    asyncio.run(_serve(application, listener))


def _configure(settings: EmulatorSettings, port: int) -> None:
    """ministack reads its settings from the environment while it is imported.

    It would clear away containers that it takes for its own: it gets no Docker to talk to.
    """
    directory = Path(settings.directory)
    os.environ.update(
        AUTH="true",
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_ACCOUNT_ID=settings.account,
        S3_DATA_DIR=str(directory / "s3"),
        STATE_DIR=str(directory / "state"),
        LOG_LEVEL="WARNING",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LAMBDA_EXECUTOR="local",
        DOCKER_HOST=f"unix://{directory / 'no-docker.sock'}",
    )


def _application(settings: EmulatorSettings) -> Any:
    from ministack import app

    from ddsetup.sandbox.emulator import amendments

    # Functions inherit this process's environment, and this name means something to their code too.
    del os.environ["LOG_LEVEL"]
    meant = faults.Faults(Path(settings.faults))
    amendments.install(settings, meant)
    return changes.telling(app.app, meant.version)


async def _serve(application: Any, listener: socket.socket) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.accesslog = None
    config.errorlog = "-"
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 120
    await serve(application, config)


if __name__ == "__main__":
    main(sys.argv[1])

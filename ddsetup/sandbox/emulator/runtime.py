"""How functions run here: like the Lambda Python runtimes, as far as a process on this machine can be.

The emulator runs a Python function as a process of the interpreter that runs the emulator. Five things are
made closer to AWS:

- a function sees the standard library, the AWS SDK, its code and its layers, and no other package that
  happens to be installed on this machine: `datadog_lambda` is there only when its layer is;
- the root logger has Lambda's handler, so `logger.info` reaches the log with level, time and request id;
- attached layers of the Datadog library are shown from one unpacked copy instead of being unpacked for every
  cold start;
- the log of an invocation has the lines that Lambda writes: one event per error with its traceback,
  `Task timed out`, `Init Duration` on a cold start, JSON platform events, `SystemLogLevel`, and in a log
  group of the user's choice a stream that carries the function's name;
- a function gets the client context that its caller hands over.
"""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from ddsetup.sandbox.emulator import client_context, environments, extension, forked, invocation_log
from ddsetup.sandbox.emulator.settings import EmulatorSettings
from ddsetup.sandbox.layers import archive_of

_LINK_MEMBER = "ddsetup-sandbox-linked-layer"
_STATE_CHANGE_SECONDS = 0.2
_LAUNCHER = """#!/bin/sh
exec "{python}" -S -s "{bootstrap}" "$@"
"""


def install(settings: EmulatorSettings) -> None:
    """Change how the emulator starts functions and writes their logs."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    _use_launcher(lambda_runtime, settings)
    _link_library(lambda_runtime, lambda_svc, settings)
    _wait_longer_for_output(lambda_runtime)
    invocation_log.install(lambda_runtime, lambda_svc)
    environments.install(lambda_runtime, lambda_svc)
    client_context.install(lambda_runtime, lambda_svc)
    extension.install(lambda_runtime, settings)
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = _STATE_CHANGE_SECONDS


def _use_launcher(lambda_runtime: Any, settings: EmulatorSettings) -> None:
    launcher = Path(settings.directory) / "python"
    bootstrap = Path(__file__).with_name("bootstrap.py")
    launcher.write_text(_LAUNCHER.format(python=sys.executable, bootstrap=bootstrap), encoding="utf-8")
    launcher.chmod(0o700)
    os.environ["PYTHONPATH"] = settings.runtime_packages
    forked.install(lambda_runtime, launcher, settings)
    detect = lambda_runtime._detect_runtime_binary

    def detect_runtime(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(launcher) if runtime.startswith("python") else binary), script

    lambda_runtime._detect_runtime_binary = detect_runtime


def _link_library(lambda_runtime: Any, lambda_svc: Any, settings: EmulatorSettings) -> None:
    library = Path(settings.library_archive).read_bytes()
    size = len(library)
    link = archive_of({_LINK_MEMBER: settings.library_directory.encode()})
    resolve = lambda_svc._resolve_layer_zip

    def resolve_layer(attachment: Any) -> bytes | None:
        content: bytes | None = resolve(attachment)
        return link if content is not None and len(content) == size and content == library else content

    class LinkingZipFile(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
            if self.namelist() != [_LINK_MEMBER]:
                super().extractall(path, members, pwd)
                return
            for each in Path(self.read(_LINK_MEMBER).decode()).iterdir():
                (Path(path) / each.name).symlink_to(each)

    # The spawning code asks for the layer's content by that name, each time a worker starts.
    lambda_svc._resolve_layer_zip = resolve_layer
    lambda_runtime.zipfile = _ZipModule(LinkingZipFile)
    # The size limit counts the real archive.
    lambda_svc._layer_unzipped_size = lambda attachment: lambda_svc._unzipped_size(resolve(attachment))


class _ZipModule:
    """The module `zipfile` with another `ZipFile`."""

    BadZipFile = zipfile.BadZipFile
    LargeZipFile = zipfile.LargeZipFile

    def __init__(self, zip_file: type[zipfile.ZipFile]) -> None:
        self.ZipFile = zip_file


def _wait_longer_for_output(lambda_runtime: Any) -> None:
    """A busy machine may need more than the emulator's 50 ms to hand over the last lines of an invocation."""
    drain = lambda_runtime.Worker._drain_stderr_bounded

    def drain_patiently(worker: Any) -> str:
        text: str = drain(worker, first_line_wait=0.1, idle_confirm=0.03, hard_cap=1.0)
        return text

    lambda_runtime.Worker._drain_stderr_bounded = drain_patiently

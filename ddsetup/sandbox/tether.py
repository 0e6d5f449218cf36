"""Runs a module as a process that does not outlive its owner.

``python -m ddsetup.sandbox.tether [--remove DIRECTORY] MODULE ARGUMENT…``

The owner keeps the writing end of this process's standard input. When it closes, because the owner stopped
the process or because it died itself (even by SIGKILL), the whole process group goes: the emulator's function
workers are processes of their own and must not survive it.
"""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import sys
import threading
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Watch the owner in a thread and run the named module in this process."""
    directory: Path | None = None
    if arguments[0] == "--remove":
        directory = Path(arguments[1])
        arguments = arguments[2:]
    threading.Thread(target=_end_with_owner, args=(directory,), daemon=True, name="tether").start()
    module, *rest = arguments
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_owner(directory: Path | None) -> None:
    while os.read(0, 1024):
        pass
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])

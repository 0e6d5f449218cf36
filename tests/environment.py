"""The tests' environment is their own: what the machine or the person has set is not theirs.

`own()` is called before anything else is imported. What is kept is named; everything else goes: a terminal's
kind, colours, languages, time zones, proxies, AWS's and Datadog's settings, the sign of a CI.
"""

from __future__ import annotations

import contextlib
import locale
import os
import signal
import tempfile
import time
from pathlib import Path

KEPT = {"PATH", "SYSTEMROOT", "COMSPEC", "PATHEXT", "LD_LIBRARY_PATH"}
"""Without these nothing starts."""
ORDERS = {"UPDATE_GOLDEN", "DDSETUP_FUZZ", "DDSETUP_TEST_BROWSER"}
"""What is said to the tests."""
KEPT_PREFIXES = ("PYTEST_", "COVERAGE_", "COV_CORE_")
FIXED = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def own() -> Path:
    """Give this process, and all that it starts, the tests' environment; returns its new home directory."""
    _signals()
    temporary = tempfile.gettempdir()
    kept = {n: v for n, v in os.environ.items() if n in KEPT | ORDERS or n.startswith(KEPT_PREFIXES)}
    home = Path(tempfile.mkdtemp(prefix="home-", dir=common()))
    os.environ.clear()
    os.environ.update({"PATH": os.defpath, **kept, **FIXED})
    os.environ.update({"HOME": str(home), "TMPDIR": temporary})
    time.tzset()
    with contextlib.suppress(locale.Error):  # where there is none of that name, the system's own is UTF-8
        locale.setlocale(locale.LC_ALL, "")
    furnish(home)
    return home


def furnish(home: Path) -> None:
    """Let sandboxes of this home use what others have built: it depends on installed versions only."""
    builds = _builds()
    builds.mkdir(parents=True, exist_ok=True)
    cache = home / ".cache" / "ddsetup"
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "sandbox").is_symlink():
        (cache / "sandbox").symlink_to(builds)


def common() -> Path:
    """What all tests of this user have in common, in any run: nobody else can write there."""
    return _private(Path(tempfile.gettempdir()) / f"ddsetup-tests-{os.getuid()}")


def _builds() -> Path:
    return common() / "builds"


def _private(directory: Path) -> Path:
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if directory.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(f"{directory} is not this user's alone: remove it")
    return directory


def _signals() -> None:
    """Under nohup, or from the background, signals are ignored by whoever is started; here they are tried."""
    with contextlib.suppress(ValueError):  # not the main thread
        for number in (getattr(signal, "SIGHUP", None), signal.SIGTERM):
            if number is not None and signal.getsignal(number) is signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's `&`
            signal.signal(signal.SIGINT, signal.default_int_handler)

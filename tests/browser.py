"""A real Chromium without a window, led through its debugging pipe (Chrome DevTools Protocol).

Whoever opens a page with it sees what a person's browser makes of it: that the page forbids scripts does not
keep the debugger from asking.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from tests.patience import PATIENCE

CHROMIUM = next(
    filter(
        None,
        map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")),
    ),
    "",
)
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run")
_ON_PIPE = """\
import fcntl, os, sys
there, back = (fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3])
os.dup2(there, 3); os.dup2(back, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Chromium reads commands from descriptor 3 and answers on 4."""


class Browser:
    """One tab. Answers come in order, events between them are kept in `events`."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = os.fdopen(to, "wb"), os.fdopen(back, "rb")
        self._rest, self._last, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        tab = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """What the browser answers. Raises RuntimeError for what it refuses."""
        self._last += 1
        session = {"sessionId": self._session} if self._session else {}
        asked = {"id": self._last, "method": method, "params": parameters, **session}
        self._to.write(json.dumps(asked).encode() + b"\0")
        self._to.flush()
        while (said := self._next()).get("id") != self._last:
            self.events.append(said)
        if "error" in said:
            raise RuntimeError(f"{method}: {said['error']['message']}")
        return said["result"]

    def open(self, file: Path) -> None:
        """Show a file, and wait until all of it is there. Events are those of this page."""
        self.events.clear()
        self.call("Page.navigate", url=file.as_uri())
        while not any(each.get("method") == "Page.loadEventFired" for each in self.events):
            self.events.append(self._next())

    def tell(self, expression: str) -> Any:
        """What an expression of JavaScript gives on the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["text"])
        return found["result"].get("value")

    def show(self, scheme: Literal["light", "dark"] = "light", medium: Literal["", "print"] = "") -> None:
        """As a person with that preference sees it, or a printer."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=features)

    def close(self) -> None:
        """Close the pipe; the browser ends then."""
        self._to.close()
        self._back.close()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._back.fileno(), 1 << 16)
            if not part:
                raise RuntimeError("the browser has gone")
            self._rest += part
        said, self._rest = self._rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(said)
        return found


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, ended afterwards."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    starting = [sys.executable, "-c", _ON_PIPE, str(theirs_in), str(theirs_out)]
    process = subprocess.Popen(
        [*starting, CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        with closing(Browser(ours_out, ours_in)) as opened:
            yield opened
    finally:
        process.terminate()
        process.wait(PATIENCE)

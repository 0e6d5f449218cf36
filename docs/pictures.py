"""Draw the pictures of the documentation from real sessions: `python -m docs.pictures [setup] [request]`.

Somebody's answers are typed into the installed command on a terminal, in a sandbox of its own. What is on
the screen at some moments becomes the SVGs in docs/pictures/.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ddsetup.sandbox.control import start
from ddsetup.sandbox.model import SandboxOptions
from docs.drawing import Frame, frame, picture
from tests.e2e.conftest import Cli
from tests.e2e.terminal import ENTER, Terminal
from tests.e2e.world import operator_policy

PICTURES = Path(__file__).parent / "pictures"
SIZE = (92, 28)
TALL = (106, 90)
REGIONS = ("us-east-1",)
SCENARIOS = ("healthy", "foreign-filters")
CTRL_A = "\x01"
TITLE = "ddsetup"
MOVING = ("start", "list", "plan", "progress", "proof", "cold-starts")
"""The pictures that make the moving one of the README."""

_CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "2026-01-31"),
    (re.compile(r"(?<!:)\d\d:\d\d UTC"), "10:15 UTC"),
    (re.compile(r"\d{8}T\d{6}\.\d{3}Z-\w{4}"), "20260131T101500.000Z-1a2b"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:4566"),
)


@dataclass
class Camera:
    """Keeps what is on the screen, by the name of the picture."""

    terminal: Terminal
    frames: dict[str, Frame] = field(default_factory=dict)

    def shoot(self, name: str) -> None:
        self.frames[name] = frame(self.terminal.screen, _CHANGING)


def session(terminal: Terminal) -> Mapping[str, Frame]:
    """A guided setup from the first screen to a look at what has arrived."""
    camera = Camera(terminal)
    terminal.until("Which of").until("Ctrl-C quit")
    camera.shoot("start")
    terminal.press("6" + ENTER)
    terminal.until("chosen,").press(CTRL_A)
    terminal.until("9 chosen")
    camera.shoot("list")
    terminal.press(ENTER)
    terminal.answer("Use these settings?", "2" + ENTER)
    terminal.answer("Which setting?", "Way" + ENTER)
    terminal.until("How should the data").until("Ctrl-C quit")
    camera.shoot("delivery")
    terminal.press(ENTER)
    terminal.answer("Use these settings?")
    terminal.until("has two filters").until("Ctrl-C quit")
    camera.shoot("conflict")
    terminal.press("3" + ENTER)
    terminal.until("Carry this out?").until("Ctrl-C quit")
    camera.shoot("plan")
    terminal.press("y" + ENTER)
    terminal.until(lambda: "now:" in terminal.seen and " left" in terminal.seen)
    camera.shoot("progress")
    terminal.answer("Invoke them for the proof?", "a" + ENTER)
    terminal.until(_some_arrived(terminal), 180)
    camera.shoot("proof")
    terminal.until("Look at what has arrived?", 180).until("Ctrl-C quit").press("c" + ENTER)
    terminal.until("Share over time").until("Ctrl-C quit")
    camera.shoot("cold-starts")
    terminal.press(ENTER)
    if terminal.end() != 0:
        sys.exit("the session did not end well:\n" + terminal.text[-2000:])
    return camera.frames


def _some_arrived(terminal: Terminal) -> Callable[[], bool]:
    """Whether the table is on the screen with some data there and some on its way."""

    def holds() -> bool:
        rows = [row for row in terminal.lines if re.search(r" [✓○]( |$)", row)]
        text = "".join(rows)
        return len(rows) >= 9 and text.count("✓") >= 8 and "○" in text

    return holds


@contextmanager
def sandboxed(scenarios: tuple[str, ...]) -> Iterator[Cli]:
    """The installed command in a sandbox of its own."""
    options = SandboxOptions(operator_policy(REGIONS), scenarios=scenarios, regions=REGIONS)
    with start(options) as sandbox, tempfile.TemporaryDirectory(prefix="pictures-") as home:
        secrets = (sandbox.api_key, sandbox.app_key, sandbox.operator.secret_access_key)
        yield Cli(Path(home), sandbox.env(), secrets)


def guided() -> Mapping[str, Frame]:
    """The pictures of a guided setup, and the moving one of them."""
    with sandboxed(SCENARIOS) as cli, Terminal(cli, size=SIZE) as terminal:
        frames = session(terminal)
    moving = picture(TITLE, [frames[name] for name in MOVING])
    (PICTURES / "setup.svg").write_text(moving, encoding="utf-8")
    return frames


def request() -> Mapping[str, Frame]:
    """The cause of a failed request across functions, as `ddsetup explore request` tells it."""
    with sandboxed(("chain",)) as cli:
        if cli("setup", "--all", "--yes", "--env", "prod", "--invoke").code != 0:
            sys.exit("the chain was not set up")
        arguments = ("explore", "request", "--error", "1", "--no-pager")
        with Terminal(cli, *arguments, size=TALL) as terminal:
            if terminal.end() != 0:
                sys.exit("there is no such request:\n" + terminal.text[-2000:])
            rows, links = frame(terminal.screen, _CHANGING), terminal.lines.index("In Datadog")
    return {"request": rows[: links - 1]}


PARTS: Mapping[str, Callable[[], Mapping[str, Frame]]] = {"setup": guided, "request": request}


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for part in sys.argv[1:] or PARTS:
        for name, each in PARTS[part]().items():
            (PICTURES / f"{name}.svg").write_text(picture(TITLE, [each]), encoding="utf-8")
            print(f"{name}.svg")

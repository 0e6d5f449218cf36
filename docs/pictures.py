"""Draw the pictures of the documentation from real sessions: `python docs/pictures.py [NAME...]`.

A command runs on a terminal of its own (a pty), in the sandbox; what that terminal shows at the end becomes
an SVG without references to anything outside of it.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from io import StringIO
from pathlib import Path

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

HERE = Path(__file__).parent / "pictures"
COLUMNS, ROWS, SHOWN = 112, 400, 46
QUIET_SECONDS, PATIENCE_SECONDS = 3.0, 120.0
PICTURES = {"setup": ("ddsetup setup --sandbox", "To give it back")}
"""By name: the command, and the text of the line that the picture ends with."""

_PALETTE = {"brown": "yellow", "default": None}


def screen_of(command: str) -> pyte.Screen:
    """What a terminal shows after the command; every question is answered with Enter."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory(prefix="pictures-") as home:
        environ = {
            "HOME": home,
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "TERM": "xterm-256color",
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "PYTHONUTF8": "1",
            "PROMPT_TOOLKIT_NO_CPR": "1",
        }
        child = pexpect.spawn(command, env=environ, dimensions=(ROWS, COLUMNS), cwd=home)
        quiet = 0.0
        while quiet < PATIENCE_SECONDS:
            try:
                stream.feed(child.read_nonblocking(4096, timeout=QUIET_SECONDS))
                quiet = 0.0
            except pexpect.EOF:
                break
            except pexpect.TIMEOUT:
                quiet += QUIET_SECONDS
                if _asks(screen):
                    child.send("\r")
        child.close()
        if child.exitstatus:
            sys.exit(f"{command} ended with {child.exitstatus}:\n" + "\n".join(screen.display).rstrip())
    return screen


def _asks(screen: pyte.Screen) -> bool:
    written = [line for line in screen.display if line.strip()]
    return bool(written) and (written[-1].startswith("? ") or "esc back" in written[-1])


def lines_of(screen: pyte.Screen) -> list[Text]:
    """The lines of a screen with their colours."""
    found = []
    for row in range(screen.lines):
        text = Text()
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            text.append(cell.data, _style(cell))
        text.rstrip()
        found.append(text)
    return found


def _style(cell: pyte.screens.Char) -> Style:
    colour = _PALETTE.get(cell.fg, cell.fg)
    if colour is not None and re.fullmatch(r"[0-9a-f]{6}", colour):
        colour = f"#{colour}"
    if colour is not None and colour.startswith("bright"):
        colour = f"bright_{colour[6:].replace('brown', 'yellow')}"
    return Style(color=colour, bold=cell.bold, reverse=cell.reverse)


def draw(name: str, command: str, last: str) -> None:
    """Write pictures/NAME.svg: the end of what was shown, up to the line that holds `last`."""
    lines = lines_of(screen_of(command))
    end = next((at for at in reversed(range(len(lines))) if last in lines[at].plain), -1)
    if end < 0:
        sys.exit(f"{command} did not come to {last!r}:\n" + "\n".join(line.plain for line in lines).rstrip())
    shown = lines[max(0, end + 1 - SHOWN) : end + 1]
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor")
    for line in shown:
        console.print(line, no_wrap=True, overflow="crop")
    svg = console.export_svg(title=f"$ {command}", unique_id=f"ddsetup-{name}")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    HERE.mkdir(exist_ok=True)
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(f"{name}.svg: {len(shown)} lines")


if __name__ == "__main__":
    for wanted, (its_command, its_end) in PICTURES.items():
        if wanted in sys.argv[1:] or not sys.argv[1:]:
            draw(wanted, its_command, its_end)

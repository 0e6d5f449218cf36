"""Draw the picture of the README from the recorded session: `python docs/pictures.py`.

The session is the one in docs/recorded/trial.txt (made by `docs/record.py`), which was not on a terminal; its
marks get the colours that a terminal shows. The SVG refers to nothing outside of it.
"""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
COLUMNS = 108
TITLE = "ddsetup setup --sandbox"
_COLOURS = (
    (r"^\[sandbox\]", "yellow"),
    (r"✓( arrived)?", "green"),
    (r"(?<=\[sandbox\] {3})[+](?= )", "green"),
    (r"(?<=\[sandbox\] {3})~(?= )", "yellow"),
    (r"(?<=\[sandbox\] )\w[\w ]*:(?= )", "bold"),
    (r"^\d+ (of \d+ functions|applied).*", "bold"),
    (r"^(In Datadog|Next|To give it back|The same without questions).*", "bold"),
    (r"https?://\S+", "cyan"),
    (r"ddsetup undo \S+", "cyan"),
)


def picture(session: str) -> str:
    """The SVG of what a session printed; lines that are too long end with an ellipsis."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor")
    for line in session.splitlines():
        text = Text(line if len(line) <= COLUMNS else line[: COLUMNS - 1] + "…")
        for pattern, style in _COLOURS:
            text.highlight_regex(re.compile(pattern), style)
        console.print(text, no_wrap=True, overflow="crop", highlight=False)
    svg = console.export_svg(title=TITLE, unique_id="ddsetup")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("<!-- Generated with Rich https://www.textualize.io -->", "")
    return svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")


def excerpt(text: str) -> str:
    """The beginnings of the plan's parts, and the end with the proof."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if "AWS integration: Datadog reads" in line)
    end = next(i for i, line in enumerate(lines) if line.startswith("To give it back"))
    plan = [
        line for line in lines[start:end] if re.match(r"\[sandbox\] (\w[\w ]*: [A-Za-z]+ \w|  [+~] )", line)
    ]
    done = next(i for i, line in enumerate(lines) if line.startswith("✓"))
    return "\n".join([*plan[:12], "...", *lines[done : end + 1]])


if __name__ == "__main__":
    recorded = (HERE / "recorded" / "trial.txt").read_text("utf-8")
    (HERE / "pictures").mkdir(exist_ok=True)
    (HERE / "pictures" / "setup.svg").write_text(picture(excerpt(recorded)), encoding="utf-8")

"""How much a newcomer is asked: `python -m benchmarks.newcomer [COLUMNS ROWS]`, without any account.

Goes the way of the README as somebody would who takes what is offered, in a terminal: first the trial, then
a setup in a sandbox of which only the keys are known. Counts the questions, the keys that are pressed and the
lines that are left on the screen at the end. Prints a row of Markdown for each way; ends with 1 beyond the
goals, or where a way does not end with the proof.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import Path

import pexpect
import pyte

MOST_TO_THE_PLAN, MOST = 5, 8
"""The goals: questions until the plan is shown, and in all. Keys to paste are not among them."""
_PLAN, _PROOF = "Carry this out?", "functions with everything in Datadog"
_KEYS_BELOW = "Ctrl-C quit"
_SECONDS = 600
_TOOL = str(Path(sys.executable).with_name("ddsetup"))


@dataclass(slots=True)
class Walk:
    """What somebody was asked on one way; `asked` are the questions in their order."""

    way: str
    asked: list[str] = field(default_factory=list)
    keys: int = 0
    lines: int = 0
    seconds: float = 0.0
    proven: bool = False
    answered: list[str] = field(default_factory=list)
    """The screen that was answered last: a busy machine may take a while to draw another one."""

    @property
    def in_all(self) -> int:
        """Questions, without keys to paste."""
        return sum(not question.startswith("Your Datadog") for question in self.asked)

    @property
    def to_the_plan(self) -> int:
        """Those before the plan was shown."""
        return self.in_all - sum(1 for _ in dropwhile(lambda question: _PLAN not in question, self.asked))

    def row(self) -> str:
        """A row of Markdown."""
        return (
            f"| {self.way} | {self.to_the_plan} | {self.in_all} | {self.keys} | {self.lines} "
            f"| {self.seconds:.0f} s | {'yes' if self.proven else 'no'} |"
        )


def walk(
    way: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    size: tuple[int, int],
    typed: Mapping[str, str],
) -> Walk:
    """Go one way to its end; `typed` is what is typed at questions that have no answer yet."""
    found, begun, seen = Walk(way), time.monotonic(), ""
    screen = pyte.HistoryScreen(*size, history=100_000)
    stream = pyte.Stream(screen)
    child = pexpect.spawn(
        _TOOL, list(arguments), env=dict(env), dimensions=(size[1], size[0]), encoding="utf-8", timeout=5
    )
    try:
        while time.monotonic() - begun < _SECONDS:
            try:
                written = child.read_nonblocking(65_536, timeout=0.5)
            except pexpect.TIMEOUT:
                _answer(found, screen, child, typed)
                continue
            except pexpect.EOF:
                break
            seen += written
            stream.feed(written)
    finally:
        child.close(force=True)
    found.lines = len(screen.history.top) + screen.cursor.y
    found.seconds = time.monotonic() - begun
    found.proven = bool(re.search(rf"(\d+) of \1 {_PROOF}", " ".join(seen.split()))) and child.exitstatus == 0
    return found


def _answer(found: Walk, screen: pyte.Screen, child: pexpect.spawn[str], typed: Mapping[str, str]) -> None:
    """Take what is offered, or type what is wanted, where a question waits."""
    lines = [line.rstrip() for line in screen.display if line.strip()]
    if lines == found.answered or not any(_KEYS_BELOW in line for line in lines[-2:]):
        return
    found.answered = lines
    question = next((line[2:] for line in reversed(lines) if line.startswith("? ")), "")
    text = next((keys for start, keys in typed.items() if question.startswith(start)), "")
    found.asked.append(question)
    found.keys += len(text) + 1
    child.send(f"{text}\r")


def _ways(size: tuple[int, int], home: Path) -> list[Walk]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DD_", "DATADOG_", "DDSETUP_"))}
    env |= {"HOME": str(home), "TMPDIR": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    env |= {"PROMPT_TOOLKIT_NO_CPR": "1"}
    trial = walk("`ddsetup setup --sandbox`", ["setup", "--sandbox"], env, size, {})
    subprocess.run([_TOOL, "sandbox", "up", "--detach"], env=env, check=True, capture_output=True)
    try:
        said = subprocess.run(
            [_TOOL, "sandbox", "env"], env=env, check=True, capture_output=True, text=True
        ).stdout
        account = dict(re.findall(r"^export (\w+)='?(.*?)'?$", said, re.MULTILINE))
        typed = {
            "Your Datadog API key": account.pop("DD_API_KEY"),
            "Your Datadog application": account.pop("DD_APP_KEY"),
        }
        for told in ("DD_SITE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            del account[told]
        return [trial, walk("`ddsetup`, nothing known but AWS", [], {**env, **account}, size, typed)]
    finally:
        subprocess.run([_TOOL, "sandbox", "down", "--all"], env=env, check=False, capture_output=True)


def main() -> int:
    """Both ways; 1 if one asks too much or does not end with the proof."""
    columns, rows = (int(word) for word in (sys.argv[1:3] or ("80", "24")))
    home = Path(tempfile.mkdtemp(prefix="newcomer-"))
    try:
        walks = _ways((columns, rows), home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print("| way | questions to the plan | in all | keys | lines | until the end | proven |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for each in walks:
        print(each.row())
    for each in walks:
        print(f"\n{each.way}:", *each.asked, sep="\n  ")
    too_many = any(walk.to_the_plan > MOST_TO_THE_PLAN or walk.in_all > MOST for walk in walks)
    return int(too_many or not all(w.proven for w in walks))


if __name__ == "__main__":
    sys.exit(main())

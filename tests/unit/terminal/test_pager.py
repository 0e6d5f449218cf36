"""Long results on a terminal go through a pager, which its reader may leave at any time."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.patience import PATIENCE

HEAD = "sh -c 'head -n 1; echo PAGED'"
REPORT, LONG, SHORT = ["doctor", "--list"], ["setup", "--help"], ["--help"]


@contextmanager
def terminal(
    home: Path, arguments: list[str], environ: Mapping[str, str], *, rows: int = 24
) -> Iterator[Any]:
    """ddsetup on a terminal of its own."""
    usual = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8"}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "ddsetup", *arguments],
        env={**usual, **environ},
        dimensions=(rows, 80),
        cwd=str(home),
        encoding="utf-8",
        timeout=PATIENCE,
    )
    try:
        yield child
    finally:
        child.close(force=True)


def all_of(child: Any) -> str:
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    return str(child.before)


@pytest.mark.parametrize("arguments", [REPORT, LONG], ids=" ".join)
def test_what_is_longer_than_the_screen_goes_through_the_pager(tmp_path: Path, arguments: list[str]) -> None:
    with terminal(tmp_path, arguments, {"PAGER": HEAD}) as child:
        lines = all_of(child).splitlines()
    assert lines[-1] == "PAGED"
    assert len(lines) < 4


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ([*REPORT, "--no-pager"], {}),
        (["--no-pager", *LONG], {}),
        (LONG, {"DDSETUP_NO_PAGER": "1"}),
        (LONG, {"CI": "1"}),
        (LONG, {"DDSETUP_PLAIN": "1"}),
        (LONG, {"PAGER": ""}),
        (LONG, {"PAGER": "no-such-pager --x"}),
    ],
)
def test_without_a_pager_all_is_written(
    tmp_path: Path, arguments: list[str], environ: dict[str, str]
) -> None:
    with terminal(tmp_path, arguments, {"PAGER": HEAD, **environ}) as child:
        text = all_of(child)
    assert "PAGED" not in text
    assert text.count("\n") > 24


def test_what_fits_on_the_screen_needs_no_pager(tmp_path: Path) -> None:
    with terminal(tmp_path, SHORT, {"PAGER": HEAD}, rows=80) as child:
        assert "PAGED" not in all_of(child)


def test_ctrl_c_is_the_pagers(tmp_path: Path) -> None:
    script = tmp_path / "pager.py"
    script.write_text(
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(print('CAUGHT')))\n"
        "print('READY', flush=True)\n"
        "signal.pause()\n"
    )
    with terminal(tmp_path, LONG, {"PAGER": f"{sys.executable} {script}"}) as child:
        child.expect("READY")
        os.killpg(os.getpgid(child.pid), signal.SIGINT)
        assert "CAUGHT" in all_of(child)

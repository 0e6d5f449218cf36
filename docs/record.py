"""Record what the pages of docs/ show: `python docs/record.py [SESSION...]`.

Each session (docs/sessions.py) runs the installed command in a sandbox of its own and keeps what it printed
in docs/recorded/; `docs/generate.py` puts that into the pages. Nothing is touched up but what differs each
time (ports, keys) and what a page leaves out, which a line of three dots marks.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sessions import SESSIONS, Session, Take

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
PROJECTS = HERE / "projects"
BIN = Path(sys.executable).parent

_CHANGING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"((?:KEY|KEY_ID)=)\w+"), r"\1…"),
    (re.compile(r"(datadog-api-key)-[0-9a-f]{6}"), r"\1-1a2b3c"),
    (re.compile(r"/\S*/tmp/ddsetup-[\w.-]+"), "/tmp/ddsetup-sandbox-x1y2"),
    (re.compile(r"\bo-[a-z0-9]{10}\b"), "o-a1b2c3d4e5"),
)
_NUMBER = re.compile(r"(?<![\d-])(?!464622532012)\d{12}(?!\d)")
"""Each sandbox has account numbers of its own; Datadog's stays as it is."""
_OWN = "123456789012"


def record(session: Session) -> None:
    """Run a session from beginning to end, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="docs-") as home:
        environ = _environ(home)
        shutil.copytree(PROJECTS, Path(home) / PROJECTS.name)
        if session.up:
            _run(session.up, environ)
        try:
            if session.up:
                environ |= _exports(_run("ddsetup sandbox env", environ).stdout)
            for take in session.takes:
                _keep(
                    session,
                    take,
                    _run(take.command, environ, take.exit_code, together=take.progress, project=take.project),
                )
        finally:
            if session.up:
                _run("ddsetup sandbox down", environ)


def _environ(home: str) -> dict[str, str]:
    (Path(home) / "tmp").mkdir()
    kept = {name: os.environ[name] for name in ("LANG",) if name in os.environ}
    return kept | {
        "HOME": home,
        "TMPDIR": f"{home}/tmp",
        "PATH": f"{BIN}:/usr/bin:/bin",
        "COLUMNS": "110",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUTF8": "1",
        "DDSETUP_STATE_DIR": f"{home}/state",
    }


def _exports(text: str) -> Mapping[str, str]:
    words = (shlex.split(line)[1] for line in text.splitlines() if line.startswith("export "))
    return dict(word.split("=", 1) for word in words)


def _run(
    command: str,
    environ: Mapping[str, str],
    exit_code: int = 0,
    *,
    together: bool = False,
    project: str = "",
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        shlex.split(command),
        env=dict(environ),
        cwd=Path(environ["HOME"], PROJECTS.name, project) if project else environ["HOME"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if together else subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != exit_code:
        sys.exit(f"{command}\nended with {done.returncode}, not {exit_code}:\n{done.stdout}{done.stderr}")
    return done


def _shown_number(session: Session, number: str) -> str:
    if "organisation" not in session.up:
        return _OWN
    return session.numbers.setdefault(number, f"2{len(session.numbers):011}" if session.numbers else _OWN)


def _keep(session: Session, take: Take, done: subprocess.CompletedProcess[str]) -> None:
    if not take.name:
        return
    text = done.stdout
    for pattern, shown in _CHANGING:
        text = pattern.sub(shown, text)
    text = _NUMBER.sub(lambda found: _shown_number(session, found[0]), text)
    text = take.keep(text).strip("\n")
    ended = f"\n(ends with exit code {take.exit_code})" if take.exit_code else ""
    (RECORDED / f"{take.name}.txt").write_text(f"$ {take.command}\n{text}{ended}\n", encoding="utf-8")
    print(f"{take.name}: {len(text.splitlines())} lines")


if __name__ == "__main__":
    RECORDED.mkdir(exist_ok=True)
    for wanted in SESSIONS:
        if wanted.name in sys.argv[1:] or not sys.argv[1:]:
            record(wanted)

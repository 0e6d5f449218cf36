"""The tests say the same on every machine: a sample of them in environments that ask for something else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.other_user import another_user

ROOT = Path(__file__).parents[3]
SAMPLE = (
    "tests/unit/terminal/test_console.py",
    "tests/unit/terminal/test_prompts.py",
    "tests/unit/cli/test_command_line.py::test_no_credentials_end_with_exit_code_4",
    "tests/gateways/test_aws_session.py::test_aws_region_wins_over_the_default",
)
"""What of all the tests asks most about its surroundings."""
NOWHERE = "/nonexistent/of-the-machine"
HOSTILE = {
    "TERM": "dumb",
    "LANG": "tr_TR.ISO-8859-9",
    "LC_ALL": "C",
    "LC_CTYPE": "POSIX",
    "LANGUAGE": "tr",
    "TZ": "Pacific/Kiritimati",
    "HOME": NOWHERE,
    "XDG_CONFIG_HOME": NOWHERE,
    "XDG_STATE_HOME": NOWHERE,
    "XDG_CACHE_HOME": NOWHERE,
    "XDG_DATA_HOME": NOWHERE,
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "NO_PROXY": "",
    "AWS_PROFILE": "of-the-machine",
    "AWS_REGION": "xx-nowhere-1",
    "AWS_DEFAULT_REGION": "xx-nowhere-2",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "of-the-machine",
    "AWS_SECRET_ACCESS_KEY": "of-the-machine",
    "AWS_SESSION_TOKEN": "of-the-machine",
    "AWS_CONFIG_FILE": NOWHERE,
    "AWS_CA_BUNDLE": NOWHERE,
    "AWS_RETRY_MODE": "of-the-machine",
    "REQUESTS_CA_BUNDLE": NOWHERE,
    "SSL_CERT_FILE": NOWHERE,
    "DD_API_KEY": "of-the-machine",
    "DD_APP_KEY": "of-the-machine",
    "DD_SITE": "of-the-machine",
    "DD_TRACE_ENABLED": "of-the-machine",
    "DATADOG_API_KEY": "of-the-machine",
    "DATADOG_SITE": "of-the-machine",
    "DDSETUP_STATE_DIR": NOWHERE,
    "DDSETUP_REGION": "xx-nowhere-3",
    "DDSETUP_OUTPUT": "of-the-machine",
    "DDSETUP_DATADOG_URL": "http://127.0.0.1:9",
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_STEP_SUMMARY": NOWHERE,
    "NO_COLOR": "1",
    "FORCE_COLOR": "1",
    "CLICOLOR": "0",
    "CLICOLOR_FORCE": "1",
    "TTY_COMPATIBLE": "1",
    "TTY_INTERACTIVE": "1",
    "COLUMNS": "13",
    "LINES": "3",
    "PYTHONIOENCODING": "latin-1",
    "PYTHONUTF8": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}


BARE = {"PATH": os.environ["PATH"]}


def outcome(environ: Mapping[str, str], root: Path = ROOT, prefix: tuple[str, ...] = ()) -> str:
    """How the sample ends in this environment and place; empty if well."""
    command = [*prefix, sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *SAMPLE]
    done = subprocess.run(
        command, cwd=root, env=dict(environ), capture_output=True, text=True, errors="replace", check=False
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-9000:]


def test_an_empty_environment_changes_nothing() -> None:
    assert outcome({}) == ""


def test_neither_does_all_at_once_that_a_machine_may_have_of_its_own(tmp_path: Path) -> None:
    """Hostile values, a path with a space, another user; which of them it was is found out where it fails."""
    root, user = _copied(tmp_path / "a place with spaces"), another_user()
    all_at_once = outcome(HOSTILE, root, user)
    if all_at_once:
        places = {"a path with a space": outcome(BARE, root), "another user": outcome(BARE, prefix=user)}
        guilty = [name for name, said in places.items() if said] or _narrowed(list(HOSTILE))
        pytest.fail(f"by itself it fails with: {', '.join(guilty)}\n{all_at_once}")


def _narrowed(names: list[str]) -> list[str]:
    """The one of these variables that does it; several where they do it together."""
    while len(names) > 1:
        halves = names[: len(names) // 2], names[len(names) // 2 :]
        bad = [half for half in halves if outcome({**BARE, **{name: HOSTILE[name] for name in half}})]
        if not bad:
            break
        names = bad[0]
    return names


@pytest.mark.skipif(not another_user(), reason="only root with setpriv can be another user")
def test_the_other_user_may_not_write_here() -> None:
    """Or the test above would say nothing of users."""
    program = "import os; print(os.getuid(), os.access('.', os.W_OK))"
    done = subprocess.run(
        [*another_user(), sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["65534", "False"]


def _copied(root: Path) -> Path:
    root.mkdir()
    for name in ("ddsetup", "tests", "docs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, root / name)
    return root

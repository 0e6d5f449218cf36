"""The tests say the same on every machine: a sample of them in environments that ask for something else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAMPLE = (
    "tests/unit/terminal/test_console.py",
    "tests/unit/terminal/test_prompts.py",
    "tests/unit/cli/test_command_line.py::test_what_is_missing_is_named_at_once_with_exit_code_2",
    "tests/unit/cli/test_command_line.py::test_no_credentials_end_with_exit_code_4",
    "tests/unit/cli/test_command_line.py::test_the_file_is_read_and_a_wrong_line_is_named",
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


def outcome(
    environ: Mapping[str, str], *arguments: str, root: Path = ROOT, prefix: tuple[str, ...] = ()
) -> str:
    """How the tests named by the arguments end in this environment and place; empty if well."""
    command = [*prefix, sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=root, env=dict(environ), capture_output=True, text=True, errors="replace", check=False
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-9000:]


@pytest.mark.parametrize("environ", [{}, HOSTILE], ids=["none", "hostile"])
def test_the_machine_s_environment_changes_nothing(environ: Mapping[str, str]) -> None:
    assert outcome(environ, *SAMPLE) == ""


def test_the_place_may_have_a_space(tmp_path: Path) -> None:
    root = tmp_path / "a place with spaces"
    root.mkdir()
    for name in ("ddsetup", "tests", "docs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, root / name)
    assert outcome({"PATH": os.environ["PATH"]}, *SAMPLE[:3], root=root) == ""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can be another user")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="there is no setpriv")
def test_another_user_can_run_them() -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    # root's Python may lie where nobody else can look: so this nobody may look everywhere, and write nowhere.
    looking = (*nobody, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    able = next((user for user in (looking, nobody) if _can_read(user)), None)
    if able is None:
        pytest.skip("other users may not read this place")
    assert outcome({"PATH": os.environ["PATH"]}, *SAMPLE, prefix=able) == ""


def _can_read(user: tuple[str, ...]) -> bool:
    program = [*user, sys.executable, "-c", "import ddsetup, pytest, tests"]
    return subprocess.run(program, cwd=ROOT, capture_output=True, check=False).returncode == 0

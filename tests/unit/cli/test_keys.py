"""Keys: where they are handed over, that they stay in no child's environment and in no memory on the disk."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddsetup.ask.credentials import find_keys
from ddsetup.cli.keys import KEY_VARIABLES, handed_keys, take_keys
from ddsetup.gateways.aws.credentials import AwsOptions, open_session
from ddsetup.model.errors import UsageError
from ddsetup.settings.given import from_flags

API, APP = "a1" * 16, "b2" * 20


def test_keys_are_taken_out_of_the_environment_and_kept_for_the_run() -> None:
    process = dict.fromkeys(KEY_VARIABLES, "secret") | {"DD_SITE": "datadoghq.eu", "PATH": "/bin"}
    before = dict(process)
    assert take_keys(process) == before
    assert process == {"DD_SITE": "datadoghq.eu", "PATH": "/bin"}


def test_both_keys_come_from_standard_input_line_by_line() -> None:
    given = from_flags({"api_key_stdin": True, "app_key_stdin": True})
    found = find_keys(handed_keys(given, Path(), io.StringIO(f"\n{API}\r\n{APP}\n")))
    assert (found.keys.api_key, found.keys.app_key) == (API, APP)
    assert (found.api_key_from, found.app_key_from) == ("--api-key-stdin", "--app-key-stdin")


def test_a_key_in_a_file_comes_before_one_in_a_variable(tmp_path: Path) -> None:
    (tmp_path / "api").write_text(f"{API}\n")
    given = from_flags({"api_key_file": "api"})
    found = find_keys({"DD_API_KEY": "c" * 32, "DD_APP_KEY": APP, **handed_keys(given, tmp_path, None)})
    assert (found.keys.api_key, found.api_key_from) == (API, "--api-key-file")
    assert found.app_key_from == "DD_APP_KEY"


@pytest.mark.parametrize("text", ["", "\n\n", API])
def test_too_little_on_standard_input_is_said(text: str) -> None:
    given = from_flags({"api_key_stdin": True, "app_key_stdin": True})
    with pytest.raises(UsageError, match="first line") as raised:
        handed_keys(given, Path(), io.StringIO(text))
    assert API not in str(raised.value)


def test_a_terminal_is_not_read_for_a_key() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(UsageError, match="terminal"):
        handed_keys(from_flags({"app_key_stdin": True}), Path(), Terminal(APP))


def test_what_is_no_file_with_a_key_is_said_without_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "two").write_text(f"{API}\n{APP}\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").write_text("")
    for name in ("two", "bytes", "empty", "nowhere", "."):
        with pytest.raises(UsageError) as raised:
            handed_keys(from_flags({"app_key_file": name}), tmp_path, None)
        assert "--app-key-file" in raised.value.where
        assert APP not in str(raised.value)


def test_botocore_finds_keys_that_are_not_in_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in KEY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    kept = {"AWS_ACCESS_KEY_ID": "AKIAKEPT", "AWS_SECRET_ACCESS_KEY": "kept", "AWS_SESSION_TOKEN": "token"}
    found = open_session(AwsOptions(environ=kept)).get_credentials()
    assert (found.access_key, found.secret_key, found.token) == ("AKIAKEPT", "kept", "token")
    config = tmp_path / "config"
    config.write_text(
        "[profile p]\nrole_arn = arn:aws:iam::111122223333:role/r\ncredential_source = Environment\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    session = open_session(AwsOptions(profile="p", environ=kept))
    sources = session.get_component("credential_provider").get_provider("assume-role")._credential_sourcer
    assert sources.source_credentials("Environment").access_key == "AKIAKEPT"


def test_a_crash_leaves_no_core(tmp_path: Path) -> None:
    """Where the system writes one at all, as the same crash without it shows."""

    def crashed(before: str) -> bool:
        command = f"import os; {before}; os.abort()"
        allowed = ["sh", "-c", 'ulimit -c "$(ulimit -H -c)"; exec "$@"', "sh", sys.executable, "-c", command]
        with subprocess.Popen(allowed, cwd=tmp_path) as process:
            return os.WCOREDUMP(os.waitpid(process.pid, 0)[1])

    if not crashed("pass"):
        pytest.skip("this system writes no core files here")
    assert not crashed("from ddsetup.cli.keys import leave_no_core; leave_no_core()")

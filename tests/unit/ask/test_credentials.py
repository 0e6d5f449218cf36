"""Where Datadog's keys are looked for, and what is said when they are nowhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail, null

from ddsetup.ask.credentials import (
    API_KEY,
    APP_KEY,
    KeyReaders,
    KeyRefs,
    find_keys,
    missing_keys,
    os_keyring,
    os_keyring_keeper,
)
from ddsetup.gateways.datadog.client import DatadogKeys
from ddsetup.model.errors import CredentialsError, Denied, UsageError
from tests.file_keyring import FileKeyring

API, APP = "0123456789abcdef" * 2, "0123456789" * 4
OTHER_API, OTHER_APP = "f" * 32, "ddapp_" + "Zz" * 17
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:dd-AbCdEf"


def test_the_environment_comes_first() -> None:
    readers = KeyReaders(
        secret=lambda _: OTHER_API, keyring=lambda _: OTHER_API, ask=lambda _: pytest.fail("asked")
    )
    environ = {"DD_API_KEY": API, "DATADOG_API_KEY": OTHER_API, "DATADOG_APP_KEY": APP}
    found = find_keys(environ, readers, KeyRefs(ARN, ARN))
    assert (found.keys.api_key, found.keys.app_key) == (API, APP)
    assert (found.api_key_from, found.app_key_from) == ("DD_API_KEY", "DATADOG_APP_KEY")
    assert found.warnings == ()


def test_each_key_has_its_own_source() -> None:
    readers = KeyReaders(
        secret=lambda arn: {ARN: OTHER_API}[arn],
        keyring={"DD_APP_KEY": OTHER_APP}.get,
    )
    found = find_keys({}, readers, KeyRefs(api_key_secret=ARN))
    assert (found.keys.api_key, found.keys.app_key) == (OTHER_API, OTHER_APP)
    assert (found.api_key_from, found.app_key_from) == (ARN, "keyring")


def test_the_last_resort_is_to_ask() -> None:
    asked: list[str] = []

    def ask(title: str) -> str:
        asked.append(title)
        return APP

    found = find_keys({"DD_API_KEY": API}, KeyReaders(ask=ask))
    assert asked == ["Datadog application key"]
    assert found.app_key_from == "prompt"


@pytest.mark.parametrize("wrapped", [f" {API}\n", f'"{API}"', f"'{API}' \r\n", f"\ufeff{API}"])
def test_what_clings_to_a_key_is_taken_off(wrapped: str) -> None:
    assert find_keys({"DD_API_KEY": wrapped, "DD_APP_KEY": APP}).keys.api_key == API


def test_a_blank_variable_is_none() -> None:
    found = find_keys({"DD_API_KEY": "  ", "DATADOG_API_KEY": API, "DD_APP_KEY": APP})
    assert found.api_key_from == "DATADOG_API_KEY"


def test_an_unusual_form_is_a_warning_that_does_not_quote_it() -> None:
    found = find_keys({"DD_API_KEY": "sandbox-key", "DD_APP_KEY": APP})
    assert found.keys.api_key == "sandbox-key"
    (warning,) = found.warnings
    assert "32 hex digits" in warning
    assert "sandbox-key" not in warning


def test_swapped_keys_are_refused() -> None:
    with pytest.raises(CredentialsError, match="swapped"):
        find_keys({"DD_API_KEY": APP, "DD_APP_KEY": API})


def test_all_missing_keys_and_all_ways_are_named_at_once() -> None:
    with pytest.raises(UsageError, match="no Datadog API key and no Datadog application key") as caught:
        find_keys({}, KeyReaders(secret=lambda _: "", keyring=lambda _: None))
    for way in ("DD_API_KEY", "DATADOG_APP_KEY", "--api-key-secret", "--app-key-secret", "keyring set"):
        assert way in caught.value.fix


def test_an_empty_answer_to_the_prompt_is_no_key() -> None:
    with pytest.raises(UsageError, match="no Datadog API key"):
        find_keys({"DD_APP_KEY": APP}, KeyReaders(ask=lambda _: ""))


def test_missing_keys_are_those_in_no_place() -> None:
    assert missing_keys({}) == (API_KEY, APP_KEY)
    assert missing_keys({"DD_API_KEY": API}) == (APP_KEY,)
    assert missing_keys({"DD_API_KEY": API}, refs=KeyRefs(app_key_secret=ARN)) == ()
    assert missing_keys({}, KeyReaders(keyring=lambda entry: API if entry == "DD_API_KEY" else None)) == (
        APP_KEY,
    )
    assert missing_keys({}, KeyReaders(ask=lambda _: "")) == ()


def test_a_secret_that_may_not_be_read_names_the_permission() -> None:
    def denied(_: str) -> str:
        raise Denied("no", action="secretsmanager:GetSecretValue")

    with pytest.raises(CredentialsError, match=ARN) as caught:
        find_keys({"DD_APP_KEY": APP}, KeyReaders(secret=denied), KeyRefs(api_key_secret=ARN))
    assert "secretsmanager:GetSecretValue" in caught.value.fix


def test_an_empty_secret_is_said_to_be_empty() -> None:
    with pytest.raises(CredentialsError, match="is empty"):
        find_keys({"DD_APP_KEY": APP}, KeyReaders(secret=lambda _: " \n"), KeyRefs(api_key_secret=ARN))


def test_keys_do_not_show() -> None:
    found = find_keys({"DD_API_KEY": API, "DD_APP_KEY": APP})
    assert API not in repr(found)
    assert APP not in repr(found)


@pytest.fixture
def keyring_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The package `keyring` with a backend of its kind."""
    before = keyring.get_keyring()
    monkeypatch.setenv("FILE_KEYRING", str(tmp_path / "keyring.json"))
    keyring.set_keyring(FileKeyring())  # type: ignore[no-untyped-call]
    yield tmp_path / "keyring.json"
    keyring.set_keyring(before)


def test_the_systems_keyring_takes_keys_and_gives_them_back(keyring_file: Path) -> None:
    read, keep = os_keyring(), os_keyring_keeper()
    assert read is not None
    assert keep is not None
    assert read("DD_API_KEY") is None
    assert keep(DatadogKeys(API, APP))
    assert (read("DD_API_KEY"), read("DD_APP_KEY")) == (API, APP)


def test_a_locked_keyring_has_nothing_and_takes_nothing(keyring_file: Path) -> None:
    keyring_file.with_name("keyring.json.locked").touch()
    read, keep = os_keyring(), os_keyring_keeper()
    assert read is not None
    assert keep is not None
    assert read("DD_API_KEY") is None
    assert not keep(DatadogKeys(API, APP))


def test_what_keeps_nothing_is_no_keyring(keyring_file: Path) -> None:
    for backend in (null.Keyring(), fail.Keyring()):  # type: ignore[no-untyped-call]
        keyring.set_keyring(backend)
        assert os_keyring_keeper() is None
        read = os_keyring()
        assert read is not None
        assert read("DD_API_KEY") is None


def test_without_the_package_there_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert os_keyring() is None
    assert os_keyring_keeper() is None

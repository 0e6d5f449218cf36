"""Getting to valid keys together with a person: told why, asked again, never kept without a yes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ddsetup.ask.credentials import KeyReaders, KeyRefs
from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Prompt, Row
from ddsetup.ask.signin import SignedIn, Wanted, sign_in_to_aws, sign_in_to_datadog
from ddsetup.gateways.aws.credentials import AwsOptions
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.keys import KeyCheck, check_keys
from ddsetup.model.account import Json
from ddsetup.model.clock import SYSTEM_CLOCK
from ddsetup.model.errors import CredentialsError
from tests.gateways.datadog_world import World, datadog
from tests.gateways.standin import API_KEY, APP_KEY

WRONG = "0" * 32
HOME = "ap1.datadoghq.com"


@pytest.fixture
def world() -> Iterator[World]:
    with datadog() as started:
        yield started


@dataclass
class Person:
    """Types these answers in turn, and remembers what was asked and said."""

    answers: list[object]
    asked: list[str] = field(default_factory=list)
    told: str = ""

    def ask(self, prompt: Prompt) -> Json:
        self.asked.append(prompt.text)
        answer = self.answers.pop(0)
        return self.ask(prompt) if prompt.check(answer) else answer

    def pick(self, title: str, rows: Sequence[Row], **_: object) -> tuple[str, ...]:
        raise AssertionError("no list expected")

    def say(self, text: str) -> None:
        self.told += f"{text}\n"


def sign_in(
    world: World, person: Person | None, dialogue: Dialogue | None = None, **environ: str
) -> SignedIn:
    """As `connect` does it, with the person's answers as the hidden prompts."""
    wanted = Wanted(
        site="datadoghq.eu",
        url=world.standin.server.url,
        environ=environ,
        readers=KeyReaders(
            ask=(lambda title: str(person.ask(Prompt(kind="secret", text=title)))) if person else None
        ),
        refs=KeyRefs(),
        clock=world.clock,
    )
    return sign_in_to_datadog(wanted, person, dialogue or Dialogue(), lambda _text: None)


def test_keys_of_the_environment_need_nobody(world: World) -> None:
    person = Person([])
    signed_in = sign_in(world, person, DD_API_KEY=API_KEY, DD_APP_KEY=APP_KEY)
    assert (signed_in.site, signed_in.found.api_key_from) == ("datadoghq.eu", "DD_API_KEY")
    assert person.told == ""


def test_typed_keys_are_checked_at_once_and_asked_again(world: World) -> None:
    dialogue, person = Dialogue(), Person([WRONG, f" {API_KEY}\n", APP_KEY])
    signed_in = sign_in(world, person, dialogue)
    assert person.asked == ["Datadog API key", "Datadog API key", "Datadog application key"]
    assert signed_in.found.keys == DatadogKeys(API_KEY, APP_KEY) == dialogue.keys
    assert "https://app.datadoghq.eu/organization-settings/api-keys" in person.told
    assert "not valid on datadoghq.eu" in person.told
    for key in (WRONG, API_KEY, APP_KEY):
        assert key not in person.told + repr(dialogue) + repr(signed_in)


def test_a_wrong_application_key_does_not_throw_the_api_key_away(world: World) -> None:
    person = Person([API_KEY, "1" * 40, APP_KEY])
    assert sign_in(world, person).found.keys == DatadogKeys(API_KEY, APP_KEY)
    assert person.asked == ["Datadog API key", "Datadog application key", "Datadog application key"]


def test_typed_keys_are_not_asked_for_again_by_going_back(world: World) -> None:
    dialogue = Dialogue(keys=DatadogKeys(API_KEY, APP_KEY))
    person = Person([])
    assert sign_in(world, person, dialogue).found.api_key_from == "prompt"
    assert person.asked == []


def test_wrong_keys_of_the_environment_can_be_replaced_by_typing_others(world: World) -> None:
    person = Person([True, API_KEY, APP_KEY])
    signed_in = sign_in(world, person, DD_API_KEY=WRONG, DD_APP_KEY=APP_KEY)
    assert signed_in.found.api_key_from == "prompt"
    assert person.asked[0] == "Type other keys for this run?"


@pytest.mark.parametrize("person", [None, Person([False])])
def test_who_does_not_want_to_or_is_not_there_gets_the_error(world: World, person: Person | None) -> None:
    with pytest.raises(CredentialsError, match="not valid on"):
        sign_in(world, person, DD_API_KEY=WRONG, DD_APP_KEY=APP_KEY)


def on_another_site(world: World, answer: bool) -> SignedIn:
    """Keys that only the site HOME knows, and the answer to the offer to go there."""

    def connect(site: str) -> Datadog:
        key = API_KEY if site == HOME else WRONG
        return Datadog.connect(site, DatadogKeys(key, APP_KEY), world.standin.server.url, clock=world.clock)

    def check(dd: Datadog) -> KeyCheck:
        return check_keys(connect(dd.site), elsewhere=connect)

    wanted = Wanted(
        site="datadoghq.eu",
        url=world.standin.server.url,
        environ={"DD_API_KEY": API_KEY, "DD_APP_KEY": APP_KEY},
        readers=KeyReaders(ask=lambda _title: ""),
        refs=KeyRefs(),
        clock=world.clock,
        check=check,
    )
    return sign_in_to_datadog(wanted, Person([answer]), Dialogue(), lambda _text: None)


def test_keys_of_another_site_lead_there_if_that_is_wanted(world: World) -> None:
    assert on_another_site(world, True).site == HOME
    with pytest.raises(CredentialsError, match="belongs to the site AP1"):
        on_another_site(world, False)


def test_without_aws_credentials_profiles_are_offered_and_the_choice_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile dev]\nregion = eu-west-1\n[profile prod]\nregion = eu-west-1\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    dialogue, person = Dialogue(), Person(["profile dev", "again", "stop"])
    with pytest.raises(CredentialsError):
        sign_in_to_aws(AwsOptions(interactive=True), person, dialogue, clock=SYSTEM_CLOCK)
    assert dialogue.typed == {"profile": {"profile": "dev"}}
    assert "aws sso login --profile NAME" in person.told
    assert "profile 'dev'" in person.told

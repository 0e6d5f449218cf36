"""The file with answers: what goes in comes out, nothing secret, and a wrong line is named."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest
from hypothesis import given as for_all

from ddsetup.ask.asking import answers_from, scope_from
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.settings.config import (
    as_command,
    config_text,
    config_values,
    find_config,
    read_config,
    save_config,
)
from ddsetup.settings.given import Given, from_environment, from_flags
from ddsetup.settings.table import SETTINGS
from tests.unit.ask.test_asking import answers_strategy


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ddsetup.toml"
    path.write_text(text, "utf-8")
    return path


@for_all(answers_strategy)
def test_what_is_written_is_read_again(answers: Answers) -> None:
    text = config_text(config_values(answers, Given()))
    assert answers_from(from_flags(tomllib.loads(text)), None, None) == answers


@for_all(answers_strategy)
def test_the_ci_command_gives_the_same_answers(answers: Answers) -> None:
    words = shlex.split(as_command(answers).replace("\\\n", " "))
    flags: dict[str, object] = {}
    while words:
        word = words.pop(0)
        key = word.removeprefix("--").removeprefix("no-").replace("-", "_")
        if word in ("ddsetup", "setup", "--yes", "--no-input"):
            continue
        if SETTINGS[key].kind == "switch":
            flags[key] = not word.startswith("--no-")
        elif SETTINGS[key].is_list:
            flags[key] = [*flags.get(key, []), words.pop(0)]  # type: ignore[misc]
        else:
            flags[key] = words.pop(0)
    assert answers_from(from_flags(flags), None, None) == answers


def test_the_order_of_the_file_does_not_depend_on_the_order_of_answers() -> None:
    assert config_text({"via": "extension", "site": "datadoghq.eu"}) == config_text(
        {"site": "datadoghq.eu", "via": "extension"}
    )


def test_where_things_are_is_kept_and_what_is_only_for_once_is_not() -> None:
    given = from_flags({"profile": "dev", "site": "EU1", "region": ["eu-west-1"], "all": True, "wait": 60})
    environment = from_environment({"DDSETUP_FORWARDER_TEMPLATE_URL": "http://127.0.0.1:1/b/t.yaml"})
    given = given.over(environment)
    answers = answers_from(given, None, None)
    assert config_values(answers, given) == {
        "profile": "dev",
        "site": "datadoghq.eu",
        "region": ("eu-west-1",),
        "all": True,
    }
    assert as_command(answers, given) == (
        "ddsetup setup --yes --no-input --all --profile dev --region eu-west-1 --site datadoghq.eu"
    )


def test_where_runs_are_remembered_is_said_again(tmp_path: Path) -> None:
    place = tmp_path / "my runs"
    given = from_flags({"all": True, "state_dir": str(place), "state": "s3://acme/prod"})
    answers = answers_from(
        given.over(from_flags({"site": "datadoghq.eu", "region": ["eu-west-1"]})), None, None
    )
    words = shlex.split(as_command(answers, given))
    assert words[words.index("--state-dir") + 1] == str(place)
    assert words[words.index("--state") + 1] == "s3://acme/prod"
    kept = config_values(answers, given)
    assert kept["state"] == "s3://acme/prod"
    assert "state_dir" not in kept, "another machine has not that place"


def test_an_unknown_key_is_named_with_its_line_and_its_nearest_name(tmp_path: Path) -> None:
    path = written(tmp_path, '# mine\nsite = "datadoghq.eu"\nregoin = ["eu-west-1"]\n')
    with pytest.raises(UsageError) as caught:
        read_config(path)
    assert (caught.value.where, caught.value.fix) == ("ddsetup.toml, line 3", "did you mean region?")


@pytest.mark.parametrize("name", ["api_key", "DD_API_KEY", "app-key", "datadog_app_key", "password"])
def test_a_key_in_the_file_is_refused_without_being_repeated(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, f'{name} = "0123456789abcdef0123456789abcdef"\n')
    with pytest.raises(UsageError) as caught:
        read_config(path)
    assert "does not belong" in caught.value.what
    assert "0123456789" not in caught.value.what + caught.value.fix + caught.value.where


@pytest.mark.parametrize("name", ["yes", "datadog_url", "invoke", "config"])
def test_what_a_file_from_elsewhere_must_not_decide_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not taken from a file"):
        read_config(written(tmp_path, f"{name} = true\n"))


def test_a_wrong_type_names_file_line_and_expectation(tmp_path: Path) -> None:
    given = read_config(written(tmp_path, 'site = "EU1"\n\nregion = 7\nlogs = "perhaps"\n'))
    with pytest.raises(UsageError) as caught:
        scope_from(given, None)
    assert "ddsetup.toml, line 3: region: expected a list of texts, not a number" in caught.value.what
    assert "ddsetup.toml, line 4: logs: 'perhaps' is neither true nor false" in caught.value.what


@pytest.mark.parametrize("text", ["site = \n", "site 'x'", "\x00"])
def test_a_broken_file_is_a_usage_error_and_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match="not valid TOML"):
        read_config(path)
    assert path.read_text("utf-8") == text


def test_brackets_without_end_are_not_valid_toml(tmp_path: Path) -> None:
    path = tmp_path / "ddsetup.toml"
    path.write_text("env = " + "[" * 100_000)
    with pytest.raises(UsageError, match="not valid TOML"):
        read_config(path)


def test_a_file_that_is_not_utf8_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "ddsetup.toml"
    path.write_bytes(b'site = "\xff"')
    with pytest.raises(UsageError, match="cannot read it"):
        read_config(path)


def test_parameters_may_be_a_table(tmp_path: Path) -> None:
    given = read_config(written(tmp_path, '[forwarder_param]\nMemorySize = "1024"\n'))
    assert given.items("forwarder_param") == ("MemorySize=1024",)


def test_saving_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ddsetup.toml"
    assert save_config(path, {"site": "datadoghq.eu"})
    assert not save_config(path, {"site": "datadoghq.eu"})
    assert save_config(path, {"site": "datadoghq.com"})
    assert list(tmp_path.iterdir()) == [path]


def test_of_a_file_of_the_users_own_only_values_change(tmp_path: Path) -> None:
    path = tmp_path / "ddsetup.toml"
    mine = '# ours\nenv = "prod"  # why\nsite = "{site}" # by hand\n{more}\n[doctor]\nignore = ["traffic"]\n'
    path.write_text(mine.format(site="datadoghq.eu", more=""), "utf-8")
    assert save_config(path, {"site": "datadoghq.com", "env": "prod", "region": ("eu-west-1",)})
    assert path.read_text("utf-8") == mine.format(site="datadoghq.com", more='region = ["eu-west-1"]\n')
    assert not save_config(path, {"site": "datadoghq.com", "env": "prod"})
    path.write_text("site = \n", "utf-8")
    with pytest.raises(UsageError, match="cannot write it"):
        save_config(path, {"site": "datadoghq.com"})
    assert path.read_text("utf-8") == "site = \n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_named_file_must_exist_and_the_usual_one_need_not(tmp_path: Path) -> None:
    assert find_config(None, tmp_path) is None
    with pytest.raises(UsageError, match="there is no file"):
        find_config("other.toml", tmp_path)
    path = written(tmp_path, "")
    assert find_config(None, tmp_path) == path

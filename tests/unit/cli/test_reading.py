"""Which command a line is about, and its help: told from the tables, without the parser."""

from __future__ import annotations

import pytest

from ddsetup.cli.help import help_text
from ddsetup.cli.parser import USAGE_ERROR, parse
from ddsetup.cli.reading import read
from ddsetup.cli.table.groups import GROUPS
from ddsetup.settings.given import Values
from ddsetup.settings.table import TABLE

ALL: list[tuple[str, ...]] = [(), *((each.name,) for each in read(()).names)]
ALL += [(group.name, command.name) for group in GROUPS for command in group.commands]


@pytest.mark.parametrize(
    ("words", "title", "arguments"),
    [
        ("status --region eu-west-1", "status", ["--region", "eu-west-1"]),
        ("--region eu-west-1 status -v", "status", ["--region", "eu-west-1", "-v"]),
        (
            "-vo json explore --profile errors errors",
            "explore errors",
            ["-vo", "json", "--profile", "errors"],
        ),
        ("-ojson status", "status", ["-ojson"]),
        ("--function=status plan", "plan", ["--function=status"]),
        ("undo -- --list", "undo", ["--", "--list"]),
        ("explore request id", "explore request", ["id"]),
        ("state", "state", []),
    ],
)
def test_options_of_settings_may_stand_before_the_command(
    words: str, title: str, arguments: list[str]
) -> None:
    found = read(words.split())
    assert (found.title, found.arguments, found.unknown, found.help) == (title, arguments, "", "")


@pytest.mark.parametrize(
    ("words", "help_wanted"),
    [
        ("--help setup", "some"),
        ("setup -vh", "some"),
        ("setup --help-all -h", "all"),
        ("setup --function --help", ""),
        ("undo -- --help", ""),
        ("setup --nonsense --help", "some"),
    ],
)
def test_help_is_wanted_where_it_is_an_option(words: str, help_wanted: str) -> None:
    assert read(words.split()).help == help_wanted


def test_what_is_no_command_is_named() -> None:
    assert read(["sandbox", "upp", "--name", "x"]).unknown == "upp"
    assert read(["-v", "stauts"]).unknown == "stauts"
    found = read(["monitor", "apply"])
    assert (found.unknown, found.command) == ("monitor", None)
    assert read(["--scenario", "messy", "setup"]).title == "setup"


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("--name x", "--name"),
        ("-zv", "-z"),
        ("-v sandbox --nonsense=7", "--nonsense"),
        ("--site --nonsense", ""),
        ("sandbox upp --name x", ""),
        ("status --nonsense", "--nonsense"),
        ("status --region --nonsense", ""),
        ("--", ""),
    ],
)
def test_an_option_is_that_of_a_setting_or_of_the_command(words: str, wrong: str) -> None:
    assert read(words.split()).unknown_option == wrong


def test_an_option_that_wants_its_value_is_open() -> None:
    found = read(["setup", "--all", "--region"])
    assert found.open is not None
    assert found.open.name == "region"
    assert read(["setup", "--region", "eu-west-1"]).open is None


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_all_that_can_be_given_is_in_some_help_and_fits(words: tuple[str, ...]) -> None:
    reading = read([*words, "--help-all"])
    for width in (50, 80, 100):
        text = help_text(reading, width)
        before, _, after = text.partition("Examples:")
        folded = before + after.partition("\n\n")[2]
        # The values that an option has to choose from are not broken.
        lines = [line for line in folded.splitlines() if "|" not in line]
        assert max(map(len, lines)) <= width
    if reading.command is not None:
        assert [f for f in reading.by_flag() if f not in text and f != "--help-all"] == []
    for each in reading.names:
        assert f"\n  {each.name} " in text


def test_help_begins_with_what_people_need_and_leaves_the_rest_to_another_option() -> None:
    text, whole = (help_text(read(["setup", flag]), 80) for flag in ("--help", "--help-all"))
    marks = ("Examples:", "--sandbox", "Which functions:", "Where:", "Datadog:", "Proof:", "How to run:")
    assert sorted(marks, key=text.index) == list(marks)
    for setting in TABLE:
        shown = f"  {setting.flag} " in text or f", {setting.flag} " in text
        assert shown != setting.rare, setting.key
        assert setting.env in whole
    assert len(text) < 0.75 * len(whole)
    assert "ddsetup setup --help-all" in text
    assert "--since" in help_text(read(["explore", "errors", "--help"]), 80), "of few options all are shown"


@pytest.mark.parametrize("words", [each for each in ALL if read(each).command is not None], ids=" ".join)
def test_the_parser_takes_what_help_tells_of(words: tuple[str, ...]) -> None:
    reading = read(words)
    command = reading.command
    assert command is not None
    given: list[str] = []
    for each in reading.parameters:
        if each.flags and each.name not in ("help", "help_all"):
            value = each.choices[0] if each.choices else "7"
            given += [each.flags[-1], value] if each.value else [each.off or each.flags[0]]
    given += ["7" for each in reading.parameters if not each.flags]
    seen: Values = {}

    def act(values: Values) -> int:
        nonlocal seen
        seen = values
        return 0

    assert parse(command, reading.title, given, act) == 0
    assert read([*words, *given]).values() == seen
    assert set(seen) == {each.name for each in reading.parameters} - {"help", "help_all"}
    assert [name for name, value in seen.items() if value in (None, [])] == []
    with pytest.raises(USAGE_ERROR):
        parse(command, reading.title, ["--nonsense"], lambda _values: 0)


@pytest.mark.parametrize(
    "line",
    [
        "status -ojson -vr eu-west-1",
        "setup --no-logs --logs --site=datadoghq.eu --site= -f a -f b --all",
        "setup --region -x",
        "undo -- --list",
        "undo 7 --list",
        "plan --out=x.json",
        "sandbox traffic --times 3 --function f shop",
        "explore metrics a b --by x",
        "help",
        "help sandbox up --all",
    ],
)
def test_a_plain_line_means_what_the_parser_makes_of_it(line: str) -> None:
    reading = read(line.split())
    assert reading.command is not None
    found = None

    def act(values: Values) -> int:
        nonlocal found
        found = values
        return 0

    parse(reading.command, reading.title, reading.arguments, act)
    assert reading.values() == found


@pytest.mark.parametrize(
    "line",
    [
        *("setup --nonsense", "setup -z", "setup --all=yes", "setup --region", "status extra", "undo a b"),
        *("apply", "explore metrics", "sandbox traffic --times many", "sandbox traffic --times \u0663"),
    ],
)
def test_what_is_wrong_with_a_line_is_for_the_parser_to_say(line: str) -> None:
    assert read(line.split()).values() is None

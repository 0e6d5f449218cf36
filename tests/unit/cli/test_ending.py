"""How a setup ends: what to do next, the same run for CI, and nothing that a screen cannot hold."""

from __future__ import annotations

import shlex

from ddsetup.facts.links import links
from ddsetup.model.lines import Look, text_of
from ddsetup.model.report import Report, Signal
from ddsetup.show.report_lines import report_lines
from tests.builders import function

REPEAT = "ddsetup setup \\\n  --yes \\\n  --no-input \\\n  --all \\\n  --site datadoghq.eu"
PAGES = links("datadoghq.eu", [function(f"f{n}") for n in range(9)], ("111122223333",))


MANY = REPEAT.replace("  --all", " \\\n".join(f"  --function f{n}" for n in range(300)))


def ended(*, verbose: bool = False, config: str = "", width: int = 80, repeat: str = REPEAT) -> str:
    report = Report(
        command="setup",
        run="20261122T101530Z-ab12",
        links=PAGES,
        next=("ddsetup doctor", "ddsetup explore cold-starts", repeat),
        data={"ci": repeat, "config": config},
        signals=(Signal(function="f0", region="eu-west-1", signal="logs", status="arrived"),),
    )
    return text_of(report_lines(report, Look(width=width, verbose=verbose)))


def test_each_next_command_says_what_it_is_good_for() -> None:
    why = "checks everything, and names the fix of what it finds"
    lines = ended(width=100).splitlines()
    at = lines.index("Next")
    assert lines[at + 1] == f"  ddsetup doctor               {why}"
    assert lines[at + 2].startswith("  ddsetup explore cold-starts  ")
    lines = ended().splitlines()
    at = lines.index("Next")
    assert lines[at + 1 : at + 3] == ["  ddsetup doctor", f"      {why}"]
    assert max(len(row) for row in lines[at:]) < 80


def test_the_line_for_ci_can_be_copied_as_it_is() -> None:
    text = ended(config="/home/ann/ddsetup.toml")
    _, _, after = text.partition("for CI\n")
    command, _, rest = after.partition("  or ")
    assert shlex.split(command.replace("\\\n", " ")) == shlex.split(REPEAT.replace("\\\n", " "))
    assert rest == "ddsetup setup --yes with /home/ann/ddsetup.toml\n"


def test_hundreds_of_names_do_not_push_the_rest_off_the_screen_where_a_file_has_them() -> None:
    text = ended(config="ddsetup.toml", repeat=MANY)
    assert text.endswith("for CI\n  ddsetup setup --yes with ddsetup.toml\n")
    assert "--function f299" in ended(repeat=MANY)


def test_the_pages_that_everybody_wants_first_are_shown_whole_and_the_others_counted() -> None:
    short, long = ended(), ended(verbose=True)
    for title in ("serverless", "logs", "traces"):
        assert f"    {PAGES[title]}\n" in short
    assert "function f8" not in short
    assert f"and {len(PAGES) - 4} more pages" in short
    assert all(url in long for url in PAGES.values())

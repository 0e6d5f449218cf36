"""How a run is given back, as a command line that can be pasted where it was run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ddsetup.cli.onward import with_choices
from ddsetup.model.lines import Look, text_of
from ddsetup.model.report import Report
from ddsetup.settings.given import from_flags
from ddsetup.show.report_lines import report_lines
from tests.in_full.test_accounts import call

RUN = "20261122T101530Z-ab12"


def test_it_says_whose_accounts_and_nothing_of_what_was_wanted_of_them(
    tmp_path: Path,
) -> None:
    asked, _ = call(tmp_path, ou=["/Prod"], accounts=Path("accounts.toml"), member_role=("r",))
    asked = replace(asked, given=from_flags({"profile": "root", "all": True, "env": "prod"}))
    applied = with_choices(asked, Report(command="org apply", run=RUN))
    assert (
        applied.undo
        == f"ddsetup org undo {RUN} --ou /Prod --accounts accounts.toml --member-role r --profile root"
    )
    assert f"To give it back: {applied.undo}" in text_of(report_lines(applied, Look()))
    left = with_choices(asked, Report(command="org apply"))
    assert (left.undo, left.data) == ("", {})


def test_of_a_run_that_was_stopped_it_is_said_once(tmp_path: Path) -> None:
    asked = replace(call(tmp_path)[0], given=from_flags({"profile": "shop", "all": True}))
    stopped = with_choices(asked, Report(command="setup", run=RUN, next=(f"ddsetup undo {RUN}",)))
    assert stopped.next == (stopped.undo,) == (f"ddsetup undo {RUN} --profile shop",)
    assert text_of(report_lines(stopped, Look(width=120))).count("undo") == 1

"""How a setup ends: what is worth doing next, the same run for CI, and the file that holds the answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.facts.links import links
from ddsetup.flow.call import Call
from ddsetup.flow.results import NOT_SEEN
from ddsetup.model.errors import UsageError
from ddsetup.model.report import Report
from ddsetup.settings.config import FILE_NAME, as_command, config_values, save_config
from ddsetup.settings.given import Given

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Prepared

WAIT_SECONDS = 900
"""How long a run waits for data by itself: CloudWatch metrics take the longest to get to Datadog."""
_WORTH_DOING = 3


def with_ways_on(call: Call, given: Given, prepared: Prepared, report: Report) -> Report:
    """The report with links, with up to three more things worth doing next, and with the same run for CI.

    The answers of a guided run are saved.
    """
    pages = links(prepared.answers.site, prepared.selected, tuple(prepared.snapshot.accounts))
    if call.value("sandbox"):
        onward = ("ddsetup policy", "ddsetup setup --dry-run", "ddsetup setup")
        data = {**report.data, "sandbox_gone": True}
        return replace(report, links=pages, next=(*report.next, *onward), data=data)
    repeat = as_command(prepared.answers, given)
    data = {**report.data, "ci": repeat, "config": _saved(call, given, prepared)}
    return replace(report, links=pages, next=(*report.next, *_worth_doing(report), repeat), data=data)


def _worth_doing(report: Report) -> tuple[str, ...]:
    """The next commands, the most useful first."""
    wanted = []
    if report.exit_code == NOT_SEEN or any(signal.status == "no_traffic" for signal in report.signals):
        wanted.append(f"ddsetup verify --wait {WAIT_SECONDS}")
    wanted.append("ddsetup doctor")
    if any(signal.status == "arrived" for signal in report.signals):
        wanted.append("ddsetup explore cold-starts")
    wanted.append("ddsetup monitors plan")
    return tuple(wanted[:_WORTH_DOING])


def _saved(call: Call, given: Given, prepared: Prepared) -> str:
    """Keep the answers of a guided run; the file they are in. Nobody was asked in any other."""
    if not call.can_ask or call.sandbox:
        return ""
    path = call.config or Path(call.directory) / FILE_NAME
    try:
        if save_config(path, config_values(prepared.answers, given)):
            call.console.say(f"answers saved in {path}")
    except UsageError as error:
        call.console.say(f"{error.where}: {error.what}", "dim")
        return ""
    return str(path)

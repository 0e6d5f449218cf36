"""`ddsetup dashboards create`: an overview of the functions, or of custom metrics, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Prompt
from ddsetup.ask.questions import Choice
from ddsetup.explore.metrics import check_metric
from ddsetup.flow.call import Call
from ddsetup.flow.looking import LIKE
from ddsetup.flow.results import base_report
from ddsetup.gateways.datadog.dashboards import LiveDashboard, find_dashboards
from ddsetup.gateways.datadog.metric_tags import list_distributions
from ddsetup.gateways.datadog.telemetry import Window, metrics_seen
from ddsetup.model.blocks import Block, Code
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look, names
from ddsetup.model.report import Report
from ddsetup.model.states import DashboardState
from ddsetup.monitors.dashboards import (
    OF_METRICS,
    OVERVIEW,
    TITLE,
    ShownMetric,
    of_metrics,
    overview,
    plan_dashboard,
)
from ddsetup.monitors.edits import edits_of
from ddsetup.monitors.one_dashboard import carried_out
from ddsetup.monitors.scope_of import scope_of
from ddsetup.monitors.service_graphs import SEEN
from ddsetup.monitors.terraform import dashboard_terraform
from ddsetup.monitors.wording import tag_keys

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session

_LOOK_BACK = timedelta(days=3)
"""S3 counts the size of buckets once a day, and tells it a day later."""
KEEP, REPLACE = "keep", "replace"


def run(call: Call) -> Report:
    """Plan, show, confirm, carry out; the report has the address of the dashboard."""
    from ddsetup.flow import verbs

    title, edits, shown = _title(call), _edits(call), _names(call)
    session = verbs.connect(call.given, call.host(), command=LIKE)
    wanted = _wanted(call, session, title, shown)
    if call.value("terraform"):
        return replace(
            base_report("dashboards create", session), data={"terraform": dashboard_terraform(wanted)}
        )
    live = next(iter(find_dashboards(session.datadog, title)), None)
    keep = (edits or _asked(session, live, wanted)) != REPLACE
    why = OF_METRICS if shown else OVERVIEW
    plan = plan_dashboard(wanted, live, session.identity.account, why, keep=keep)
    return carried_out(call, session, plan, live)


def _title(call: Call) -> str:
    named = call.value("metric") or ()
    usual = (named[0] if len(named) == 1 else "Custom metrics") if named else TITLE
    title = str(call.value("title") or usual).strip()
    if not title:
        raise UsageError("--title: a dashboard needs a title")
    return title


def _edits(call: Call) -> str:
    edits = str(call.value("edits") or "")
    if edits not in ("", KEEP, REPLACE):
        raise UsageError(f"--edits {edits}: expected {KEEP} or {REPLACE}")
    return edits


def _names(call: Call) -> tuple[str, ...]:
    if call.value("by") and not call.value("metric"):
        raise UsageError("--by is for custom metrics", fix="add --metric NAME")
    return tuple(dict.fromkeys(check_metric(name) for name in call.value("metric") or ()))


def _wanted(call: Call, session: Session, title: str, shown: Sequence[str]) -> DashboardState:
    now = session.host.clock.now()
    scope = scope_of(call, session)
    if shown:
        by = ",".join(tag_keys(call.value("by"), "--by"))
        return of_metrics(title, scope, _metrics(session, shown), by)
    in_use = metrics_seen(session.datadog, Window(now - _LOOK_BACK, now), SEEN)
    return overview(title, scope, in_use)


def _metrics(session: Session, shown: Sequence[str]) -> tuple[ShownMetric, ...]:
    """What kind of metrics they are, in one call."""
    held = {one.name: one for one in list_distributions(session.datadog, "*", _LOOK_BACK.days * 86_400)}
    found = []
    for name in shown:
        listed = held.get(name)
        on = bool(listed and listed.configuration and listed.configuration.include_percentiles)
        found.append(ShownMetric(name=name, distribution=listed is not None, percentiles=on))
    return tuple(found)


def _asked(session: Session, live: LiveDashboard | None, wanted: DashboardState) -> str:
    """Whether edits by hand stay, where there are any and somebody can be asked; else they do."""
    edits = edits_of(live.state, wanted).names if live else ()
    if not edits or session.host.prompter is None:
        return KEEP
    prompt = Prompt(
        kind="one",
        text="This dashboard was edited by hand. Do you want to keep that?",
        why=names(edits, 5),
        choices=(
            Choice(KEEP, "Keep it", "the rest is brought up to date"),
            Choice(REPLACE, "Replace it", "all of it is as ddsetup makes it"),
        ),
        default=KEEP,
    )
    return str(session.host.prompter.ask(prompt))


def blocks(report: Report, _look: Look) -> list[Block]:
    """The file as it is saved, and nothing else."""
    return [Code(report.data["terraform"], "hcl", indent=0)] if "terraform" in report.data else []

"""`ddsetup monitors remove`: delete monitors that ddsetup made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.flow.call import Call
from ddsetup.flow.in_datadog import carried_out
from ddsetup.gateways.datadog.monitors import SCOPE_TAG, LiveMonitor, find_monitors
from ddsetup.gateways.datadog.slos import LiveSlo, find_slos
from ddsetup.model.errors import Denied
from ddsetup.model.report import Report
from ddsetup.monitors.plan import plan_removal
from ddsetup.monitors.scope import EVERYTHING
from ddsetup.monitors.scope_of import scope_of
from ddsetup.monitors.wanted import connect

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session


def run(call: Call) -> Report:
    """All monitors and objectives that ddsetup made, or those of one scope, or some kinds of them."""
    session = connect(call)
    label = scope_of(call, session).label
    tags = () if label == EVERYTHING else (f"{SCOPE_TAG}{label}",)
    slos, unread = _slos(session, tags)
    live: list[LiveMonitor | LiveSlo] = [*find_monitors(session.datadog, *tags), *slos]
    only = {part.strip() for text in call.value("only") or () for part in text.split(",")}
    if only:
        live = [one for one in live if one.state.key in only]
    plan = replace(plan_removal(live, session.identity.account), warnings=unread)
    return carried_out(call, session, plan, "Delete these monitors?")


def _slos(session: Session, tags: Sequence[str]) -> tuple[Sequence[LiveSlo], tuple[str, ...]]:
    """The objectives, or why they stay: keys from before there were any may not have this permission."""
    try:
        return find_slos(session.datadog, *tags), ()
    except Denied as error:
        return (), (f"service level objectives stay, as they cannot be read: {error.what}",)

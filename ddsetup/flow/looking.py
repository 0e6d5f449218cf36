"""What the commands share that look at data in Datadog: whose data, and of which time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ddsetup.flow.call import Call
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.snapshot import DatadogSnapshot, Snapshot
from ddsetup.settings.fields import selection_of

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session
    from ddsetup.model.account import Function

MINUTES = 60
LIKE = "status"
"""The command whose questions are asked: site and region, and nothing that only a setup needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """A session, and what is looked at. `functions` is empty without a choice: then all are meant."""

    session: Session
    whose: Whose
    window: Window
    functions: tuple[Function, ...] = ()

    @property
    def dd(self) -> Datadog:
        return self.session.datadog

    @property
    def chosen(self) -> bool:
        return bool(self.functions)


def look(call: Call, lately: int = MINUTES) -> Looking:
    """Connect, and settle whose data is meant.

    AWS is asked for functions only if some are chosen. `lately`: how many minutes back, unless `--since` says
    it. Raises UsageError when nothing fits the choice, and
    what `flow.connect` raises.
    """
    from ddsetup.flow import verbs

    session = verbs.connect(call.given, call.host(), command=LIKE)
    functions = chosen_functions(call, session)
    now = session.host.clock.now()
    minutes = max(1, call.given.number("since", lately))
    whose = Whose(
        account=session.identity.account,
        regions=session.scope.regions if "region" in call.given else (),
        functions=tuple(sorted({function.name for function in functions})),
    )
    window = Window(now - timedelta(minutes=minutes), now)
    return Looking(session=session, whose=whose, window=window, functions=functions)


def chosen_functions(call: Call, session: Session) -> tuple[Function, ...]:
    """The functions that the options choose, none if there is no choice. `--all` is no choice either."""
    from ddsetup.flow import verbs
    from ddsetup.model.errors import UsageError
    from ddsetup.plan.select import select_in

    values = {key: value for key in call.given.values if (value := call.given.value(key)) is not None}
    selection = selection_of(values)
    narrowed = selection.exclude or selection.state != "any"
    if not selection.given or (selection.all and not narrowed):
        return ()
    chosen = select_in(verbs.look(session), selection)
    if not chosen:
        raise UsageError("no function fits the choice", fix="ddsetup status shows what there is")
    return chosen


def nothing_of_aws(session: Session) -> Snapshot:
    """The snapshot for changes that only Datadog is asked to make."""
    return Snapshot(
        accounts={},
        lanes={},
        datadog=DatadogSnapshot(site=session.scope.site),
        at=session.host.clock.now(),
    )

"""Waiting until all is well: also for the data of what ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ddsetup.ask.asking import Scope
from ddsetup.doctor.checks.registry import CHECKS
from ddsetup.doctor.diagnose import diagnose
from ddsetup.doctor.look import Visit, watch
from ddsetup.flow import verbs
from ddsetup.journal.disk import OnDisk
from ddsetup.model.report import SignalStatus
from tests import builders as b
from tests.unit.patient import ORDERS, Patient, signals_of
from tests.unit.world import fake_clock


def visits(state: Path, *statuses: SignalStatus) -> tuple[list[str], list[Visit]]:
    """A visit for each status of the logs of `orders`; and what is said while they go by."""
    said: list[str] = []
    host = verbs.Host(
        environ={},
        state_dir=state,
        memory=OnDisk(state),
        on_event=lambda event: said.append(event.text),
        clock=fake_clock(),
    )
    nothing: Any = None
    scope = Scope(b.SITE, (b.REGION,))
    session = verbs.Session(host=host, aws=nothing, identity=b.identity(), scope=scope)
    made = []
    for status in statuses:
        patient = Patient()
        rest = tuple(s for s in patient.evidence.signals if s.function != ORDERS)
        patient.know(signals=rest + signals_of(ORDERS, logs=status))
        case = patient.case()
        made.append(Visit(session=session, case=case, diagnosis=diagnose(case, CHECKS)))
    return said, made


@pytest.mark.parametrize(
    ("statuses", "looks"),
    [
        (("arrived",), 1),
        (("no_traffic",), 1),
        (("waiting", "waiting", "arrived"), 3),
        (("missing", "arrived"), 2),
        (("waiting",) * 9, 5),
    ],
)
def test_it_looks_until_what_ran_has_arrived_or_the_time_is_over(
    tmp_path: Path, statuses: tuple[SignalStatus, ...], looks: int
) -> None:
    said, made = visits(tmp_path, *statuses)
    left = iter(made)
    first = next(left)
    last = watch(first, lambda: next(left), seconds=60, good=lambda v: v.diagnosis.worst() != "error")
    assert last is made[looks - 1]
    assert len(said) == looks - 1
    if statuses[0] == "waiting":
        assert "data of 1 function on its way" in said[0]

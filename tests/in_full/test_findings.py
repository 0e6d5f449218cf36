"""What the doctor says of each thing that can be broken, to the last word.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ddsetup.doctor.chain import Link, chain
from ddsetup.doctor.checks.registry import CHECKS
from ddsetup.doctor.diagnose import diagnose
from ddsetup.model.account import Unreadable
from tests import builders as b
from tests.in_full.patients import PARTS
from tests.in_full.told import finding_lines
from tests.unit.doctor.test_checks_table import BREAKAGES
from tests.unit.patient import (
    FORWARDER_ARN,
    GROUP,
    ORDERS,
    OWN_GROUP,
    PAYMENTS,
    Patient,
    signals_of,
    untouched,
)
from tests.unit.show.test_render import matches_golden


def told(patient: Patient) -> str:
    return "\n".join([*finding_lines(diagnose(patient.case(), CHECKS)), ""])


def broken(how: Callable[[Patient], object]) -> Patient:
    patient = Patient()
    how(patient)
    return patient


def _hidden(p: Patient) -> None:
    refused = Unreadable("x:Y", "refused")
    p.integration = p.role = refused
    p.lane = dict.fromkeys(("tags", "stacks", "log_groups", "secrets", "account_filter_policies"), refused)
    p.filters = dict.fromkeys(p.filters, refused)
    p.know(traffic=refused, indexes=refused)


def _silent(p: Patient) -> None:
    for name in p.functions:
        p.silence(name)


def _several(p: Patient) -> None:
    p.change(ORDERS, handler="app.handler", env={"DD_FLUSH_TO_LOG": "false"})
    p.change(PAYMENTS, env={"DD_SITE": "datadoghq.com", "DD_API_KEY_SECRET_ARN": None})


TROUBLE: dict[str, Callable[[Patient], object]] = {
    "everything is hidden": _hidden,
    "all data is missing": _silent,
    "the forwarder is in every trouble": lambda p: p.health(
        key="invalid",
        policy=None,
        reserved=0,
        counts={"Invocations": 10.0, "Errors": 5.0, "Throttles": 3.0},
        lines=("Connect timeout on endpoint URL", "AccessDenied: kms:Decrypt"),
    ),
    "the forwarder is in some trouble": lambda p: p.health(
        key="unknown", reserved=5, counts={"Invocations": 1000.0, "Errors": 1.0, "Throttles": 0.0}
    ),
    "the forwarder has few errors": lambda p: p.health(
        counts={"Invocations": 100.0, "Errors": 1.0, "Throttles": 0.0}
    ),
    "the forwarder was never invoked": lambda p: p.health(
        counts={"Invocations": 0.0, "Errors": 0.0, "Throttles": 0.0}
    ),
    "two filters and a pattern": lambda p: p.filters.update(
        {
            GROUP: (
                b.subscription_filter(GROUP, "x", FORWARDER_ARN, pattern="ERROR"),
                b.subscription_filter(GROUP, "y", FORWARDER_ARN),
            )
        }
    ),
    "no filter anywhere": lambda p: p.filters.update(dict.fromkeys(p.filters, ())),
    "a foreign filter in the forwarder's own group": lambda p: p.filters.update(
        {OWN_GROUP: (b.subscription_filter(OWN_GROUP, "loop", FORWARDER_ARN),)}
    ),
    "data is on its way": lambda p: p.know(
        signals=tuple(s for n in p.functions for s in signals_of(n, "waiting"))
    ),
    "nothing was invoked": lambda p: p.know(
        signals=tuple(s for n in p.functions for s in signals_of(n, "no_traffic"))
    ),
    "a function of each sort is at fault": _several,
}


def test_what_is_said_of_each_breakage() -> None:
    lines: list[str] = []
    for check, breakage in sorted(BREAKAGES.items()):
        lines += [f"[{check}]", told(broken(breakage.how))]
    matches_golden("findings/breakages", "\n".join(lines))


def test_what_is_said_of_greater_trouble() -> None:
    lines = ["[an untouched account]", told(untouched())]
    for name, how in TROUBLE.items():
        lines += [f"[{name}]", told(broken(how))]
    matches_golden("findings/trouble", "\n".join(lines))


@pytest.mark.parametrize("part", PARTS)
def test_what_is_said_of_every_ill(part: str) -> None:
    lines: list[str] = []
    for name, how in PARTS[part].items():
        lines += [f"[{name}]", told(broken(how))]
    matches_golden(f"findings/{part}", "\n".join(lines))


def links(patient: Patient) -> list[str]:
    """The way of each function's data, link by link."""
    case = patient.case()
    diagnosis = diagnose(case, CHECKS)
    return [
        f"{subject.function.name}: {_link(link)}"
        for subject in case.subjects
        for link in chain(case, diagnosis, subject)
    ]


def _link(link: Link) -> str:
    said = f": {link.detail}" if link.detail else ""
    return f"{link.title} {link.mark}{said}{f' ({link.check})' if link.check else ''}"


def test_the_way_of_each_functions_data() -> None:
    usual = links(Patient())
    lines = ["[healthy]", *usual, ""]
    cases = {name: breakage.how for name, breakage in BREAKAGES.items()}
    for name, how in sorted({**cases, **TROUBLE}.items()):
        lines += [f"[{name}]", *(line for line in links(broken(how)) if line not in usual), ""]
    matches_golden("findings/chains", "\n".join(lines))

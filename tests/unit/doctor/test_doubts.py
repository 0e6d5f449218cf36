"""What the doctor reads one by one where there are too many log groups to read them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ddsetup.doctor.checks.case import Place
from ddsetup.doctor.finding_lines import doctor_lines
from ddsetup.doctor.findings import unseen_records
from ddsetup.doctor.what_to_read import FEW_GROUPS, Choice, Hints, choose_groups, more_to_read, worst_first
from ddsetup.model.account import SubscriptionFilter
from ddsetup.model.lines import Look, text_of
from ddsetup.model.report import Report
from ddsetup.show.report_lines import report_lines
from tests import builders as b
from tests.unit.patient import FORWARDER_ARN, Patient, extended, forwarded, signals_of

NAMES = tuple(f"service-{number:03d}" for number in range(2 * FEW_GROUPS))
AUTOMATIC = "DD_LOG_SUBSCRIPTION_FILTER_"
ODD = NAMES[70]


def group(name: str) -> str:
    return f"/aws/lambda/{name}"


def delivering(**more: str) -> Mapping[str, frozenset[str]]:
    """Every group's automatic filter at work; and one more of these functions."""
    found = {group(name): {AUTOMATIC + group(name)} for name in NAMES}
    for name, extra in more.items():
        found[group(name.replace("_", "-"))].add(extra)
    return {name: frozenset(filters) for name, filters in found.items()}


def place_of(patient: Patient) -> Place:
    (place,) = patient.case().places
    return place


def many(status: Any = "arrived", **over: Any) -> Patient:
    """An account of many functions, each with this state of all its data, but for those named."""
    patient = Patient(functions={name: forwarded(name) for name in NAMES}, filters={})
    states = {name: over.get(name.replace("-", "_"), status) for name in NAMES}
    patient.know(signals=tuple(s for name, state in states.items() for s in signals_of(name, state)))
    return patient


def chosen(patient: Patient, hints: Hints, *, deep: bool = False) -> Choice:
    place = place_of(patient)
    groups = {group(s.function.name): (s,) for s in place.subjects}
    return choose_groups(place, groups, hints, deep=deep)


def hints(**more: str) -> Hints:
    work = delivering(**more)
    return Hints(delivered=work, lately=work, failing={}, carriers={})


def left_out(choice: Choice) -> int:
    return sum(len(each.items) for each in choice.unseen)


@pytest.mark.parametrize("status", ["arrived", "waiting", "no_traffic"])
def test_where_nothing_is_wrong_no_filter_is_read_and_that_is_said(status: str) -> None:
    choice = chosen(many(status), hints())
    assert choice.read == ()
    assert left_out(choice) == len(NAMES)
    assert "filter-twice" in choice.unseen[0].checks


def test_deep_reads_all_and_so_does_a_small_account() -> None:
    assert len(chosen(many(), hints(), deep=True).read) == len(NAMES)
    small = Patient()
    assert set(chosen(small, Hints()).read) == {group(name) for name in small.functions}


def test_where_data_is_missing_the_filters_are_read() -> None:
    choice = chosen(many(service_070="missing"), hints())
    assert choice.read == (group(ODD),)
    assert left_out(choice) == len(NAMES) - 1


@pytest.mark.parametrize(
    "more",
    [
        hints(service_070="ddsetup-datadog-forwarder"),
        Hints(delivered=delivering(), carriers={ODD: frozenset({"datadog-forwarder", "older"})}),
        Hints(delivered=delivering(), carriers={ODD: frozenset({"older"})}),
        Hints(delivered=delivering(), lately=delivering(), failing={group(ODD): frozenset({"gone"})}),
    ],
    ids=["two filters at work", "two Forwarders", "another Forwarder", "a filter fails"],
)
def test_what_may_arrive_twice_or_otherwise_is_read(more: Hints) -> None:
    assert chosen(many(), more).read == (group(ODD),)


def test_logs_that_the_extension_sends_and_a_filter_passes_on_are_read() -> None:
    patient = many()
    patient.functions[ODD] = extended(ODD)
    assert chosen(patient, hints()).read == (group(ODD),)


def test_of_filters_whose_name_tells_nothing_a_sample_is_read_and_all_if_they_lead_to_datadog() -> None:
    with_archive = {name.replace("-", "_"): "archive" for name in NAMES[:40]}
    patient, more = many(), hints(**with_archive)
    choice = chosen(patient, more)
    assert choice.read == (group(NAMES[0]), group(NAMES[1]))
    elsewhere, to_datadog = (
        {name: (b.subscription_filter(name, "archive", b.function_arn(destination)),) for name in choice.read}
        for destination in ("log-archive", "my-datadog-forwarder")
    )
    assert more_to_read(place_of(patient), choice, elsewhere) == ()
    rest: Mapping[str, tuple[SubscriptionFilter, ...]] = to_datadog
    assert more_to_read(place_of(patient), choice, rest) == tuple(group(name) for name in NAMES[2:40])


def test_of_those_that_nothing_is_known_of_a_few_are_read_and_the_others_named() -> None:
    choice = chosen(many("no_traffic"), Hints(delivered={}, lately={}, failing={}, carriers={}))
    assert len(choice.read) == FEW_GROUPS
    assert "two weeks" in choice.unseen[0].why
    assert "log-group-subscribed" in choice.unseen[0].checks
    (known,) = chosen(many(), hints()).unseen
    assert set(choice.unseen[0].checks) - set(known.checks) == {"log-group-subscribed"}, "data comes through"
    denied = chosen(many("no_traffic"), Hints())
    assert "cloudwatch:ListMetrics" in denied.unseen[0].why


def test_what_misses_data_comes_before_what_waits_and_what_is_idle() -> None:
    patient = many("no_traffic", service_070="missing", service_005="waiting", service_001="arrived")
    order = [s.function.name for s in worst_first(place_of(patient).subjects)]
    assert order[:2] == [ODD, NAMES[5]]
    assert NAMES[1] not in order


def test_what_was_not_looked_at_is_shown_with_the_option_for_it() -> None:
    choice = chosen(many(service_070="missing"), hints())
    data = {"unseen": unseen_records((*choice.unseen, *choice.unseen)), "passed": []}
    lines = text_of(report_lines(Report(command="doctor", data=data), Look(), doctor_lines))
    assert f"subscription filters of log groups ({2 * (len(NAMES) - 1)})" in lines
    assert "--deep" in lines


def test_the_forwarder_is_known_by_its_name_whatever_its_case() -> None:
    patient = many()
    assert patient.forwarder is not None
    more = Hints(delivered=delivering(), carriers={ODD: frozenset({patient.forwarder.name.lower()})})
    assert chosen(patient, more).read == ()
    assert FORWARDER_ARN.endswith(patient.forwarder.name)

"""What the doctor has to look at one by one, where there is too much to look at all of it. Pure.

Reading a log group's filters takes a call of its own, five a second: minutes for a thousand groups. Bulk
calls tell where it is worth while: CloudWatch's metrics name the filters that deliver, Datadog's logs the
Forwarders that they came through. What is left out is said (`Unseen`), so that it does not pass for healthy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ddsetup.doctor.checks.case import Place, Subject
from ddsetup.facts.filters import classify, leads_to_datadog_by_name
from ddsetup.facts.searches import datadog_name
from ddsetup.model.account import SubscriptionFilter, Unreadable
from ddsetup.model.evidence import Unseen

FEW_GROUPS = 50
"""So many log groups of a region are looked at in any case: ten seconds at AWS's rate."""
_SAMPLE = 2
"""How many groups are read for each name of a filter, to learn where filters of that name lead."""
_CHECKS = (
    "log-group-subscribed",
    "log-group-room",
    "filter-pattern",
    "filter-target",
    "filter-twice",
    "old-forwarder",
    "logs-once",
)
"""Checks that judge filters."""

AtWork = Mapping[str, frozenset[str]]
"""Names of filters by log group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What bulk calls tell of a region's filters; None: it could not be asked.

    `delivered` are those that delivered something within two weeks, `lately` within three hours, `failing`
    those that failed to within three hours. `carriers` are the Forwarders through which logs of a function
    (by its name in lower case) came to Datadog.
    """

    delivered: AtWork | None = None
    lately: AtWork | None = None
    failing: AtWork | None = None
    carriers: Mapping[str, frozenset[str]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which groups to read. `samples` are groups by a filter's name, of which a few are among those: where
    such a filter turns out to lead to Datadog, all of them are to be read. `unseen` is left out."""

    read: tuple[str, ...]
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unseen: tuple[Unseen, ...] = ()


def proven(subject: Subject) -> bool:
    """Whether what arrived of a function proves the whole road that its data takes."""
    expected = {s.signal for s in subject.signals} & {"logs", "enhanced_metrics", "traces"}
    return bool(expected) and all(subject.arrived(name) for name in expected)


def in_trouble(subject: Subject) -> bool:
    """Whether data of it should have arrived, and did not."""
    return any(s.status == "missing" for s in subject.signals)


def idle(subject: Subject) -> bool:
    """Whether it is known not to have run."""
    statuses = {s.status for s in subject.signals}
    return bool(statuses) and statuses <= {"no_traffic", "arrived"}


def on_its_way(subject: Subject) -> bool:
    """Whether it ran and its data is not there yet, as is usual for minutes.

    CloudWatch metrics take up to half an hour and do not count.
    """
    return any(s.status == "waiting" and s.signal != "cloudwatch_metrics" for s in subject.signals)


def worst_first(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    """Those of which something is not proven: first what misses data, then what waits, then what is idle."""
    doubtful = [s for s in subjects if not proven(s)]
    return tuple(sorted(doubtful, key=lambda s: 0 if in_trouble(s) else 2 if idle(s) else 1))


def choose_groups(
    place: Place, groups: Mapping[str, Sequence[Subject]], hints: Hints, *, deep: bool
) -> Choice:
    """The log groups of a region to read the filters of; `groups` are all that may have some."""
    if deep or len(groups) <= FEW_GROUPS:
        return Choice(read=tuple(groups))
    troubled = [name for name, writers in groups.items() if any(in_trouble(s) for s in writers)]
    double = [name for name, writers in groups.items() if _twice(name, writers, place, hints)]
    failing = [name for name in groups if _fails(name, hints)][:FEW_GROUPS]
    samples = _samples(groups, hints)
    sampled = [name for names in samples.values() for name in names[:_SAMPLE]][:FEW_GROUPS]
    unknown = [name for name, writers in groups.items() if not _known(name, writers, place, hints)]
    read = dict.fromkeys((*troubled, *double, *failing, *sampled, *unknown[:FEW_GROUPS]))
    return Choice(read=tuple(read), samples=samples, unseen=_unseen(groups, read, unknown, hints))


def more_to_read(
    place: Place, choice: Choice, filters: Mapping[str, tuple[SubscriptionFilter, ...] | Unreadable]
) -> tuple[str, ...]:
    """The rest of the groups with a filter of which a sample turned out to lead to Datadog."""
    forwarders = place.forwarders
    to_datadog = {
        f.name
        for found in filters.values()
        if not isinstance(found, Unreadable)
        for f in found
        if classify(f, forwarders) != "foreign"
    }
    names = (name for filter_name in to_datadog for name in choice.samples.get(filter_name, ()))
    return tuple(dict.fromkeys(name for name in names if name not in filters))


def without(unseen: Iterable[Unseen], groups: Collection[str]) -> tuple[Unseen, ...]:
    """What is left unseen once these groups were read as well."""
    left = (
        Unseen(
            what=each.what,
            items=tuple(name for name in each.items if name not in groups),
            why=each.why,
            checks=each.checks,
        )
        for each in unseen
    )
    return tuple(each for each in left if each.items)


def _unseen(
    groups: Mapping[str, Sequence[Subject]], read: Collection[str], unknown: Sequence[str], hints: Hints
) -> tuple[Unseen, ...]:
    silent = tuple(name for name in unknown if name not in read)
    quiet = frozenset(silent)
    rest = tuple(name for name in groups if name not in read and name not in quiet)
    why_silent = (
        f"nothing came through them for two weeks, and {FEW_GROUPS} such groups were looked at"
        if hints.delivered is not None
        else "CloudWatch could not be asked which filters deliver (cloudwatch:ListMetrics)"
    )
    what = "subscription filters of log groups"
    found = (
        Unseen(what=what, items=silent, why=why_silent, checks=_CHECKS),
        Unseen(
            what=what,
            items=rest,
            why="data comes through them, and nothing tells of a second way to Datadog",
            checks=_CHECKS[1:],
        ),
    )
    return tuple(each for each in found if each.items)


def _known(name: str, writers: Sequence[Subject], place: Place, hints: Hints) -> bool:
    """Whether something tells that the group's filter does its work, or that it needs none."""
    forwarded = [s for s in writers if s.way == "forwarder"]
    if not forwarded or place.leads_here(name):
        return True
    return any(leads_to_datadog_by_name(each) for each in (hints.delivered or {}).get(name, ()))


def _twice(name: str, writers: Sequence[Subject], place: Place, hints: Hints) -> bool:
    """Whether something tells that its lines reach Datadog by two ways, or by another than the Forwarder."""
    filters = sum(leads_to_datadog_by_name(each) for each in (hints.lately or {}).get(name, ()))
    if filters + any(s.way == "extension" for s in writers) > 1:
        return True
    ours = frozenset({datadog_name(place.forwarder.name)} if place.forwarder else ())
    carriers = hints.carriers or {}
    return any(carriers.get(datadog_name(s.function.name), ours) - ours for s in writers)


def _fails(name: str, hints: Hints) -> bool:
    """Whether a filter of the group failed, and delivered nothing."""
    return bool((hints.failing or {}).get(name, frozenset()) - (hints.lately or {}).get(name, frozenset()))


def _samples(groups: Mapping[str, Sequence[Subject]], hints: Hints) -> Mapping[str, tuple[str, ...]]:
    """Groups with a second way out of them, by the name of a filter that does not tell where it leads."""
    found: dict[str, list[str]] = {}
    for name, writers in groups.items():
        filters = (hints.lately or {}).get(name, frozenset())
        if len(filters) + any(s.way == "extension" for s in writers) > 1:
            for each in filters:
                if not leads_to_datadog_by_name(each):
                    found.setdefault(each, []).append(name)
    return {each: tuple(names) for each, names in found.items()}

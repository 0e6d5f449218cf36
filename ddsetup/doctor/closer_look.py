"""The doctor's second look: filters, roles, aliases and logs, of what the first look left in doubt.

Where data arrives, the road that it came by is proven, and is not looked at again. What is in doubt is chosen
by `doubts`; `--deep` looks at everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from ddsetup.doctor.checks.case import Case, Place, Subject, make_case, modified
from ddsetup.doctor.what_to_read import (
    FEW_GROUPS,
    Choice,
    Hints,
    choose_groups,
    idle,
    in_trouble,
    more_to_read,
    without,
    worst_first,
)
from ddsetup.gateways.aws import health, roles
from ddsetup.gateways.aws.functions import function_state, published_versions
from ddsetup.gateways.aws.logs import filters_at_work
from ddsetup.gateways.aws.metrics import invocations, longest_runs
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.events import log_carriers
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.gateways.overlap import all_of
from ddsetup.model.account import Function, Lane, Role, Unreadable
from ddsetup.model.errors import GatewayError
from ddsetup.model.evidence import Evidence, Looking, Unseen
from ddsetup.model.snapshot import Snapshot
from ddsetup.observe.chosen import aliased, observe_aliases, observe_filters, observe_qualifiers
from ddsetup.plan.steps.instrument.key_access import role_name
from ddsetup.plan.steps.subscriptions.groups import can_have_filters, log_group_of

K = TypeVar("K")

LATEST = "$LATEST"
MOST_ROLES = 20
MOST_LOGS = 10
MOST_ALIASES = 100
MOST_STATES = 50
"""Functions that are asked for their state one by one: half a second's worth of GetFunction's quota."""
MOST_TIMED = 500
"""Functions whose longest run is asked for though nothing of them is missing: one call, half a cent."""

_UNNAMED = Unreadable("lambda:ListAliases", "its aliases could not be read", denied=False)


@dataclass(frozen=True, slots=True)
class _Roles:
    """Execution roles by ARN, each with a function that has it."""

    read: Mapping[str, Function]
    unseen: tuple[Unseen, ...]


def look_into_doubts(aws: Aws, dd: Datadog | None, case: Case, looking: Looking) -> tuple[Snapshot, Evidence]:
    """Filters, roles, aliases and logs, of what is in doubt; and what was left out. Never raises for what is
    refused."""
    doubtful = case.subjects if looking.deep else worst_first(case.subjects)
    wanted = _roles(doubtful, looking)
    few = doubtful if looking.deep else [s for s in doubtful if not idle(s)][:MOST_LOGS]
    timed = case.subjects if len(case.subjects) <= MOST_TIMED else doubtful
    running: dict[str, Callable[[], Any]] = {
        "filters": lambda: _filters(aws, dd, case, looking),
        "aliases": lambda: _aliases(aws, case, looking),
        "traffic": lambda: _traffic(aws, doubtful, looking),
        "longest": lambda: _longest(aws, timed, looking),
    }
    settled = _states(case, doubtful, looking)
    running |= {f"state {f.arn}": _state_of(aws, f) for f in settled}
    running |= {f"role {arn}": _role_of(aws, function) for arn, function in wanted.read.items()}
    running |= {f"lines {s.function.arn}": _lines_of(aws, s.function, looking) for s in few}
    found = all_of(running)
    snapshot, unseen = found["filters"]
    with_aliases, published, unnamed = found["aliases"]
    lanes = {at: replace(held, aliases=with_aliases.lanes[at].aliases) for at, held in snapshot.lanes.items()}
    left = (
        *unseen,
        *unnamed,
        *wanted.unseen,
        *_unseen_logs(doubtful, few),
        *_untimed(case, timed),
        *_unseen_states(case, settled),
    )
    evidence = replace(
        case.evidence,
        traffic=found["traffic"],
        longest=found["longest"],
        roles={arn: found[f"role {arn}"] for arn in wanted.read},
        lines={s.function.arn: found[f"lines {s.function.arn}"] for s in few},
        unseen=left,
        published=published,
        states={f.arn: found[f"state {f.arn}"] for f in settled},
    )
    return replace(case.snapshot, lanes=lanes), evidence


# Filters


def _filters(
    aws: Aws, dd: Datadog | None, case: Case, looking: Looking
) -> tuple[Snapshot, tuple[Unseen, ...]]:
    """The snapshot with the filters that were worth reading, and the groups that were not."""
    groups = {place.at: _groups(place) for place in case.places}
    many = [at for at, names in groups.items() if len(names) > FEW_GROUPS and not looking.deep]
    carriers = _carriers(aws, dd, looking) if many else None
    hints = all_of({at: _hints_of(aws, at, carriers) for at in many})
    choices = {
        place.at: choose_groups(place, groups[place.at], hints.get(place.at, Hints()), deep=looking.deep)
        for place in case.places
    }
    first = {place.at: (*choices[place.at].read, *_own_group(place)) for place in case.places}
    snapshot = observe_filters(aws, case.snapshot, first)
    places = make_case(snapshot, case.evidence, case.answers).places
    rest = {place.at: more_to_read(place, choices[place.at], place.lane.filters) for place in places}
    snapshot = observe_filters(aws, snapshot, rest)
    return snapshot, tuple(_left(choices, rest))


def _left(choices: Mapping[Lane, Choice], rest: Mapping[Lane, Sequence[str]]) -> Iterable[Unseen]:
    for lane, choice in choices.items():
        yield from without(choice.unseen, frozenset(rest[lane]))


def _groups(place: Place) -> Mapping[str, Sequence[Subject]]:
    """The log groups of a region that may have filters which matter, with the functions that write there."""
    found: dict[str, list[Subject]] = {}
    for subject in place.subjects:
        group = log_group_of(subject.function)
        if can_have_filters(place.lane, group) and (place.forwarder or subject.way == "forwarder"):
            found.setdefault(group, []).append(subject)
    return found


def _own_group(place: Place) -> tuple[str, ...]:
    """The log group of the Forwarder itself."""
    if place.forwarder is None:
        return ()
    own = log_group_of(place.function) if place.function else f"/aws/lambda/{place.forwarder.name}"
    return (own,) if can_have_filters(place.lane, own) else ()


def _hints_of(aws: Aws, lane: Lane, carriers: Mapping[str, frozenset[str]] | None) -> Callable[[], Hints]:
    def ask() -> Hints:
        read = all_of(
            {
                "delivered": lambda: filters_at_work(aws, lane),
                "lately": lambda: filters_at_work(aws, lane, lately=True),
                "failing": lambda: filters_at_work(aws, lane, lately=True, failing=True),
            }
        )
        known = {name: None if isinstance(found, Unreadable) else found for name, found in read.items()}
        return Hints(carriers=carriers, **known)

    return ask


def _carriers(aws: Aws, dd: Datadog | None, looking: Looking) -> Mapping[str, frozenset[str]] | None:
    now = aws.clock.now()
    try:
        return log_carriers(dd, Window(now - timedelta(minutes=looking.minutes), now)) if dd else None
    except GatewayError:
        return None


# Roles, aliases, logs, traffic


def _roles(doubtful: Sequence[Subject], looking: Looking) -> _Roles:
    """The roles of functions whose data is missing; of all that are in doubt if these are few."""
    by_arn: dict[str, Subject] = {}
    for subject in doubtful:
        if subject.function.role:
            by_arn.setdefault(subject.function.role, subject)
    if looking.deep or len(by_arn) <= MOST_ROLES:
        return _Roles({arn: s.function for arn, s in by_arn.items()}, ())
    troubled = {arn: s.function for arn, s in by_arn.items() if in_trouble(s)}
    left = tuple(troubled)[MOST_ROLES:]
    unseen = Unseen(
        what="execution roles of functions whose data is missing",
        items=left,
        why=f"{MOST_ROLES} were looked at",
        checks=("role-writes-logs", "key-access"),
    )
    return _Roles({arn: troubled[arn] for arn in tuple(troubled)[:MOST_ROLES]}, (unseen,) if left else ())


def _unseen_logs(doubtful: Sequence[Subject], read: Sequence[Subject]) -> tuple[Unseen, ...]:
    done = {s.function.arn for s in read}
    names = tuple(s.function.name for s in doubtful if in_trouble(s) and s.function.arn not in done)
    why = f"those of {MOST_LOGS} functions were looked at"
    unseen = Unseen(
        what="logs of functions whose data is missing", items=names, why=why, checks=("function-starts",)
    )
    return (unseen,) if names else ()


def _states(case: Case, doubtful: Sequence[Subject], looking: Looking) -> tuple[Function, ...]:
    """The functions whose state is asked for: Forwarders, and those in doubt, the worst first."""
    many = len(case.subjects) > MOST_STATES and not looking.deep
    subjects = doubtful[:MOST_STATES] if many else case.subjects
    forwarders = [place.function for place in case.places if place.function is not None]
    return tuple({f.arn: f for f in (*forwarders, *(s.function for s in subjects))}.values())


def _unseen_states(case: Case, settled: Sequence[Function]) -> tuple[Unseen, ...]:
    asked = {function.arn for function in settled}
    names = tuple(s.function.name for s in case.subjects if s.function.arn not in asked)
    unseen = Unseen(
        what="states of functions",
        items=names,
        why="their data arrives, or more are in doubt than are asked one by one",
        checks=("function-ready", "function-settled", "function-concurrency"),
    )
    return (unseen,) if names else ()


def _untimed(case: Case, timed: Sequence[Subject]) -> tuple[Unseen, ...]:
    asked = {s.function.arn for s in timed}
    names = tuple(s.function.name for s in case.subjects if s.function.arn not in asked)
    unseen = Unseen(
        what="run times of functions",
        items=names,
        why="their data arrives, and CloudWatch charges for each",
        checks=("timeout-margin",),
    )
    return (unseen,) if names else ()


def _aliases(
    aws: Aws, case: Case, looking: Looking
) -> tuple[Snapshot, Mapping[str, Mapping[str, Function] | Unreadable], tuple[Unseen, ...]]:
    """The snapshot with the aliases of functions that are invoked by one, and the versions behind them.

    Data that arrives proves nothing here: it may be of `$LATEST` only.
    """
    functions = tuple(s.function for s in case.subjects)
    seen = case.snapshot if looking.deep else observe_qualifiers(aws, case.snapshot, functions)
    wanted = functions if looking.deep else aliased(seen, functions)
    most = len(wanted) if looking.deep else MOST_ALIASES
    unseen = Unseen(
        what="aliases of functions",
        items=tuple(f.name for f in wanted[most:]),
        why=f"those of {MOST_ALIASES} functions were looked at",
        checks=("published-version",),
    )
    snapshot = observe_aliases(aws, seen, wanted[:most])
    held = {f.arn: snapshot.lanes[f.lane].aliases.get(f.arn) for f in wanted[:most]}
    behind = [f for f in wanted[:most] if any(a.version != LATEST for a in held[f.arn] or ())]
    published = all_of({f.arn: _versions_of(aws, f) for f in behind})
    published |= {arn: _UNNAMED for arn, aliases in held.items() if aliases is None}
    return snapshot, published, (unseen,) if unseen.items else ()


def _versions_of(aws: Aws, function: Function) -> Callable[[], Mapping[str, Function] | Unreadable]:
    def ask() -> Mapping[str, Function] | Unreadable:
        found = published_versions(aws, function.lane, function.name)
        return found if isinstance(found, Unreadable) else {str(n): f for n, f in found.items()}

    return ask


def _state_of(aws: Aws, function: Function) -> Callable[[], Function | Unreadable]:
    return lambda: function_state(aws, function.lane, function.name)


def _role_of(aws: Aws, function: Function) -> Callable[[], Role | Unreadable | None]:
    return lambda: roles.read_role(aws, function.account, role_name(function))


def _lines_of(aws: Aws, function: Function, looking: Looking) -> Callable[[], tuple[str, ...] | Unreadable]:
    """What a function's log told since it was last changed: what was before may be mended."""
    minutes, changed = float(looking.minutes), modified(function)
    if changed is not None:
        minutes = min(minutes, max(0.0, (aws.clock.now() - changed).total_seconds() / 60))
    return lambda: health.telling_lines(aws, function.lane, log_group_of(function), minutes)


def _traffic(aws: Aws, subjects: Sequence[Subject], looking: Looking) -> Mapping[str, float] | Unreadable:
    counted: dict[str, float] = {}
    for lane, functions in _by_lane(subjects).items():
        found = invocations(aws, lane, functions, looking.minutes)
        if isinstance(found, Unreadable):
            return found
        counted |= {functions[name]: count for name, count in found.items()}
    return counted


def _longest(aws: Aws, subjects: Sequence[Subject], looking: Looking) -> Mapping[str, float] | Unreadable:
    longest: dict[str, float] = {}
    for lane, functions in _by_lane(subjects).items():
        found = longest_runs(aws, lane, functions, looking.minutes)
        if isinstance(found, Unreadable):
            return found
        longest |= {functions[name]: milliseconds for name, milliseconds in found.items()}
    return longest


def _by_lane(subjects: Iterable[Subject]) -> Mapping[Lane, Mapping[str, str]]:
    """ARNs by name in each lane."""
    found: dict[Lane, dict[str, str]] = {}
    for subject in subjects:
        found.setdefault(subject.function.lane, {})[subject.function.name] = subject.function.arn
    return found

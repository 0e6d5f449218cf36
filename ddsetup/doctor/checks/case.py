"""The case before the doctor: one snapshot and its evidence, arranged by function and region."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal, TypeAlias

from ddsetup.facts import catalog, recognise
from ddsetup.facts.account_policies import FilterPolicy, policy_to
from ddsetup.facts.filters import AUTOMATIC_PREFIX, OWN_PREFIX, Forwarders
from ddsetup.facts.ownership import MARKS, arn_of_function, is_datadogs_own
from ddsetup.facts.recognise import Mode
from ddsetup.facts.variables import is_on
from ddsetup.model.account import Forwarder, Function, Integration, Lane, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers, Subscribe
from ddsetup.model.change import ResourceId
from ddsetup.model.evidence import Evidence, ForwarderHealth, Past
from ddsetup.model.report import Signal
from ddsetup.model.snapshot import AccountSnapshot, LaneSnapshot, Snapshot
from ddsetup.plan.select import select_in
from ddsetup.plan.steps.forwarder_choice import choose, stack_of
from ddsetup.plan.steps.instrument import subject as planned
from ddsetup.plan.steps.subscriptions.groups import log_group_of

Way: TypeAlias = Literal["forwarder", "extension"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(planned.Subject):
    """One function that is meant, with what decides how it should be.

    `mode` is how it is instrumented now, `way` how its data is meant to travel.
    """

    mode: Mode
    way: Way
    signals: tuple[Signal, ...] = ()

    @property
    def about(self) -> frozenset[str]:
        return frozenset({self.function.arn})

    @property
    def touchable(self) -> bool:
        """Whether its configuration can be judged: a Zip function whose environment could be read."""
        return self.function.package_type == "Zip" and self.function.env is not None

    def on(self, variable: str, default: bool = True) -> bool:
        """Whether a switch among its variables is on."""
        return is_on(self.env, variable, default)

    def arrived(self, signal: str) -> bool:
        """Whether this kind of its data was seen in Datadog."""
        return any(s.signal == signal and s.status == "arrived" for s in self.signals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One region with the Forwarder that serves it. `forwarder` None: none is there, or it is not known.

    `passed_over` says why Forwarders that are there do not count. `subjects` are all functions meant there,
    `forwarded` those whose data goes through the Forwarder, `groups` the log groups of these. `policy` is the
    account's policy that leads log groups to the Forwarder.
    """

    lane: LaneSnapshot
    forwarder: Forwarder | None
    function: Function | None
    health: ForwarderHealth
    passed_over: tuple[str, ...]
    subjects: tuple[Subject, ...]
    groups: Mapping[str, tuple[Subject, ...]]
    policy: FilterPolicy | None = None

    @property
    def at(self) -> Lane:
        return self.lane.lane

    @property
    def forwarded(self) -> tuple[Subject, ...]:
        return tuple(s for s in self.subjects if s.way == "forwarder")

    @property
    def resource(self) -> ResourceId:
        """The Forwarder's function."""
        arn = self.forwarder.arn if self.forwarder else ""
        return ResourceId("function", arn, self.at.region, self.at.account)

    @property
    def forwarders(self) -> Forwarders:
        """The region's Forwarder, and the others there."""
        return Forwarders.among(self.forwarder.arn if self.forwarder else None, self.lane.forwarders)

    def filters_of(self, group: str) -> tuple[SubscriptionFilter, ...] | Unreadable | None:
        """The filters of a log group, None if they were not looked at."""
        return self.lane.filters.get(group)

    def leads_here(self, group: str) -> bool | None:
        """Whether a filter, or the account's policy, leads the group to the Forwarder; what arrived by it
        proves it as well.

        None: not known.
        """
        if (policy := self.policy) and policy.delivers(group):
            return True
        filters = self.filters_of(group)
        if filters is not None and not isinstance(filters, Unreadable):
            arn = self.forwarder.arn if self.forwarder else None
            return any(f.destination_arn == arn for f in filters)
        return True if any(s.arrived("logs") for s in self.groups.get(group, ())) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What every check is given."""

    snapshot: Snapshot
    evidence: Evidence
    answers: Answers
    subjects: tuple[Subject, ...] = ()
    places: tuple[Place, ...] = ()
    subscribe: Subscribe = "automatic"
    selected: bool = False

    @property
    def accounts(self) -> Sequence[AccountSnapshot]:
        return [self.snapshot.accounts[number] for number in sorted(self.snapshot.accounts)]

    def integrations(self) -> Iterator[tuple[AccountSnapshot, Integration]]:
        """The accounts of which Datadog has a record that could be read."""
        for account in self.accounts:
            if isinstance(account.integration, Integration):
                yield account, account.integration

    def place_of(self, subject: Subject) -> Place:
        """The region of a function."""
        return next(place for place in self.places if place.at == subject.function.lane)


def meant(snapshot: Snapshot, answers: Answers, history: Container[str] = ()) -> tuple[Function, ...]:
    """The functions that the doctor looks at: those selected; else all with a trace of Datadog or, by their
    ARNs in `history`, with a past.

    Forwarders and the small functions of Datadog's own stacks are never among them.
    """
    chosen = select_in(snapshot, answers.selection) if answers.selection.given else snapshot.functions()
    return tuple(f for f in chosen if f.arn in history or _looked_at(f, snapshot, answers))


def make_case(snapshot: Snapshot, evidence: Evidence, answers: Answers) -> Case:
    """Arrange a snapshot for the checks. Pure."""
    by_function: dict[tuple[str, str], list[Signal]] = {}
    for signal in evidence.signals:
        by_function.setdefault((signal.function, signal.region), []).append(signal)
    pasts = {arn for arn, past in evidence.history.items() if isinstance(past, Past)}
    functions = meant(snapshot, answers, pasts)
    subjects = tuple(
        _subject(f, snapshot, answers, tuple(by_function.get((f.name, f.region), ()))) for f in functions
    )
    places = tuple(
        _place(snapshot.lanes[lane], snapshot, evidence, answers, subjects) for lane in sorted(snapshot.lanes)
    )
    return Case(
        snapshot=snapshot,
        evidence=evidence,
        answers=answers,
        subjects=subjects,
        places=places,
        subscribe=_subscription(snapshot, answers, places),
        selected=answers.selection.given,
    )


def modified(function: Function) -> datetime | None:
    """When the function was last changed, as far as AWS tells."""
    return _time(function.last_modified)


def record_changed(integration: Integration) -> datetime | None:
    """When Datadog's record of the account was last changed, as far as Datadog tells."""
    return _time(str(integration.raw.get("modified_at") or ""))


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def way_of(function: Function, answers: Answers) -> Way:
    """How the function's data is meant to travel: as it is built, else as the answers say."""
    mode = recognise.mode_of(function)
    if mode in ("forwarder", "extension"):
        return "extension" if mode == "extension" else "forwarder"
    return "extension" if recognise.has_extension(function) else answers.via


def _looked_at(function: Function, snapshot: Snapshot, answers: Answers) -> bool:
    lane = snapshot.lanes[function.lane]
    tags = lane.tags_of(function)
    named = {arn_of_function(arn) for arn in answers.forwarder_arns}
    if function.arn in named or is_datadogs_own(function, lane):
        return False
    everything = answers.selection.given
    traces = recognise.mode_of(function) != "none" or any(marker in tags for marker in MARKS)
    return everything or traces or catalog.HANDLER_VARIABLE in (function.env or {})


def _subject(
    function: Function, snapshot: Snapshot, answers: Answers, signals: tuple[Signal, ...]
) -> Subject:
    plain = planned.subject_of(function, snapshot, answers)
    return Subject(
        **{field.name: getattr(plain, field.name) for field in fields(plain)},
        mode=recognise.mode_of(function),
        way=way_of(function, answers),
        signals=signals,
    )


def _place(
    lane: LaneSnapshot,
    snapshot: Snapshot,
    evidence: Evidence,
    answers: Answers,
    subjects: tuple[Subject, ...],
) -> Place:
    chosen = choose(lane.lane, snapshot, replace(answers, via="forwarder"))
    forwarder = chosen.forwarder or _any_real(lane)
    if chosen.how == "named" and forwarder is None and chosen.arn:
        forwarder = Forwarder(arn=chosen.arn, name=chosen.arn.split(":")[6], region=lane.lane.region)
    function = None
    if forwarder and not isinstance(lane.functions, Unreadable):
        function = next((f for f in lane.functions if f.arn == forwarder.arn), None)
    health = evidence.forwarders.get(forwarder.arn) if forwarder else None
    here = tuple(s for s in subjects if s.function.lane == lane.lane)
    groups: dict[str, list[Subject]] = {}
    for subject in here:
        if subject.way == "forwarder":
            groups.setdefault(log_group_of(subject.function), []).append(subject)
    return Place(
        lane=lane,
        forwarder=forwarder,
        function=function,
        health=health or ForwarderHealth(),
        passed_over=chosen.warnings,
        subjects=here,
        groups={name: tuple(writers) for name, writers in groups.items()},
        policy=policy_to(forwarder.arn if forwarder else None, lane.account_filter_policies),
    )


def _any_real(lane: LaneSnapshot) -> Forwarder | None:
    """A Forwarder that does not serve (it sends elsewhere), but is one beyond doubt and is there."""
    if isinstance(lane.forwarders, Unreadable) or isinstance(lane.functions, Unreadable):
        return None
    there = {f.arn for f in lane.functions}
    real = [f for f in lane.forwarders if f.arn in there and (f.version or stack_of(f, lane))]
    return real[0] if real else None


def _subscription(snapshot: Snapshot, answers: Answers, places: tuple[Place, ...]) -> Subscribe:
    """Who subscribes log groups. Where no Forwarder is registered and a policy or filters that ddsetup puts
    itself are seen, that is how it was set up, whatever the default of the answers."""
    if answers.subscribe != "automatic":
        return answers.subscribe
    if any(place.policy is not None and place.policy.own for place in places):
        return "account"
    integrations = [a.integration for a in snapshot.accounts.values()]
    registered = any(isinstance(i, Integration) and i.lambdas for i in integrations)
    names = {
        f.name
        for place in places
        for filters in place.lane.filters.values()
        if not isinstance(filters, Unreadable)
        for f in filters
        if place.forwarder and f.destination_arn == place.forwarder.arn
    }
    own = any(name.startswith(OWN_PREFIX) for name in names)
    automatic = any(name.startswith(AUTOMATIC_PREFIX) for name in names)
    return "direct" if own and not automatic and not registered else "automatic"

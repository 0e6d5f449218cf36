"""What earlier runs left in force, folded into one change for each resource: the record of what was applied.

Its `before` is what was there before ddsetup came, its `after` what ddsetup set last. Whoever takes something
back compares with `after` first: what somebody changed since is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ddsetup.facts.kinds import KINDS
from ddsetup.journal.brief import Brief, standing
from ddsetup.journal.index import Index, keep, kept
from ddsetup.journal.memory import Memory, Stored
from ddsetup.journal.runs import in_brief, read
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import FunctionState, LogCollectionState, TagsState


def last_applied(
    memory: Memory, accounts: frozenset[str], cache: Path | None = None, *, site: str = ""
) -> Mapping[ResourceId, Change] | None:
    """The net change of every resource of these accounts that runs in force have changed; None if no run of
    theirs is known. With `site`, what Datadog itself keeps is that of the organisation on it.

    An `index` of what was found is kept in the directory `cache`, so that only journals of later runs are
    read. Raises UsageError when a journal cannot be trusted.
    """
    whose = _Whose(accounts, site)
    stored = {each.run: each for each in memory.runs()}
    stamps = {run: each.stamp().decode() for run, each in stored.items()}
    about = [sorted(accounts), site]
    index = kept(cache, about, stamps) if cache else Index()
    later = [run for run in stored if index.stamps.get(run) is None]
    runs = in_brief([stored[run] for run in later]).readable
    if any(run.id in index.stamps or index.stamps.get(run.header.undoes) for run in runs):
        # It belongs between what was folded, or takes back a part of it, which cannot be told any more.
        index, later, runs = Index(), [*stored], in_brief([*stored.values()]).readable
    if runs or any(run not in index.stamps for run in later):
        index = _with_later(index, {run: stamps[run] for run in later}, runs, whose)
        found = dict(index.changes)
        for run in runs:
            if whose.concerns(run) and not run.header.undoes:
                _fold_in(found, run, runs, stored, whose)
        index = replace(index, changes=found)
        if cache:
            keep(cache, about, index)
    return index.changes if index.known else None


@dataclass(frozen=True, slots=True)
class _Whose:
    """What a record is about: accounts, and the organisation on a site (empty: any)."""

    accounts: frozenset[str]
    site: str

    def concerns(self, run: Brief) -> bool:
        return bool(self.accounts & set(run.header.accounts))

    def has(self, change: Change, run: Brief) -> bool:
        elsewhere = bool(self.site) and run.header.site != self.site
        if elsewhere and not KINDS[change.resource.kind].writes:
            return False
        return change.resource.account in self.accounts


def _with_later(index: Index, later: Mapping[str, str], runs: Sequence[Brief], whose: _Whose) -> Index:
    """The index with the runs that came later, by their stamps, but not yet what they changed."""
    read: dict[str, str | None] = dict.fromkeys(later)
    for run in runs:
        read[run.id] = later[run.id] if whose.concerns(run) or run.header.undoes else ""
    return replace(
        index,
        stamps={**index.stamps, **read},
        undone=index.undone | {run.header.undoes for run in runs if run.header.undoes},
        known=index.known or any(whose.concerns(run) for run in runs),
    )


def _fold_in(
    found: dict[ResourceId, Change],
    run: Brief,
    runs: Sequence[Brief],
    stored: Mapping[str, Stored],
    whose: _Whose,
) -> None:
    """Add what is in force of a run. What comes to nothing with it is nobody's any more: what a later run
    finds there is what was there before ddsetup came."""
    left = {trace.seq for trace in standing(run, runs)}
    for entry in read(stored[run.id]).entries if left else ():
        change = entry.change
        if entry.seq not in left or not whose.has(change, run):
            continue
        earlier = found.get(change.resource)
        net = change if earlier is None else folded(earlier, change)
        # A taking back that was cut short may not have been sent: what is to be taken back is still known
        # then.
        sent = entry.outcome is not None and entry.outcome.status == "applied"
        found[change.resource] = net if sent or earlier is None else _not_forgetting(earlier, net)
    for resource in [resource for resource, change in found.items() if _nothing(change)]:
        del found[resource]


def _not_forgetting(earlier: Change, net: Change) -> Change:
    """The net change with what it would have taken back of an earlier one still in it."""
    if _nothing(net):
        return earlier
    before, after = net.before, net.after
    if isinstance(before, FunctionState) and isinstance(after, FunctionState):
        was = (_env_in(earlier.before), _env_in(earlier.after))
        envs = _with_lost(was, (before.env, after.env))
        return replace(net, before=replace(before, env=envs[0]), after=replace(after, env=envs[1]))
    if net.resource.kind == TagsState.KIND:
        was = (_tags_in(earlier.before), _tags_in(earlier.after))
        tags = _with_lost(was, (_tags_in(before), _tags_in(after)))
        return replace(net, before=TagsState(tags=tags[0]), after=TagsState(tags=tags[1]))
    return net


def _with_lost(
    earlier: tuple[Mapping[str, str], Mapping[str, str]], net: tuple[Mapping[str, str], Mapping[str, str]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Owned keys of a net change, and those of an earlier one that are in it no more."""
    known = {*net[0], *net[1]}
    before, after = ({k: v for k, v in side.items() if k not in known} for side in earlier)
    return {**before, **net[0]}, {**after, **net[1]}


def folded(first: Change, then: Change) -> Change:
    """Both changes as one. Of owned keys and lists each change knows its own part only; all count."""
    before, after = first.before, then.after
    if isinstance(before, FunctionState) and isinstance(after, FunctionState):
        before, after = _functions(before, first.after, then.before, after)
    elif first.resource.kind == TagsState.KIND:
        before, after = _tags(first, then)
    elif first.resource.kind == LogCollectionState.KIND:
        before, after = _registrations(first, then)
    return replace(then, before=before, after=after, precondition="", needs=())


def _functions(
    before: FunctionState, middle: object, again: object, after: FunctionState
) -> tuple[FunctionState, FunctionState]:
    """`before` and `middle` are the sides of the first change, `again` and `after` those of the second."""
    assert isinstance(middle, FunctionState)
    assert isinstance(again, FunctionState)
    env_before, env_after = _keys((before.env, middle.env), (again.env, after.env))
    level = after.system_log_level if again.system_log_level != after.system_log_level else None
    level = level or middle.system_log_level
    return replace(before, env=env_before), replace(after, env=env_after, system_log_level=level)


def _tags(first: Change, then: Change) -> tuple[TagsState, TagsState]:
    before, after = _keys(
        (_tags_in(first.before), _tags_in(first.after)), (_tags_in(then.before), _tags_in(then.after))
    )
    return TagsState(tags=before), TagsState(tags=after)


def _env_in(state: object) -> Mapping[str, str]:
    return state.env if isinstance(state, FunctionState) else {}


def _tags_in(state: object) -> Mapping[str, str]:
    return state.tags if isinstance(state, TagsState) else {}


def _keys(
    first: tuple[Mapping[str, str], Mapping[str, str]], then: tuple[Mapping[str, str], Mapping[str, str]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Owned keys of two changes as those of one; keys that are as they were are nobody's any more."""
    earlier, later = {*first[0], *first[1]}, {*then[0], *then[1]}
    before = {**{k: v for k, v in then[0].items() if k not in earlier}, **first[0]}
    after = {**{k: v for k, v in first[1].items() if k not in later}, **then[1]}
    same = {key for key in earlier | later if before.get(key) == after.get(key)}
    return (
        {key: value for key, value in before.items() if key not in same},
        {key: value for key, value in after.items() if key not in same},
    )


def _registrations(first: Change, then: Change) -> tuple[LogCollectionState, LogCollectionState]:
    lambdas = _members(*(LogCollectionState.of(state).lambdas for state in _sides(first, then)))
    sources = _members(*(LogCollectionState.of(state).sources for state in _sides(first, then)))
    before = LogCollectionState(lambdas=lambdas[0], sources=sources[0])
    return before, LogCollectionState(lambdas=lambdas[1], sources=sources[1])


def _sides(first: Change, then: Change) -> tuple[object, ...]:
    return first.before, first.after, then.before, then.after


def _members(
    b1: Iterable[str], a1: Iterable[str], b2: Iterable[str], a2: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was taken out in the end, and what was added."""
    gone1, came1, gone2, came2 = set(b1) - set(a1), set(a1) - set(b1), set(b2) - set(a2), set(a2) - set(b2)
    gone = (gone1 - came2) | (gone2 - came1)
    return tuple(sorted(gone)), tuple(sorted((came1 - gone2) | (came2 - gone1)))


def _nothing(change: Change) -> bool:
    before, after = change.before, change.after
    if isinstance(before, FunctionState) and isinstance(after, FunctionState):
        return replace(before, layers=()) == replace(after, layers=()) and (
            set(before.layers) == set(after.layers)
        )
    return before == after or (
        change.resource.kind == TagsState.KIND and not _tags_in(before) and not _tags_in(after)
    )

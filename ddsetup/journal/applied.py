"""What earlier runs left in force, folded into one change for each resource: the record of what was applied.

Its `before` is what was there before ddsetup came, its `after` what ddsetup set last. Whoever takes something
back compares with `after` first: what somebody changed since is theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ddsetup.facts.kinds import KINDS
from ddsetup.journal.brief import standing
from ddsetup.journal.codec import change_from_json, change_to_json
from ddsetup.journal.memory import Memory
from ddsetup.journal.runs import list_runs, read_runs
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.errors import UsageError
from ddsetup.model.files import PRIVATE, write_whole
from ddsetup.model.states import FunctionState, LogCollectionState, TagsState

_FILE_NAME = "applied.json"


def last_applied(
    memory: Memory, accounts: frozenset[str], cache: Path | None = None, *, site: str = ""
) -> Mapping[ResourceId, Change] | None:
    """The net change of every resource of these accounts that runs in force have changed; None if no run of
    theirs is known. With `site`, what Datadog itself keeps is that of the organisation on it.

    What was found is kept in the directory `cache` until there are other runs: journals are long. Raises
    UsageError when a journal cannot be trusted.
    """
    runs = list_runs(memory).readable
    mine = [run for run in runs if accounts & set(run.header.accounts)]
    if not mine:
        return None
    left = {run.id: [(t.seq, t.status) for t in standing(run, runs)] for run in mine if not run.header.undoes}
    key = hashlib.sha256(json.dumps([sorted(accounts), site, left], sort_keys=True).encode()).hexdigest()
    path = cache / _FILE_NAME if cache else None
    known = _kept(path, key) if path else None
    if known is None:
        wanted = {run: frozenset(s for s, _ in seqs) for run, seqs in left.items() if seqs}
        known = [*_net(memory, wanted, accounts, site)]
        if path:
            _keep(path, key, known)
    return {change.resource: change for change in known}


def _net(
    memory: Memory, left: Mapping[str, frozenset[int]], accounts: frozenset[str], site: str
) -> Iterator[Change]:
    found: dict[ResourceId, Change] = {}
    for run in read_runs(memory, left):
        elsewhere = bool(site) and run.header.site != site
        for entry in run.entries:
            change = entry.change
            if elsewhere and not KINDS[change.resource.kind].writes:
                continue
            if entry.seq in left[run.id] and change.resource.account in accounts:
                earlier = found.get(change.resource)
                net = change if earlier is None else folded(earlier, change)
                # A taking back that was cut short may not have been sent: what is to be taken back is
                # still known then.
                sent = entry.outcome is not None and entry.outcome.status == "applied"
                found[change.resource] = net if sent or earlier is None else _not_forgetting(earlier, net)
    return (change for change in found.values() if not _nothing(change))


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


def _kept(path: Path, key: str) -> list[Change] | None:
    try:
        document = json.loads(path.read_bytes())
        if document["key"] != key:
            return None
        return [change_from_json(change) for change in document["changes"]]
    except (OSError, ValueError, KeyError, TypeError, UsageError):
        return None


def _keep(path: Path, key: str, changes: Iterable[Change]) -> None:
    """Best effort: without it the journals are read again."""
    document = {"key": key, "changes": [change_to_json(change) for change in changes]}
    with suppress(OSError):
        write_whole(path, json.dumps(document).encode(), mode=PRIVATE)


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

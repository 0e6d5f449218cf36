"""From what a run did to the changes that give it back.

An undo is a run like any other, made of inverse changes, so it is journalled, can be interrupted, and can
itself be undone. Writers compare what is there with what the run left, so what moved since is reported and
left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from ddsetup.facts.filters import group_of
from ddsetup.facts.kinds import KINDS
from ddsetup.journal.brief import Brief, brief_of, standing
from ddsetup.journal.records import Entry, Run
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import FunctionState, TagsState


def undo_changes(run: Run, others: Sequence[Brief] = ()) -> tuple[Change, ...]:
    """The inverse of what `run` did, in reverse order; empty when there is nothing to give back.

    Taken in: changes that were applied, that failed (they may have done a part) and that were started
    without an end. `others` are the other runs of the state directory: what one of them already gave back is
    left out.
    """
    done = in_force(run, others)
    inverses = [entry.change.inverse() for entry in reversed(done)]
    needed_by = _dependants([entry.change for entry in done])
    return tuple(replace(c, needs=needed_by.get(c.resource, ())) for c in inverses)


def changes_of(run: Run, others: Sequence[Brief], functions: Sequence[str] = ()) -> tuple[Change, ...]:
    """What giving `run` back changes; of these functions only, by name or glob, if any are named.

    To a function belong its tags, and the filters of the log group that Lambda names after it.
    """
    every = undo_changes(run, others)
    if not functions:
        return every
    return tuple(change for change in every if _is_of(change.resource, functions))


def _is_of(resource: ResourceId, functions: Sequence[str]) -> bool:
    if resource.kind in ("function", "function_tags"):
        return any(fnmatchcase(resource.name, pattern) for pattern in functions)
    return resource.kind == "subscription_filter" and any(
        fnmatchcase(group_of(resource), f"/aws/lambda/{pattern}") for pattern in functions
    )


def in_force(run: Run, others: Sequence[Brief] = ()) -> tuple[Entry, ...]:
    """The entries of `run` that may have taken effect and that no later undo has given back."""
    left = {trace.seq for trace in standing(brief_of(run), others)}
    return tuple(entry for entry in run.entries if entry.seq in left)


def built_on(run: Brief, others: Sequence[Brief]) -> tuple[Brief, ...]:
    """Later runs, still in force, that may rely on what `run` made (a Forwarder, a secret, a role).

    Giving back `run` alone takes that away from them; the newest run is the one to give back first.
    """
    shared = {name for name, kind in KINDS.items() if kind.shared}
    made = any(not trace.before and trace.resource.kind in shared for trace in standing(run, others))
    return tuple(
        other
        for other in others
        if made
        and not other.header.undoes
        and set(other.header.accounts) & set(run.header.accounts)
        and (other.header.started, other.id) > (run.header.started, run.id)
        # Of what only failed nothing may be there; whatever is, relies on `run` visibly.
        and any(trace.status != "failed" for trace in standing(other, others))
    )


def _dependants(changes: Sequence[Change]) -> dict[ResourceId, tuple[ResourceId, ...]]:
    """By resource, those whose changes needed it: they have to be given back first.

    But for the tags of a function: they say what is in it, so they go after it, too.
    """
    present = {change.resource for change in changes}
    found: dict[ResourceId, dict[ResourceId, None]] = {}
    for change in changes:
        for need in change.needs:
            if need in present and need != change.resource:
                marks = change.resource.kind == TagsState.KIND and need.kind == FunctionState.KIND
                first, then = (need, change.resource) if marks else (change.resource, need)
                found.setdefault(then, {})[first] = None
    return {resource: tuple(dependants) for resource, dependants in found.items()}

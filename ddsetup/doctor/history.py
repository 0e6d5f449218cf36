"""That a function carried Datadog once: from ddsetup's journals, and from the function's published versions.

A deployment by another tool puts a function back to what that tool knows. What is left of Datadog then may be
nothing at all, not even a tag (Terraform takes those along), so the present alone does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ddsetup.facts import recognise
from ddsetup.facts.ownership import MARKS, is_datadogs_own
from ddsetup.gateways.aws.functions import published_versions
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.overlap import each
from ddsetup.journal.brief import Brief
from ddsetup.journal.memory import Memory
from ddsetup.journal.runs import list_runs
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.evidence import Past
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.select import select_in

FEW = 20
"""So many functions are asked for their versions, one call each at 15 a second."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the journals of an account say of its functions, by ARN: instrumented last by a run, or given back
    (uninstrumented, or an undo was meant to) and so bare on purpose."""

    instrumented: Mapping[str, Past]
    given_back: frozenset[str]


def look_back(
    aws: Aws, memory: Memory, snapshot: Snapshot, answers: Answers
) -> Mapping[str, Past | Unreadable]:
    """The past of functions that are bare now, by ARN; those without one are absent.

    Versions are read of few functions: those selected, or all of a small account. Raises UsageError for
    selected functions that do not exist.
    """
    selected = answers.selection.given
    chosen = select_in(snapshot, answers.selection) if selected else snapshot.functions()
    bare = [f for f in chosen if _is_bare(f, snapshot)]
    if not bare:
        return {}
    try:
        runs = list_runs(memory).readable
    except OSError:  # what cannot be remembered is no reason not to look
        runs = ()
    known = [remembered(runs, account) for account in snapshot.accounts]
    found: dict[str, Past | Unreadable] = {}
    for past in known:
        found |= {f.arn: past.instrumented[f.arn] for f in bare if f.arn in past.instrumented}
    settled = found.keys() | {arn for past in known for arn in past.given_back}
    open_ = [f for f in bare if f.arn not in settled and not _is_marked(f, snapshot)]
    return found | (_from_versions(aws, open_) if len(open_) <= FEW else {})


def remembered(runs: Sequence[Brief], account: str) -> Remembered:
    """What runs, oldest first, say of the functions of an account. Pure."""
    last: dict[str, Past | None] = {}
    for run in runs:
        if account not in run.header.accounts:
            continue
        for trace in run.traces:
            if trace.resource.kind != "function":
                continue
            if not trace.carries:
                last[trace.resource.id] = None
            elif trace.status == "applied":
                at = f"{run.header.started:%Y-%m-%d %H:%M} UTC"
                last[trace.resource.id] = Past(how="run", name=run.id, at=at)
    return Remembered(
        instrumented={arn: past for arn, past in last.items() if past is not None},
        given_back=frozenset(arn for arn, past in last.items() if past is None),
    )


def _is_bare(function: Function, snapshot: Snapshot) -> bool:
    ours = is_datadogs_own(function, snapshot.lanes[function.lane])
    return not ours and recognise.mode_of(function) == "none"


def _is_marked(function: Function, snapshot: Snapshot) -> bool:
    return any(marker in snapshot.lanes[function.lane].tags_of(function) for marker in MARKS)


def _from_versions(aws: Aws, functions: Sequence[Function]) -> dict[str, Past | Unreadable]:
    """The newest published version of each function that carries Datadog."""
    answers = each(lambda f: published_versions(aws, f.lane, f.name), functions, at_once=4)
    found: dict[str, Past | Unreadable] = {}
    for function, versions in zip(functions, answers, strict=True):
        if isinstance(versions, Unreadable):
            found[function.arn] = versions
            continue
        for number, version in versions.items():
            if recognise.mode_of(version) != "none":
                found[function.arn] = Past(how="version", name=str(number), at=version.last_modified)
                break
    return found

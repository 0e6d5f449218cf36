"""A run in brief: what most readers need of a journal, kept beside it so that nobody has to read the whole.

What a change takes a resource from and to stands here as fingerprints: enough to tell whether another change
is its inverse. Whoever gives something back reads the journal itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from sys import intern
from typing import Any, Literal

from ddsetup.facts import recognise
from ddsetup.facts.catalog import parse_layer
from ddsetup.journal.memory import Stored
from ddsetup.journal.records import Ending, Header, Run, header_from_json, header_to_json
from ddsetup.model.change import Change, ResourceId, Status
from ddsetup.model.errors import UsageError
from ddsetup.model.states import FunctionState, State, to_json

_FORMAT = 3
"""Counts up when a trace comes to say something else: an older brief is not believed, the journal is."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A change that was started. `before` and `after` are fingerprints, empty where there is nothing.

    `status` empty: the run ended before it could say how it went. `carries`: a function that has Datadog's
    layers or handler afterwards.
    """

    seq: int
    resource: ResourceId
    step: str
    before: str
    after: str
    status: Status | Literal[""] = ""
    carries: bool = False

    @property
    def effective(self) -> bool:
        """Whether it may have taken effect: a change that failed may have done a part."""
        return self.status in ("", "applied", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A run and the changes that it started, in their order; `ended` as `Ending` says."""

    header: Header
    traces: tuple[Trace, ...]
    ended: Ending = ""

    @property
    def id(self) -> str:
        return self.header.run

    @property
    def done(self) -> int:
        """How many of its changes have come about."""
        return sum(trace.status in ("applied", "unchanged") for trace in self.traces)

    @property
    def cut_short(self) -> bool:
        """Whether of something that was begun only AWS or Datadog know how it went."""
        return any(trace.status == "" for trace in self.traces)

    @property
    def interrupted(self) -> bool:
        """Whether it ended before it came to all that was planned."""
        return self.ended != "whole" and self.header.planned > self.done


def trace_of(seq: int, change: Change, status: Status | Literal[""] = "") -> Trace:
    """A change in brief."""
    return Trace(
        seq=seq,
        resource=change.resource,
        step=change.step,
        before=_fingerprint(change.before),
        after=_fingerprint(change.after),
        status=status,
        carries=isinstance(change.after, FunctionState) and _carries(change.after),
    )


def brief_of(run: Run) -> Brief:
    """A run in brief that was read whole."""
    traces = (trace_of(e.seq, e.change, e.outcome.status if e.outcome else "") for e in run.entries)
    return Brief(header=run.header, traces=tuple(traces), ended=run.ended)


def to_bytes(brief: Brief) -> bytes:
    """What is kept beside the journal."""
    rows = [
        [t.seq, *astuple(t.resource), t.step, t.before, t.after, t.status, t.carries] for t in brief.traces
    ]
    document = {
        "format": _FORMAT,
        "header": header_to_json(brief.header),
        "traces": rows,
        "ended": brief.ended,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def kept_brief(stored: Stored) -> Brief | None:
    """What was kept beside a journal; None if that is nothing, or nothing that can be believed."""
    data = stored.brief()
    if not data:
        return None
    try:
        document: Mapping[str, Any] = json.loads(data)
        if document["format"] != _FORMAT:
            return None
        header = header_from_json(document["header"])
        traces = tuple(
            # Most of these texts are those of thousands of others, too.
            Trace(seq, ResourceId(*map(intern, resource)), intern(step), before, after, status, carries)
            for seq, *resource, step, before, after, status, carries in document["traces"]
        )
        return Brief(header=header, traces=traces, ended=document["ended"])
    except (ValueError, KeyError, TypeError, UsageError):
        return None


def standing(run: Brief, others: Sequence[Brief]) -> tuple[Trace, ...]:
    """What of `run` may have taken effect and no later undo has given back."""
    effective = _not_taken_back([trace for trace in run.traces if trace.effective])
    for other in others:
        if other.header.undoes != run.id or other.id == run.id:
            continue
        # An undo that was itself undone no longer counts, so look at what is left of it.
        given_back = [trace for trace in standing(other, others) if trace.status == "applied"]
        for trace in (*given_back, *(t for t in other.traces if t.status == "unchanged")):
            _strike(effective, trace)
    return tuple(effective)


def _not_taken_back(traces: Sequence[Trace]) -> list[Trace]:
    """Without what the run itself put back, as what it had made room for did not come about."""
    left: dict[ResourceId, list[Trace]] = {}
    for trace in traces:
        of_it = left.setdefault(trace.resource, [])
        before = len(of_it)
        if trace.status == "applied":
            _strike(of_it, trace)
        if len(of_it) == before:
            of_it.append(trace)
    kept = {trace.seq for of_it in left.values() for trace in of_it}
    return [trace for trace in traces if trace.seq in kept]


def _strike(effective: list[Trace], given_back: Trace) -> None:
    """Take out the newest entry that `given_back` is the inverse of."""
    wanted = (given_back.resource, given_back.after, given_back.before)
    for index in range(len(effective) - 1, -1, -1):
        if (effective[index].resource, effective[index].before, effective[index].after) == wanted:
            del effective[index]
            return


def _fingerprint(state: State | None) -> str:
    if state is None:
        return ""
    text = json.dumps(to_json(state), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _carries(state: FunctionState) -> bool:
    layers = (parse_layer(arn) for arn in state.layers)
    return recognise.is_datadog_handler(state.handler) or any(
        layer is not None and (layer.datadogs or layer.role) for layer in layers
    )

"""What the journal of a run has of what needs no write."""

from __future__ import annotations

from ddsetup.flow import verbs
from ddsetup.journal.runs import list_runs
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import LogGroupState
from tests.builders import snapshot
from tests.gateways.crowd import Bench, bench

__all__ = ["bench"]


def test_what_is_settled_counts_among_what_was_planned(bench: Bench) -> None:
    """Else a run that is killed after it would pass for one that came to its end."""
    session = bench.session()
    change = Change(
        step="x",
        resource=ResourceId("log_group", "g"),
        before=LogGroupState(name="g"),
        after=None,
        why="undo",
    )
    undoing = verbs.Undoing("r1", ((change, change.outcome("unchanged", "it is not there any more")),))
    verbs.carry_out(session, (), snapshot(), command="undo", undoes=undoing)
    (run,) = list_runs(session.host.memory).readable
    assert (run.header.undoes, run.header.planned, run.done) == ("r1", 1, 1)

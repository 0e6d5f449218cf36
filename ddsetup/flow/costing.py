"""What a plan will cost, in quantities, before it is agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.facts.prices import prices
from ddsetup.flow.call import Call
from ddsetup.model.account import Json
from ddsetup.observe.traffic import traffic
from ddsetup.plan.cost import cost, wanted
from ddsetup.plan.flows import flows
from ddsetup.show.cost_blocks import cost_data

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Prepared, Session


def costed(call: Call, session: Session, prepared: Prepared) -> Json:
    """What the plan makes arrive each month, as data; None without changes, or where it is not wanted.

    What CloudWatch does not tell is unknown, and no error. Raises CredentialsError.
    """
    if not prepared.plan.changes or not call.given.on("cost", True):
        return None
    moving = flows(prepared.snapshot, prepared.answers, prepared.selected, prepared.plan)
    with session.host.busy("counting what arrives each month"):
        counted = traffic(session.aws, *wanted(moving))
    return cost_data(cost(moving, counted, prepared.answers), prices(call.given.items("price")))

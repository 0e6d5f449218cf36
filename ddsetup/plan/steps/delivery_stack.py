"""What the stacks with a delivery stream have in common: whether one can be made, and of ddsetup's own what
it is told."""

from __future__ import annotations

from ddsetup.model.account import Json, Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.model.states import StackState
from ddsetup.plan.steps.api_key import OWN_TAGS, SECRET_PARAMETER, SITE_PARAMETER, made_by_us
from ddsetup.plan.steps.forwarder_stack import Obstacle, is_remains, state_obstacle

NEEDS_SECRET = (
    "a delivery stream takes the API key from a secret only",
    "keep the key in a secret: --api-key-secret ARN in place of the option that names it now",
)
"""Why there is none, and what to do."""
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


def own_stack(lane: LaneSnapshot, name: str) -> Stack | Unreadable | None:
    """The stack of that name; None if there is none."""
    if isinstance(lane.stacks, Unreadable):
        return lane.stacks
    return next((s for s in lane.stacks if s.name == name and s.status != "DELETE_COMPLETE"), None)


def our_stack(lane: LaneSnapshot, name: str) -> Stack | None:
    """The stack of that name where ddsetup made it, and that can be seen."""
    found = own_stack(lane, name)
    return found if isinstance(found, Stack) and made_by_us(found.tags) else None


def is_done(stack: Stack) -> bool:
    """Whether the stack is there as a whole, and may be updated."""
    return stack.status in _DONE


def making_obstacle(stack: Stack | None, region: str) -> Obstacle | None:
    """What keeps CloudFormation from making a stack where there is this one, which is not done."""
    if stack is None or is_remains(stack):
        return None
    unknown = Obstacle(f"stack {stack.name} is {stack.status}", "see it in CloudFormation")
    return state_obstacle(stack, region) or unknown


def not_ours(name: str) -> tuple[str, str]:
    """Why a stack of this name that somebody else made is left alone, and what to do."""
    return f"a stack {name} is there that ddsetup did not make", "rename or delete it"


def wanted_stack(name: str, template: Json, secret: str, answers: Answers) -> StackState:
    """A stack of a template of ddsetup's own, with the key in this secret."""
    return StackState(
        name=name,
        parameters={SECRET_PARAMETER: secret, SITE_PARAMETER: answers.site},
        tags=answers.tags_of_ours(OWN_TAGS),
        template=template,
    )

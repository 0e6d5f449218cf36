"""The verbs, once each: connect, prepare, carry out, prove. Every command is made of these.

Nothing here prints, and nothing knows whether a person is watching: what is to be said goes to the callback
of `Host`, what has to be asked to its prompter. Until `carry_out` is called nothing was written anywhere.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ddsetup.flow.carrying_out import Applied, Declined, Undoing, carry_out, confirm, prove
    from ddsetup.flow.connecting import connect
    from ddsetup.flow.failed_events import settle_failed_events
    from ddsetup.flow.host import Host, Session
    from ddsetup.flow.preparing import Prepared, complete, look, prepare
    from ddsetup.flow.remembered import (
        check_built_on,
        check_meta,
        choose_run,
        plan_meta,
        whose_plan,
        with_applied,
    )

_HOMES = {
    "carrying_out": ("Applied", "Declined", "Undoing", "carry_out", "confirm", "prove"),
    "connecting": ("connect",),
    "failed_events": ("settle_failed_events",),
    "host": ("Host", "Session"),
    "preparing": ("Prepared", "complete", "look", "prepare"),
    "remembered": (
        *("check_built_on", "check_meta", "choose_run", "plan_meta", "whose_plan", "with_applied"),
    ),
}


def __getattr__(name: str) -> Any:
    """A verb, from its module: what writes takes as long to load as all of AWS, and many commands look."""
    for home, verbs in _HOMES.items():
        if name in verbs:
            found = getattr(import_module(f"ddsetup.flow.{home}"), name)
            globals()[name] = found
            return found
    raise AttributeError(name)


__all__ = [
    "Applied",
    "Declined",
    "Host",
    "Prepared",
    "Session",
    "Undoing",
    "carry_out",
    "check_built_on",
    "check_meta",
    "choose_run",
    "complete",
    "confirm",
    "connect",
    "look",
    "plan_meta",
    "prepare",
    "prove",
    "settle_failed_events",
    "whose_plan",
    "with_applied",
]

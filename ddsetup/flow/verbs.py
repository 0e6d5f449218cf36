"""The verbs, once each: connect, prepare, carry out, prove. Every command is made of these.

Nothing here prints, and nothing knows whether a person is watching: what is to be said goes to the callback
of `Host`, what has to be asked to its prompter. Until `carry_out` is called nothing was written anywhere.
"""

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

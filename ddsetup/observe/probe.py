"""Whether a lane has any function, as soon as the first page of them tells.

To make a client takes ten times as long as to call with it: in regions that are not used, what is about
functions is not asked for.
"""

from __future__ import annotations

import threading

from ddsetup.gateways.aws.functions import list_functions
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Function, Lane, Unreadable

_LONGEST_SECONDS = 60.0
"""Then it is asked for whatever the first page tells."""


class Probe:
    """Told by the thread that lists functions, waited for by those that read what is about them."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._none = False

    def listed(self, aws: Aws, lane: Lane) -> tuple[Function, ...] | Unreadable:
        """The functions of the lane."""
        try:
            found = list_functions(aws, lane, self._told.set)
            self._none = found == ()
            return found
        finally:
            self._told.set()

    def any(self) -> bool:
        """Whether there may be one: also where they cannot be read."""
        self._told.wait(_LONGEST_SECONDS)
        return not self._none

"""`ddsetup version`."""

from __future__ import annotations

from ddsetup._version import __version__
from ddsetup.settings.given import Values
from ddsetup.terminal.pager import show


def run(_values: Values) -> int:
    """Show the version."""
    show(f"ddsetup {__version__}\n")
    return 0

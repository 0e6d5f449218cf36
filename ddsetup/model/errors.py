"""What can go wrong, by what the caller has to do about it.

Every error that a user may see says what happened, where, and what to do. The command line is the only
place that turns one into an exit code.
"""

from __future__ import annotations

BUG = 70
"""The exit code for what ddsetup did not expect: its own fault."""


class DdsetupError(Exception):
    """An expected failure. `fix` is the next thing to do, as a command where there is one."""

    exit_code = 1

    def __init__(self, what: str, *, fix: str = "", where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.where = where


class UsageError(DdsetupError):
    """Wrong usage, an unreadable file, or answers missing without a terminal. Nothing was written."""

    exit_code = 2


class CredentialsError(DdsetupError):
    """No, expired or insufficient credentials or permission, found before anything was written."""

    exit_code = 4


class Unreachable(CredentialsError):
    """No answer to the question who we are: a fault of the network, which says nothing of the credentials."""

    exit_code = 1


class Interrupted(DdsetupError):
    """The user, or a signal, stopped the run. The message says what was done and how to go on."""

    exit_code = 130


class Busy(DdsetupError):
    """Another ddsetup run holds the lock of this account."""


class GatewayError(DdsetupError):
    """A call to AWS or Datadog did not do what was asked.

    `action` is the IAM action or the Datadog permission involved, where known.
    """

    def __init__(self, what: str, *, action: str = "", fix: str = "", where: str = "") -> None:
        super().__init__(what, fix=fix, where=where)
        self.action = action


class Denied(GatewayError):
    """The identity lacks a permission; `action` names it."""

    exit_code = 4


class SignedOut(CredentialsError, Denied):
    """AWS credentials that worked have ended, or the clock was set: nothing they are used for can be done.

    It ends whatever reads, as no missing permission does: all the other reads would fail alike.
    """


class NotFound(GatewayError):
    """The resource is not there (any more)."""


class ChangedSince(GatewayError):
    """The resource is not in the state the change was planned on; it was left alone."""


def place_of(error: Exception) -> str:
    """Where an error was raised, as FILE:LINE."""
    import traceback
    from pathlib import Path

    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def as_bug(error: Exception) -> str:
    """An unexpected error in words. Its text may hold anything, so only its type and place are told."""
    return f"unexpected {type(error).__name__} at {place_of(error)}: this is a bug in ddsetup"

"""What can go wrong with the sandbox itself."""

from __future__ import annotations

from ddsetup.model.errors import DdsetupError, UsageError


class SandboxUnavailable(UsageError):
    """Something that every sandbox needs is not there: the packages of the extra, or a fitting system."""

    def __init__(self, missing: str, fix: str = "pip install '.[sandbox]' in a clone of ddsetup") -> None:
        super().__init__(f"the sandbox needs {missing}", fix=fix)


class SandboxStartError(DdsetupError):
    """A part of the sandbox did not come up; the message ends with the last lines of its log."""

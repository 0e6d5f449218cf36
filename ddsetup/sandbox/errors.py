"""What can go wrong with the sandbox itself."""

from __future__ import annotations

from ddsetup.model.errors import DdsetupError, UsageError


class SandboxUnavailable(UsageError):
    """The packages of the sandbox extra are not installed."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"The sandbox needs the package {missing}, which is not installed.",
            fix="pip install 'ddsetup[sandbox]'",
        )


class SandboxStartError(DdsetupError):
    """A part of the sandbox did not come up; the message ends with the last lines of its log."""

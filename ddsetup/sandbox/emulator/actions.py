"""The IAM actions of Lambda calls that the emulator takes for another one, whatever their method."""

from __future__ import annotations

from typing import Any

_CONCURRENCY = {"GET": "lambda:GetFunctionConcurrency", "DELETE": "lambda:DeleteFunctionConcurrency"}
"""ministack 1.5.33 goes by the path alone, and calls all of them PutFunctionConcurrency."""


def install() -> None:
    """Let a look at reserved concurrency be checked, and logged, as the look that it is."""
    from ministack.core import iam_actions

    plain = iam_actions.extract_iam_action

    def action_of(service: str, method: str, path: str, *rest: Any, **more: Any) -> str | None:
        if service == "lambda" and path.rstrip("/").endswith("/concurrency") and method in _CONCURRENCY:
            return _CONCURRENCY[method]
        found: str | None = plain(service, method, path, *rest, **more)
        return found

    iam_actions.extract_iam_action = action_of

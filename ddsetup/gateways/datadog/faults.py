"""What Datadog's refusals mean: every error of its API, or of the way to it, as one of ours.

Datadog answers errors in two styles, `{"errors": ["text"]}` and `{"errors": [{"title", "detail", ...}]}`,
some of the fields optional. Messages are built from status and body only; request headers, which hold the
keys, are never part of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ddsetup.model.account import Json, Unreadable
from ddsetup.model.errors import Denied, GatewayError, NotFound

_LONGEST = 500


class RateLimited(GatewayError):
    """Datadog refuses further calls for `retry_after` seconds."""

    def __init__(self, what: str, *, retry_after: float, where: str = "") -> None:
        super().__init__(what, where=where, fix="wait, then run the command again")
        self.retry_after = retry_after


class Rejected(GatewayError):
    """Datadog understood the request and refuses it. `status` is the HTTP status (400, 409, 422, ...)."""

    def __init__(self, what: str, *, status: int, action: str = "", where: str = "") -> None:
        super().__init__(what, action=action, where=where)
        self.status = status


class Misread(GatewayError):
    """What came back is no answer of Datadog's API: without content, of another shape, or from a proxy.

    It tells nothing of what is there, and of a write not even whether it took effect.
    """


def error_texts(body: Json) -> tuple[str, ...]:
    """The messages of an error body, in either style; empty when there is none."""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    if isinstance(errors, str):
        return (errors,)
    if not isinstance(errors, list):
        return ()
    return tuple(text for error in errors if (text := _text(error)))


def _text(error: Json) -> str:
    if not isinstance(error, Mapping):
        return str(error)
    parts = [str(error[name]) for name in ("title", "detail") if error.get(name)]
    meta = error.get("meta")
    if isinstance(meta, Mapping):
        parts.extend(str(value) for value in meta.values())
    return ": ".join(dict.fromkeys(parts))


def fault(status: int, body: Json, *, action: str, where: str) -> GatewayError:
    """The error for an answer with `status` >= 400 to a call that needs the permission `action`."""
    said = _shorten("; ".join(error_texts(body)))
    if status in (401, 403):
        return _denied(status, said, action, where)
    if status == 404:
        return NotFound(f"Datadog does not know it: {said or 'not found'}", action=action, where=where)
    what = f"Datadog answered {status}" + (f": {said}" if said else "")
    if status >= 500:
        return GatewayError(
            what, action=action, where=where, fix="try again; see https://status.datadoghq.com"
        )
    return Rejected(what, status=status, action=action, where=where)


def _denied(status: int, said: str, action: str, where: str) -> Denied:
    detail = f" ({status}: {said})" if said else f" ({status})"
    if not action:
        return Denied(f"Datadog does not accept the key{detail}", where=where)
    return Denied(
        f"Datadog denied a call that needs the permission {action}{detail}",
        action=action,
        where=where,
        fix=f"use an application key of a user with {action}, or unscoped",
    )


def unreadable(error: GatewayError) -> Unreadable:
    """A failed read as the state that it leaves: not "nothing there", but "could not look"."""
    return Unreadable(error.action, error.what, denied=isinstance(error, Denied))


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps (urllib3 keeps the true cause in `reason`), outermost first."""
    seen: BaseException | None = error
    while isinstance(seen, BaseException):
        yield seen
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else seen.__cause__


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

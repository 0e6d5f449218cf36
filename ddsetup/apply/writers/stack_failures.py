"""Why a Forwarder stack failed, and what to do about it. Pure.

The first resource that failed is the cause; what follows it was only cancelled. Texts are those that people
met with Datadog's template (datadog-serverless-functions, README and issues) and CloudFormation's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ddsetup.gateways.aws.stacks import StackEvent


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened, in a sentence, and what to do."""

    reason: str
    fix: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Known:
    signs: tuple[str, ...]
    means: str
    fix: str
    details: Mapping[str, str] = field(default_factory=dict)


_KNOWN = (
    _Known(
        ("lambda:GetLayerVersion",),
        "the Forwarder's layer is not published in this region, or a service control policy forbids it",
        "take an older version (--forwarder-version), or --forwarder-param InstallAsLayer=false",
    ),
    _Known(
        ("UnreservedConcurrentExecution",),
        "the concurrency reserved for the Forwarder leaves the account too little",
        "leave out --forwarder-param ReservedConcurrency, or have the account's quota raised",
    ),
    _Known(
        ("scheduled for deletion",),
        "a secret of this name is waiting for its deletion",
        "restore it: aws secretsmanager restore-secret --secret-id NAME; then run this again",
    ),
    _Known(
        ("already exist", "AlreadyExists"),
        "a resource of a fixed name exists already (function, log group or secret)",
        "choose other names (--forwarder-stack, --forwarder-name), or delete it if nothing needs it",
    ),
    _Known(
        ("permissions boundary", "PermissionsBoundary"),
        "a permissions boundary is required for roles made here",
        "--forwarder-param PermissionsBoundaryArn=ARN (and IamRolePath if paths are prescribed)",
    ),
    _Known(
        ("not authorized to perform", "AccessDenied", "is not authorized"),
        "whoever creates the stack lacks a permission",
        "allow the action named above; `ddsetup policy` prints all that is needed",
    ),
    _Known(
        ("bucket you tried to delete is not empty", "BucketNotEmpty"),
        "the Forwarder's bucket still holds objects",
        "run this again: it is emptied once more first",
        {"left": "bucket"},
    ),
)


def explain(events: Sequence[StackEvent], status: str, status_reason: str = "") -> Failure:
    """The cause of a failed stack operation. `events` are those of the operation, oldest first.

    Without a failing event the stack's own status and reason have to do.
    """
    first = first_failure(events)
    if first is None:
        said = f"CloudFormation ended in {status}" + (f": {status_reason}" if status_reason else "")
        return _failure(said, _known(status_reason))
    said = f"{first.logical_id} ({first.resource_type}) {first.status}: {first.reason or 'no reason given'}"
    known = _known(first.reason)
    return _failure(f"{said} - {known.means}" if known else said, known)


def _failure(said: str, known: _Known | None) -> Failure:
    return Failure(said, known.fix, known.details) if known else Failure(said, "")


def first_failure(events: Sequence[StackEvent]) -> StackEvent | None:
    """The earliest failing event that is a cause, and not the consequence of another failure."""
    causes = (e for e in events if e.status.endswith("_FAILED") and "cancelled" not in e.reason.lower())
    return next(causes, None)


def _known(text: str) -> _Known | None:
    return next(
        (known for known in _KNOWN if any(sign.lower() in text.lower() for sign in known.signs)), None
    )

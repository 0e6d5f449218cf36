"""From what botocore raises to the errors of ddsetup.

No text of AWS passes unread: Lambda quotes the whole environment in some of its refusals, with its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ddsetup.gateways.aws.answers import NotAws
from ddsetup.gateways.aws.credentials import AwsOptions, cause_of_end, explain_credentials
from ddsetup.model.account import Unreadable
from ddsetup.model.errors import ChangedSince, CredentialsError, Denied, GatewayError, NotFound, SignedOut

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

T = TypeVar("T")


class Refused(GatewayError):
    """AWS refused a call for a reason that has no class of its own; `code` is AWS's error code."""

    code: str = ""


class UpdateInProgress(GatewayError):
    """The function is being updated by another call at this moment; wait and try again."""


class AlreadyExists(GatewayError):
    """The name is taken by a resource that is there already.

    `repeated`: an earlier attempt of the very call got no answer, so it may be what made the resource.
    """

    repeated: bool = False


class LimitReached(GatewayError):
    """A quota is used up, e.g. two subscription filters on a log group."""


class DestinationRefused(GatewayError):
    """CloudWatch Logs could not invoke the destination of a subscription filter."""


class RoleRefused(GatewayError):
    """The role of a resource lacks a permission that the call would have it use."""


class NotShared(GatewayError):
    """Somebody else's resource that is not there or not shared with us: AWS words both alike."""


class Throttled(GatewayError):
    """AWS kept refusing for minutes because calls came too fast."""


class Misread(GatewayError):
    """What came back is no answer of AWS, or not one to this call: it tells nothing of what is there."""


THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "SlowDown",
        "TransactionInProgressException",
    }
)
"""Error codes that mean "too fast"; `LimitExceededException` is none of them: that is a used-up quota."""

TRANSIENT = frozenset(
    {
        "ConcurrentModification",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InternalServiceException",
        "OperationAbortedException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceException",
        "ServiceFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
"""Error codes that may be gone at the next attempt."""

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
    }
)
_UNKNOWN_TOKEN = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"})
_SIGNATURE = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch"})
_MISSING = frozenset(
    {
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchEntityException",
        "NotFoundException",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    }
)
_EXISTS = frozenset(
    {
        "AlreadyExistsException",
        "EntityAlreadyExists",
        "EntityAlreadyExistsException",
        "ResourceAlreadyExistsException",
        "ResourceExistsException",
    }
)
_LIMIT = frozenset({"LimitExceeded", "LimitExceededException"})

_REFUSED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")


def code_of(error: ClientError) -> str:
    """AWS's error code, or the empty string."""
    return str(error.response.get("Error", {}).get("Code") or "")


def text_of(error: ClientError) -> str:
    """AWS's words without what they may quote of an environment; nothing of a proxy's HTML page.

    Lambda ends "exceeded the 4KB limit" with "String measured: {...}", and a failed constraint begins with
    the offending value: both are cut.
    """
    text = str(error.response.get("Error", {}).get("Message") or "")
    if text.lstrip().startswith("<"):
        return ""
    text = text.split("String measured", 1)[0]
    text = re.sub(r"Value '.*' at '", "Value at '", text, flags=re.DOTALL)
    return " ".join(text.split())


def status_of(error: ClientError) -> int:
    """The HTTP status, 0 if there was none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def is_throttle(error: Exception) -> bool:
    """Whether AWS said that calls come too fast."""
    from botocore.exceptions import ClientError

    if not isinstance(error, ClientError):
        return False
    return code_of(error) in THROTTLES or status_of(error) == 429


def is_transient(error: Exception) -> bool:
    """Whether the same call may work in a moment: a dropped connection or a fault of the server."""
    from botocore.exceptions import ClientError, SSLError

    if isinstance(error, ClientError):
        return code_of(error) in TRANSIENT or status_of(error) >= 500
    if isinstance(error, NotAws):
        return error.status >= 500
    return isinstance(error, _network_errors()) and not isinstance(error, SSLError)


def _network_errors() -> tuple[type[Exception], ...]:
    from botocore import exceptions

    return (exceptions.ConnectionError, exceptions.HTTPClientError)


def translate(
    error: Exception, action: str, where: str = "", options: AwsOptions | None = None
) -> GatewayError:
    """The error of ours that says the same. `action` is the IAM action of the call.

    Credentials that end in the middle of a run are `SignedOut`, whatever the call was.
    """
    from botocore.exceptions import ClientError, ParamValidationError

    ended = None if isinstance(error, _network_errors()) else cause_of_end(error, options)
    if ended is not None:
        return SignedOut(ended[0], action=action, fix=ended[1], where=where)
    if isinstance(error, ClientError):
        return _answered(error, action, where)
    if isinstance(error, NotAws):
        fix = "check the proxy and AWS_ENDPOINT_URL"
        return Misread(f"{action}: {error.said}", action=action, fix=fix, where=where)
    if isinstance(error, ParamValidationError):
        # The report quotes the values, which may be secrets.
        said = f"{action}: a value does not have the form that AWS wants"
        return GatewayError(said, action=action, where=where)
    if isinstance(error, _network_errors()):
        return GatewayError(
            f"{action}: no connection to AWS ({type(error).__name__})",
            action=action,
            fix="check the network, the proxy and AWS_ENDPOINT_URL",
            where=where,
        )
    lost: CredentialsError = explain_credentials(error)
    return Denied(f"{action}: {lost.what}", action=action, fix=lost.fix, where=where)


def _answered(error: ClientError, action: str, where: str) -> GatewayError:
    code, text = code_of(error), text_of(error)
    if code in _DENIED:
        return _denied(text, action, where)
    if code in _UNKNOWN_TOKEN:
        fix = "check the credentials, and that this region is enabled for the account"
        return Denied(
            f"{action}: AWS does not know these credentials here", action=action, fix=fix, where=where
        )
    if code in _SIGNATURE:
        lost = explain_credentials(error)
        return Denied(f"{action}: {lost.what}", action=action, fix=lost.fix, where=where)
    kind = _kind_of(code, text)
    if kind is not None:
        return kind(f"{action}: {text or code}", action=action, where=where)
    if is_throttle(error):
        said = f"{action}: AWS kept refusing because calls come too fast"
        return Throttled(said, action=action, fix="try again later", where=where)
    said = f"{code}: {text}" if text else f"HTTP {code}" if code.isdecimal() else code
    said = said or f"refused without a reason (HTTP {status_of(error)})"
    refused = Refused(f"{action}: {said}", action=action, where=where)
    refused.code = code
    return refused


def _kind_of(code: str, text: str) -> type[GatewayError] | None:
    if code in _MISSING or (code == "ValidationError" and "does not exist" in text):
        return NotFound
    if code == "PreconditionFailedException":
        return ChangedSince
    if code in _EXISTS:
        return AlreadyExists
    return LimitReached if code in _LIMIT else None


def _denied(text: str, action: str, where: str) -> GatewayError:
    if "IAM Role is not authorized" in text:
        # Step Functions words the lack of its own role like one of the caller.
        return RoleRefused(f"{action}: {text}", action=action, where=where)
    match = _REFUSED_ACTION.search(text)
    refused = match.group(1) if match else action
    if "no resource-based policy allows" in text:
        said = f"{refused}: it does not exist, or its owner does not share it"
        return NotShared(said, action=refused, where=where)
    reason = "a service control policy" if "service control policy" in text else ""
    reason = "a permissions boundary" if "permissions boundary" in text else reason
    said = f"not allowed: {refused}" + (f" (refused by {reason})" if reason else "")
    fix = f"allow {refused} for this identity; `ddsetup policy` prints what ddsetup needs"
    return Denied(said, action=refused, fix=fix, where=where)


def unreadable(error: GatewayError) -> Unreadable:
    """The state of something whose reading failed. `SignedOut` is raised again: that concerns all."""
    if isinstance(error, SignedOut):
        raise error
    return Unreadable(action=error.action, reason=error.what, denied=isinstance(error, Denied))


def read(ask: Callable[[], T]) -> T | Unreadable:
    """What `ask` returns, or why it could not be read. Raises SignedOut."""
    try:
        return ask()
    except GatewayError as error:
        return unreadable(error)


def read_even_signed_out(ask: Callable[[], T | Unreadable]) -> T | Unreadable:
    """As `read`, where credentials that have ended are no reason to stop either: once changes were made, what
    came of them has to be told."""
    try:
        return ask()
    except SignedOut as error:
        return Unreadable(action=error.action, reason=error.what, denied=False)


def read_or_none(ask: Callable[[], T]) -> T | Unreadable | None:
    """What `ask` returns, None if AWS says that there is no such thing, or why it could not be read.

    Raises SignedOut.
    """
    try:
        return ask()
    except NotFound:
        return None
    except GatewayError as error:
        return unreadable(error)

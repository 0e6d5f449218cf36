"""From what botocore raises to the errors of ddsetup.

No text of AWS passes unread: Lambda quotes the whole environment in some of its refusals, with its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from ddsetup.gateways.aws.answers import NotAws
from ddsetup.gateways.aws.credentials import AwsOptions, cause_of_end, explain_credentials
from ddsetup.gateways.aws.denials import explain
from ddsetup.model.account import Unreadable
from ddsetup.model.errors import ChangedSince, CredentialsError, Denied, GatewayError, NotFound, SignedOut

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

T = TypeVar("T")
P = ParamSpec("P")


class Refused(GatewayError):
    """AWS refused a call for a reason that has no class of its own; `code` is AWS's error code."""

    code: str = ""


class UpdateInProgress(GatewayError):
    """The function is being updated by another call at this moment; wait and try again."""


class RegionOff(Denied):
    """The region is not enabled for the account: nothing there can be asked."""


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
        "ConflictException",
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
"""Error codes that may be gone at the next attempt. `ConflictException` is what API Gateway and Step
Functions answer while something else changes the same API or state machine."""

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
        "NoSuchKey",
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
_NO_STACK = re.compile(r"\b[Ss]tack\b.* does not exist")
"""CloudFormation says `does not exist` of other things, too: of a template's object or of an export."""
_REFERRED: Mapping[str, str] = {
    "lambda:UpdateFunctionConfiguration": "layer",
    "states:UpdateStateMachine": "log group",
}
"""What a call refers to besides what it is about, by a word of AWS's text for its absence."""
_LIMIT = frozenset({"LimitExceeded", "LimitExceededException"})


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
    if code in _UNKNOWN_TOKEN and "/" in where:
        # Whose credentials these are was asked before anything else; so it is this region that lacks them.
        region = where.rpartition("/")[2]
        return RegionOff(
            f"region {region} is not enabled for this account",
            action=action,
            fix=f"leave {region} out, or enable it: aws account enable-region --region-name {region}",
            where=where,
        )
    if code in _UNKNOWN_TOKEN:
        fix = "check the credentials, and that this region is enabled for the account"
        return Denied(
            f"{action}: AWS does not know these credentials here", action=action, fix=fix, where=where
        )
    if code in _SIGNATURE:
        lost = explain_credentials(error)
        return Denied(f"{action}: {lost.what}", action=action, fix=lost.fix, where=where)
    kind = _kind_of(code, text, action)
    if kind is not None:
        return kind(f"{action}: {text or code}", action=action, where=where)
    if is_throttle(error):
        said = f"{action}: AWS kept refusing because calls come too fast"
        return Throttled(said, action=action, fix="try again later", where=where)
    said = f"{code}: {text}" if text else f"HTTP {code}" if code.isdecimal() else code
    said = said or f"refused without a reason (HTTP {status_of(error)})"
    fix = "something else changes it at this moment: run this again" if code == "ConflictException" else ""
    refused = Refused(f"{action}: {said}", action=action, fix=fix, where=where)
    refused.code = code
    return refused


def _kind_of(code: str, text: str, action: str) -> type[GatewayError] | None:
    if code in _MISSING and not _about_another(text, action):
        return NotFound
    if code == "ValidationError" and _NO_STACK.search(text):
        return NotFound
    if code == "PreconditionFailedException":
        return ChangedSince
    if code in _EXISTS:
        return AlreadyExists
    return LimitReached if code in _LIMIT else None


def _about_another(text: str, action: str) -> bool:
    """Whether what is missing is not what the call is about: a layer of the function, say."""
    word = _REFERRED.get(action)
    return word is not None and word in text.lower()


def _denied(text: str, action: str, where: str) -> GatewayError:
    if "IAM Role is not authorized" in text:
        # Step Functions words the lack of its own role like one of the caller.
        return RoleRefused(f"{action}: {text}", action=action, where=where)
    denial = explain(text, action)
    if "no resource-based policy allows" in text:
        said = f"{denial.action}: it does not exist, or its owner does not share it"
        return NotShared(said, action=denial.action, where=where)
    return Denied(denial.said, action=denial.action, fix=denial.fix, where=where)


def unreadable(error: GatewayError) -> Unreadable:
    """The state of something whose reading failed. `SignedOut` is raised again: that concerns all."""
    if isinstance(error, SignedOut):
        raise error
    off = isinstance(error, RegionOff)
    return Unreadable(
        error.action, error.what, denied=isinstance(error, Denied), fix=error.fix, region_off=off
    )


def read_even_signed_out(ask: Callable[[], T | Unreadable]) -> T | Unreadable:
    """What `ask` gives, where credentials that have ended are no reason to stop: once changes were made, what
    came of them has to be told."""
    try:
        return ask()
    except SignedOut as error:
        return Unreadable(action=error.action, reason=error.what, denied=False)


def readable(ask: Callable[P, T]) -> Callable[P, T | Unreadable]:
    """A read that gives what it asks for, or why that could not be read. Raises SignedOut."""

    @wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T | Unreadable:
        try:
            return ask(*args, **kwargs)
        except GatewayError as error:
            return unreadable(error)

    return asked


def readable_or_none(ask: Callable[P, T]) -> Callable[P, T | Unreadable | None]:
    """The same, None where AWS says that there is no such thing."""

    @wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T | Unreadable | None:
        try:
            return ask(*args, **kwargs)
        except NotFound:
            return None
        except GatewayError as error:
            return unreadable(error)

    return asked

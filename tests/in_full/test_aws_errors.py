"""Every way in which AWS refuses, by what becomes of it: the error, and whether the call is made again.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    SSLError,
    TokenRetrievalError,
)
from botocore.session import get_session

from ddsetup.facts.rates import RATES
from ddsetup.gateways.aws.answers import NotAws
from ddsetup.gateways.aws.credentials import AwsOptions, cause_of_end, explain_credentials
from ddsetup.gateways.aws.denials import explain
from ddsetup.gateways.aws.errors import is_throttle, is_transient, translate
from ddsetup.gateways.aws.function_writes import REASONS, failure_of
from ddsetup.gateways.aws.limits import Limits
from ddsetup.model.errors import CredentialsError
from tests.gateways.aws_stand import FakeTime
from tests.unit.show.test_render import matches_golden


def words(text: str) -> list[str]:
    return text.split()


HERE = "111122223333/eu-west-1"
ACTION = "lambda:UpdateFunctionConfiguration"
CODES = words(
    """
    Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException
    TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded PriorRequestNotComplete
    SlowDown TransactionInProgressException LimitExceeded LimitExceededException ConcurrentModification
    ConflictException InternalError InternalFailure InternalServerError InternalServiceError
    InternalServiceException OperationAbortedException RequestTimeout RequestTimeoutException
    ServiceException ServiceFailure ServiceUnavailable ServiceUnavailableException AccessDenied
    AccessDeniedException AuthorizationError AuthorizationErrorException NotAuthorized
    UnauthorizedAccess UnauthorizedOperation InvalidClientTokenId UnrecognizedClientException
    AuthFailure InvalidSignatureException SignatureDoesNotMatch ExpiredToken ExpiredTokenException
    RequestExpired NoSuchBucket NoSuchEntity NoSuchEntityException NotFoundException
    ResourceNotFoundException StateMachineDoesNotExist AlreadyExistsException EntityAlreadyExists
    EntityAlreadyExistsException ResourceAlreadyExistsException ResourceExistsException
    PreconditionFailedException ValidationError InvalidParameterValueException 404 OptInRequired
    """
)
TEXTS = {
    "a stack that is gone": ("ValidationError", "Stack with id fwd does not exist"),
    "a template that is gone": ("ValidationError", "S3 error: the object does not exist"),
    "a stack's export": ("ValidationError", "No export named x found"),
    "a layer that is gone": ("ResourceNotFoundException", "Layer version arn:x does not exist"),
    "a function that is gone": ("ResourceNotFoundException", "Function not found: arn:x"),
    "a page": ("AccessDenied", "  <html>proxy</html>"),
    "an environment": (
        "InvalidParameterValueException",
        "exceeded the 4KB limit. String measured: {'A':'b'}",
    ),
    "a value": ("ValidationException", "1 error: Value 'it's\nsecret' at 'x' failed\n  to satisfy"),
    "no words": ("Odd", ""),
    "a status alone": ("503", ""),
    "nothing": ("", ""),
    "an action": ("AccessDenied", "User: u is not authorized to perform: iam:PassRole on resource: r"),
    "a boundary": (
        "AccessDenied",
        "not authorized to perform: iam:PassRole with an explicit deny in a permissions boundary",
    ),
    "a layer's owner": (
        "AccessDeniedException",
        "not authorized to perform: lambda:GetLayerVersion because no resource-based policy allows it",
    ),
    "a machine's role": ("AccessDeniedException", "The state machine IAM Role is not authorized to access x"),
}
STATUSES = (0, 400, 404, 429, 500, 503)


def refusal(code: str, text: str = "so it is", status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "UpdateFunctionConfiguration")


def told(error: Exception, action: str = ACTION, where: str = HERE) -> str:
    again = "too fast" if is_throttle(error) else "again" if is_transient(error) else "once"
    became = translate(error, action, where)
    fix = f"; fix: {became.fix}" if became.fix else ""
    about = f" ({became.action})" if became.action != action else ""
    return f"{again}: {type(became).__name__}{about}: {became.what}{fix}; at {became.where or '-'}"


def test_every_code() -> None:
    lines = [f"[{code}] {told(refusal(code))}" for code in CODES]
    lines += [f"[{name}] {told(refusal(*words))}" for name, words in TEXTS.items()]
    lines += [f"[{status}] {told(refusal('Odd', status=status))}" for status in STATUSES]
    lines += [
        f"[{code}, nowhere] {told(refusal(code), where='')}" for code in ("AuthFailure", "AccessDenied")
    ]
    lines.append(
        f"[a log group] {told(refusal('NotFoundException', 'log group'), 'states:UpdateStateMachine')}"
    )
    matches_golden("aws/errors", "\n".join([*lines, ""]))


def test_why_an_update_failed() -> None:
    model: Any = get_session().get_service_model("lambda").shape_for("LastUpdateStatusReasonCode")
    assert set(model.enum) <= set(REASONS), "Lambda has reasons that nothing is said of"
    items = [{"FunctionName": "f", "LastUpdateStatusReasonCode": code} for code in (*REASONS, "Odd")]
    lines = [failure_of(item) for item in (*items, {"FunctionName": "f"})]
    matches_golden("aws/failed-updates", "\n".join([*lines, ""]))


def test_what_is_no_answer() -> None:
    errors: dict[str, Exception] = {
        "no connection": EndpointConnectionError(endpoint_url="https://x"),
        "a timeout": ConnectTimeoutError(endpoint_url="https://x"),
        "another fault of the connection": HTTPClientError(error="x"),
        "a certificate": SSLError(endpoint_url="https://x", error=OSError("x")),
        "a value of another form": ParamValidationError(report="Invalid 'hunter2'"),
        "no credentials": NoCredentialsError(),
        "a token": TokenRetrievalError(provider="sso", error_msg="x"),
        "a page": NotAws("answered with a page", 200),
        "a page of a fault": NotAws("answered with a page", 500),
        "new credentials that look old": RuntimeError("the refreshed credentials are still expired"),
    }
    lines = [f"[{name}] {told(error)}" for name, error in errors.items()]
    matches_golden("aws/no-answer", "\n".join([*lines, ""]))


BOTOCORES = words(
    """
    ConfigParseError ConnectTimeoutError ConnectionClosedError CredentialRetrievalError
    EndpointConnectionError InfiniteLoopConfigError InvalidConfigError LoginAuthorizationCodeError
    LoginError LoginRefreshRequired LoginTokenLoadError MetadataRetrievalError NoAuthTokenError
    NoCredentialsError PartialCredentialsError ProfileNotFound ProxyConnectionError ReadTimeoutError
    RefreshWithMFAUnsupportedError RuntimeError SSOError SSOTokenLoadError TokenRetrievalError
    UnauthorizedSSOTokenError UnknownCredentialError OddError
    """
)


def test_why_there_is_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the names of botocore's classes: which of them there are depends on its version."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    errors: dict[str, Exception] = {name: type(name, (Exception,), {})("so it is") for name in BOTOCORES}
    errors |= {
        code: refusal(code) for code in ("ExpiredToken", "InvalidClientTokenId", "RequestTimeTooSkewed")
    }
    errors |= {
        code: refusal(code) for code in ("ExpiredTokenException", "UnrecognizedClientException", "Odd", "")
    }
    errors |= {
        f"{code} {text}": refusal(code, text)
        for code in ("SignatureDoesNotMatch", "InvalidSignatureException")
        for text in ("Signature expired", "Signature not yet current", "it does not match")
    }
    errors |= {code: refusal(code) for code in ("RequestExpired", "AccessDenied", "AccessDeniedException")}
    errors["a role"] = ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
    lines = []
    for name, error in errors.items():
        for options in (AwsOptions(), AwsOptions(profile="shop", role_arn="arn:aws:iam::1:role/r")):
            lost, ended = explain_credentials(error, options), cause_of_end(error, options)
            lines.append(f"[{name}] {type(lost).__name__}: {lost.what}; fix: {lost.fix}; ended: {ended}")
    own = CredentialsError("said before", fix="this")
    assert (explain_credentials(own), cause_of_end(own)) == (own, ("said before", "this"))
    matches_golden("aws/identity", "\n".join([*lines, ""]))


def test_who_denied_it() -> None:
    words = (
        "a service control policy",
        "a Resource Control Policy",
        "a permissions boundary",
        "a session policy",
        "a VPC endpoint policy",
        "an explicit deny in a resource-based policy",
        "an explicit deny in an identity-based policy",
        "The ciphertext: Lambda was unable to decrypt, KMS access was denied",
        "Access to KMS is not allowed",
        "the KMS key arn:k is denied",
        "KMS key",
        "no identity-based policy allows the x:Y action",
        "",
    )
    known = "User: u is not authorized to perform: iam:PassRole on r with "
    lines = []
    for text in (*words, *(f"{known}{each}" for each in words)):
        denial = explain(text, ACTION)
        lines += [f"[{text}]", denial.action, denial.said, denial.fix, ""]
    matches_golden("aws/denials", "\n".join(lines))


def test_how_fast_each_operation_may_be_called() -> None:
    """Quotas as AWS's pages of Lambda, CloudWatch Logs, API Gateway and Step Functions have them; what has
    none there gets a modest one."""
    limits = Limits(FakeTime().clock)
    operations = [name.partition(":") for name in RATES]
    lines = [
        f"{service}:{operation or 'Anything'} {limits.bucket(service, operation or 'Anything', 'r').rate:g}"
        for service, _, operation in operations
    ]
    lines.append(f"of a service that nobody knows {limits.bucket('x', 'Y', 'r').rate:g}")
    matches_golden("aws/rates", "\n".join([*lines, ""]))

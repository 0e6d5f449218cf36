"""Writing Lambda functions, waiting for them, and invoking them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ddsetup.gateways.aws.errors import AlreadyExists, NotShared, Refused, Throttled, UpdateInProgress
from ddsetup.gateways.aws.function_reads import function_configuration, parse_function
from ddsetup.gateways.aws.session import Aws, Patience
from ddsetup.model.account import Function, Json, Lane
from ddsetup.model.clock import SYSTEM_CLOCK, Clock
from ddsetup.model.errors import GatewayError, NotFound

_UPDATE = "lambda:UpdateFunctionConfiguration"
_INVOKE_SECONDS = 910
"""A function runs for at most 15 minutes (AWS Lambda quotas page)."""
_WAIT_SECONDS = 300.0
_SNAPSHOT_SECONDS = 900.0
_FIRST_LOOK, _LONGEST_FIRST = 0.25, 10.0
"""Seconds after an update at which it is looked at for the first time, at least and at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUpdate:
    """What one UpdateFunctionConfiguration call changes; None leaves a setting alone.

    `layers` and `env` are whole, in their final order: AWS replaces both. `logging` is AWS's LoggingConfig.
    An empty `revision_id` writes unconditionally.
    """

    revision_id: str = ""
    handler: str | None = None
    layers: tuple[str, ...] | None = None
    env: Mapping[str, str] | None = field(default=None, repr=False)
    logging: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Invocation:
    """What came of invoking a function: HTTP status, the kind of error ("" if none), the request's id."""

    status: int
    error: str
    request_id: str


def update_function(aws: Aws, lane: Lane, name: str, update: FunctionUpdate) -> Function:
    """Write handler, layers, environment and logging in one call; return the function as AWS answers it.

    Raises ChangedSince when the revision moved. A dropped connection is tried again, so that may also mean
    that our own first attempt arrived: the caller reads again and compares. Raises UpdateInProgress,
    NotFound, Denied or GatewayError with an explanation otherwise. No error quotes a value of `env`.
    """
    parameters: dict[str, Json] = {"FunctionName": name}
    if update.revision_id:
        parameters["RevisionId"] = update.revision_id
    if update.handler is not None:
        parameters["Handler"] = update.handler
    if update.layers is not None:
        parameters["Layers"] = list(update.layers)
    if update.env is not None:
        parameters["Environment"] = {"Variables": dict(update.env)}
    if update.logging is not None:
        parameters["LoggingConfig"] = dict(update.logging)
    try:
        return parse_function(lane, aws.call(_UPDATE, lane, **parameters))
    except GatewayError as error:
        raise _explained(error, update) from None


class UpdatePace:
    """How long AWS takes for an update here and now, learned from the updates seen so far.

    Looking just after an update is over costs one call; looking while it goes on costs one more each time.
    Shared by threads without a lock: any of their estimates does.
    """

    def __init__(self, seconds: float = _FIRST_LOOK) -> None:
        self.seconds = seconds

    def still_busy(self, after: float) -> None:
        """An update was still in progress so long after it was sent."""
        self.seconds = min(_LONGEST_FIRST, max(self.seconds, after * 1.5))

    def over(self) -> None:
        """An update was over at the first look; perhaps it was so earlier."""
        self.seconds = max(_FIRST_LOOK, self.seconds * 0.999)


def wait_updated(
    aws: Aws, lane: Lane, name: str, clock: Clock = SYSTEM_CLOCK, pace: UpdatePace | None = None
) -> Function:
    """Wait until a function's last update is over, by GetFunction every second, at most five minutes.

    With `pace`, for an update that was sent just now: the first look comes when it is probably over. Raises
    GatewayError with the reason when the update failed or does not end, NotFound when the function is gone.
    """
    begin = clock.monotonic()
    if pace is not None:
        clock.sleep(pace.seconds)
    pause = 0.25
    looks = 0
    while True:
        asked = clock.monotonic() - begin
        item = function_configuration(aws, lane, name)
        looks += 1
        status = item.get("LastUpdateStatus")
        if status == "Failed":
            raise GatewayError(failure_of(item), action=_UPDATE, where=name)
        if status != "InProgress" and item.get("State") != "Pending":
            if pace is not None and looks == 1:
                pace.over()
            return parse_function(lane, item)
        if pace is not None:
            pace.still_busy(asked)
        if clock.monotonic() - begin >= _WAIT_SECONDS:
            said = f"{name}: the update has not ended after {_WAIT_SECONDS / 60:.0f} minutes"
            raise GatewayError(said, action=_UPDATE, fix="run the same command again later", where=name)
        clock.sleep(pause)
        pause = min(1.0, pause * 2)


def publish_version(aws: Aws, lane: Lane, name: str, code_sha256: str = "", publish_to: str = "") -> str:
    """Publish `$LATEST` as a version and return its number, or that of the one that is the same already.

    With `code_sha256` only that code is published. `publish_to` "LATEST_PUBLISHED" makes it what an
    unqualified call runs on managed instances. Raises NotFound, Denied, UpdateInProgress or GatewayError.
    Needs lambda:PublishVersion.
    """
    parameters: dict[str, Json] = {"FunctionName": name}
    if code_sha256:
        parameters["CodeSha256"] = code_sha256
    if publish_to:
        parameters["PublishTo"] = publish_to
    return str(aws.call("lambda:PublishVersion", lane, **parameters)["Version"])


def wait_published(aws: Aws, lane: Lane, name: str, version: str, clock: Clock = SYSTEM_CLOCK) -> None:
    """Wait until a version can be invoked, at most fifteen minutes; for SnapStart AWS makes a snapshot first.

    Raises GatewayError when it failed or does not get ready, NotFound when it is gone.
    """
    begin, pause = clock.monotonic(), 0.5
    while True:
        item = function_configuration(aws, lane, name, version)
        state = item.get("State")
        if state == "Failed":
            said = item.get("StateReasonCode") or "no reason code"
            raise GatewayError(f"version {version} of {name} did not get ready ({said})", where=name)
        if state != "Pending":
            return
        if clock.monotonic() - begin >= _SNAPSHOT_SECONDS:
            raise GatewayError(f"version {version} of {name} is not ready after 15 minutes", where=name)
        clock.sleep(pause)
        pause = min(5.0, pause * 2)


def move_alias(aws: Aws, lane: Lane, name: str, alias: str, version: str, revision_id: str) -> None:
    """Let an alias serve a version. Raises ChangedSince when it moved, NotFound, Denied or GatewayError.

    Needs lambda:UpdateAlias.
    """
    revision: dict[str, Json] = {"RevisionId": revision_id} if revision_id else {}
    aws.call("lambda:UpdateAlias", lane, FunctionName=name, Name=alias, FunctionVersion=version, **revision)


def invoke(aws: Aws, lane: Lane, name: str, payload: bytes = b"{}") -> Invocation:
    """Invoke a function and wait for its end, once: a lost connection is not tried again.

    `error` holds AWS's FunctionError and the error's type, never its message. Raises NotFound, Denied or
    GatewayError when the function could not be invoked at all. Needs lambda:InvokeFunction.
    """
    answer = aws.call(
        "lambda:InvokeFunction",
        lane,
        operation="Invoke",
        patience=Patience(throttled=5, dropped=0),
        read_timeout=_INVOKE_SECONDS,
        FunctionName=name,
        Payload=payload,
    )
    body = answer["Payload"]
    error = answer.get("FunctionError") or ""
    return Invocation(
        status=int(answer.get("StatusCode") or 0),
        error=f"{error} {_error_type(body)}".strip() if error else "",
        request_id=str(answer.get("ResponseMetadata", {}).get("RequestId") or ""),
    )


def add_logs_permission(
    aws: Aws, lane: Lane, name: str, statement_id: str = "ddsetup-cloudwatch-logs"
) -> bool:
    """Let CloudWatch Logs of this account and region invoke a function, for all of its log groups.

    One wildcard statement, as in the official Forwarder template: the policy may hold 20 KB only. False if
    a statement of this id is there already. Needs lambda:AddPermission.
    """
    source = f"arn:{aws.partition_of(lane.region)}:logs:{lane.region}:{lane.account}:log-group:*:*"
    try:
        aws.call(
            "lambda:AddPermission",
            lane,
            FunctionName=name,
            StatementId=statement_id,
            Action="lambda:InvokeFunction",
            Principal="logs.amazonaws.com",
            SourceAccount=lane.account,
            SourceArn=source,
        )
    except AlreadyExists:
        return False
    except Refused as error:
        if error.code == "ResourceConflictException":
            return False
        raise
    return True


def remove_permission(aws: Aws, lane: Lane, name: str, statement_id: str = "ddsetup-cloudwatch-logs") -> bool:
    """Take a statement out of a function's resource policy; False if it is not there."""
    try:
        aws.call("lambda:RemovePermission", lane, FunctionName=name, StatementId=statement_id)
    except NotFound:
        return False
    return True


def _error_type(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    return str(document.get("errorType") or "") if isinstance(document, dict) else ""


def _explained(error: GatewayError, update: FunctionUpdate) -> GatewayError:
    """The same error with known texts explained and every value of the environment taken out."""
    if isinstance(error, Refused) and error.code == "ResourceConflictException":
        return UpdateInProgress(error.what, action=error.action, fix="wait and try again", where=error.where)
    if isinstance(error, Throttled):
        return error
    if isinstance(error, NotShared):
        said = "a layer version does not exist in this region, or its owner does not share it"
        fix = "choose another version with --layer-version or --extension-version"
        return GatewayError(said, action=error.action, fix=fix, where=error.where)
    what = _without_values(error.what, update.env or {})
    for sign, said, fix in _KNOWN:
        if sign in what:
            return GatewayError(said, action=error.action, fix=fix, where=error.where)
    error.what = what
    error.args = (what,)
    return error


_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        "262144000",
        "the code and the layers together exceed 250 MB unzipped (262144000 bytes)",
        "make the package smaller, or use a container image with the Datadog library in it",
    ),
    ("4KB", "the environment variables exceed 4 KB", "remove or shorten variables of this function"),
    ("4 KB", "the environment variables exceed 4 KB", "remove or shorten variables of this function"),
    (
        "CodeVerificationFailed",
        "the function's code signing configuration does not accept Datadog's layer",
        "add Datadog's signing profile to the code signing configuration of the function",
    ),
    (
        "InvalidCodeSignature",
        "the function's code signing configuration does not accept Datadog's layer",
        "add Datadog's signing profile to the code signing configuration of the function",
    ),
    ("InvalidRuntime", "AWS no longer updates functions of this runtime", "upgrade the runtime first"),
)
"""Signs in AWS's refusals (texts seen publicly), what they mean, and what to do."""


def _without_values(text: str, env: Mapping[str, str]) -> str:
    for value in sorted(env.values(), key=len, reverse=True):
        # Shorter values would blot out ordinary words; no secret is that short.
        if len(value) >= 4:
            # AWS quotes environments as JSON, in which a quote or a newline is written as two characters.
            for form in (value, json.dumps(value)[1:-1]):
                text = text.replace(form, "***")
    return re.sub(r"\s+", " ", text)


REASONS: Mapping[str, str] = {
    "EniLimitExceeded": "the VPC has no network interface left",
    "InsufficientRolePermissions": "the execution role lacks permissions for the VPC",
    "InvalidConfiguration": "the configuration is not valid",
    "InternalError": "an internal error of AWS",
    "SubnetOutOfIPAddresses": "a subnet has no free address",
    "InvalidSubnet": "a subnet does not exist any more",
    "InvalidSecurityGroup": "a security group does not exist any more",
    "ImageDeleted": "the container image was deleted",
    "ImageAccessDenied": "Lambda may not read the container image",
    "InvalidImage": "the container image is not valid",
    "KMSKeyAccessDenied": "Lambda may not use the KMS key",
    "KMSKeyNotFound": "the KMS key does not exist any more",
    "InvalidStateKMSKey": "the KMS key is in a state that cannot be used",
    "DisabledKMSKey": "the KMS key is disabled",
    "InvalidRuntime": "the runtime is not supported any more",
    "FunctionError.ExtensionInitError": "an extension failed to start",
    "FunctionError.TooManyExtensions": "more than ten extensions are registered",
    "FunctionError.InitTimeout": "the initialisation took too long",
    "FunctionError.RuntimeInitError": "the runtime failed to start",
    "FunctionError.PermissionDenied": "a file of the package may not be executed",
    "FunctionError.InvalidEntryPoint": "the image has no such entry point",
    "FunctionError.InvalidWorkingDirectory": "the image has no such working directory",
    "FunctionError.InitResourceExhausted": "the initialisation ran out of memory or disk",
    "VcpuLimitExceeded": "the account has no vCPU left for managed instances",
    "CapacityProviderScalingLimitExceeded": "the capacity provider may not grow any more",
    "InsufficientCapacity": "AWS has no capacity for the capacity provider now",
    "EC2RequestLimitExceeded": "too many requests to EC2 for managed instances",
    "ServiceQuotaExceededException": "a quota of the account is used up",
    "DisallowedByVpcEncryptionControl": "the VPC's encryption control does not allow it",
    "DrainingDurableExecutions": "durable executions are still running",
    "DependencyError": "something that the function depends on failed",
    "InvalidZipFileException": "the package is no zip file that can be read",
    "EFSIOError": "the EFS file system could not be read or written",
    "EFSMountConnectivityError": "the function cannot reach its EFS file system",
    "EFSMountFailure": "the function may not mount its EFS file system, or not in this way",
    "EFSMountTimeout": "mounting the EFS file system took too long",
    "FunctionError": "the function failed to start",
}
"""LastUpdateStatusReasonCode (Lambda API model) in words."""


def failure_of(item: Mapping[str, Json]) -> str:
    """Why an update of a function failed, in words."""
    code = str(item.get("LastUpdateStatusReasonCode") or "no reason code")
    words = REASONS.get(code)
    return f"{item['FunctionName']}: AWS could not finish the update: " + (
        f"{words} ({code})" if words else code
    )

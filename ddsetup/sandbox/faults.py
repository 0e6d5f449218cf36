"""Makes the emulated AWS fail on purpose, while it runs: for trying out what a tool does then.

    inject(sandbox, AwsFault("UpdateFunctionConfiguration", "TooManyRequestsException", 429, times=3))

What AWS is known to do is at the end of this module, in its own words.

The Datadog stand-in has faults of its own, in its seed and at its `/__sandbox/faults`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddsetup.sandbox.model import Sandbox

FILE_NAME = "aws-faults.json"
ALWAYS = 1_000_000_000
"""For `times`: until the faults are cleared."""


@dataclass(frozen=True, slots=True)
class AwsFault:
    """Calls of `operation` (the IAM action's name) answer with an error, the first `times` of them."""

    operation: str
    """May hold `*`: `Put*`, or `*` for every call."""
    code: str = ""
    status: int = 400
    message: str = "A fault of the sandbox."
    times: int = 1
    contains: str = ""
    """Only calls that have this text in their address or body (a function's name, say)."""
    after_effect: bool = False
    """The call does its work first; only the answer is lost."""
    delay: float = 0.0
    """Seconds to wait before anything else. With an empty `code` and no `raw` the call is only delayed."""
    raw: str | None = None
    """What is answered in place of an error, with `status`: a proxy's page, say, or nothing."""
    stale: bool = False
    """Instead of what is, what the same call answered before the fault was set."""
    drop: bool = False
    """Instead of an answer the connection is reset."""
    probability: float = 1.0
    """How likely such a call is to meet the fault, which it does twice in a row at most; which ones do is
    drawn from `seed`, for each call by itself."""
    seed: int = 0
    skip: int = 0
    """How many such calls go well first."""
    region: str = ""
    """Only calls in this region."""
    access_key: str = ""
    """Only calls signed with this key: ddsetup's own, say, and not those that Datadog makes."""


def inject(sandbox: Sandbox, *faults: AwsFault) -> None:
    """Replace the faults that are set; none clears them. Counts start anew."""
    path = sandbox.directory / FILE_NAME
    staged = path.with_suffix(".new")
    staged.write_text(json.dumps([asdict(each) for each in faults]), encoding="utf-8")
    staged.replace(path)


INSTANCE = "StackInstance"
"""The operation of what StackSets does in one account and region."""


def stack_instance_fails(contains: str, message: str, region: str = "", times: int = ALWAYS) -> AwsFault:
    """An instance of a StackSet whose stack does not come about, for that reason; `contains` is an account's
    number or a StackSet's name (CloudFormation API reference, `StackSetOperationResultSummary`)."""
    return AwsFault(INSTANCE, contains=contains, message=message, region=region, times=times)


def region_not_enabled(region: str) -> AwsFault:
    """An account in which that region is not enabled: no service there knows the credentials."""
    return AwsFault(
        "*",
        "UnrecognizedClientException",
        403,
        message="The security token included in the request is invalid.",
        region=region,
        times=ALWAYS,
    )


def role_not_seen_yet(name: str, times: int = 2) -> AwsFault:
    """IAM is eventually consistent: the first calls about a role that was just made do not find it.

    Source: IAM user guide, "I get 'NoSuchEntity' ... changes that I make are not always immediately visible".
    """
    message = f"The role with name {name} cannot be found."
    return AwsFault("PutRolePolicy", "NoSuchEntity", 404, message=message, contains=name, times=times)


def role_not_assumable_yet(name: str, times: int = 2) -> AwsFault:
    """The first who assume a role that was just made, or whose trust was just changed, may not.

    Source: IAM user guide, "Changes that I make are not always immediately visible".
    """
    message = "User is not authorized to perform: sts:AssumeRole on that role"
    return AwsFault("AssumeRole", "AccessDenied", 403, message=message, contains=name, times=times)


def late_log_delivery(function: str, seconds: float) -> AwsFault:
    """The function's last lines come when its stack is gone, and make its log group anew.

    Source: issue 564 of aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws.
    AWSLambdaBasicExecutionRole may make log groups.
    """
    return AwsFault("LateLogDelivery", contains=function, delay=seconds)


def denied_by(cause: str, operation: str, action: str) -> AwsFault:
    """A denial whose cause AWS names: "with an explicit deny in a service control policy", "because no
    permissions boundary allows ..." (IAM user guide, "Troubleshoot access denied error messages")."""
    said = f"User: arn:aws:iam::123456789012:user/x is not authorized to perform: {action} {cause}"
    return AwsFault(operation, "AccessDeniedException", 403, message=said, times=ALWAYS)


def key_not_allowed(operation: str = "GetSecretValue") -> AwsFault:
    """What Secrets Manager answers whoever may read the secret and not use its KMS key."""
    message = "Access to KMS is not allowed"
    return AwsFault(operation, "AccessDeniedException", 400, message=message, times=ALWAYS)


def secret_going(times: int = 2) -> AwsFault:
    """A secret that was deleted at once keeps its name for a while (Secrets Manager, `DeleteSecret`)."""
    message = (
        "You can't create this secret because a secret with this name is already scheduled for deletion."
    )
    return AwsFault("CreateSecret", "InvalidRequestException", 400, message=message, times=times)


def api_in_change(times: int = 2) -> AwsFault:
    """Somebody else changes the API at this moment (API Gateway, `ConflictException`)."""
    message = "Unable to complete operation due to concurrent modification. Please try again later."
    return AwsFault("PATCH", "ConflictException", 409, message=message, times=times)


def machine_in_change(times: int = 2) -> AwsFault:
    """The state machine is being changed at this moment (Step Functions, `ConflictException`)."""
    message = "Updating StateMachine due to concurrent modification"
    return AwsFault("UpdateStateMachine", "ConflictException", 400, message=message, times=times)


def tag_index_lags() -> AwsFault:
    """The tagging API's index does not know of what was tagged since (Resource Groups Tagging API reference,
    `GetResources`: eventually consistent)."""
    return AwsFault("GetResources", stale=True, times=ALWAYS)

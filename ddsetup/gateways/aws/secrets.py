"""Secrets Manager: the secret that holds the Datadog API key."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.gateways.aws.errors import Refused, readable_or_none
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Json, Lane, Secret
from ddsetup.model.errors import GatewayError, NotFound
from ddsetup.model.states import SecretState


class StillGoing(GatewayError):
    """A secret of that name is scheduled for deletion, or was deleted at once a moment ago."""


@readable_or_none
def read_secret(aws: Aws, lane: Lane, name: str) -> Secret:
    """A secret without its content, None if there is none. Needs secretsmanager:DescribeSecret."""
    item = aws.call("secretsmanager:DescribeSecret", lane, SecretId=name)
    return Secret(
        name=item.get("Name") or name,
        arn=item["ARN"],
        tags={tag["Key"]: tag.get("Value") or "" for tag in item.get("Tags") or ()},
        deleted=bool(item.get("DeletedDate")),
        deleted_at=item.get("DeletedDate"),
        kms_key=item.get("KmsKeyId") or "",
    )


def read_secret_value(aws: Aws, arn: str) -> str:
    """The content of a secret in the region that its ARN names; it may belong to another account.

    Raises NotFound, Denied or GatewayError (also for what is no ARN of a secret), and `StillGoing` for one
    that is scheduled for deletion. Needs secretsmanager:GetSecretValue.
    """
    action = "secretsmanager:GetSecretValue"
    parts = arn.split(":")
    if len(parts) < 7 or parts[2] != "secretsmanager":
        raise GatewayError("not the ARN of a Secrets Manager secret", action=action, where=arn)
    try:
        return str(aws.call(action, Lane("", parts[3]), SecretId=arn).get("SecretString") or "")
    except Refused as error:
        raise _told(error, "delet") from None


def create_secret(aws: Aws, lane: Lane, state: SecretState, value: str) -> str:
    """Create a secret and return its ARN.

    Raises AlreadyExists, and `StillGoing` while a secret of that name is being deleted.
    """
    parameters: dict[str, Json] = {"Name": state.name, "SecretString": value, "Tags": _tags(state.tags)}
    if state.description:
        parameters["Description"] = state.description
    try:
        return str(aws.call("secretsmanager:CreateSecret", lane, **parameters)["ARN"])
    except Refused as error:
        raise _told(error, "scheduled for deletion") from None


def _told(error: Refused, going: str) -> GatewayError:
    """The error; `StillGoing` where AWS says in these words that the secret is."""
    if error.code == "InvalidRequestException" and going in error.what:
        return StillGoing(error.what, action=error.action, where=error.where)
    return error


def restore_secret(aws: Aws, lane: Lane, name: str) -> str:
    """Take back the scheduled deletion of a secret; return its ARN."""
    return str(aws.call("secretsmanager:RestoreSecret", lane, SecretId=name)["ARN"])


def put_secret_value(aws: Aws, lane: Lane, name: str, value: str) -> None:
    """Give a secret a new value."""
    aws.call("secretsmanager:PutSecretValue", lane, SecretId=name, SecretString=value)


def delete_secret(aws: Aws, lane: Lane, name: str, *, force: bool) -> bool:
    """Delete a secret: at once with `force`, else after AWS's 30 days. False if it is not there."""
    parameters: Mapping[str, Json] = {"ForceDeleteWithoutRecovery": True} if force else {}
    try:
        aws.call("secretsmanager:DeleteSecret", lane, SecretId=name, **parameters)
    except NotFound:
        return False
    return True


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]

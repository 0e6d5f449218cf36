"""The backend's way into a customer's account: assume the registered role, then ordinary AWS clients."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import urlopen

from ddsetup.sandbox.datadog.integrations import Account
from ddsetup.sandbox.emulator.changes import PATH


class AccessFailed(Exception):
    """AWS said no, or did not answer. The text is what Datadog would show as the integration's issue."""


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """How the backend reaches the emulated AWS.

    ``account_key`` is the access key id of Datadog's own account there (the emulator takes an account number
    for its root user), ``principal_account`` that account's number, ``time_scale`` how much faster time runs.
    ``adaptive``: a metric that nobody has asked for yet is read in every sixth round only (once an hour), as
    the guide to adaptive CloudWatch polling says.
    """

    aws_endpoint: str
    account_key: str
    principal_account: str
    time_scale: float
    adaptive: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs if something has changed in the emulated AWS since: anywhere, in a region (where nothing
    ever was is not among them), or by which a log group may have lost its subscription filters.

    ``version`` is empty where it does not tell.
    """

    version: str = ""
    regions: Mapping[str, int] = field(default_factory=dict)
    subscriptions: int = 0


def changes(endpoint: str) -> Changes:
    """How far changes of the emulated AWS have come."""
    try:
        with urlopen(f"{endpoint}{PATH}", timeout=30) as answer:  # noqa: S310 (loopback)
            told = json.load(answer)
        return Changes(told["version"], told["regions"], told["subscriptions"])
    except (OSError, ValueError, LookupError, TypeError):
        return Changes()


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn botocore's errors into AccessFailed that says what was tried."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        raise AccessFailed(f"{what}: {details.get('Code')}: {details.get('Message')}") from error
    except BotoCoreError as error:
        raise AccessFailed(f"{what}: {error}") from error


class CustomerAccess:
    """Clients in one customer account, signed with the session of its integration role.

    The clients live as long as this object; only their credentials change when the role is assumed again:
    building a client costs far more than a call.
    """

    def __init__(self, options: BackendOptions) -> None:
        import boto3
        from botocore.config import Config
        from botocore.credentials import Credentials

        self._options = options
        self._config = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=30)
        # Any: the service's name is data here, boto3's type stubs want literals.
        self._customer: Any = boto3.Session(
            aws_access_key_id="none",
            aws_secret_access_key="none",
            aws_session_token="none",
        )
        credentials = self._customer.get_credentials()
        assert isinstance(credentials, Credentials)
        self._credentials = credentials
        self._clients: dict[tuple[str, str], Any] = {}
        # Of the same session, with Datadog's own credentials: every session reads all of AWS's endpoints.
        self._sts: Any = self._customer.client(
            "sts",
            region_name="us-east-1",
            endpoint_url=options.aws_endpoint,
            aws_access_key_id=options.account_key,
            aws_secret_access_key="sandbox",
            config=self._config,
        )

    def assume(self, account: Account) -> None:
        """Assume the account's role with its external id. Raises AccessFailed."""
        auth = account.attributes["auth_config"]
        if "role_name" not in auth:
            raise AccessFailed("key based authentication is not crawled by the sandbox")
        partition = account.attributes["aws_partition"]
        role = f"arn:{partition}:iam::{account.aws_account_id}:role/{auth['role_name']}"
        who = f"Datadog's account {self._options.principal_account} cannot assume {role}"
        with explained(who):
            answer = self._sts.assume_role(
                RoleArn=role, RoleSessionName="DatadogAWSIntegration", ExternalId=auth["external_id"]
            )
        session = answer["Credentials"]
        self._credentials.access_key = session["AccessKeyId"]
        self._credentials.secret_key = session["SecretAccessKey"]
        self._credentials.token = session["SessionToken"]

    def client(self, service: str, region: str) -> Any:
        """A client of ``service`` in ``region`` with the role's permissions."""
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = self._customer.client(
                service, region_name=region, endpoint_url=self._options.aws_endpoint, config=self._config
            )
        return self._clients[key]


def paged(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """All items of a paginated call. Raises AccessFailed."""
    with explained(operation):
        pages = client.get_paginator(operation).paginate(**arguments)
        return [item for page in pages for item in page.get(key, [])]

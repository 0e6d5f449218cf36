"""Accounts on moto, which share nothing and are entered by a role; and the command in the first of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Cli
from tests.gateways.bench import zipped
from tests.gateways.standin import API_KEY, APP_KEY, running

REGION = "us-east-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@dataclass
class OnMoto:
    """`accounts` are numbers by name; none means the first, to which the keys of the command belong."""

    url: str
    accounts: dict[str, str] = field(default_factory=dict)

    def client(self, service: str, account: str = "") -> Any:
        import boto3

        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        if account:
            role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
            found = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
            keys = {
                "aws_access_key_id": found["AccessKeyId"],
                "aws_secret_access_key": found["SecretAccessKey"],
                "aws_session_token": found["SessionToken"],
            }
        return boto3.client(service, REGION, endpoint_url=self.url, **keys)  # type: ignore[call-overload]

    @contextmanager
    def commands(self, home: Path) -> Iterator[Cli]:
        """The command, with a Datadog that knows nothing yet."""
        with running() as standin:
            base = {
                "AWS_ENDPOINT_URL": self.url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_EC2_METADATA_DISABLED": "true",
                "DDSETUP_DATADOG_URL": standin.server.url,
                "DD_API_KEY": API_KEY,
                "DD_APP_KEY": APP_KEY,
                "DD_SITE": "datadoghq.com",
            }
            yield Cli(home, base, (API_KEY, APP_KEY))

    def furnish(self, units: Mapping[str, Mapping[str, tuple[str, ...]]]) -> None:
        """Make the organisation: by unit its accounts, by account the names of its functions."""
        organisations = self.client("organizations")
        organisations.create_organization(FeatureSet="ALL")
        root = organisations.list_roots()["Roots"][0]["Id"]
        for unit, accounts in units.items():
            made = organisations.create_organizational_unit(ParentId=root, Name=unit)
            for name, functions in accounts.items():
                status = organisations.create_account(Email=f"{name}@example.com", AccountName=name)
                number = status["CreateAccountStatus"]["AccountId"]
                to = made["OrganizationalUnit"]["Id"]
                organisations.move_account(AccountId=number, SourceParentId=root, DestinationParentId=to)
                self.accounts[name] = number
                self.deploy(number, functions)

    def deploy(self, account: str, functions: tuple[str, ...]) -> None:
        """Functions in an account; the first one is a Forwarder, the only thing that needs none."""
        role = self.client("iam", account).create_role(
            RoleName="f", AssumeRolePolicyDocument=json.dumps(TRUST)
        )
        for name in functions:
            self.client("lambda", account).create_function(
                FunctionName=name,
                Runtime="python3.12",
                Handler="app.handler",
                Role=role["Role"]["Arn"],
                Code={"ZipFile": zipped()},
                Environment={"Variables": {"MINE": name}},
            )
            self.client("logs", account).create_log_group(logGroupName=f"/aws/lambda/{name}")

    def functions(self, name: str = "") -> dict[str, Any]:
        """How the functions of an account are configured."""
        kept = ("Handler", "Layers", "Environment")
        listed = self.client("lambda", self.accounts[name] if name else "").list_functions()["Functions"]
        return {f["FunctionName"]: {key: f[key] for key in kept if f.get(key)} for f in listed}

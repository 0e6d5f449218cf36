"""An organisation on moto: accounts that share nothing, each entered by a role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.gateways.bench import zipped

REGION = "us-east-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@dataclass
class OnMoto:
    """`accounts` are numbers by name."""

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

    def functions(self, name: str) -> dict[str, Any]:
        """How the functions of an account are configured."""
        kept = ("Handler", "Layers", "Environment")
        listed = self.client("lambda", self.accounts[name]).list_functions()["Functions"]
        return {f["FunctionName"]: {key: f[key] for key in kept if f.get(key)} for f in listed}

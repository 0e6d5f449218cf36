"""Many accounts in memory: an organisation whose members are copies of one account, each with its own number.

Each has quotas of its own, as on AWS; the account of the credentials is the management account.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace

from benchmarks.account import ACCOUNT, Account, furnished
from benchmarks.memory import UPDATE_SECONDS, MemoryAws
from benchmarks.wire import AwsError, Call, Json, Reply, Request, answered, refused

ROLE = "OrganizationAccountAccessRole"
_PAGE = 20
"""Accounts in an answer of ListAccounts (AWS Organizations API reference)."""
_KEY = "ASIA"


class Organisation:
    """Answers for the management account, and for its members by the access key that AssumeRole gave out."""

    def __init__(
        self, accounts: int, functions: int, region: str, update_seconds: float = UPDATE_SECONDS
    ) -> None:
        first = furnished(functions, region)
        self.members = [f"{200000000000 + number}" for number in range(accounts - 1)]
        self._inside = {
            number: MemoryAws(_copy(first), update_seconds) for number in (ACCOUNT, *self.members)
        }

    def answer(self, request: Request, call: Call) -> Reply:
        """The answer of the account that the call is signed for."""
        own = _OWN.get(call.name)
        number = call.key.removeprefix(_KEY)
        try:
            if own is not None and (number == ACCOUNT or call.service == "sts"):
                return answered(call, own(self, number, call.parameters))
            if number not in self._inside:
                raise AwsError("InvalidClientTokenId", "The security token is invalid.", 403)
        except AwsError as error:
            return refused(call.protocol, error)
        if number == ACCOUNT:
            return self._inside[number].answer(request, call)
        # What is in memory has the number of the account that all are copies of.
        reply = self._inside[number].answer(
            request, replace(call, parameters=_as_first(number, call.parameters))
        )
        return replace(reply, body=reply.body.replace(ACCOUNT.encode(), number.encode()))

    def organisation(self, number: str, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        found = {"Id": "o-benchmark0", "MasterAccountId": ACCOUNT, "FeatureSet": "ALL"}
        return {"Organization": found}

    def accounts(self, number: str, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        begin = int(asked.get("NextToken") or 0)
        every = (ACCOUNT, *self.members)
        page = [
            {"Id": each, "Name": f"account-{each[-4:]}", "Status": "ACTIVE"}
            for each in every[begin : begin + _PAGE]
        ]
        more = {"NextToken": str(begin + _PAGE)} if begin + _PAGE < len(every) else {}
        return {"Accounts": page, **more}

    def assume(self, number: str, asked: Mapping[str, Json]) -> Json:
        account, _, role = str(asked["RoleArn"]).split(":", 4)[4].partition(":role/")
        if number != ACCOUNT or account not in self._inside or role != ROLE:
            raise AwsError("AccessDenied", "not authorized to perform: sts:AssumeRole", 403)
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        return (
            f"<Credentials><AccessKeyId>{_KEY}{account}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>t</SessionToken><Expiration>{expires}</Expiration></Credentials>"
            f"<AssumedRoleUser><AssumedRoleId>AROA:ddsetup</AssumedRoleId><Arn>{self._arn(account)}</Arn>"
            "</AssumedRoleUser>"
        )

    def caller(self, number: str, asked: Mapping[str, Json]) -> Json:  # noqa: ARG002 - what all take
        return f"<Arn>{self._arn(number)}</Arn><UserId>AIDA</UserId><Account>{number}</Account>"

    def _arn(self, number: str) -> str:
        if number == ACCOUNT:
            return f"arn:aws:iam::{number}:user/operator"
        return f"arn:aws:sts::{number}:assumed-role/{ROLE}/ddsetup"


_OWN = {
    "organizations:DescribeOrganization": Organisation.organisation,
    "organizations:ListAccounts": Organisation.accounts,
    "sts:AssumeRole": Organisation.assume,
    "sts:GetCallerIdentity": Organisation.caller,
}


def _copy(first: Account) -> Account:
    """An account that shares with the first what nobody changes in place."""
    return replace(
        first,
        functions=dict(first.functions),
        tags={arn: dict(tags) for arn, tags in first.tags.items()},
        filters={group: dict(filters) for group, filters in first.filters.items()},
        roles={},
        policies={},
        busy_until={},
        lock=threading.Lock(),
    )


def _as_first(number: str, parameters: Mapping[str, Json]) -> Mapping[str, Json]:
    def own(value: Json) -> Json:
        if isinstance(value, str):
            return value.replace(number, ACCOUNT)
        return [own(each) for each in value] if isinstance(value, list) else value

    return {key: own(value) for key, value in parameters.items()}

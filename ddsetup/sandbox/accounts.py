"""Which accounts a sandbox has: one, or those of an organisation."""

from __future__ import annotations

from ddsetup.sandbox import aws
from ddsetup.sandbox.model import Keys, Sandbox

ORGANISATION = "organisation"
"""The scenario that makes several."""


def accounts(sandbox: Sandbox) -> tuple[str, ...]:
    """The numbers of all that are active, the sandbox's own first."""
    if ORGANISATION not in sandbox.scenarios:
        return (sandbox.account,)
    region = sandbox.regions[0]
    client = aws.client("organizations", sandbox.aws_endpoint_url, region, sandbox.root)
    pages = client.get_paginator("list_accounts").paginate()
    return tuple(each["Id"] for page in pages for each in page["Accounts"] if each["State"] == "ACTIVE")


def root(sandbox: Sandbox, account: str) -> Keys:
    """The root of one of them."""
    return Keys(account, sandbox.root.secret_access_key)

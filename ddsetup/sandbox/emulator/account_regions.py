"""`account:ListRegions` for other accounts, which the emulator answers for everybody.

Only the management account, or a delegated administrator of Account Management, may name another account, and
only where that service has trusted access; the management account may not name itself (botocore's `account`
model, `ListRegionsRequest$AccountId`). 50 regions a page.
"""

from __future__ import annotations

import json
from typing import Any

from ddsetup.sandbox.emulator import org_tree

SERVICE = "account.amazonaws.com"
_MOST = 50


def install() -> None:
    """Check and page it."""
    from ministack.services import account

    listed = account._list_regions

    def list_regions(payload: dict[str, Any]) -> Any:
        from ministack.core.responses import error_response_json, get_account_id

        named = payload.get("AccountId")
        if named and (refused := _refusal(get_account_id(), str(named))):
            return error_response_json("AccessDeniedException", refused, 403)
        status, headers, body = listed(payload)
        regions = json.loads(body)["Regions"]
        first, most = int(payload.get("NextToken") or 0), int(payload.get("MaxResults") or _MOST)
        more = {"NextToken": str(first + most)} if len(regions) > first + most else {}
        return status, headers, json.dumps({"Regions": regions[first : first + most], **more}).encode()

    account._DISPATCH["/listRegions"] = list_regions


def _refusal(caller: str, named: str) -> str:
    """Why the caller may not ask about that account; empty if it may."""
    from ministack.core.iam_evaluator import caller_arn

    organization = org_tree.of_account(caller)
    said = f"User: {caller_arn()} is not authorized to perform: account:ListRegions"
    manages = organization is not None and caller == organization.management
    if organization is None or not (manages or organization.administers(caller, SERVICE)):
        return f"{said} (The management account or a delegated administrator must be used.)"
    if SERVICE not in organization.services:
        return f"{said} (Your organization must first enable trusted access with AWS Account Management.)"
    if named not in organization.members or (manages and named == caller):
        return f"{said} (The account is not a member account of the organization.)"
    return ""

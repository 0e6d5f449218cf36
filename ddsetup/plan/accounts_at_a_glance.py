"""One account among many at a glance: what of Datadog is there, and who put it there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ddsetup.facts.functions_at_a_glance import function_rows
from ddsetup.facts.ownership import STACK_TAG
from ddsetup.model.account import Forwarder, Integration, Json, Role, Stack, Unreadable
from ddsetup.model.snapshot import AccountSnapshot, LaneSnapshot, Snapshot
from ddsetup.plan.steps.api_key import made_by_us

_OF_A_STACK_SET = re.compile(r"StackSet-(.+?)-(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-z]{12})")
"""How CloudFormation names the stack of an instance: `StackSet-NAME-UUID` (StackSets user guide)."""


def account_row(snapshot: Snapshot, account: str) -> Mapping[str, Json]:
    """The integration, its role, the Forwarders and the functions of an account, and who made them.

    `by` is "ddsetup", the StackSet or stack that has it, "by hand", or empty where there is nothing.
    """
    seen = snapshot.accounts[account]
    lanes = [snapshot.lanes[lane] for lane in sorted(snapshot.lanes) if lane.account == account]
    functions = function_rows(snapshot)
    having = sum(row.datadog in ("forwarder", "extension") for row in functions)
    unread = [f"{lane.region}: {why.reason}" for lane, why in sorted(snapshot.left_out.items())]
    return {
        **_integration(seen, lanes),
        "forwarders": [row for lane in lanes for row in _forwarders(lane, seen)],
        "functions": len(functions),
        "with_datadog": having,
        "without_datadog": len(functions) - having,
        "regions": [lane.lane.region for lane in lanes],
        "unreadable": unread,
    }


def _integration(seen: AccountSnapshot, lanes: list[LaneSnapshot]) -> Mapping[str, Json]:
    integration, role = seen.integration, seen.role
    if isinstance(integration, Unreadable):
        return {"integrated": "unreadable", "integration_role": "", "integration_by": ""}
    named = role.name if isinstance(role, Role) else ""
    if integration is None:
        return {"integrated": "no", "integration_role": named, "integration_by": ""}
    return {
        "integrated": "yes",
        "integration_role": integration.role_name or "",
        "integration_by": _whose_role(integration, role, lanes),
    }


def _whose_role(integration: Integration, role: Role | Unreadable | None, lanes: list[LaneSnapshot]) -> str:
    tags = role.tags if isinstance(role, Role) else {}
    if made_by_us(tags):
        return "ddsetup"
    stack = tags.get(STACK_TAG, "") or next(
        # The parameter of Datadog's template for organisations (main_organizations.yaml, v4.3.0).
        (s.name for s in _stacks(lanes) if s.parameters.get("IAMRoleName") == integration.role_name),
        "",
    )
    return called(stack) or "by hand"


def _forwarders(lane: LaneSnapshot, seen: AccountSnapshot) -> Iterator[Mapping[str, Json]]:
    if isinstance(lane.forwarders, Unreadable):
        return
    registered = seen.integration.lambdas if isinstance(seen.integration, Integration) else ()
    for forwarder in lane.forwarders:
        yield {
            "name": forwarder.name,
            "region": forwarder.region,
            "version": forwarder.version or "",
            "registered": forwarder.arn in registered,
            "by": _whose_forwarder(forwarder, lane),
        }


def _whose_forwarder(forwarder: Forwarder, lane: LaneSnapshot) -> str:
    stack = next((s for s in _stacks([lane]) if s.name == forwarder.stack), None)
    if stack is not None and made_by_us(stack.tags) and not _OF_A_STACK_SET.fullmatch(stack.name):
        return "ddsetup"
    return called(forwarder.stack or "") or "by hand"


def called(stack: str) -> str:
    """The StackSet that a stack is an instance of, or the stack; empty for none."""
    found = _OF_A_STACK_SET.fullmatch(stack)
    return f"StackSet {found[1]}" if found else f"stack {stack}" if stack else ""


def _stacks(lanes: list[LaneSnapshot]) -> Iterator[Stack]:
    for lane in lanes:
        if not isinstance(lane.stacks, Unreadable):
            yield from lane.stacks

"""Whether this identity may do something, by IAM's policy simulator.

A wrong "denied" would stop people who may well do it, so it is said only where the simulator cannot err: an
explicit deny, an action that knows no resources, or a resource that was named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from ddsetup.facts.permissions import PURPOSE
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Identity, Json, Lane
from ddsetup.model.errors import GatewayError

Permission: TypeAlias = Literal["allowed", "denied", "unknown"]

_BATCH = 100

WITHOUT_RESOURCES = frozenset(
    {
        "cloudwatch:GetMetricData",
        "cloudwatch:ListMetricStreams",
        "cloudwatch:ListMetrics",
        "cloudtrail:LookupEvents",
        "iam:ListAccountAliases",
        "iam:ListRoles",
        "lambda:GetAccountSettings",
        "lambda:ListFunctions",
        "logs:CreateLogDelivery",
        "logs:DeleteAccountPolicy",
        "logs:DeleteLogDelivery",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutAccountPolicy",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "states:ListStateMachines",
        "tag:GetResources",
        "tag:TagResources",
        "tag:UntagResources",
    }
)
"""Actions that only know `Resource: "*"` (AWS Service Authorization Reference)."""


def simulate(
    aws: Aws,
    identity: Identity,
    actions: Iterable[str],
    resources: Mapping[str, Sequence[str]] | None = None,
) -> Mapping[str, Permission]:
    """Each action's verdict; any failure is "unknown". Needs iam:SimulatePrincipalPolicy.

    `resources` names the ARNs on which an action must be allowed (all of them). What follows an `@` tells two
    questions about one action apart, and is not sent. The simulator knows neither
    resource policies nor the conditions of a call: where it misses a value, the verdict is "unknown".
    """
    wanted = tuple(dict.fromkeys(actions))
    named = resources or {}
    source = _principal(aws, identity)
    verdicts: dict[str, Permission] = dict.fromkeys(wanted, "unknown")
    if source is None:
        return verdicts
    for arns, group in _by_resources(wanted, named).items():
        for start in range(0, len(group), _BATCH):
            asked = {name.partition(PURPOSE)[0]: name for name in group[start : start + _BATCH]}
            found = _ask(aws, source, list(asked), arns)
            verdicts |= {asked[action]: verdict for action, verdict in found.items() if action in asked}
    return verdicts


def role_may(aws: Aws, role: str, actions: Sequence[str]) -> Permission:
    """Whether the role of that ARN is allowed all of these actions, which know no resources.

    Needs iam:SimulatePrincipalPolicy; any failure is "unknown".
    """
    verdicts = _ask(aws, role, list(actions), ())
    worst: Permission = "allowed" if set(actions) <= set(verdicts) else "unknown"
    for verdict in verdicts.values():
        worst = _worse(worst, verdict)
    return worst


def _by_resources(
    actions: Sequence[str], named: Mapping[str, Sequence[str]]
) -> Mapping[tuple[str, ...], list[str]]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for action in actions:
        groups.setdefault(tuple(named.get(action, ())), []).append(action)
    return groups


def _principal(aws: Aws, identity: Identity) -> str | None:
    """The ARN whose policies count: a session's role, which may have a path; None for root and others."""
    _, _, service, _, account, name = identity.arn.split(":", 5)
    if service == "iam" and name.startswith("user/"):
        return identity.arn
    if service != "sts" or not name.startswith("assumed-role/"):
        return None
    role = name.split("/")[1]
    try:
        return str(aws.call("iam:GetRole", Lane(account), RoleName=role)["Role"]["Arn"])
    except GatewayError:
        return f"arn:{identity.partition}:iam::{account}:role/{role}"


def _ask(aws: Aws, source: str, actions: list[str], arns: tuple[str, ...]) -> dict[str, Permission]:
    parameters: dict[str, Json] = {"PolicySourceArn": source, "ActionNames": actions}
    if arns:
        parameters["ResourceArns"] = list(arns)
    try:
        results = aws.pages(
            "iam:SimulatePrincipalPolicy",
            Lane(source.split(":")[4]),
            "EvaluationResults",
            token=("Marker", "Marker"),
            **parameters,
        )
    except GatewayError:
        return {}
    verdicts: dict[str, Permission] = {}
    for result in results:
        action = result["EvalActionName"]
        each = [entry.get("EvalResourceDecision") for entry in result.get("ResourceSpecificResults") or ()]
        for decision in each or [result.get("EvalDecision")]:
            verdict = _verdict(result, decision, named=bool(arns))
            verdicts[action] = _worse(verdicts.get(action, "allowed"), verdict)
    return verdicts


def _verdict(result: Mapping[str, Json], decision: str | None, *, named: bool) -> Permission:
    if decision == "allowed":
        return "allowed"
    if result.get("MissingContextValues"):
        return "unknown"
    certain = named or result["EvalActionName"] in WITHOUT_RESOURCES
    return "denied" if decision == "explicitDeny" or (decision == "implicitDeny" and certain) else "unknown"


def _worse(one: Permission, other: Permission) -> Permission:
    order: tuple[Permission, ...] = ("allowed", "unknown", "denied")
    return max(one, other, key=order.index)

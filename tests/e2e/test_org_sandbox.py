"""An organisation of the sandbox: a StackSet brings Forwarders, each account is set up, all goes again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from ddsetup.sandbox import faults
from ddsetup.sandbox.emulator.organizations import STACK_SETS
from ddsetup.sandbox.model import member_account
from ddsetup.sandbox.scenarios.organisation import number_of
from tests import nursery
from tests.e2e.conftest import Cli, OpenPlace, Place
from tests.e2e.world import Inside, differences
from tests.nursery import Kill

pytestmark = pytest.mark.e2e
REGION = "us-east-1"
WHERE = ("--ou", "development", "--exclude", "coffee-abandoned", "--region", REGION, "--output", "json")


@pytest.fixture(scope="module")
def organisation(open_place: OpenPlace) -> Place:
    return open_place("organisation")


def dump(place: Place, accounts: Iterable[str]) -> dict[str, Any]:
    """All that there is in accounts, and Datadog's records of all, but for what stays: log groups that hold
    logs, beside what StackSets makes for itself."""
    found: dict[str, Any] = {}
    for account in accounts:
        found[account] = Inside(place.sandbox, account).everything()
        of_region = found[account][REGION]
        of_region["filters"] = {group: held for group, held in of_region["filters"].items() if held}
    return found


def _has_forwarder(account: Inside) -> bool:
    return any("ddsetup-forwarder" in name for name in account.stacks())


def number(place: Place, name: str) -> str:
    return member_account(place.sandbox.account, number_of(name))


def root_of(place: Place, account: str, service: str) -> Any:
    """A client that may do all in an account."""
    return Inside(place.sandbox, account).client(service)


def rows(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"] or row["account"]: row for row in document["data"]["accounts"]}


def test_the_tutorial_can_be_followed(organisation: Place) -> None:
    """Its commands as they stand there, those that write without writing: what they come to is below."""
    page = (Path(__file__).parents[2] / "docs/tutorial-organisation.md").read_text("utf-8")
    followed = []
    for said in dict.fromkeys(re.findall(r"^\$ ddsetup (org .+)$", page, re.MULTILINE)):
        words = shlex.split(said)
        if words[1] == "undo" or "--remove" in words:
            continue  # there is nothing to give back
        writes = ["--dry-run"] if words[1] in ("apply", "rollout") else []
        told = page.partition(f"$ ddsetup {said}\n")[2].partition("```")[0]
        expected = {5 if "(ends with exit code 5)" in told else 0} if not writes else {0, 5}
        found = organisation.cli(*words, *writes, "--no-input")
        followed.append(words[1])
        if words[1] != "verify":
            assert found.code in expected, f"{said}\n{found.stdout}{found.stderr}"
    assert set(followed) == {"status", "plan", "apply", "rollout", "verify"}


def test_forwarders_are_rolled_out_accounts_set_up_and_nothing_is_left(organisation: Place) -> None:
    place, cli = organisation, organisation.cli
    seen = rows(cli("org", "status", *WHERE).json)
    accounts = {name: row["account"] for name, row in seen.items()}
    before = dump(place, accounts.values())

    rolled = cli("org", "rollout", "--canary", "coffee-dev", *WHERE, "--yes")
    assert rolled.code == 0, rolled.stdout
    assert {row["status"] for row in rows(rolled.json).values()} == {"done"}
    onward = "ddsetup org apply --all --ou development --exclude coffee-abandoned --region us-east-1"
    assert rolled.json["next"] == [onward], "for the same accounts"
    again = cli("org", "rollout", *WHERE, "--yes")
    assert cli("org", "rollout", *WHERE, "--failure-tolerance", "101").code == 2
    assert {row["status"] for row in rows(again.json).values()} == {"nothing to do"}

    assert cli("org", "apply", "--all", *WHERE, "--invoke").code == 2, "nobody can be asked whether"
    done = cli("org", "apply", "--all", *WHERE, "--yes", "--invoke", "--wait", "240")
    assert done.code == 0, done.stdout
    proven = {name: (row["status"], row.get("proof")) for name, row in rows(done.json).items()}
    assert proven.pop("coffee-empty") == ("done", None), "it has no functions"
    assert set(proven.values()) == {("done", "arrived")}, done.stdout
    repeated = rows(cli("org", "apply", "--all", *WHERE, "--yes").json).values()
    assert {(row["status"], row["proof"]) for row in repeated if "proof" in row} == {
        ("nothing to do", "arrived")
    }
    shown = rows(cli("org", "status", *WHERE).json)
    for name, row in shown.items():
        assert (row["integrated"], row["without_datadog"]) == ("yes", 0), name
        assert [f["registered"] for f in row["forwarders"]] == [True], name
        assert [f["by"] for f in row["forwarders"]] == ["StackSet ddsetup-forwarder"], name

    relied = cli("org", "rollout", "--remove", *WHERE, "--yes")
    assert relied.code == 2
    assert "ddsetup org undo" in relied.json["error"]["fix"]
    assert cli("org", "undo", *WHERE, "--yes").code == 0
    asked = cli("org", "rollout", "--remove", *WHERE[:-2])
    assert asked.code == 2
    assert "its stacks go" in asked.stderr, "what is to be confirmed is shown first"
    one = cli("org", "rollout", "--remove", "--account", "coffee-dev", *WHERE, "--yes")
    assert {name: row["status"] for name, row in rows(one.json).items()} == {"coffee-dev": "done"}
    having = {name for name, a in accounts.items() if _has_forwarder(Inside(place.sandbox, a))}
    assert having == set(accounts) - {"coffee-dev"}
    removed = cli("org", "rollout", "--remove", *WHERE, "--yes")
    assert removed.code == 0, removed.stdout
    assert differences(before, dump(place, accounts.values())) == []
    assert rows(cli("org", "status", *WHERE).json) == seen


def test_an_account_without_functions_is_left_alone_whatever_metrics_are_meant(organisation: Place) -> None:
    what = ("--all", "--integration-namespace", "AWS/SQS", "--account", "coffee-empty")
    planned = organisation.cli("org", "plan", *what, "--account", "coffee-dev", *WHERE)
    found = {name: row["status"] for name, row in rows(planned.json).items()}
    assert found == {"coffee-dev": "changes", "coffee-empty": "nothing is meant here"}
    assert planned.code == 0


def test_a_run_that_was_killed_is_gone_on_from_and_given_back(organisation: Place) -> None:
    place, cli = organisation, organisation.cli
    accounts = {name: row["account"] for name, row in rows(cli("org", "status", *WHERE).json).items()}
    before = dump(place, accounts.values())
    what = ("--all", "--via", "extension", *WHERE)
    apply, undo = ("org", "apply", *what, "--yes", "--no-verify"), ("org", "undo", *WHERE, "--yes")
    killed(cli, apply, once='"function"')
    assert cli(*apply).code == 0
    left = rows(cli("org", "plan", *what).json)
    assert "changes" not in {row["status"] for row in left.values()}
    killed(cli, undo, once='"org undo"')
    while (end := cli(*undo)).code == 0:
        pass
    assert "there is no run over many accounts to undo" in end.stdout
    assert differences(before, dump(place, accounts.values())) == []


def killed(cli: Cli, command: tuple[str, ...], once: str) -> None:
    """Run a command, and kill it shortly after a journal of its has this."""
    end = nursery.shared().run(command, cli.environ(), cli.home, Kill(0.1, str(cli.state_dir), once=once))
    assert end.killed, end.stdout


def _written(policy: Any) -> Any:
    """A policy of the role as IAM has it."""
    return policy if isinstance(policy, dict) else json.loads(policy)


def test_a_delegated_administrator_brings_the_role_and_works_by_it(organisation: Place) -> None:
    place, cli = organisation, organisation.cli
    mine, theirs = number(place, "coffee-kitchen"), number(place, "coffee-logistics")
    me: dict[str, Any] = {"AWS_ACCESS_KEY_ID": mine, "AWS_SECRET_ACCESS_KEY": "any"}
    where = ("--account", "coffee-logistics", "--region", REGION, "--output", "json")
    organizations = root_of(place, place.sandbox.account, "organizations")
    organizations.register_delegated_administrator(AccountId=mine, ServicePrincipal="sso.amazonaws.com")
    before = dump(place, [theirs])

    refused = cli("org", "rollout", "role", *where, "--yes", **me)
    assert refused.code == 2, "of other services it may be an administrator"
    assert f"--account-id {mine} --service-principal {STACK_SETS}" in refused.json["error"]["fix"]
    organizations.register_delegated_administrator(AccountId=mine, ServicePrincipal=STACK_SETS)
    stack_sets = root_of(place, place.sandbox.account, "cloudformation")
    stack_sets.deactivate_organizations_access()
    alone = cli("org", "rollout", "role", *where, "--yes", "--allow-trusted-access", **me)
    assert "only its management account can allow it" in alone.json["error"]["what"]
    stack_sets.activate_organizations_access()

    assert (
        rows(cli("org", "rollout", "role", *where, "--yes", **me).json)["coffee-logistics"]["status"]
        == "done"
    )
    iam = root_of(place, theirs, "iam")
    narrow = _written(iam.get_role_policy(RoleName="ddsetup", PolicyName="ddsetup")["PolicyDocument"])
    way = ("--via", "extension", "--region", REGION)
    printed = json.loads(cli("org", "policy", "--template", *way, **me).stdout)["Resources"]["Role"]
    (policy,) = printed["Properties"]["Policies"]
    assert narrow != policy["PolicyDocument"]
    changed = cli("org", "rollout", "role", *way, *where, "--yes", **me)
    assert rows(changed.json)["coffee-logistics"]["status"] == "done", changed.stdout
    written = iam.get_role_policy(RoleName="ddsetup", PolicyName="ddsetup")["PolicyDocument"]
    assert _written(written) == policy["PolicyDocument"], "what is printed is what it has"
    same = cli("org", "rollout", "role", *way, *where, "--yes", **me)
    assert rows(same.json)["coffee-logistics"]["status"] == "nothing to do"

    by = ("--member-role", "ddsetup")
    done = cli("org", "apply", "--all", "--via", "extension", *by, *where, "--yes", "--no-verify", **me)
    row = rows(done.json)["coffee-logistics"]
    assert (row["status"], row["role"]) == ("done", "ddsetup"), done.stdout
    relied = cli("org", "rollout", "role", "--remove", *where, "--yes", **me)
    assert "ddsetup org undo" in relied.json["error"]["fix"], "the role goes last"
    assert cli("org", "undo", *by, *where, "--yes", **me).code == 0
    found = stack_sets.describe_stack_set(StackSetName="ddsetup-role")["StackSet"]
    assert found["AutoDeployment"]["Enabled"] is False, "single accounts were meant"
    every = ("--region", REGION, "--output", "json", "--yes")
    assert cli("org", "rollout", "role", "--ou", "labs", *way, *every, **me).code == 0
    found = stack_sets.describe_stack_set(StackSetName="ddsetup-role")["StackSet"]
    assert found["AutoDeployment"]["Enabled"] is True
    assert cli("org", "rollout", "role", "--remove", *every, **me).code == 0
    assert dump(place, [theirs]) == before


def plain_template(place: Place) -> str:
    """The address of a template of the Forwarder that hides no parameter."""
    ours = place.sandbox.forwarder_template_url
    with urlopen(ours) as got:
        plain = got.read().decode().replace("    NoEcho: true\n", "")
    url = ours.replace("latest.yaml", "plain.yaml")
    bucket, _, path = url.removeprefix(f"{place.sandbox.aws_endpoint_url}/").partition("/")
    s3 = root_of(place, place.sandbox.account, "s3")
    s3.put_object(Bucket=bucket, Key=path, Body=plain.encode())
    return url


def by_hand(place: Place, name: str, template: str) -> str:
    """The id of a Forwarder's stack that somebody made in an account."""
    stacks = root_of(place, number(place, name), "cloudformation")
    values = {"DdApiKeySsmParameterName": "/datadog/key", "FunctionName": "datadog-forwarder"}
    made = stacks.create_stack(
        StackName="datadog-forwarder",
        TemplateURL=template,
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="datadog-forwarder", WaiterConfig={"Delay": 1})
    return str(made["StackId"])


def test_stacks_that_are_there_are_taken_in_where_aws_does_and_stay(organisation: Place) -> None:
    place, cli, url = organisation, organisation.cli, plain_template(organisation)
    templates = {"coffee-invoices": url, "coffee-orders": place.sandbox.forwarder_template_url}
    made = {name: by_hand(place, name, template) for name, template in templates.items()}
    before = {name: dump(place, [number(place, name)]) for name in made}
    root_of(place, place.sandbox.account, "cloudformation").deactivate_organizations_access()
    only = ("--account", "coffee-invoices", "--account", "coffee-orders", "--output", "json")
    key = ("--forwarder-template-url", url, "--forwarder-param", "DdApiKeySsmParameterName=/datadog/key")
    there = ("--region", REGION)

    shown = cli("org", "rollout", "--import", "--forwarder-template-url", url, *only, *there, "--dry-run")
    assert "would show the API key" in shown.json["error"]["what"]
    planned = cli("org", "rollout", "--import", *key, *only, *there, "--dry-run")
    assert "trusted access" in planned.json["data"]["remarks"][0], planned.stdout
    assert "1 of them taken in" in rows(planned.json)["coffee-invoices"]["text"]
    told = rows(planned.json)["coffee-orders"]
    assert told["status"] == "left out"
    assert "NoEcho parameters (DdApiKey)" in told["reason"]
    refused = cli("org", "rollout", "--import", *key, *only, *there, "--yes")
    assert refused.json["error"]["fix"].endswith("--allow-trusted-access")
    faults.inject(place.sandbox, faults.stack_instance_fails("ddsetup-forwarder", "no way in", times=1))
    lost = cli("org", "rollout", "--import", *key, *only, *there, "--yes", "--allow-trusted-access")
    row = rows(lost.json)["coffee-invoices"]
    assert (row["status"], row["reason"]) == ("failed", "its stack could not be taken in: no way in")
    stack_sets = root_of(place, place.sandbox.account, "cloudformation")
    assert stack_sets.list_stack_instances(StackSetName="ddsetup-forwarder")["Summaries"] == []
    assert dump(place, [number(place, "coffee-invoices")]) == before["coffee-invoices"]
    taken = cli("org", "rollout", "--import", *key, *only, *there, "--yes")
    assert rows(taken.json)["coffee-invoices"]["status"] == "done", taken.stdout
    (instance,) = stack_sets.list_stack_instances(StackSetName="ddsetup-forwarder")["Summaries"]
    assert instance["StackId"] == made["coffee-invoices"]

    removed = cli("org", "rollout", "--remove", *only, "--region", "eu-west-1", *there, "--yes")
    assert "stays" in rows(removed.json)["coffee-invoices"]["text"], "it is found from any region"
    assert {name: dump(place, [number(place, name)]) for name in before} == before
    assert not [
        s for s in stack_sets.list_stack_sets(Status="ACTIVE")["Summaries"] if "ddsetup" in s["StackSetName"]
    ]

"""The alias writer, and publishing of functions on managed instances, against moto's server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.gateways.aws.functions import list_functions
from ddsetup.model.change import Change
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.model.states import REF_VERSION, AliasState, FunctionState
from tests.gateways.bench import LANE, Bench, answer, aws, bench, change, moto_url, zipped

__all__ = ["aws", "bench", "moto_url"]


@pytest.fixture
def served(bench: Bench) -> dict[str, str]:
    """A function whose alias `live` serves its first version, while $LATEST has a variable more."""
    client = bench.client("lambda")
    trust = {"Version": "2012-10-17", "Statement": []}
    role = bench.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
    client.create_function(
        FunctionName="till",
        Runtime="python3.12",
        Role=role["Role"]["Arn"],
        Handler="app.handler",
        Code={"ZipFile": zipped()},
    )
    first = client.publish_version(FunctionName="till")["Version"]
    arn = client.create_alias(FunctionName="till", Name="live", FunctionVersion=first)["AliasArn"]
    client.update_function_configuration(FunctionName="till", Environment={"Variables": {"DD_ENV": "prod"}})
    return {"first": first, "arn": arn}


def move(served: dict[str, str], after: str = REF_VERSION, before: str = "") -> Change:
    state = AliasState(function="till", alias="live", version=before or served["first"])
    return change("alias", served["arn"], state, replace(state, version=after))


def live(bench: Bench) -> dict[str, Any]:
    alias = bench.client("lambda").get_alias(FunctionName="till", Name="live")
    return {"version": alias["FunctionVersion"]}


def test_a_version_is_published_and_served_and_given_back(bench: Bench, served: dict[str, str]) -> None:
    resolved = bench.writers()["alias"].resolve(move(served))
    assert isinstance(resolved.after, AliasState)
    assert resolved.after.version not in (REF_VERSION, served["first"])
    assert bench.one(resolved).status == "applied"
    assert live(bench) == {"version": resolved.after.version}
    assert bench.one(resolved).status == "unchanged"
    assert bench.one(resolved.inverse()).status == "applied"
    assert live(bench) == {"version": served["first"]}


def test_an_alias_that_somebody_moved_stays(bench: Bench, served: dict[str, str]) -> None:
    second = bench.client("lambda").publish_version(FunctionName="till")["Version"]
    bench.client("lambda").update_alias(FunctionName="till", Name="live", FunctionVersion=second)
    outcome = bench.one(move(served, after="77"))
    assert outcome.status == "changed_since"
    assert live(bench) == {"version": second}


def test_what_aws_refuses_leaves_the_alias_and_says_so(bench: Bench, served: dict[str, str]) -> None:
    resolved = bench.writers()["alias"].resolve(move(served))
    bench.refuse(
        "lambda:UpdateAlias", [answer(403, "AccessDeniedException", "no identity-based policy allows it")]
    )
    outcome = bench.one(resolved)
    bench.stop_refusing()
    assert outcome.status == "failed"
    assert live(bench) == {"version": served["first"]}


def test_on_managed_instances_each_write_is_published_both_ways(bench: Bench, served: dict[str, str]) -> None:
    functions = list_functions(bench.aws, LANE)
    assert isinstance(functions, tuple)
    (till,) = functions
    bench.seen = LaneSnapshot(lane=LANE, functions=functions)
    before = FunctionState(handler="app.handler", publish_to="LATEST_PUBLISHED")
    after = replace(before, env={"DD_SERVICE": "till"})
    forth = change("function", till.arn, before, after)
    published = bench.calls("lambda:PublishVersion")
    assert bench.one(forth).status == "applied"
    assert bench.calls("lambda:PublishVersion") == published + 1
    bench.seen = LaneSnapshot(lane=LANE)
    again = bench.one(forth)
    assert (again.status, again.reason) == ("applied", "published as 2"), (
        "the run before may have been killed"
    )
    assert bench.one(forth.inverse()).status == "applied"
    assert bench.calls("lambda:PublishVersion") == published + 3

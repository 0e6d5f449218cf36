"""The writer of stacks, against moto's server."""

from __future__ import annotations

import json
from dataclasses import replace

from ddsetup.model.states import StackState
from tests.gateways.bench import REGION, Bench, aws, bench, change, moto_url, there_and_back

__all__ = ["aws", "bench", "moto_url"]

TEMPLATE = {
    "Parameters": {"Name": {"Type": "String"}, "Colour": {"Type": "String", "Default": "red"}},
    "Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Ref": "Name"}}}},
    "Outputs": {"Colour": {"Value": {"Ref": "Colour"}}},
}
NEWER = {
    **TEMPLATE,
    "Parameters": {"Name": {"Type": "String"}, "Size": {"Type": "String", "Default": "1"}},
    "Outputs": {},
}


def template(bench: Bench, name: str, document: object) -> str:
    s3 = bench.client("s3")
    if not s3.list_buckets()["Buckets"]:
        s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="templates", Key=name, Body=json.dumps(document).encode())
    return f"https://s3.amazonaws.com/templates/{name}"


def stack_state(url: str, **parameters: str) -> StackState:
    return StackState(
        name="datadog-forwarder",
        template_url=url,
        version="1",
        parameters={"Name": "g", **parameters},
        tags={"created_by": "ddsetup"},
    )


def test_a_stack_is_made_and_given_back_with_its_events(bench: Bench) -> None:
    state = stack_state(template(bench, "one.json", TEMPLATE))
    there_and_back(bench, change("stack", state.name, None, state))
    said = [event.text for event in bench.events if event.kind == "stack"]
    assert any("CREATE_COMPLETE" in text for text in said)


def test_a_stack_of_that_name_is_left_alone(bench: Bench) -> None:
    url = template(bench, "one.json", TEMPLATE)
    bench.client("cloudformation").create_stack(
        StackName="datadog-forwarder",
        TemplateURL=url,
        Parameters=[{"ParameterKey": "Name", "ParameterValue": "g"}],
    )
    forward = change("stack", "datadog-forwarder", None, stack_state(url))
    assert bench.one(forward).status == "changed_since"
    assert bench.one(forward.inverse()).status == "changed_since"


def test_an_update_keeps_every_other_parameter(bench: Bench) -> None:
    made = stack_state(template(bench, "one.json", TEMPLATE), Colour="blue")
    bench.one(change("stack", made.name, None, made))
    before = StackState(name=made.name, parameters={"Name": "g"})
    forward = change("stack", made.name, before, StackState(name=made.name, parameters={"Name": "other"}))
    there_and_back(bench, forward)
    stack = bench.client("cloudformation").describe_stacks(StackName=made.name)["Stacks"][0]
    values = {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
    assert values == {"Name": "g", "Colour": "blue"}


def test_an_upgrade_drops_what_the_new_template_lost_and_comes_back(bench: Bench) -> None:
    made = stack_state(template(bench, "one.json", TEMPLATE), Colour="blue")
    newer = template(bench, "two.json", NEWER)
    bench.one(change("stack", made.name, None, made))
    before = replace(made, parameters={"Colour": "blue"}, tags={})
    after = replace(made, template_url=newer, version="2", parameters={}, tags={})
    forward = change("stack", made.name, before, after)
    assert bench.one(forward).status == "applied"
    assert bench.one(forward.inverse()).status == "applied"
    stack = bench.client("cloudformation").describe_stacks(StackName=made.name)["Stacks"][0]
    values = {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
    assert {**values, "Name": "g", "Colour": "blue"} == values


def test_a_stack_whose_parameters_moved_is_not_touched(bench: Bench) -> None:
    made = stack_state(template(bench, "one.json", TEMPLATE), Colour="blue")
    forward = change("stack", made.name, None, made)
    bench.one(forward)
    bench.one(
        change(
            "stack",
            made.name,
            StackState(name=made.name, parameters={"Colour": "blue"}),
            StackState(name=made.name, parameters={"Colour": "green"}),
        )
    )
    outcome = bench.one(forward.inverse())
    assert (outcome.status, outcome.reason) == ("changed_since", "changed since: parameter Colour")

"""What a StackSet is to bring into which accounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ddsetup.model.account import Stack, Unreadable
from ddsetup.model.answers import Answers, KeySource
from ddsetup.model.errors import UsageError
from ddsetup.model.organisation import Instance, Member
from ddsetup.plan.rollout import (
    Rollout,
    check_hidden,
    forwarder_parameters,
    is_same_template,
    is_there,
    not_importable,
    reason_to_leave_out,
    refused_access,
    stays,
)

SITE = Answers(site="datadoghq.eu", regions=("eu-west-1",))
ALL = Rollout(units=("r-1",), regions=("eu-west-1",), due=("1", "2", "3"), canary=("2",))
SHOP = Member(account="1", name="shop")


def test_the_canary_comes_first_and_then_whoever_is_not_excluded() -> None:
    (first, canary), (then, rest) = replace(ALL, excluded=("9",)).batches()
    assert (first, canary.accounts, canary.filter) == ("canary", ("2",), "INTERSECTION")
    assert (then, rest.accounts, rest.filter) == ("rest", ("9",), "DIFFERENCE")


def test_of_single_accounts_only_these_get_it() -> None:
    (_, rest) = replace(ALL, narrowed=True).batches()[1]
    assert (rest.accounts, rest.filter) == (("1", "3"), "INTERSECTION")


def test_whole_units_name_no_accounts() -> None:
    ((_, rest),) = replace(ALL, canary=()).batches()
    assert (rest.accounts, rest.filter) == ((), "NONE")


def test_a_canary_alone_is_all_there_is_to_do() -> None:
    assert [name for name, _ in replace(ALL, due=("2",)).batches()] == ["canary"]


def test_an_account_whose_stack_was_lost_gets_no_other_one() -> None:
    left = replace(ALL, canary=("1",)).without({"1", "2"})
    ((name, rest),) = left.batches()
    assert (name, rest.accounts, rest.filter) == ("rest", ("1", "2"), "DIFFERENCE")


def test_accounts_that_have_it_change_only_where_its_template_does() -> None:
    there = replace(ALL, there=("4", "5"))
    assert (there.changing, replace(there, renewed=True).changing) == (3, 5)
    assert not replace(there, due=()).changing


def test_access_that_cannot_be_had_is_told_before_anything_is_begun() -> None:
    assert refused_access("ENABLED", delegated=True) is None
    assert refused_access("DISABLED", delegated=False) is None
    told = refused_access("DISABLED", delegated=True)
    assert told
    assert "activate-organizations-access" in told[1]
    for delegated in (True, False):
        lost = refused_access("DISABLED_PERMANENTLY", delegated=delegated)
        assert lost
        assert "for good" in lost[0]


FORWARDER = Stack(name="datadog-forwarder", status="CREATE_COMPLETE", parameters={"FunctionName": "f"})


@pytest.mark.parametrize(
    ("function", "hidden", "told"),
    [
        ("f", (), ""),
        ("g", (), "its function is not g"),
        ("f", ("DdApiKey",), "NoEcho parameters (DdApiKey)"),
        ("f", Unreadable("cloudformation:GetTemplateSummary", "denied"), "denied"),
    ],
)
def test_only_stacks_that_aws_imports_are_taken_in(
    function: str, hidden: tuple[str, ...] | Unreadable, told: str
) -> None:
    found = not_importable(FORWARDER, function, hidden)
    assert told in found
    assert bool(told) is bool(found)


@pytest.mark.parametrize(
    ("stack", "expected"),
    [("StackSet-ddsetup-forwarder-1/x", False), ("datadog-forwarder/x", True), ("", True)],
)
def test_what_was_there_before_the_set_stays_when_the_set_goes(stack: str, expected: bool) -> None:
    arn = f"arn:aws:cloudformation:eu-west-1:1:stack/{stack}" if stack else ""
    instance = Instance(account="1", region="eu-west-1", detail="SUCCEEDED", stack=arn)
    assert stays(instance, "ddsetup-forwarder") is expected


def test_a_key_that_cloudformation_would_show_is_not_handed_to_it() -> None:
    unread = Unreadable("cloudformation:GetTemplateSummary", "denied")
    check_hidden(("DdApiKey",), own_template=True)
    check_hidden(unread, own_template=False)
    for hidden, own in (((), False), (("Other",), True), (unread, True)):
        with pytest.raises(UsageError, match="would show the API key"):
            check_hidden(hidden, own_template=own)


def test_a_template_is_the_same_whatever_its_spaces() -> None:
    wanted = {"TemplateBody": '{"a":1}'}
    assert is_same_template('{ "a": 1 }', wanted)
    assert not is_same_template('{"a":2}', wanted)
    assert not is_same_template("a: 1", wanted)


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"eu-west-1": "SUCCEEDED", "us-east-1": "SUCCEEDED"}, True),
        ({"eu-west-1": "SUCCEEDED"}, False),
        ({"eu-west-1": "SUCCEEDED", "us-east-1": "FAILED"}, False),
    ],
)
def test_an_account_has_it_once_each_region_does(details: dict[str, str], expected: bool) -> None:
    found = [Instance(account="1", region=region, detail=detail) for region, detail in details.items()]
    assert is_there("1", ("eu-west-1", "us-east-1"), found) is expected


def test_who_is_left_out_is_told_why() -> None:
    assert reason_to_leave_out(SHOP, ()) == ""
    assert "has a Forwarder already: f" in reason_to_leave_out(SHOP, ("f",))
    unseen = reason_to_leave_out(SHOP, (), ("eu-west-1: denied",))
    assert unseen == "whether it has a Forwarder cannot be seen in eu-west-1: denied"
    assert "has a Forwarder already: f" in reason_to_leave_out(SHOP, ("f",), ("eu-west-1: denied",))
    assert "is suspended" in reason_to_leave_out(replace(SHOP, state="SUSPENDED"), ())
    assert "management account" in reason_to_leave_out(replace(SHOP, management=True), ())


def test_the_function_has_a_fixed_name_and_the_key_goes_by_the_way_that_is_named() -> None:
    made = forwarder_parameters(SITE, "key")
    assert (made["FunctionName"], made["DdApiKey"]) == ("datadog-forwarder", "key")
    named = forwarder_parameters(replace(SITE, key_source=KeySource(kind="secret", value="arn:s")), "key")
    assert named["DdApiKeySecretArn"] == "arn:s"
    assert "DdApiKey" not in named
    parameter = forwarder_parameters(replace(SITE, key_source=KeySource(kind="ssm", value="arn:p")), "key")
    assert parameter["DdApiKeySsmParameterName"] == "arn:p"
    assert "DdApiKey" not in parameter


def test_the_key_is_not_sent_where_a_parameter_of_the_template_says_where_it_is() -> None:
    named = replace(SITE, forwarder_params={"DdApiKeySecretArn": "arn:s"})
    assert "DdApiKey" not in forwarder_parameters(named, "key")
    with pytest.raises(UsageError, match="never a stack parameter"):
        forwarder_parameters(replace(SITE, forwarder_params={"DdApiKey": "k"}), "key")


def test_a_forwarder_of_many_accounts_is_as_one_of_a_single_account_is() -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    wanted = replace(SITE, logs=False, role_path="/datadog/", role_boundary=boundary)
    made = forwarder_parameters(wanted, "key")
    assert made["DdForwardLog"] == "false"
    assert (made["IamRolePath"], made["PermissionsBoundaryArn"]) == ("/datadog/", boundary)

"""Commands to go on with: they mean what was meant by the command line before."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.cli.onward import going_on
from ddsetup.settings.given import Given, from_environment, from_flags

TYPED = from_flags(
    {
        "function": ["checkout orders", "cart"],
        "region": ["eu-west-1"],
        "profile": "shop",
        "env": "prod",
        "yes": True,
        "wait": "60",
        "api_key_stdin": True,
        "state": "s3://acme/prod",
    }
)
PLACE = "--profile shop --region eu-west-1"
CHOICE = "--function 'checkout orders' --function cart"


@pytest.mark.parametrize(
    ("command", "then"),
    [
        ("ddsetup keep apply", f"{CHOICE} {PLACE} --env prod --state s3://acme/prod"),
        ("ddsetup verify --wait 900", f"{CHOICE} {PLACE} --state s3://acme/prod"),
        (
            "ddsetup doctor --fix --only integration-exists",
            f"{CHOICE} {PLACE} --env prod --state s3://acme/prod",
        ),
        # what is named already stays as it is
        ("ddsetup verify --function pay", f"{PLACE} --state s3://acme/prod"),
        ("ddsetup verify --all", f"{PLACE} --state s3://acme/prod"),
        ("ddsetup setup --all -r us-east-1", "--profile shop --env prod --state s3://acme/prod"),
        # a run and a plan are about all that is in them
        ("ddsetup undo 20261122T101530Z-ab12", "--profile shop --state s3://acme/prod"),
        ("ddsetup apply plan.json", "--profile shop --state s3://acme/prod"),
        # nothing of it is taken there, or it is no single command of ours
        ("ddsetup version", ""),
        ("ddsetup sandbox down", ""),
        ("sam deploy", ""),
        ("aws lambda get-function --function-name pay", ""),
        ("ddsetup policy --for setup > policy.json", ""),
        ("ddsetup nonsense", ""),
    ],
)
def test_a_command_goes_on_with_what_was_typed_and_means_the_same_there(command: str, then: str) -> None:
    assert going_on(TYPED, command) == f"{command} {then}".rstrip()


def test_going_on_twice_is_going_on_once() -> None:
    once = going_on(TYPED, "ddsetup keep apply")
    assert going_on(TYPED, once) == once


def test_what_variables_gave_is_there_by_itself() -> None:
    given = from_flags({"env": "prod"}).over(from_environment({"DDSETUP_REGION": "eu-west-1"}))
    assert going_on(given, "ddsetup keep apply") == "ddsetup keep apply --env prod"
    assert going_on(Given(), "ddsetup doctor") == "ddsetup doctor"


def test_a_switch_that_was_turned_off_stays_off() -> None:
    assert going_on(from_flags({"traces": False}), "ddsetup plan") == "ddsetup plan --no-traces"


def test_how_to_go_on_names_the_accounts_that_were_meant() -> None:
    own = {
        "ou": ["/Prod"],
        "account": ("a b", "2"),
        "account_tag": ("tier=*",),
        "exclude_account": (),
        "accounts": Path("accounts.toml"),
        "member_role": ("r",),
        "canary": ("x",),
        "at_once": 3,
    }
    assert going_on(Given(), "ddsetup org apply", own) == (
        "ddsetup org apply --ou /Prod --account 'a b' --account 2 --tag 'tier=*' --accounts accounts.toml"
        " --member-role r"
    )
    assert going_on(Given(), "ddsetup org verify") == "ddsetup org verify"
    assert going_on(Given(), "ddsetup setup", own) == "ddsetup setup"
    said = "ddsetup org status --member-role ddsetup"
    assert going_on(Given(), said, {"member_role": ("r",), "ou": ["/Prod"]}) == f"{said} --ou /Prod"
    saved = "ddsetup org apply plans.jsonl"
    then = f"{saved} --account lab --profile shop --state s3://acme/prod"
    assert going_on(TYPED, saved, {"account": ("lab",)}) == then


@pytest.mark.parametrize(
    ("which", "after", "command", "carried"),
    [
        ("uninstrumented", "setup", "ddsetup verify", False),
        ("uninstrumented", "setup", "ddsetup doctor --fix", False),
        ("uninstrumented", "org apply", "ddsetup org verify", False),
        ("uninstrumented", "setup", "ddsetup setup", True),  # those that are still without
        ("uninstrumented", "doctor", "ddsetup doctor --fix", True),  # nothing was changed
        ("instrumented", "setup", "ddsetup verify", True),
        ("instrumented", "uninstrument", "ddsetup status", False),
        ("instrumented", "uninstrument", "ddsetup uninstrument", True),
    ],
)
def test_functions_are_not_chosen_by_what_the_command_before_has_changed(
    which: str, after: str, command: str, carried: bool
) -> None:
    then = going_on(from_flags({"which": which, "all": True}), command, after=after)
    assert then == " ".join([command, *([f"--which {which}"] if carried else []), "--all"])

"""Regions as they are offered: by what is in them."""

from __future__ import annotations

from ddsetup.ask.asking import scope_from
from ddsetup.ask.region_offers import FunctionsByRegion, region_offers, regions_in_use, without_functions
from ddsetup.model.account import Unreadable
from ddsetup.settings.given import from_flags
from tests.unit.ask.test_asking import ENTER, Script

OFF = Unreadable("lambda:GetAccountSettings", "region ap-east-1 is not enabled", region_off=True)
DENIED = Unreadable("lambda:GetAccountSettings", "not allowed: lambda:GetAccountSettings")
FUNCTIONS: FunctionsByRegion = {
    "af-south-1": 0,
    "ap-east-1": OFF,
    "eu-west-1": 3,
    "us-east-1": 1,
    "us-west-2": DENIED,
    "sa-east-1": 12,
}


def test_those_with_the_most_functions_come_first_and_what_is_not_enabled_cannot_be_taken() -> None:
    assert region_offers(FUNCTIONS) == [
        ("sa-east-1", "sa-east-1", "12 functions", ""),
        ("eu-west-1", "eu-west-1", "3 functions", ""),
        ("us-east-1", "us-east-1", "1 function", ""),
        ("us-west-2", "us-west-2", "? not allowed: lambda:GetAccountSettings", ""),
        ("af-south-1", "af-south-1", "-", ""),
        ("ap-east-1", "ap-east-1", "", "not enabled for this account"),
    ]
    assert regions_in_use(FUNCTIONS) == ("eu-west-1", "us-east-1", "sa-east-1")


def test_that_none_has_functions_is_said_of_what_could_be_read_only() -> None:
    assert without_functions({"eu-west-1": 0, "ap-east-1": OFF})
    others: tuple[FunctionsByRegion, ...] = ({"eu-west-1": 0, "us-west-2": DENIED}, {"ap-east-1": OFF})
    assert not any(map(without_functions, (*others, FUNCTIONS)))


def test_those_with_functions_are_marked_unless_aws_names_a_region() -> None:
    given = from_flags({"site": "datadoghq.eu"})
    asked = Script([ENTER])
    scope = scope_from(given, asked, count=lambda: FUNCTIONS)
    assert (scope.regions, asked.seen[0].kind) == (("eu-west-1", "us-east-1", "sa-east-1"), "many")
    assert scope_from(given, Script([]), default_regions=["eu-west-1"], count=dict).regions == ("eu-west-1",)

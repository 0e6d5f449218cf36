"""Organizations as the emulator answers it: botocore's shapes, moto's answers where moto has them, and
who may ask what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ddsetup.sandbox.emulator import account_regions, org_tree, organizations
from ddsetup.sandbox.model import ACCOUNT, member_account
from tests.gateways.emulated import REGION, client, code_of

STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"


@pytest.fixture(autouse=True)
def organization() -> Iterator[None]:
    org_tree.forget()
    yield
    org_tree.forget()


def of(account: str) -> Any:
    return client("organizations", account, organizations._handle)


def join(api: Any, name: str, unit: str = "") -> str:
    made = api.create_account(AccountName=name, Email=f"{name}@coffee.example")["CreateAccountStatus"]
    done = api.describe_create_account_status(CreateAccountRequestId=made["Id"])["CreateAccountStatus"]
    if unit:
        root = api.list_roots()["Roots"][0]["Id"]
        api.move_account(AccountId=done["AccountId"], SourceParentId=root, DestinationParentId=unit)
    return str(done["AccountId"])


def test_a_tree_of_units_and_accounts() -> None:
    api = of(ACCOUNT)
    assert code_of(api.list_accounts) == "AWSOrganizationsNotInUseException"
    assert api.create_organization(FeatureSet="ALL")["Organization"]["MasterAccountId"] == ACCOUNT
    root = api.list_roots()["Roots"][0]["Id"]
    outer = api.create_organizational_unit(ParentId=root, Name="outer")["OrganizationalUnit"]["Id"]
    inner = api.create_organizational_unit(ParentId=outer, Name="inner")["OrganizationalUnit"]["Id"]
    account = join(api, "orders", inner)
    assert account == member_account(ACCOUNT, 1)
    described = api.describe_account(AccountId=account)["Account"]
    organization = api.describe_organization()["Organization"]["Id"]
    assert described["Paths"] == [f"{organization}/{root}/{outer}/{inner}/{account}/"]
    assert (described["State"], described["JoinedMethod"]) == ("ACTIVE", "CREATED")
    assert [each["Id"] for each in api.list_accounts_for_parent(ParentId=inner)["Accounts"]] == [account]
    assert api.list_accounts_for_parent(ParentId=outer)["Accounts"] == []
    units = api.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    assert [each["Name"] for each in units] == ["outer"]
    assert api.list_parents(ChildId=account)["Parents"] == [{"Id": inner, "Type": "ORGANIZATIONAL_UNIT"}]
    api.tag_resource(ResourceId=account, Tags=[{"Key": "team", "Value": "front"}])
    assert api.list_tags_for_resource(ResourceId=account)["Tags"] == [{"Key": "team", "Value": "front"}]
    api.close_account(AccountId=account)
    assert api.describe_account(AccountId=account)["Account"]["State"] == "CLOSED"
    assert code_of(api.describe_account, AccountId="1" * 12) == "AccountNotFoundException"
    assert code_of(api.list_accounts_for_parent, ParentId="ou-none-00000000") == "ParentNotFoundException"


def test_twenty_a_page_and_a_page_may_be_empty_though_more_follows() -> None:
    api = of(ACCOUNT)
    api.create_organization()
    for number in range(24):
        join(api, f"account-{number}")
    pages = [page["Accounts"] for page in api.get_paginator("list_accounts").paginate()]
    assert [len(page) for page in pages] == [0, 20, 5]
    assert len({each["Id"] for page in pages for each in page}) == 25
    assert code_of(api.list_accounts, NextToken="nonsense") == "InvalidInputException"


def test_what_became_of_a_request_stays_as_it_was_told() -> None:
    api = of(ACCOUNT)
    api.create_organization()
    join(api, "orders")
    made = api.create_account(AccountName="second", Email="orders@coffee.example")["CreateAccountStatus"]
    assert (made["State"], made["FailureReason"]) == ("FAILED", "EMAIL_ALREADY_EXISTS")
    join(api, "payments")
    told = api.describe_create_account_status(CreateAccountRequestId=made["Id"])["CreateAccountStatus"]
    assert told == made


def test_members_may_not_look_around_and_delegated_administrators_may_not_write() -> None:
    api = of(ACCOUNT)
    api.create_organization()
    account = join(api, "orders")
    member = of(account)
    assert member.describe_organization()["Organization"]["MasterAccountId"] == ACCOUNT
    for look in (member.list_accounts, member.list_roots, member.list_delegated_administrators):
        assert code_of(look) == "AccessDeniedException"
    api.register_delegated_administrator(AccountId=account, ServicePrincipal=STACK_SETS)
    again = code_of(api.register_delegated_administrator, AccountId=account, ServicePrincipal=STACK_SETS)
    assert again == "AccountAlreadyRegisteredException"
    found = member.list_delegated_administrators(ServicePrincipal=STACK_SETS)["DelegatedAdministrators"]
    assert [each["Id"] for each in found] == [account]
    assert len(member.list_accounts()["Accounts"]) == 2
    assert code_of(member.close_account, AccountId=account) == "AccessDeniedException"
    assert code_of(of("9" * 12).describe_organization) == "AWSOrganizationsNotInUseException"


def test_regions_of_a_member_take_trusted_access() -> None:
    from ministack.services import account as account_service

    installed = dict(account_service._DISPATCH)
    account_regions.install()
    try:
        api, regions = of(ACCOUNT), client("account", ACCOUNT, account_service.handle_request)
        api.create_organization()
        member = join(api, "orders")
        assert code_of(regions.list_regions, AccountId=member) == "AccessDeniedException"
        api.enable_aws_service_access(ServicePrincipal=account_regions.SERVICE)
        listed = regions.list_regions(AccountId=member)["Regions"]
        assert REGION in {each["RegionName"] for each in listed}
        assert code_of(regions.list_regions, AccountId=ACCOUNT) == "AccessDeniedException"
        assert regions.list_regions(MaxResults=5)["NextToken"] == "5"
        foreign = client("account", member, account_service.handle_request)
        assert code_of(foreign.list_regions, AccountId=ACCOUNT) == "AccessDeniedException"
        assert foreign.list_regions()["Regions"]
    finally:
        account_service._DISPATCH.update(installed)


def test_moto_answers_in_the_same_words() -> None:
    from moto import mock_aws

    def walk(api: Any) -> dict[str, Any]:
        made = api.create_organization(FeatureSet="ALL")["Organization"]
        root = api.list_roots()["Roots"][0]
        unit = api.create_organizational_unit(ParentId=root["Id"], Name="outer")["OrganizationalUnit"]
        account = api.describe_account(AccountId=join(api, "orders", unit["Id"]))["Account"]
        units = api.list_organizational_units_for_parent(ParentId=root["Id"])["OrganizationalUnits"]
        return {"organization": made, "root": root, "unit": units[0], "account": account}

    with mock_aws():
        import boto3

        session = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x")
        theirs = walk(session.client("organizations", region_name=REGION))
    ours = walk(of(ACCOUNT))
    for name, answer in theirs.items():
        assert set(answer) <= set(ours[name]), name
    for field in ("Status", "State", "JoinedMethod", "Name"):
        assert theirs["account"][field] == ours["account"][field]

"""Which accounts are meant, said by options or by a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.model.organisation import Member, Which, choose
from ddsetup.settings.accounts import read_accounts

SHOP = Member(account="111111111111", name="shop", tags={"tier": "gold"})
TILL = Member(account="222222222222", name="till", tags={"tier": "silver"})
LAB = Member(account="333333333333", name="lab")


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Which(), "lab shop till"),
        (Which(accounts=("shop", "333333333333")), "lab shop"),
        (Which(accounts=("*",), exclude=("t*",)), "lab shop"),
        (Which(tags=(("tier", "*"),)), "shop till"),
        (Which(tags=(("tier", "gold"),)), "shop"),
    ],
)
def test_what_is_said_narrows_the_choice(which: Which, expected: str) -> None:
    assert [member.name for member in choose([SHOP, TILL, LAB], which)] == expected.split()


@pytest.mark.parametrize("which", [Which(accounts=("shob",)), Which(exclude=("shob",))])
def test_what_fits_no_account_is_told_with_the_nearest(which: Which) -> None:
    with pytest.raises(UsageError) as caught:
        choose([SHOP, TILL], which)
    assert "did you mean shop?" in caught.value.fix


def test_a_choice_without_accounts_is_an_error() -> None:
    with pytest.raises(UsageError, match="no account fits"):
        choose([SHOP], Which(tags=(("tier", "silver"),)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no accounts"),
        ("[[account]]\nid = 1", "12 digits"),
        ("[[account]]\nid = '111111111111'\nrol = 'x'", "did you mean role?"),
        ("[[account]]\nid = '111111111111'\nrole = 'x'\nprofile = 'y'", "only one of"),
        ("[[account]]\nid = '111111111111'\n[[account]]\nid = '111111111111'", "twice"),
        ("[[account]]\nid = '111111111111'\nregions = ['moon']", "not the name of an AWS region"),
        ("[[account]]\nid = '111111111111'\ntags = ['moon']", "must be a table"),
        ("site = 'datadoghq.eu'", "names no accounts, or more"),
        ("site = 'datadoghq.eu'\n[[account]]\nid = '111111111111'", "names no accounts, or more"),
        ("[account]\nid = '111111111111'", "names no accounts, or more"),
        ("account = []", "names no accounts, or more"),
        ("[[", "not valid TOML"),
    ],
)
def test_a_file_of_accounts_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_accounts(path)
    assert said in f"{caught.value.what} {caught.value.fix}"
    assert str(path) in caught.value.where


@pytest.mark.parametrize(
    ("name", "said"), [("none.toml", "No such file or directory"), ("", "Is a directory")]
)
def test_a_file_that_is_none_is_told_without_numbers(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_accounts(tmp_path / name)
    assert caught.value.what == f"cannot read it: {said}"


def test_a_file_says_how_each_account_is_entered(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(
        '[[account]]\nid = "111111111111"\nname = "shop"\nregions = ["eu-west-1"]\ntags = {a = "b"}'
    )
    (found,) = read_accounts(path)
    assert found == Member(account="111111111111", name="shop", regions=("eu-west-1",), tags={"a": "b"})

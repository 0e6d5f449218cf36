"""Many accounts at a glance, also where there is little room."""

from __future__ import annotations

from ddsetup.model.lines import Look, width_of
from ddsetup.show.account_blocks import result_blocks, status_blocks
from ddsetup.show.layout import plain_text

HEAD = {"state": "ACTIVE", "unit": "", "management": False, "exit_code": 0}
SHOP = {**HEAD, "account": "111111111111", "name": "shop", "status": "changes", "text": "6 to create"}
LOST = {
    **HEAD,
    "account": "222222222222",
    "name": "partner",
    "status": "not entered",
    "reason": "no role may be assumed: OrganizationAccountAccessRole, AWSControlTowerExecution",
}
DATA = {"organisation": "o-1", "accounts": [SHOP, LOST]}


def test_where_there_is_room_each_account_is_a_line() -> None:
    assert plain_text(result_blocks(DATA, Look()), Look()).splitlines()[2:] == [
        "  111111111111  shop     changes      6 to create",
        f"  222222222222  partner  not entered  {LOST['reason']}",
    ]


def test_a_long_reason_goes_on_below_itself() -> None:
    look = Look(width=80)
    assert plain_text(result_blocks(DATA, look), look).splitlines()[2:] == [
        "  111111111111  shop     changes      6 to create",
        "  222222222222  partner  not entered  no role may be assumed:",
        "                                        OrganizationAccountAccessRole,",
        "                                        AWSControlTowerExecution",
    ]


def test_where_columns_have_no_room_each_cell_that_says_something_has_a_line() -> None:
    look = Look(width=60)
    shown = plain_text(status_blocks(DATA, look), look)
    assert shown.splitlines()[1:] == [
        "  111111111111",
        "    Name        shop",
        "  222222222222",
        "    Name        partner",
        "    Remarks     no role may be assumed:",
        "                  OrganizationAccountAccessRole,",
        "                  AWSControlTowerExecution",
    ]
    assert all(width_of(text) <= look.width for text in shown.splitlines())

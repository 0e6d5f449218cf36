"""`ddsetup org`: many accounts in one run."""

from __future__ import annotations

from pathlib import Path

from ddsetup.cli.command import ASKING, CONNECT, WANTED, Command, Group
from ddsetup.cli.options import option, switch

_ROLE = option(
    "member_role",
    "ROLE",
    "The role by which accounts are entered, a name; repeatable. After it, as without it: "
    "OrganizationAccountAccessRole, AWSControlTowerExecution.",
    many=True,
)
_WHICH = (
    option(
        "ou",
        "UNIT",
        "Accounts of this organisational unit and below: id, name or path; repeatable.",
        many=True,
    ),
    option("account", "ACCOUNT", "Only this account: number, name or glob of names; repeatable.", many=True),
    option(
        "account_tag",
        "KEY=VALUE",
        "Only accounts with this tag in AWS Organizations; repeatable, all must fit.",
        flag="--tag",
        many=True,
    ),
    option(
        "exclude_account",
        "ACCOUNT",
        "Leave these accounts out: numbers, names or globs of names; repeatable.",
        flag="--exclude",
        many=True,
    ),
    option("accounts", "FILE", "Take the accounts from this file instead of AWS Organizations.", kind=Path),
    _ROLE,
    option("at_once", "N", "How many accounts are worked on side by side. Default: 16.", kind=int),
)

ORG = Group(
    name="org",
    summary="Many accounts in one run: an organisation's, or those of a file.",
    help="Many accounts in one run, each with the flow, the journal and the proof of one. --tag and "
    "--exclude choose accounts here. What goes wrong in one account is a line, not the end.",
    commands=(
        Command(
            name="status",
            module="ddsetup.cli.org.status",
            summary="Which accounts there are, and what of Datadog is in each.",
            help="One row an account: whether Datadog has it, by which role, a Forwarder in which regions "
            "and whether it is registered, how many functions have Datadog, and who set it up.",
            examples=(
                "ddsetup org status",
                "ddsetup org status --ou Production --exclude sandbox-*",
                "ddsetup org status --accounts accounts.toml -o json",
            ),
            keys=("region", *CONNECT, "role_name", *ASKING, "html"),
            extras=_WHICH,
        ),
        Command(
            name="policy",
            module="ddsetup.cli.org.policy",
            summary="The rights of whoever runs it, and the role for each account.",
            help="The least IAM policy for whoever works on many accounts: to read the organisation, to "
            "enter its accounts, and the rights in the own one. With --template: a CloudFormation template "
            "of the role `ddsetup`, which has exactly the rights that it takes in each account.",
            examples=(
                "ddsetup org policy --region eu-west-1 > policy.json",
                "ddsetup org policy --region eu-west-1 --template > role.json",
            ),
            keys=(*WANTED, *ASKING),
            extras=(
                _ROLE,
                switch("template", "Print the template of the role `ddsetup` for each account."),
                option(
                    "trust", "ARN", "Who may assume that role. Default: the account of these credentials."
                ),
            ),
        ),
    ),
)

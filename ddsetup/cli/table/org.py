"""`ddsetup org`: many accounts in one run."""

from __future__ import annotations

from pathlib import Path

from ddsetup.cli.command import ASKING, CONNECT, WANTED, WRITING, Command, Group, keys
from ddsetup.cli.options import Extra, option, switch

LOSE_FAILED_EVENTS = switch(
    "delete_failed_events", "Delete the Forwarder's bucket also while it holds what Datadog did not take yet."
)
_ROLE = option(
    "member_role",
    "ROLE",
    "The role by which accounts are entered, a name; repeatable. After it, as without it: "
    "OrganizationAccountAccessRole, AWSControlTowerExecution.",
    many=True,
)
_ACCOUNTS = (
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
)
ACCOUNTS = frozenset(each.name for each in _ACCOUNTS)
"""The options that say which accounts are meant, and how they are entered."""
_WHICH = (
    *_ACCOUNTS,
    option("at_once", "N", "How many accounts are worked on side by side. Default: 32.", kind=int),
)

_FUNCTIONS = tuple(key for key in keys("Which functions") if key not in ("tag", "exclude"))
_WANTED = tuple(key for key in WANTED if key not in ("tag", "exclude"))
"""Accounts are chosen by --tag and --exclude here; those of functions can be in the file."""

FORWARDER = (
    *("api_key_ssm", "forwarder_stack", "forwarder_name", "forwarder_version", "forwarder_param"),
    "forwarder_template_url",
)
"""The options that a rollout of Forwarders heeds; that of a role heeds all that its rights depend on."""

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
            name="plan",
            module="ddsetup.cli.org.plan",
            summary="Show what would change in each account, and change nothing.",
            examples=(
                "ddsetup org plan --all",
                "ddsetup org plan --ou Production --all --out plans.jsonl",
            ),
            keys=(*_WANTED, *WRITING, "html"),
            extras=(
                option(
                    "out", "FILE", "Save the plans, a line an account, for `ddsetup org apply`.", kind=Path
                ),
                switch("detailed_exitcode", "End with 3 if there are changes."),
                *_WHICH,
            ),
        ),
        Command(
            name="apply",
            module="ddsetup.cli.org.apply",
            summary="Plan each account, carry all of it out once it is confirmed, and prove it.",
            help="Plan each account, or take the plans of FILE; show them, and carry them out side by side "
            "once that is confirmed, each account under its lock and in its journal; then prove that its "
            "data arrives. Run again after an interruption, it goes on with what is left.",
            examples=(
                "ddsetup org apply --all --account lab --yes",
                "ddsetup org apply plans.jsonl --yes",
            ),
            keys=(*_WANTED, *keys("Proof"), *WRITING, "html"),
            extras=(
                Extra(name="file", kind=Path, metavar="[FILE]", help="What `org plan --out` wrote."),
                *_WHICH,
            ),
        ),
        Command(
            name="verify",
            module="ddsetup.cli.org.verify",
            summary="Prove, account by account, that data arrived in Datadog.",
            examples=("ddsetup org verify --wait 15m", "ddsetup org verify --ou Production -o json"),
            keys=(
                *_FUNCTIONS,
                *("region", *CONNECT, "via", "logs", "traces", "enhanced_metrics"),
                *keys("Proof"),
                "yes",
                *ASKING,
                "html",
            ),
            extras=_WHICH,
        ),
        Command(
            name="undo",
            module="ddsetup.cli.org.undo",
            summary="Give back what a run over many accounts changed.",
            help="Give back, in each account, exactly what a run over many accounts changed there, from the "
            "journals of its accounts: never an integration that was there before. Without RUN: the newest "
            "that still has effects.",
            examples=("ddsetup org undo", "ddsetup org undo --account lab --yes"),
            keys=("region", *CONNECT, *WRITING, "html"),
            extras=(
                Extra(name="run", metavar="[RUN]", help="The run to give back, as org apply told it."),
                switch(
                    "keep_shared", "Leave what others rely on, such as the Forwarder; give back the rest."
                ),
                LOSE_FAILED_EVENTS,
                *_WHICH,
            ),
        ),
        Command(
            name="rollout",
            module="ddsetup.cli.org.rollout",
            summary="Bring the Forwarder, or a role, into all accounts by a StackSet.",
            help="Have CloudFormation bring the Forwarder into the accounts of an organisation, and into "
            "those that join it later: by a StackSet with service-managed permissions, a canary first. "
            "Accounts that have a Forwarder are left out. With role: the role `ddsetup`, by which accounts "
            "are entered, with the rights that `org policy --template` prints for the same options. `org "
            "apply` then registers the Forwarders, and does the rest.",
            examples=(
                "ddsetup org rollout --ou Production --canary lab",
                "ddsetup org rollout role",
                "ddsetup org rollout --remove",
            ),
            keys=(*_WANTED, *WRITING, "html"),
            extras=(
                Extra(name="what", metavar="[forwarder|role]", help="What to bring. Default: forwarder."),
                option("canary", "ACCOUNT", "This account first, by number or name; repeatable.", many=True),
                option(
                    "failure_tolerance",
                    "PERCENT",
                    "In how many of the accounts of a region a stack may fail before no further ones are "
                    "begun. Default: 10.",
                    kind=int,
                ),
                switch(
                    "take_over",
                    "Take stacks of Forwarders that are there into the StackSet.",
                    flag="--import",
                ),
                switch(
                    "allow_trusted_access",
                    "Let StackSets work in the organisation if they may not yet, also with --yes.",
                ),
                switch("remove", "Delete the stacks again, and the StackSet with the last of them."),
                LOSE_FAILED_EVENTS,
                *_WHICH,
            ),
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

"""The commands of the main job, with their options: from setup to policy."""

from __future__ import annotations

from pathlib import Path

from ddsetup.cli.command import ASKING, CONNECT, WANTED, WRITING, Command, keys
from ddsetup.cli.options import Extra, option, switch
from ddsetup.cli.table.doctor import DOCTOR
from ddsetup.cli.table.org import LOSE_FAILED_EVENTS
from ddsetup.cli.table.sandbox import SCENARIO
from ddsetup.cli.table.source import IAC
from ddsetup.facts.kinds import CHOSEN

COMMANDS: tuple[Command, ...] = (
    Command(
        name="setup",
        module="ddsetup.cli.setup",
        summary="Set up monitoring, from the AWS account to proven data.",
        help="Look at what is there, ask what is open, show the plan, carry it out once it is confirmed, and "
        "prove that data arrives in Datadog. Running it again changes only what is not yet as wanted.",
        examples=(
            "ddsetup setup",
            "ddsetup setup --site datadoghq.eu --region eu-west-1 --tag team=shop --env prod --yes",
            "ddsetup setup --sandbox",
        ),
        keys=(*WANTED, *keys("Proof"), *WRITING, "cost", "price", "html"),
        extras=(
            switch(
                "sandbox",
                "Try it on an AWS account and a Datadog of its own on this machine, gone afterwards.",
            ),
            SCENARIO,
        ),
    ),
    Command(
        name="plan",
        module="ddsetup.cli.plan",
        summary="Show what setup would change, and change nothing.",
        examples=("ddsetup plan --all", "ddsetup plan --function 'checkout-*' --out plan.json"),
        keys=(*WANTED, *WRITING, "cost", "price", "html"),
        extras=(
            option("out", "FILE", "Save the plan for `ddsetup apply`.", kind=Path),
            switch("detailed_exitcode", "End with 3 if there are changes."),
        ),
    ),
    Command(
        name="apply",
        module="ddsetup.cli.apply",
        summary="Carry out a saved plan, unless things have moved on.",
        examples=("ddsetup apply plan.json --yes",),
        keys=(*CONNECT, *keys("Proof"), *WRITING),
        extras=(
            Extra(name="file", kind=Path, required=True, metavar="FILE", help="What `plan --out` wrote."),
        ),
    ),
    Command(
        name="verify",
        module="ddsetup.cli.verify",
        summary="Prove, for every function and signal, that data arrived in Datadog.",
        examples=(
            "ddsetup verify --all --wait 600",
            "ddsetup verify --function checkout --invoke",
            "ddsetup verify --state-machine all --api-stage shop/prod --integration-namespace sqs",
        ),
        keys=(
            *keys("Which functions", "Where", "Proof"),
            *CONNECT,
            *("via", "logs", "traces", "enhanced_metrics", "log_source", "yes"),
            *(*CHOSEN, "integration_namespace"),
            *ASKING,
            "html",
        ),
    ),
    Command(
        name="doctor",
        module="ddsetup.cli.doctor",
        summary="Find what is wrong, why, and what to do about it.",
        help="Check everything between a function and its data in Datadog. The cause comes first, what "
        "follows from it under it. Ends with 1 if there is an error. With --function: the whole path of that "
        "function's data, link by link. Nothing is changed but by --fix, which shows its plan and asks.",
        examples=(
            "ddsetup doctor",
            "ddsetup doctor --function checkout",
            "ddsetup doctor --fix",
            "ddsetup doctor --all --fail-on warning --junit doctor.xml",
        ),
        keys=(*(key for key in WANTED if key not in ("logs", "traces", "metrics")), *WRITING, "html"),
        extras=DOCTOR,
    ),
    Command(
        name="status",
        module="ddsetup.cli.status",
        summary="The account at a glance: integration, Forwarders, functions.",
        examples=("ddsetup status --region eu-west-1 -o json",),
        keys=(*keys("Which functions", "Where"), *CONNECT, "role_name", *ASKING, "html"),
    ),
    Command(
        name="undo",
        module="ddsetup.cli.undo",
        summary="Give back what a run changed.",
        help="Give back exactly what a run changed, from its journal. Without RUN: the last one of this "
        "account that still has effects.",
        examples=("ddsetup undo", "ddsetup undo --list", "ddsetup undo --function checkout"),
        keys=("function", *CONNECT, *WRITING),
        extras=(
            Extra(name="run", metavar="[RUN]", help="The run to give back."),
            switch("list", "Show the runs, and change nothing."),
            switch("with_later", "Give back first, too, the later runs that rely on what this one made."),
            switch("keep_shared", "Leave what others rely on, such as the Forwarder; give back the rest."),
            LOSE_FAILED_EVENTS,
        ),
    ),
    Command(
        name="uninstrument",
        module="ddsetup.cli.uninstrument",
        summary="Take Datadog out of functions, whoever put it there.",
        examples=("ddsetup uninstrument --function checkout",),
        keys=(*keys("Which functions", "Where"), *CONNECT, "owned", *WRITING),
    ),
    Command(
        name="teardown",
        module="ddsetup.cli.teardown",
        summary="Take down everything of Datadog's that setup makes.",
        help="Planned from the account, not from a journal: functions, filters, log collection, the "
        "Forwarder with its bucket and log group, the secret, Datadog's record of the account and its role, "
        "in the order in which they can go. What ddsetup did not make is named and left. It is journalled: "
        "undo gives it back.",
        examples=(
            "ddsetup teardown --region eu-west-1 --dry-run",
            "ddsetup teardown --keep integration --yes",
        ),
        keys=(*keys("Where"), *CONNECT, "role_name", "owned", *WRITING),
        extras=(
            option(
                "keep",
                "PART",
                "Leave a part, with what it stands on: functions, filters, policies, collection, "
                "forwarder, secret, integration or role; repeatable.",
                many=True,
            ),
            LOSE_FAILED_EVENTS,
        ),
    ),
    Command(
        name="policy",
        module="ddsetup.cli.policy",
        summary="The least IAM policy for what you are about to do.",
        examples=("ddsetup policy --region eu-west-1 > policy.json",),
        keys=(*WANTED, *ASKING),
        extras=(
            option(
                "for_command",
                "COMMAND",
                "Which commands it is for; repeatable. Default: setup, verify, undo.",
                flag="--for",
                many=True,
            ),
        ),
    ),
    IAC,
    Command(
        name="config",
        module="ddsetup.cli.config",
        summary="Each setting's value, and where it comes from.",
        help="Show what applies here: each setting that a variable or ddsetup.toml gives, with the place "
        "that gives it, and those that have a default. Nobody is asked, and nothing is called. With "
        "--verbose also those that nothing gives.",
        examples=("ddsetup config", "ddsetup config --config prod.toml", "ddsetup config -o json"),
        keys=("profile", *ASKING),
    ),
)

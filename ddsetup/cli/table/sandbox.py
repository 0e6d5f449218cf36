"""The commands for the account and the Datadog on this machine."""

from __future__ import annotations

from pathlib import Path

from ddsetup.cli.command import SHOWN, Command, Group
from ddsetup.cli.options import Extra, option, switch

SCENARIO = option(
    "scenario",
    "NAME",
    "What the account looks like (see `ddsetup sandbox scenarios`); several with commas, or repeated.",
    many=True,
)

_NAMED = Extra(
    name="sandbox_name",
    metavar="[NAME]",
    help="The sandbox that is meant, where several are running and the variables of none are set.",
)

SANDBOX = Group(
    name="sandbox",
    summary="Try it all on this machine, without any account.",
    help="An AWS account and a Datadog to try it all on, on this machine.",
    commands=(
        Command(
            name="up",
            module="ddsetup.cli.sandbox.up",
            summary="Start a sandbox, until Ctrl-C or `down`.",
            examples=(
                "ddsetup sandbox up --detach --name shop",
                'eval "$(ddsetup sandbox env)" && ddsetup setup',
            ),
            keys=("region", *SHOWN),
            extras=(
                SCENARIO,
                option("name", "NAME", "What to call it. Default: sandbox, sandbox-2, ..."),
                switch("detach", "Leave it running and return."),
                option(
                    "functions", "N", "How many functions the scenario `many` has.", flag="--many", kind=int
                ),
                option("time_scale", "X", "How much faster than Datadog the stand-in works.", kind=float),
                option(
                    "forwarder_zip",
                    "FILE",
                    "Run this official Forwarder release instead of the sandbox's own.",
                    kind=Path,
                ),
            ),
        ),
        Command(
            name="down",
            module="ddsetup.cli.sandbox.down",
            summary="Stop a detached sandbox.",
            keys=SHOWN,
            extras=(
                _NAMED,
                switch("every", "Stop all that are detached.", flag="--all"),
            ),
        ),
        Command(
            name="status",
            module="ddsetup.cli.sandbox.status",
            summary="Show the sandboxes that run.",
            keys=SHOWN,
        ),
        Command(
            name="env",
            module="ddsetup.cli.sandbox.env",
            summary="The variables by which any tool uses the sandbox.",
            keys=SHOWN,
            extras=(_NAMED,),
        ),
        Command(
            name="traffic",
            module="ddsetup.cli.sandbox.traffic",
            summary="Invoke the sample functions.",
            keys=SHOWN,
            extras=(
                _NAMED,
                option("functions", "NAME", "Only this function; repeatable.", flag="--function", many=True),
                option("times", "N", "How often. Default: 1.", kind=int),
            ),
        ),
        Command(
            name="deploy",
            module="ddsetup.cli.sandbox.deploy",
            summary="Deploy functions as a pipeline does that knows nothing of Datadog.",
            help="A function that is there gets back the layers, handler and variables that it has without "
            "Datadog; one that is not is made. For trying `ddsetup keep`.",
            examples=("ddsetup sandbox deploy --function coffee-orders --function coffee-new",),
            keys=SHOWN,
            extras=(
                _NAMED,
                option("functions", "NAME", "This function; repeatable.", flag="--function", many=True),
            ),
        ),
        Command(
            name="account",
            module="ddsetup.cli.sandbox.account",
            summary="Change an account of the organisation, or make it.",
            help="An account that joins a unit gets the stacks of StackSets that deploy automatically. One "
            "that refuses lets neither the management account nor StackSets in. For trying `ddsetup org` "
            "in a sandbox of the scenario `organisation`.",
            examples=(
                "ddsetup sandbox account --account coffee-new --ou development",
                "ddsetup sandbox account --account coffee-staging --refuses",
            ),
            keys=SHOWN,
            extras=(
                _NAMED,
                option(
                    "member",
                    "NAME",
                    "The account; it is made if there is none of that name.",
                    flag="--account",
                ),
                option("unit", "NAME", "The unit that it is moved into.", flag="--ou"),
                switch("refuses", "Its roles trust nobody any more."),
                switch("admits", "Its roles trust the management account again."),
            ),
        ),
        Command(
            name="scenarios",
            module="ddsetup.cli.sandbox.scenarios",
            summary="List the states that a sandbox can start in.",
            keys=SHOWN,
        ),
    ),
)

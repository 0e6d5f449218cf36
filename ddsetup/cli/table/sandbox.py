"""The commands for the account and the Datadog on this machine."""

from __future__ import annotations

from pathlib import Path

from ddsetup.cli.command import SHOWN, Command, Group
from ddsetup.cli.options import Extra

SCENARIO = Extra(
    name="scenario",
    flags=("--scenario",),
    many=True,
    metavar="NAME",
    help="What the account looks like (see `ddsetup sandbox scenarios`); repeatable.",
)

_NAMED = Extra(
    name="sandbox_name", metavar="[NAME]", help="The sandbox that is meant, where several are running."
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
                Extra(
                    name="name",
                    flags=("--name",),
                    metavar="NAME",
                    help="What to call it. Default: sandbox, sandbox-2, ...",
                ),
                Extra(name="detach", flags=("--detach",), kind=bool, help="Leave it running and return."),
                Extra(
                    name="functions",
                    flags=("--many",),
                    kind=int,
                    metavar="N",
                    help="How many functions the scenario `many` has.",
                ),
                Extra(
                    name="time_scale",
                    flags=("--time-scale",),
                    kind=float,
                    metavar="X",
                    help="How much faster than Datadog the stand-in works.",
                ),
                Extra(
                    name="forwarder_zip",
                    flags=("--forwarder-zip",),
                    kind=Path,
                    metavar="FILE",
                    help="Run this official Forwarder release instead of the sandbox's own.",
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
                Extra(name="every", flags=("--all",), kind=bool, help="Stop all that are detached."),
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
                Extra(
                    name="functions",
                    flags=("--function",),
                    many=True,
                    metavar="NAME",
                    help="Only this function; repeatable.",
                ),
                Extra(name="times", flags=("--times",), kind=int, metavar="N", help="How often. Default: 1."),
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

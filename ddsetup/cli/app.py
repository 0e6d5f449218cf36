"""The commands, with their options, in one table; and how a command line becomes a run of one of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from ddsetup._version import __version__
from ddsetup.cli.command import ASKING as _ASKING
from ddsetup.cli.command import CONNECT as _CONNECT
from ddsetup.cli.command import SHOWN as _SHOWN
from ddsetup.cli.command import WANTED as _WANTED
from ddsetup.cli.command import WRITING as _WRITING
from ddsetup.cli.command import Command
from ddsetup.cli.command import keys as _keys
from ddsetup.cli.groups import GROUPS
from ddsetup.cli.options import Extra, GroupedCommand, Values, with_parameters
from ddsetup.cli.source_commands import IAC

_SCENARIO = Extra(
    name="scenario",
    flags=("--scenario",),
    many=True,
    metavar="NAME",
    help="What the account looks like (see `ddsetup sandbox scenarios`); repeatable.",
)

_DOCTOR = (
    Extra(
        name="fix",
        flags=("--fix",),
        kind=bool,
        help="Mend what can be mended, once the plan is confirmed, and check again (undo: `ddsetup undo`).",
    ),
    Extra(
        name="only",
        flags=("--only",),
        many=True,
        metavar="CHECK",
        help="Only this check or group; repeatable.",
    ),
    Extra(
        name="skip",
        flags=("--skip",),
        many=True,
        metavar="CHECK",
        help="Not this check or group; repeatable.",
    ),
    Extra(
        name="severity",
        flags=("--severity",),
        metavar="LEVEL",
        help="Show findings from this level on: error, warning or info.",
    ),
    Extra(
        name="fail_on",
        flags=("--fail-on",),
        metavar="LEVEL",
        help="End with 1 from this level on: error (default), warning or info.",
    ),
    Extra(
        name="narrow_logs", flags=("--logs",), kind=bool, help="With --function: only the way of its logs."
    ),
    Extra(
        name="narrow_metrics",
        flags=("--metrics",),
        kind=bool,
        help="With --function: only the way of its metrics.",
    ),
    Extra(
        name="narrow_traces",
        flags=("--traces",),
        kind=bool,
        help="With --function: only the way of its traces.",
    ),
    Extra(
        name="deep",
        flags=("--deep",),
        kind=bool,
        help="Look at every log group, role and log, also where data arrives; slow for many functions.",
    ),
    Extra(
        name="probe",
        flags=("--probe",),
        kind=bool,
        help="Send one log event through the Forwarder and wait for it in Datadog (asks first).",
    ),
    Extra(
        name="doctor_wait",
        flags=("--wait",),
        metavar="TIME",
        help="Look again until all is well or this time is over, e.g. 10m.",
    ),
    Extra(name="junit", flags=("--junit",), metavar="FILE", help="Write the checks as JUnit XML."),
    Extra(name="sarif", flags=("--sarif",), metavar="FILE", help="Write the findings as SARIF."),
    Extra(
        name="bundle",
        flags=("--bundle",),
        metavar="FILE",
        help="Write a zip for support, without anything secret (shows its contents and asks first).",
    ),
    Extra(name="list", flags=("--list",), kind=bool, help="List the checks, and look at nothing."),
    Extra(
        name="explain",
        flags=("--explain",),
        many=True,
        metavar="CHECK",
        help="Explain a check, and look at nothing; repeatable.",
    ),
)

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
        keys=(*_WANTED, *_keys("Proof"), *_WRITING),
        extras=(
            Extra(
                name="sandbox",
                flags=("--sandbox",),
                kind=bool,
                help="Try it on an AWS account and a Datadog of its own on this machine, gone afterwards.",
            ),
            _SCENARIO,
        ),
    ),
    Command(
        name="plan",
        module="ddsetup.cli.plan",
        summary="Show what setup would change, and change nothing.",
        examples=("ddsetup plan --all", "ddsetup plan --function 'checkout-*' --out plan.json"),
        keys=(*_WANTED, *_ASKING),
        extras=(
            Extra(
                name="out",
                flags=("--out",),
                kind=Path,
                metavar="FILE",
                help="Save the plan for `ddsetup apply`.",
            ),
            Extra(
                name="detailed_exitcode",
                flags=("--detailed-exitcode",),
                kind=bool,
                help="End with 3 if there are changes.",
            ),
        ),
    ),
    Command(
        name="apply",
        module="ddsetup.cli.apply",
        summary="Carry out a saved plan, unless things have moved on.",
        examples=("ddsetup apply plan.json --yes",),
        keys=(*_CONNECT, *_keys("Proof"), *_WRITING),
        extras=(
            Extra(name="file", kind=Path, required=True, metavar="FILE", help="What `plan --out` wrote."),
        ),
    ),
    Command(
        name="verify",
        module="ddsetup.cli.verify",
        summary="Prove, for every function and signal, that data arrived in Datadog.",
        examples=("ddsetup verify --all --wait 600", "ddsetup verify --function checkout --invoke"),
        keys=(
            *_keys("Which functions", "Where", "Proof"),
            *_CONNECT,
            *("via", "logs", "traces", "enhanced_metrics", "log_source", "yes"),
            *_ASKING,
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
        keys=(*(key for key in _WANTED if key not in ("logs", "traces")), *_WRITING),
        extras=_DOCTOR,
    ),
    Command(
        name="status",
        module="ddsetup.cli.status",
        summary="The account at a glance: integration, Forwarders, functions.",
        examples=("ddsetup status --region eu-west-1 -o json",),
        keys=(*_keys("Which functions", "Where"), *_CONNECT, "role_name", *_ASKING),
    ),
    Command(
        name="undo",
        module="ddsetup.cli.undo",
        summary="Give back what a run changed.",
        help="Give back exactly what a run changed, from its journal. Without RUN: the last one of this "
        "account that still has effects.",
        examples=("ddsetup undo", "ddsetup undo --list"),
        keys=(*_CONNECT, *_WRITING),
        extras=(
            Extra(name="run", metavar="[RUN]", help="The run to give back."),
            Extra(name="list", flags=("--list",), kind=bool, help="Show the runs, and change nothing."),
        ),
    ),
    Command(
        name="uninstrument",
        module="ddsetup.cli.uninstrument",
        summary="Take Datadog out of functions, whoever put it there.",
        examples=("ddsetup uninstrument --function checkout",),
        keys=(*_keys("Which functions", "Where"), *_CONNECT, "owned", *_WRITING),
    ),
    Command(
        name="policy",
        module="ddsetup.cli.policy",
        summary="The least IAM policy for what you are about to do.",
        examples=("ddsetup policy --region eu-west-1 > policy.json",),
        keys=(*_WANTED, *_ASKING),
        extras=(
            Extra(
                name="for_command",
                flags=("--for",),
                many=True,
                metavar="COMMAND",
                help="Which commands it is for; repeatable. Default: setup, verify, undo.",
            ),
        ),
    ),
    IAC,
)

SANDBOX_COMMANDS: tuple[Command, ...] = (
    Command(
        name="up",
        module="ddsetup.cli.sandbox_up",
        summary="Start a sandbox, until Ctrl-C or `down`.",
        examples=("ddsetup sandbox up --detach", 'eval "$(ddsetup sandbox env)" && ddsetup setup'),
        keys=("region", *_SHOWN),
        extras=(
            _SCENARIO,
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
    Command(name="down", module="ddsetup.cli.sandbox_down", summary="Stop detached sandboxes.", keys=_SHOWN),
    Command(
        name="status",
        module="ddsetup.cli.sandbox_status",
        summary="Show the sandboxes that run.",
        keys=_SHOWN,
    ),
    Command(
        name="env",
        module="ddsetup.cli.sandbox_env",
        summary="The variables by which any tool uses the sandbox.",
        keys=_SHOWN,
    ),
    Command(
        name="traffic",
        module="ddsetup.cli.sandbox_traffic",
        summary="Invoke the sample functions.",
        keys=_SHOWN,
        extras=(
            Extra(name="names", many=True, metavar="[NAME]...", help="Only these functions."),
            Extra(name="times", flags=("--times",), kind=int, metavar="N", help="How often. Default: 1."),
        ),
    ),
    Command(
        name="scenarios",
        module="ddsetup.cli.sandbox_scenarios",
        summary="List the states that a sandbox can start in.",
        keys=_SHOWN,
    ),
)

_EPILOG = """\b
Examples:
  ddsetup setup --sandbox       try it all without any account
  ddsetup                       set up for real, step by step
  ddsetup plan --all            see first, change nothing
  ddsetup undo                  give back what the last run changed

\b
Every option is also a variable (--role-arn: DDSETUP_ROLE_ARN) and, mostly, a line of
ddsetup.toml (role_arn = "..."). Keys are never options: set DD_API_KEY and DD_APP_KEY,
name secrets that hold them, or be asked.
"""

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def build(named: Collection[str] | None = None) -> typer.Typer:
    """The command line with all its commands; with the options of those only whose name is in `named`, if it
    is given: hundreds of options take longer to make than all the rest.
    """
    app = typer.Typer(
        name="ddsetup",
        help="From an AWS account to proven Datadog monitoring of its Lambda functions.",
        epilog=_EPILOG,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_SETTINGS,
        add_completion=True,
    )
    app.callback()(_root)
    for command in COMMANDS:
        _add(app, command, command.name, named)
    sandbox = typer.Typer(
        name="sandbox",
        help="An AWS account and a Datadog to try it all on, on this machine.",
        rich_markup_mode=None,
        context_settings=_SETTINGS,
        no_args_is_help=True,
    )
    for command in SANDBOX_COMMANDS:
        _add(sandbox, command, f"sandbox {command.name}", named)
    app.add_typer(sandbox, short_help="Try it all on this machine, without any account.")
    for group in GROUPS:
        part = typer.Typer(
            name=group.name,
            help=group.help,
            rich_markup_mode=None,
            context_settings=_SETTINGS,
            no_args_is_help=True,
        )
        for command in group.commands:
            _add(part, command, f"{group.name} {command.name}", named)
        app.add_typer(part, short_help=group.summary)
    return app


def _root(
    version: bool | None = typer.Option(
        None, "--version", "-V", help="Show the version.", show_default=False
    ),
) -> None:
    if version:
        typer.echo(f"ddsetup {__version__}")
        raise typer.Exit


def _add(app: typer.Typer, command: Command, title: str, named: Collection[str] | None) -> None:
    whole = named is None or command.name in named
    examples = "\n".join(f"  {example}" for example in command.examples)
    app.command(
        command.name,
        cls=GroupedCommand,
        help=command.help or command.summary,
        short_help=command.summary,
        epilog=f"\b\nExamples:\n{examples}" if examples else None,
        context_settings=_SETTINGS,
    )(
        with_parameters(
            _runner(command, title), command.keys if whole else (), command.extras if whole else ()
        )
    )


def _runner(command: Command, title: str) -> Callable[[Values], None]:
    def run_it(values: Values) -> None:
        from ddsetup.cli.boundary import run_command

        raise typer.Exit(run_command(title, command.module, values))

    return run_it


def run(argv: Sequence[str]) -> int:
    """Run a command line; the exit code. Without a command: setup on a terminal, else help."""
    arguments = list(argv)
    if not arguments:
        if not (sys.stdin.isatty() and sys.stderr.isatty()) or os.environ.get("CI"):
            arguments = ["--help"]
            _parse(arguments)
            return 2
        arguments = ["setup"]
    return _parse(arguments)


def _parse(arguments: list[str]) -> int:
    completing = any(name.startswith("_") and name.endswith("_COMPLETE") for name in os.environ)
    command: Any = get_command(build(None if completing else arguments))
    usage_error: Any = typer.BadParameter.__mro__[2]  # ClickException, wherever this Typer keeps it
    try:
        code: object = command.main(args=arguments, prog_name="ddsetup", standalone_mode=False)
    except usage_error as error:
        from ddsetup.cli.boundary import refuse_command_line

        return refuse_command_line(arguments, error)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    return code if isinstance(code, int) else 0

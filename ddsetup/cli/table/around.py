"""The commands about the command itself."""

from __future__ import annotations

from ddsetup.cli.command import Command
from ddsetup.cli.options import Extra, switch

AROUND: tuple[Command, ...] = (
    Command(
        name="help",
        module="ddsetup.cli.help",
        summary="Show the help of a command.",
        help="Show the help of a command, or all commands: the same as --help after it.",
        examples=("ddsetup help setup", "ddsetup help sandbox up", "ddsetup help setup --all"),
        extras=(
            Extra(name="about", metavar="[COMMAND]...", help="The command, e.g. sandbox up.", many=True),
            switch("all", "Show also what few need: the same as --help-all."),
        ),
        bare=True,
    ),
    Command(
        name="version",
        module="ddsetup.cli.version",
        summary="Show the version.",
        help="Show the version: the same as --version.",
        bare=True,
    ),
    Command(
        name="completion",
        module="ddsetup.cli.completion",
        summary="The script by which a shell completes ddsetup's commands.",
        help="Print the script by which a shell completes commands, options and values: sites, regions, "
        "profiles, functions that were seen, runs, checks, scenarios. Its first lines say how to use it.",
        examples=(
            'eval "$(ddsetup completion bash)"',
            "ddsetup completion fish > ~/.config/fish/completions/ddsetup.fish",
        ),
        extras=(
            Extra(
                name="shell",
                metavar="[bash|zsh|fish|powershell]",
                help="The shell. Default: the one that SHELL names.",
            ),
        ),
        bare=True,
    ),
)

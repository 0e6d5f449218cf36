"""`ddsetup keep`: what was set up stays so."""

from __future__ import annotations

from ddsetup.cli.command import ASKING, WANTED, WRITING, Command, Group
from ddsetup.cli.options import option

KEEP = Group(
    name="keep",
    summary="Keep what was set up: find drift, and put it right.",
    help="Functions lose Datadog with a deployment, and new ones never get it. `keep` compares what is there "
    "with what ddsetup.toml says, in a few calls, and puts right what has drifted.",
    commands=(
        Command(
            name="check",
            module="ddsetup.cli.keep.check",
            summary="Tell what has drifted, who did it, and when.",
            help="Functions that lost Datadog or never got it, layers of another version, changed settings, "
            "log groups without their filter; and, from CloudTrail, who changed them. Ends with 3 if "
            "anything drifted.",
            examples=("ddsetup keep check", "ddsetup keep check --all --sarif drift.sarif --output json"),
            keys=(*WANTED, *ASKING, "html"),
            extras=(option("sarif", "FILE", "Write what drifted as SARIF."),),
        ),
        Command(
            name="apply",
            module="ddsetup.cli.keep.apply",
            summary="Put right what has drifted, and nothing else.",
            help="The ordinary plan, limited to what has drifted: with the same journal and the same undo. "
            "Functions that a deployment tool owns are treated as --owned says.",
            examples=("ddsetup keep apply --yes", "ddsetup keep apply --dry-run"),
            keys=(*WANTED, *WRITING, "html"),
        ),
    ),
)

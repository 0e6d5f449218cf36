"""`ddsetup keep`: what was set up stays so."""

from __future__ import annotations

from ddsetup.cli.command import ASKING, CONNECT, WANTED, WRITING, Command, Group, keys
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
        Command(
            name="install",
            module="ddsetup.cli.keep.install",
            summary="Have `keep apply` run in AWS by itself: after deployments and on a schedule.",
            help="Makes one CloudFormation stack: a CodeBuild project that runs `ddsetup keep apply` with "
            "the rights of `ddsetup policy --for keep`, an EventBridge rule that hears of changed functions, "
            "a schedule, and alarms. The keys are read from Secrets Manager. Takes a shared state (--state).",
            examples=(
                "ddsetup keep install --all --env prod --state s3://acme-ddsetup/prod",
                "ddsetup keep install --dry-run --output json",
            ),
            keys=(*WANTED, *WRITING, "html"),
            extras=(
                option("every", "HOURS", "Hours between two runs of the schedule. Default: 1.", kind=int),
                option("notify", "ARN", "SNS topic that is told when a run fails or none happens."),
                option(
                    "package",
                    "SPEC",
                    "What pip installs for a run. Default: ddsetup of this version, "
                    "from a package index, which must have it.",
                ),
                option("image", "IMAGE", "Container image to run in, which has ddsetup in it."),
            ),
        ),
        Command(
            name="status",
            module="ddsetup.cli.keep.status",
            summary="Tell whether it runs by itself, and how its last runs went.",
            help="The installed stack, its version and what it keeps (-v), when it runs next, its alarms, "
            "and its last runs with what they changed. Ends with 1 if the last run failed.",
            examples=("ddsetup keep status", "ddsetup keep status --output json"),
            keys=(*keys("Where"), *CONNECT, *ASKING, "html"),
        ),
        Command(
            name="uninstall",
            module="ddsetup.cli.keep.uninstall",
            summary="Take away what `keep install` made. Functions stay as they are.",
            examples=("ddsetup keep uninstall --dry-run", "ddsetup keep uninstall --yes"),
            keys=(*keys("Where"), *CONNECT, *WRITING, "html"),
        ),
    ),
)

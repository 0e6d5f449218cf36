"""The commands that work on the files of a project rather than on an account."""

from __future__ import annotations

from ddsetup.cli.command import RUN, WRITING, Command, Group
from ddsetup.cli.options import Extra, switch
from ddsetup.facts.variables import VARIABLES

_PATH = Extra(
    name="path", metavar="[PATH]", help="The project's directory, or one of its files. Default: here."
)
_DIRTY = switch("allow_dirty", "Change files although git knows of uncommitted changes.")

IAC = Command(
    name="iac",
    module="ddsetup.cli.iac",
    summary="Bring Datadog into the files that functions are deployed from.",
    help="Serverless Framework, SAM and CloudFormation, Terraform (also in JSON), CDK apps, Dockerfiles: "
    "changed in place, and only the lines that have to. Configuration by program and what is computed: the "
    "lines to put in. "
    "`--undo` gives the files back.",
    examples=(
        "ddsetup iac --site datadoghq.eu --dry-run",
        "ddsetup iac services/checkout --via forwarder --site datadoghq.eu --yes",
        "ddsetup iac --undo",
    ),
    keys=(
        *dict.fromkeys(variable.setting for variable in VARIABLES if variable.setting),
        *("via", "key_source", "org_uuid", "api_key_secret", "api_key_ssm", "api_key_kms", "forwarder_arn"),
        *("git_commit", "git_repository", "layer_version", "extension_version", "macro_template_url"),
        *("region", "profile", "role_arn", *WRITING),
    ),
    extras=(
        _PATH,
        switch(
            "install",
            "Let the project's own package manager add what is needed, and deploy Datadog's macro (else "
            "asked, or printed).",
        ),
        _DIRTY,
        switch("undo", "Give the files of the last run back."),
    ),
)

CODE = Group(
    name="code",
    summary="Look at the code of functions.",
    help="Look at the code of functions: what Datadog's calls in it do.",
    commands=(
        Command(
            name="check",
            module="ddsetup.cli.code.check",
            summary="Find what is double, missing or wrong in Python code.",
            help="Handlers, wrappers and metric calls of Python code, told from its syntax; nothing is run. "
            "Shows how handlers would be wrapped in the code, for those who do not want them redirected.",
            examples=("ddsetup code check", "ddsetup code check src --write --yes"),
            keys=("yes", "dry_run", "no_input", *RUN),
            extras=(
                _PATH,
                switch("write", "Put the wrapper around the handlers (undo: `ddsetup iac --undo`)."),
                _DIRTY,
            ),
        ),
    ),
)

"""How a run proves what it did, and how it is run."""

from __future__ import annotations

from ddsetup.settings.setting import Setting

PROOF: tuple[Setting, ...] = (
    Setting(
        key="wait",
        panel="Proof",
        kind="number",
        metavar="SECONDS",
        saved=False,
        help="How long to wait for data to arrive in Datadog. 0: look once.",
    ),
    Setting(
        key="verify",
        panel="Proof",
        kind="switch",
        saved=False,
        help="Prove afterwards that data arrives. Default: yes.",
    ),
    Setting(
        key="invoke",
        panel="Proof",
        kind="switch",
        negatable=True,
        in_file=False,
        saved=False,
        help="Invoke each function once, so that there is something to see (asks first).",
    ),
    Setting(
        key="payload",
        panel="Proof",
        metavar="FILE",
        saved=False,
        help="The event for --invoke, a JSON file. Default: {}.",
    ),
    Setting(
        key="since",
        panel="Proof",
        kind="number",
        metavar="MINUTES",
        saved=False,
        help="How far to look back for data.",
    ),
    Setting(
        key="custom_metric",
        panel="Proof",
        kind="words",
        metavar="NAME",
        help="A custom metric that the functions send, to look for; repeatable.",
    ),
)

HOW: tuple[Setting, ...] = (
    Setting(
        key="yes",
        panel="How to run",
        kind="switch",
        short="-y",
        negatable=False,
        in_file=False,
        saved=False,
        help="Answer the confirmation of the plan with yes.",
    ),
    Setting(
        key="no_input",
        panel="How to run",
        kind="switch",
        negatable=False,
        saved=False,
        help="Never ask; what is missing is an error that names it.",
    ),
    Setting(
        key="dry_run",
        panel="How to run",
        kind="switch",
        short="-n",
        negatable=False,
        saved=False,
        help="Show the plan and change nothing.",
    ),
    Setting(
        key="output",
        panel="How to run",
        kind="choice",
        short="-o",
        choices=("text", "json", "ndjson"),
        saved=False,
        help="What to write to standard output.",
    ),
    Setting(
        key="config",
        panel="How to run",
        metavar="FILE",
        in_file=False,
        saved=False,
        help="The file with answers. Default: ddsetup.toml here, if there is one.",
    ),
    Setting(
        key="state_dir",
        panel="How to run",
        metavar="DIR",
        saved=False,
        help="Where journals are kept, which `ddsetup undo` needs.",
    ),
    Setting(
        key="no_color",
        panel="How to run",
        kind="switch",
        negatable=False,
        saved=False,
        help="No colours. NO_COLOR does the same.",
    ),
    Setting(
        key="verbose",
        panel="How to run",
        kind="switch",
        short="-v",
        negatable=False,
        saved=False,
        help="Show everything: no list is cut short.",
    ),
    Setting(
        key="debug",
        panel="How to run",
        kind="switch",
        negatable=False,
        saved=False,
        help="Tell what is called on AWS and Datadog, without secrets.",
    ),
)

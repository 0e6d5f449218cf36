"""How a run proves what it did, and how it is run."""

from __future__ import annotations

from ddsetup.settings import validate
from ddsetup.settings.setting import Setting, panel

PROOF = panel(
    "Proof",
    Setting(
        key="wait",
        kind="seconds",
        metavar="TIME",
        saved=False,
        help="How long to wait for data to arrive in Datadog, e.g. 90s or 10m. 0: look once.",
    ),
    Setting(
        key="verify",
        kind="switch",
        saved=False,
        help="Prove afterwards that data arrives. Default: yes.",
    ),
    Setting(
        key="require_proof",
        rare=True,
        kind="switch",
        saved=False,
        help="End with 6 as well if a function did not run, so that nothing of it can be seen.",
    ),
    Setting(
        key="invoke",
        kind="switch",
        negatable=True,
        in_file=False,
        saved=False,
        help="Invoke each function once, so that there is something to see (asks first).",
    ),
    Setting(
        key="payload",
        rare=True,
        metavar="FILE",
        saved=False,
        help="The event for --invoke, a JSON file. Default: {}.",
    ),
    Setting(
        key="since",
        rare=True,
        kind="minutes",
        metavar="TIME",
        saved=False,
        help="How far to look back for data, e.g. 30m or 2h; a bare number is minutes.",
    ),
    Setting(
        key="custom_metric",
        kind="words",
        metavar="NAME",
        help="A custom metric that the functions send, to look for; repeatable.",
    ),
)

HOW = panel(
    "How to run",
    Setting(
        key="yes",
        kind="switch",
        short="-y",
        negatable=False,
        in_file=False,
        saved=False,
        help="Answer the confirmation of the plan with yes.",
    ),
    Setting(
        key="no_input",
        kind="switch",
        negatable=False,
        saved=False,
        help="Never ask; what is missing is an error that names it.",
    ),
    Setting(
        key="dry_run",
        kind="switch",
        short="-n",
        negatable=False,
        saved=False,
        help="Show the plan and change nothing.",
    ),
    Setting(
        key="output",
        short="-o",
        choices=("text", "markdown", "json", "ndjson"),
        saved=False,
        help="What to write to standard output.",
    ),
    Setting(
        key="html",
        metavar="FILE",
        in_file=False,
        saved=False,
        help="Write the result as a page, too: one file, to look at and to hand on.",
    ),
    Setting(
        key="cost",
        kind="switch",
        saved=False,
        help="Count in CloudWatch what the plan will make arrive each month (billed by AWS: $0.01 for 1,000 "
        "metrics). Default: yes.",
    ),
    Setting(
        key="price",
        kind="items",
        metavar="WHAT=AMOUNT",
        check=validate.price,
        help="What you pay for one unit, of logs_gb, log_events_million, spans_million, functions, "
        "custom_metrics, forwarder_invocations_million or metric_updates_thousand, in your currency; "
        "repeatable. In the file a table.",
    ),
    Setting(
        key="config",
        metavar="FILE",
        in_file=False,
        saved=False,
        help="The file with answers. Default: ddsetup.toml here, if there is one.",
    ),
    Setting(
        key="state_dir",
        rare=True,
        metavar="DIR",
        saved=False,
        help="Where journals are kept, which `ddsetup undo` needs.",
    ),
    Setting(
        key="state",
        metavar="s3://BUCKET/PREFIX",
        help="Where runs are remembered for several machines: journals, what was last applied, and the lock. "
        "Default: in the state directory of this machine.",
    ),
    Setting(
        key="color",
        choices=("always", "never", "auto"),
        saved=False,
        help="Colours: always, never, or auto, which is on a terminal, unless NO_COLOR, FORCE_COLOR, "
        "CLICOLOR or CLICOLOR_FORCE say otherwise. Default: auto.",
    ),
    Setting(
        key="no_color",
        rare=True,
        kind="switch",
        negatable=False,
        saved=False,
        help="No colours: the same as --color never.",
    ),
    Setting(
        key="no_pager",
        rare=True,
        kind="switch",
        negatable=False,
        saved=False,
        help="Write long results on a terminal all at once, and not through PAGER or less.",
    ),
    Setting(
        key="verbose",
        kind="switch",
        short="-v",
        negatable=False,
        saved=False,
        help="Show everything: no list is cut short.",
    ),
    Setting(
        key="debug",
        rare=True,
        kind="switch",
        negatable=False,
        saved=False,
        help="Tell what is called on AWS and Datadog, without secrets.",
    ),
)

"""What to send, how it gets to Datadog, and what the library in the functions does."""

from __future__ import annotations

from functools import partial

from ddsetup.facts.kinds import CHOSEN
from ddsetup.settings import validate
from ddsetup.settings.setting import Setting, panel

WHAT = panel(
    "What to send",
    Setting(key="logs", help="Logs."),
    Setting(key="traces", help="Traces."),
    Setting(key="enhanced_metrics", help="Enhanced Lambda metrics (cold starts, memory, cost)."),
    Setting(
        key="env",
        metavar="NAME",
        check=validate.tag_value,
        help="The `env` tag of the functions, e.g. prod.",
    ),
    Setting(
        key="service",
        metavar="NAME",
        check=validate.tag_value,
        help="One `service` for all. Default: a function's `service` tag, else its name.",
    ),
    Setting(
        key="version_tag",
        fills="version",
        metavar="VERSION",
        check=validate.tag_value,
        help="The `version` tag of the functions.",
    ),
    Setting(
        key="extra_tag",
        rare=True,
        pair=":",
        metavar="KEY:VALUE",
        check=validate.extra_tag,
        help="A further tag; repeatable.",
    ),
)

DELIVERY = panel(
    "How it gets there",
    Setting(
        key="via",
        choices=("forwarder", "extension"),
        help="Through the Forwarder's Lambda, or from an Extension inside each function.",
    ),
    Setting(
        key="subscribe",
        choices=("automatic", "account", "direct", "none"),
        help="Who subscribes the Forwarder to log groups: Datadog, one policy for all, ddsetup, or nobody. "
        "account with --via extension: all other log groups, by Firehose.",
    ),
    Setting(
        key="on_conflict",
        tells_default=False,
        choices=("ask", "replace", "add", "skip"),
        help="What to do where somebody else's subscription filters, or values of tags, are in the way.",
    ),
    Setting(
        key="conflict",
        rare=True,
        pair="=",
        pair_at_end=True,
        metavar="GROUP:FILTER=DECISION",
        check=validate.conflict,
        help="The same for one filter, or one tag (tag:KEY=DECISION): replace, add or skip; repeatable.",
    ),
    Setting(
        key="owned",
        choices=("change", "skip", "source", "all"),
        help="Functions that a deployment tool owns: change them, leave them to it, or change the files of "
        "their project in this directory. all: change also those that Datadog itself instruments.",
    ),
    Setting(
        key="publish",
        help="Functions behind aliases: publish a version of what was instrumented and move the alias to it, "
        "unless $LATEST has more than that is new. Default: no, only $LATEST is changed.",
    ),
    Setting(
        key="thorough",
        rare=True,
        in_file=False,
        saved=False,
        help="Read the filters of every log group (5 a second) and the tags of all functions, also where "
        "CloudWatch and CloudTrail show enough of them.",
    ),
    Setting(
        key="metrics",
        choices=("poll", "stream"),
        help="How CloudWatch metrics get to Datadog: it polls them, or a metric stream brings them within "
        "minutes (a stack in each region; AWS bills what is streamed).",
    ),
    Setting(
        key="durable_events",
        rare=True,
        help="Durable functions, through the Extension: deploy Datadog's stack that tells how executions end "
        "(EventBridge, Firehose). Default: no.",
    ),
    Setting(
        key="prune",
        help="Remove what ddsetup set earlier and is no longer wanted: tags, variables, services, log "
        "sources, and Datadog from functions that are no longer chosen. Default: no, it is only shown.",
    ),
    Setting(
        key="log_source",
        kind="words",
        metavar="ID",
        help="Which AWS services' logs Datadog collects; repeatable.",
    ),
    *(
        Setting(key=kind, metavar=row.metavar, check=partial(validate.service, row), help=row.help)
        for kind, row in CHOSEN.items()
    ),
    Setting(
        key="create_log_groups", rare=True, help="Create the log group of a function that has never run."
    ),
    Setting(
        key="forwarder_arn",
        metavar="ARN",
        check=validate.function_arn,
        help="Use this Forwarder instead of finding or deploying one; one per region.",
    ),
    Setting(
        key="forwarder_param",
        rare=True,
        pair="=",
        separator="\n",
        metavar="KEY=VALUE",
        check=validate.parameter,
        help="A parameter of the Forwarder's stack; repeatable.",
    ),
    Setting(
        key="exclude_at_match",
        metavar="REGEX",
        check=validate.regex,
        help="Lines that match are not forwarded, e.g. '^(START|END) RequestId: ' (the Forwarder's parameter "
        "ExcludeAtMatch; it holds for all log groups that it gets).",
    ),
    Setting(
        key="forwarder_version",
        rare=True,
        metavar="VERSION",
        check=validate.forwarder_version,
        help="The Forwarder's release.",
    ),
    Setting(key="forwarder_upgrade", help="Bring an existing Forwarder to that release. Default: leave it."),
    Setting(
        key="replace_log_group",
        rare=True,
        help="Delete the log group of a Forwarder that is gone where it is in the way of a new one's (Lambda "
        "makes it anew for last lines); the guided setup asks.",
    ),
    Setting(
        key="forwarder_stack",
        rare=True,
        metavar="NAME",
        check=validate.stack_name,
        help="The name of the stack to deploy.",
    ),
    Setting(
        key="forwarder_name",
        rare=True,
        fills="forwarder_function",
        metavar="NAME",
        check=validate.function_name,
        help="The name of the Forwarder's function.",
    ),
    Setting(
        key="forwarder_template_url",
        rare=True,
        fills="template_url",
        metavar="URL",
        check=validate.url,
        saved=False,
        help="Another address for the Forwarder's template (a mirror, the sandbox).",
    ),
    Setting(
        key="durable_template_url",
        rare=True,
        metavar="URL",
        check=validate.url,
        saved=False,
        help="Another address for the template of durable executions' events (a mirror, the sandbox).",
    ),
    Setting(
        key="macro_template_url",
        rare=True,
        metavar="URL",
        check=validate.url,
        saved=False,
        help="Another address for the template of Datadog's CloudFormation macro (a mirror, the sandbox).",
    ),
)

LIBRARY = panel(
    "Library",
    Setting(
        key="layer_version",
        metavar="VERSION",
        check=validate.version,
        help="The library layer: baseline (bundled table), latest, none, or a number.",
    ),
    Setting(
        key="extension_version",
        rare=True,
        metavar="VERSION",
        check=validate.version,
        help="The Extension layer: baseline, latest, none, or a number.",
    ),
    Setting(key="fips", rare=True, help="FIPS variant of the Extension."),
    Setting(
        key="log_level",
        rare=True,
        metavar="LEVEL",
        check=validate.log_level,
        help="The library's own log level, e.g. DEBUG.",
    ),
    Setting(
        key="trace_sample_rate",
        fills="tracing.sample_rate",
        metavar="SHARE",
        check=validate.share,
        help="Keep this share of the traces, from 0 to 1 (DD_TRACE_SAMPLE_RATE).",
    ),
    Setting(key="capture_payload", rare=True, kind="switch", help="Put requests and responses on spans."),
    Setting(key="merge_xray", rare=True, kind="switch", help="Join X-Ray segments to traces."),
    Setting(key="appsec", help="App and API Protection."),
    Setting(key="llmobs", metavar="ML_APP", help="LLM Observability, under this name."),
    Setting(
        key="apm_flush_deadline",
        rare=True,
        fills="tracing.apm_flush_deadline_ms",
        kind="number",
        metavar="MS",
        help="Send traces this many milliseconds before a timeout.",
    ),
    Setting(
        key="git_commit",
        rare=True,
        metavar="SHA",
        check=validate.git_commit,
        saved=False,
        help="Source code integration: the commit that is deployed.",
    ),
    Setting(
        key="git_repository",
        rare=True,
        metavar="URL",
        help="Source code integration: the repository's URL.",
    ),
    Setting(
        key="grant_key_access", rare=True, help="Let execution roles read the API key's secret (Extension)."
    ),
)

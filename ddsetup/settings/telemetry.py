"""What to send, how it gets to Datadog, and what the library in the functions does."""

from __future__ import annotations

from ddsetup.settings import validate
from ddsetup.settings.setting import Setting

WHAT: tuple[Setting, ...] = (
    Setting(key="logs", panel="What to send", kind="switch", help="Logs. Default: yes."),
    Setting(key="traces", panel="What to send", kind="switch", help="Traces. Default: yes."),
    Setting(
        key="enhanced_metrics",
        panel="What to send",
        kind="switch",
        help="Enhanced Lambda metrics (cold starts, memory, cost). Default: yes.",
    ),
    Setting(
        key="env",
        panel="What to send",
        metavar="NAME",
        check=validate.tag_value,
        help="The `env` tag of the functions, e.g. prod.",
    ),
    Setting(
        key="service",
        panel="What to send",
        metavar="NAME",
        check=validate.tag_value,
        help="One `service` for all. Default: a function's `service` tag, else its name.",
    ),
    Setting(
        key="version_tag",
        panel="What to send",
        metavar="VERSION",
        check=validate.tag_value,
        help="The `version` tag of the functions.",
    ),
    Setting(
        key="extra_tag",
        panel="What to send",
        kind="items",
        metavar="KEY:VALUE",
        check=validate.extra_tag,
        help="A further tag; repeatable.",
    ),
)

DELIVERY: tuple[Setting, ...] = (
    Setting(
        key="via",
        panel="How it gets there",
        kind="choice",
        choices=("forwarder", "extension"),
        help="Through the Forwarder's Lambda, or from an Extension inside each function.",
    ),
    Setting(
        key="subscribe",
        panel="How it gets there",
        kind="choice",
        choices=("automatic", "direct", "none"),
        help="Who subscribes the Forwarder to log groups: Datadog, ddsetup, or nobody.",
    ),
    Setting(
        key="on_conflict",
        panel="How it gets there",
        kind="choice",
        choices=("ask", "replace", "add", "skip"),
        help="What to do where somebody else's subscription filters are in the way.",
    ),
    Setting(
        key="conflict",
        panel="How it gets there",
        kind="items",
        metavar="GROUP:FILTER=DECISION",
        check=validate.conflict,
        help="The same for one filter: replace, add or skip; repeatable.",
    ),
    Setting(
        key="owned",
        panel="How it gets there",
        kind="choice",
        choices=("change", "skip", "source", "all"),
        help="Functions that a deployment tool owns: change them, leave them to it, or change the files of "
        "their project in this directory. all: change also those that Datadog itself instruments.",
    ),
    Setting(
        key="publish",
        panel="How it gets there",
        kind="switch",
        help="Functions behind aliases: publish a version of what was instrumented and move the alias to it, "
        "unless $LATEST has more than that is new. Default: no, only $LATEST is changed.",
    ),
    Setting(
        key="log_source",
        panel="How it gets there",
        kind="words",
        metavar="ID",
        help="Which AWS services' logs Datadog collects. Default: lambda; repeatable.",
    ),
    Setting(
        key="state_machine",
        panel="How it gets there",
        kind="items",
        metavar="NAME",
        check=validate.state_machine,
        help="Step Functions: log everything of this state machine and trace it; a name, ARN or glob, "
        "or all; repeatable.",
    ),
    Setting(
        key="api_stage",
        panel="How it gets there",
        kind="items",
        metavar="API/STAGE",
        check=validate.api_stage,
        help="API Gateway: access logs of this stage; the API by name or id, globs, or all; repeatable.",
    ),
    Setting(
        key="create_log_groups",
        panel="How it gets there",
        kind="switch",
        help="Create the log group of a function that has never run. Default: yes.",
    ),
    Setting(
        key="forwarder_arn",
        panel="How it gets there",
        kind="items",
        metavar="ARN",
        check=validate.function_arn,
        help="Use this Forwarder instead of finding or deploying one; one per region.",
    ),
    Setting(
        key="forwarder_param",
        panel="How it gets there",
        kind="items",
        separator="\n",
        metavar="KEY=VALUE",
        check=validate.parameter,
        help="A parameter of the Forwarder's stack; repeatable.",
    ),
    Setting(
        key="forwarder_version",
        panel="How it gets there",
        metavar="VERSION",
        check=validate.forwarder_version,
        help="The Forwarder's release. Default: latest.",
    ),
    Setting(
        key="forwarder_upgrade",
        panel="How it gets there",
        kind="switch",
        help="Bring an existing Forwarder to that release. Default: leave it.",
    ),
    Setting(
        key="forwarder_stack",
        panel="How it gets there",
        metavar="NAME",
        check=validate.stack_name,
        help="The name of the stack to deploy. Default: datadog-forwarder.",
    ),
    Setting(
        key="forwarder_name",
        panel="How it gets there",
        metavar="NAME",
        check=validate.function_name,
        help="The name of the Forwarder's function. Default: datadog-forwarder.",
    ),
    Setting(
        key="forwarder_template_url",
        panel="How it gets there",
        metavar="URL",
        check=validate.url,
        saved=False,
        help="Another address for the Forwarder's template (a mirror, the sandbox).",
    ),
    Setting(
        key="macro_template_url",
        panel="How it gets there",
        metavar="URL",
        check=validate.url,
        saved=False,
        help="Another address for the template of Datadog's CloudFormation macro (a mirror, the sandbox).",
    ),
)

LIBRARY: tuple[Setting, ...] = (
    Setting(
        key="layer_version",
        panel="Library",
        metavar="VERSION",
        check=validate.version,
        help="The library layer: baseline (bundled table), latest, none, or a number.",
    ),
    Setting(
        key="extension_version",
        panel="Library",
        metavar="VERSION",
        check=validate.version,
        help="The Extension layer: baseline, latest, none, or a number.",
    ),
    Setting(key="fips", panel="Library", kind="switch", help="FIPS variant of the Extension."),
    Setting(
        key="log_level",
        panel="Library",
        metavar="LEVEL",
        check=validate.log_level,
        help="The library's own log level, e.g. DEBUG.",
    ),
    Setting(
        key="capture_payload",
        panel="Library",
        kind="switch",
        help="Put requests and responses on spans.",
    ),
    Setting(key="merge_xray", panel="Library", kind="switch", help="Join X-Ray segments to traces."),
    Setting(key="appsec", panel="Library", kind="switch", help="App and API Protection."),
    Setting(key="llmobs", panel="Library", metavar="ML_APP", help="LLM Observability, under this name."),
    Setting(
        key="apm_flush_deadline",
        panel="Library",
        kind="number",
        metavar="MS",
        help="Send traces this many milliseconds before a timeout.",
    ),
    Setting(
        key="git_commit",
        panel="Library",
        metavar="SHA",
        check=validate.git_commit,
        saved=False,
        help="Source code integration: the commit that is deployed.",
    ),
    Setting(
        key="git_repository",
        panel="Library",
        metavar="URL",
        help="Source code integration: the repository's URL.",
    ),
    Setting(
        key="grant_key_access",
        panel="Library",
        kind="switch",
        help="Let execution roles read the API key's secret (Extension). Default: yes.",
    ),
)

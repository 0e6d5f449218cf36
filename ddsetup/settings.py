"""Every option there is, once.

The command line, the environment, the configuration file, the prompts, the equivalent CI command and the
reference documentation are all made from this table, so that none of them can know an option that another
does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup import validate
from ddsetup.setting import Setting

INTEGRATIONS = (
    "dynamodb",
    "sqs",
    "sns",
    "kinesis",
    "s3",
    "rds",
    "stepfunctions",
    "apigateway",
    "eventbridge",
)
"""Names for the services beside Lambda whose CloudWatch metrics Datadog can crawl as well."""

_WHICH: tuple[Setting, ...] = (
    Setting(
        key="function",
        panel="Which functions",
        kind="items",
        short="-f",
        metavar="NAME",
        help="A function's name, ARN or glob (quote it); repeatable.",
    ),
    Setting(
        key="exclude",
        panel="Which functions",
        kind="items",
        metavar="NAME",
        help="Leave these out: names, ARNs or globs; repeatable.",
    ),
    Setting(
        key="tag",
        panel="Which functions",
        kind="items",
        metavar="KEY=VALUE",
        check=validate.tag_rule,
        help="Only functions with this resource tag; repeatable, all must fit.",
    ),
    Setting(
        key="runtime",
        panel="Which functions",
        kind="words",
        metavar="RUNTIME",
        help="Only these runtimes (python3.12) or families (python*); repeatable.",
    ),
    Setting(
        key="stack",
        panel="Which functions",
        kind="items",
        metavar="NAME",
        help="Only functions of this CloudFormation stack; repeatable.",
    ),
    Setting(
        key="state",
        panel="Which functions",
        kind="choice",
        choices=("any", "uninstrumented", "instrumented"),
        help="Only functions without, or only with, Datadog.",
    ),
    Setting(
        key="all",
        panel="Which functions",
        kind="switch",
        negatable=False,
        help="Every function of the regions.",
    ),
)

_WHERE: tuple[Setting, ...] = (
    Setting(key="profile", panel="Where", metavar="NAME", help="The AWS profile to use."),
    Setting(
        key="region",
        panel="Where",
        kind="words",
        short="-r",
        metavar="REGION",
        check=validate.region,
        help="The AWS region; repeatable. Default: the profile's, or AWS_REGION.",
    ),
    Setting(
        key="role_arn",
        panel="Where",
        metavar="ARN",
        check=validate.role_arn,
        help="Assume this role for everything on AWS.",
    ),
)

_DATADOG: tuple[Setting, ...] = (
    Setting(
        key="site",
        panel="Datadog",
        metavar="SITE",
        also_env=("DD_SITE", "DATADOG_SITE"),
        check=validate.site,
        help="The Datadog site, e.g. datadoghq.eu or EU1.",
    ),
    Setting(
        key="api_key_secret",
        panel="Datadog",
        metavar="ARN",
        check=validate.secret_arn,
        help="Secrets Manager secret that holds the API key; functions and Forwarder use it too.",
    ),
    Setting(
        key="app_key_secret",
        panel="Datadog",
        metavar="ARN",
        check=validate.secret_arn,
        help="Secrets Manager secret that holds the application key.",
    ),
    Setting(
        key="api_key_ssm",
        panel="Datadog",
        metavar="ARN",
        check=validate.parameter_arn,
        help="Systems Manager parameter from which functions and Forwarder take the API key.",
    ),
    Setting(
        key="api_key_kms",
        panel="Datadog",
        metavar="CIPHERTEXT",
        check=validate.ciphertext,
        help="The API key encrypted with KMS (base64), for functions and Forwarder.",
    ),
    Setting(
        key="datadog_url",
        panel="Datadog",
        metavar="URL",
        in_file=False,
        saved=False,
        check=validate.url,
        help="Another address for Datadog's API (a proxy, the sandbox).",
    ),
    Setting(
        key="role_name",
        panel="Datadog",
        metavar="NAME",
        check=validate.role_name,
        help="The IAM role that Datadog assumes. Default: DatadogIntegrationRole.",
    ),
    Setting(
        key="resource_collection",
        panel="Datadog",
        kind="switch",
        help="Let Datadog collect the configuration of AWS resources (attaches SecurityAudit).",
    ),
    Setting(
        key="integration_namespace",
        panel="Datadog",
        kind="words",
        metavar="NAME",
        help=f"Metrics of further services: {', '.join(INTEGRATIONS)}, or a namespace; repeatable.",
    ),
)

_WHAT: tuple[Setting, ...] = (
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

_DELIVERY: tuple[Setting, ...] = (
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
        choices=("change", "skip"),
        help="Functions that a deployment tool owns: change them, or leave them to it.",
    ),
    Setting(
        key="log_source",
        panel="How it gets there",
        kind="words",
        metavar="ID",
        help="Which AWS services' logs Datadog collects. Default: lambda; repeatable.",
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
)

_LIBRARY: tuple[Setting, ...] = (
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

_PROOF: tuple[Setting, ...] = (
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

_HOW: tuple[Setting, ...] = (
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
        help="Fold nothing.",
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

TABLE: tuple[Setting, ...] = _WHICH + _WHERE + _DATADOG + _WHAT + _DELIVERY + _LIBRARY + _PROOF + _HOW
SETTINGS: Mapping[str, Setting] = {setting.key: setting for setting in TABLE}

WHICH = tuple(s.key for s in _WHICH)
"""The settings that together answer which functions are meant."""

KEY_SOURCES = ("api_key_secret", "api_key_ssm", "api_key_kms")
"""The settings of which one may say where functions find the API key."""

"""Which functions, where, and which Datadog."""

from __future__ import annotations

from ddsetup.settings import validate
from ddsetup.settings.setting import Setting

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

FUNCTIONS: tuple[Setting, ...] = (
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

WHERE: tuple[Setting, ...] = (
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

DATADOG: tuple[Setting, ...] = (
    Setting(
        key="site",
        panel="Datadog",
        metavar="SITE",
        also_env=("DD_SITE", "DATADOG_SITE"),
        check=validate.site,
        help="The Datadog site, e.g. datadoghq.eu or EU1.",
    ),
    Setting(
        key="api_key_stdin",
        panel="Datadog",
        kind="switch",
        negatable=False,
        in_file=False,
        saved=False,
        help="Read the API key from standard input (with --app-key-stdin: from its first line).",
    ),
    Setting(
        key="app_key_stdin",
        panel="Datadog",
        kind="switch",
        negatable=False,
        in_file=False,
        saved=False,
        help="Read the application key from standard input.",
    ),
    Setting(
        key="api_key_file",
        panel="Datadog",
        metavar="FILE",
        in_file=False,
        saved=False,
        help="Read the API key from a file, as CI services and containers mount secrets.",
    ),
    Setting(
        key="app_key_file",
        panel="Datadog",
        metavar="FILE",
        in_file=False,
        saved=False,
        help="Read the application key from a file.",
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
        key="role_boundary",
        panel="Datadog",
        metavar="ARN",
        check=validate.policy_arn,
        help="The permissions boundary that roles made here get: Datadog's and the Forwarder's.",
    ),
    Setting(
        key="role_path",
        panel="Datadog",
        metavar="PATH",
        check=validate.role_path,
        help="The path of the Forwarder's roles, e.g. /monitoring/. Datadog takes its own role without one.",
    ),
    Setting(
        key="resource_tag",
        panel="Datadog",
        kind="items",
        metavar="KEY=VALUE",
        check=validate.tag_rule,
        help="A tag for what is made here (role, secret, log groups, stack and all in it); repeatable.",
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

"""Which functions, where, and which Datadog."""

from __future__ import annotations

from ddsetup.settings import validate
from ddsetup.settings.setting import Setting, panel

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

FUNCTIONS = panel(
    "Which functions",
    Setting(
        key="function",
        fills="selection.names",
        short="-f",
        metavar="NAME",
        help="A function's name, ARN or glob (quote it); repeatable.",
    ),
    Setting(
        key="exclude",
        fills="selection.exclude",
        metavar="NAME",
        help="Leave these out: names, ARNs or globs; repeatable.",
    ),
    Setting(
        key="tag",
        fills="selection.tags",
        pair="=",
        metavar="KEY=VALUE",
        check=validate.tag_rule,
        help="Only functions with this resource tag; repeatable, all must fit.",
    ),
    Setting(
        key="runtime",
        fills="selection.runtimes",
        kind="words",
        metavar="RUNTIME",
        help="Only these runtimes (python3.12) or families (python*); repeatable.",
    ),
    Setting(
        key="stack",
        fills="selection.stacks",
        metavar="NAME",
        help="Only functions of this CloudFormation stack; repeatable.",
    ),
    Setting(
        key="which",
        fills="selection.state",
        choices=("any", "uninstrumented", "instrumented"),
        help="Only functions without, or only with, Datadog.",
    ),
    Setting(key="all", fills="selection.all", negatable=False, help="Every function of the regions."),
)

WHERE = panel(
    "Where",
    Setting(key="profile", metavar="NAME", help="The AWS profile to use."),
    Setting(
        key="region",
        kind="words",
        short="-r",
        metavar="REGION",
        check=validate.region,
        help="The AWS region; repeatable. Default: the profile's, or AWS_REGION.",
    ),
    Setting(
        key="role_arn",
        metavar="ARN",
        check=validate.role_arn,
        help="Assume this role for everything on AWS.",
    ),
    Setting(
        key="rate",
        rare=True,
        kind="items",
        metavar="QUOTA=CALLS",
        check=validate.rate,
        help="Calls a second to keep to, in each account and region: where AWS raised a quota for you, or "
        "others need some of it, e.g. lambda=30 or logs:PutSubscriptionFilter=2; repeatable. In the file a "
        "table. Default: what AWS documents, and more as long as it refuses none.",
    ),
)

DATADOG = panel(
    "Datadog",
    Setting(
        key="site",
        metavar="SITE",
        also_env=("DD_SITE", "DATADOG_SITE"),
        check=validate.site,
        help="The Datadog site, e.g. datadoghq.eu or EU1.",
    ),
    Setting(
        key="api_key_stdin",
        rare=True,
        kind="switch",
        negatable=False,
        in_file=False,
        saved=False,
        help="Read the API key from standard input (with --app-key-stdin: from its first line).",
    ),
    Setting(
        key="app_key_stdin",
        rare=True,
        kind="switch",
        negatable=False,
        in_file=False,
        saved=False,
        help="Read the application key from standard input.",
    ),
    Setting(
        key="api_key_file",
        rare=True,
        metavar="FILE",
        in_file=False,
        saved=False,
        help="Read the API key from a file, as CI services and containers mount secrets.",
    ),
    Setting(
        key="app_key_file",
        rare=True,
        metavar="FILE",
        in_file=False,
        saved=False,
        help="Read the application key from a file.",
    ),
    Setting(
        key="api_key_secret",
        fills="key_source",
        metavar="ARN",
        check=validate.secret_arn,
        help="Secrets Manager secret that holds the API key; functions and Forwarder use it too.",
    ),
    Setting(
        key="app_key_secret",
        rare=True,
        metavar="ARN",
        check=validate.secret_arn,
        help="Secrets Manager secret that holds the application key.",
    ),
    Setting(
        key="api_key_ssm",
        rare=True,
        fills="key_source",
        metavar="ARN",
        check=validate.parameter_arn,
        help="Systems Manager parameter from which functions and Forwarder take the API key.",
    ),
    Setting(
        key="api_key_kms",
        rare=True,
        fills="key_source",
        metavar="CIPHERTEXT",
        check=validate.ciphertext,
        help="The API key encrypted with KMS (base64), for functions and Forwarder.",
    ),
    Setting(
        key="key_source",
        rare=True,
        fills="key_source",
        choices=("secret", "wif"),
        help="Where functions find the API key: in a secret that ddsetup makes, or nowhere: with wif Datadog "
        "gives them one by their role (workload identity federation, beta; needs --via extension).",
    ),
    Setting(
        key="org_uuid",
        rare=True,
        fills="key_source",
        metavar="UUID",
        check=validate.uuid,
        help="The Datadog organisation for --key-source wif; else that of the keys.",
    ),
    Setting(
        key="datadog_url",
        rare=True,
        metavar="URL",
        in_file=False,
        saved=False,
        check=validate.url,
        help="Another address for Datadog's API (a proxy, the sandbox); {site} in it stands for the site.",
    ),
    Setting(
        key="role_name",
        rare=True,
        metavar="NAME",
        check=validate.role_name,
        help="The IAM role that Datadog assumes.",
    ),
    Setting(
        key="role_boundary",
        rare=True,
        metavar="ARN",
        check=validate.policy_arn,
        help="The permissions boundary that roles made here get: Datadog's and the Forwarder's.",
    ),
    Setting(
        key="role_path",
        rare=True,
        metavar="PATH",
        check=validate.role_path,
        help="The path of the Forwarder's roles, e.g. /monitoring/. Datadog takes its own role without one.",
    ),
    Setting(
        key="resource_tag",
        rare=True,
        pair="=",
        metavar="KEY=VALUE",
        check=validate.tag_rule,
        help="A tag for what is made here (role, secret, log groups, stack and all in it); repeatable.",
    ),
    Setting(
        key="resource_collection",
        rare=True,
        help="Let Datadog collect the configuration of AWS resources (SecurityAudit, and policies of what "
        "Datadog reads besides).",
    ),
    Setting(
        key="integration_namespace",
        kind="words",
        metavar="NAME",
        help=f"Metrics of further services: {', '.join(INTEGRATIONS)}, or a namespace; repeatable.",
    ),
)

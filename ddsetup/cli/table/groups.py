"""The groups of commands: the sandbox, and what comes after the setup."""

from __future__ import annotations

from ddsetup.cli.command import ASKING, CONNECT, WRITING, Command, Group, keys
from ddsetup.cli.options import Extra, option, switch
from ddsetup.cli.table.keep import KEEP
from ddsetup.cli.table.org import ORG
from ddsetup.cli.table.sandbox import SANDBOX
from ddsetup.cli.table.source import CODE

_WHOSE = keys("Which functions", "Where")
_LOOK = (*_WHOSE, *CONNECT, "since", *ASKING, "html")
_SCOPED = (*_WHOSE, *CONNECT, "env", "service")

_NAMES = Extra(
    name="names", many=True, required=True, metavar="NAME...", help="Names of metrics, e.g. shop.orders."
)

_RAW = switch("raw", "Show what looks like a secret in logs and errors, too.")

EXPLORE = Group(
    name="explore",
    summary="Look at what has arrived in Datadog: cold starts, errors, traces, metrics.",
    help="Look at what has arrived in Datadog, without leaving the shell. Nothing is changed.",
    commands=(
        Command(
            name="cold-starts",
            module="ddsetup.cli.explore.cold_starts",
            summary="Cold starts by function, and their share over time.",
            examples=(
                "ddsetup explore cold-starts",
                "ddsetup explore cold-starts --tag team=shop --since 1440",
            ),
            keys=_LOOK,
        ),
        Command(
            name="errors",
            module="ddsetup.cli.explore.errors",
            summary="The most frequent patterns of error logs.",
            help="The error logs of the functions, put together where only ids, numbers and times differ.",
            examples=(
                "ddsetup explore errors --function 'checkout-*'",
                "ddsetup explore errors --since-deploy --function checkout",
            ),
            keys=_LOOK,
            extras=(
                switch(
                    "since_deploy",
                    "Only what a function did not log before its last change. Looks a week back.",
                ),
                _RAW,
            ),
        ),
        Command(
            name="logs",
            module="ddsetup.cli.explore.logs",
            summary="What functions logged, and what they log from now on.",
            help="The newest logs of functions. With --tail those that come are shown on stderr until "
            "Ctrl-C, or the end of --wait. What looks like a secret is masked.",
            examples=(
                "ddsetup explore logs --function checkout --status error",
                "ddsetup explore logs --tail --pattern 'order 7'",
            ),
            keys=(*_LOOK, "wait"),
            extras=(
                switch("tail", "Go on with those that come."),
                option("status", "STATUS", "Only these, e.g. error."),
                option("pattern", "TEXT", "Only with this text."),
                option("count", "N", "How many at first, the newest ones. Default: 50.", kind=int),
                _RAW,
            ),
        ),
        Command(
            name="traces",
            module="ddsetup.cli.explore.traces",
            summary="The slowest and the failing traces, with their logs.",
            help="The slowest and the failing invocations: their spans along the time, and what they logged.",
            examples=("ddsetup explore traces --function checkout --count 5",),
            keys=_LOOK,
            extras=(
                option("count", "N", "How many slow and how many failing ones. Default: 3.", kind=int),
                _RAW,
            ),
        ),
        Command(
            name="request",
            module="ddsetup.cli.explore.request",
            summary="Why one request failed, across all functions that it went through.",
            help="One request from end to end: what failed first of all, the spans of its trace, what each "
            "function logged, and what happened to them in that minute. It is named by the id of an "
            "invocation, the id of a trace, or as an example of an error. Looks a day back.",
            examples=(
                "ddsetup explore request 7a894775-f62a-4464-95b6-9292bad0877f",
                "ddsetup explore request --error 1 --function 'checkout-*'",
                "ddsetup explore request 8317126432728083222 --html request.html",
            ),
            keys=_LOOK,
            extras=(
                Extra(name="id", metavar="[ID]", help="The id of a request (AWS) or of a trace (Datadog)."),
                option(
                    "error", "N", "The newest request with error N of `ddsetup explore errors`.", kind=int
                ),
                _RAW,
            ),
        ),
        Command(
            name="metrics",
            module="ddsetup.cli.explore.metrics",
            summary="Any metric over time.",
            help="Metrics over time as sparklines. With a choice of functions, only what these sent.",
            examples=(
                "ddsetup explore metrics coffee_house.order_value --by product",
                "ddsetup explore metrics aws.lambda.duration --function checkout --aggregate max",
            ),
            keys=_LOOK,
            extras=(
                _NAMES,
                option(
                    "aggregate", "avg|sum|min|max|count|p50|p75|p90|p95|p99", "What is drawn. Default: avg."
                ),
                option("by", "TAG", "One line for each value of this tag."),
            ),
        ),
    ),
)

METRICS = Group(
    name="metrics",
    summary="Custom metrics: list, prove, percentiles.",
    help="Custom metrics that functions send (distributions): which there are, whether they arrive, and "
    "their percentiles.",
    commands=(
        Command(
            name="list",
            module="ddsetup.cli.metrics.list",
            summary="The distributions that functions sent.",
            examples=("ddsetup metrics list --function checkout",),
            keys=_LOOK,
            extras=(switch("enhanced", "Also Datadog's own (aws.lambda.enhanced.*)."),),
        ),
        Command(
            name="verify",
            module="ddsetup.cli.metrics.verify",
            summary="Prove that metrics arrived, and from which functions.",
            help="Ends with 6 if one did not arrive.",
            examples=("ddsetup metrics verify coffee_house.order_value --wait 120",),
            keys=(*_LOOK, "wait"),
            extras=(_NAMES,),
        ),
        Command(
            name="percentiles",
            module="ddsetup.cli.metrics.percentiles",
            summary="Have Datadog keep percentiles of a distribution.",
            help="Turns percentiles (p50 to p99) on. Datadog ties them to a list of the tag keys that can be "
            "queried: keys that are not on it cannot be queried any more. Shows the list, and asks.",
            examples=(
                "ddsetup metrics percentiles coffee_house.order_value",
                "ddsetup metrics percentiles coffee_house.order_value --tag-key product --tag-key env --yes",
            ),
            keys=(*CONNECT, "region", *WRITING),
            extras=(
                _NAMES,
                option(
                    "tag_key",
                    "KEY",
                    "A tag key that stays queryable; repeatable. Default: all that there are.",
                    many=True,
                ),
                switch("off", "Turn percentiles off again."),
            ),
        ),
    ),
)

_MONITOR_EXTRAS = (
    option(
        "only",
        "MONITOR",
        "Only these of the ready-made monitors, e.g. timeout, sqs_dead_letter; repeatable. `none`: none.",
        many=True,
    ),
    switch("services", "Also those of services in use: Step Functions, API Gateway, SQS, Kinesis."),
    option(
        "threshold", "MONITOR=VALUE", "Another threshold, e.g. high_error_rate=0.05; repeatable.", many=True
    ),
    option(
        "on_metric",
        "'NAME<VALUE'",
        "A monitor on a custom metric, e.g. 'max:shop.orders>100' (avg without max:) or "
        "'p95:shop.value{product:tea} by {region}>3'; repeatable.",
        many=True,
    ),
    option(
        "on_logs",
        "'QUERY>N'",
        "A monitor on logs: more than N (0) within 15 minutes, e.g. 'status:error>10' or "
        "'\"payment refused\" by {env}>3'; by function unless said. Repeatable.",
        many=True,
    ),
    option(
        "slo",
        "MONITOR=PERCENT",
        "A service level objective of what a monitor looks at, e.g. high_error_rate=99.9, "
        "sqs_old_messages=99/7d (30d) or 'p95:shop.value>3=99.5'; repeatable.",
        many=True,
    ),
    option("notify", "@HANDLE", "Who is told, e.g. @slack-shop or @me@example.com; repeatable.", many=True),
)

MONITORS = Group(
    name="monitors",
    summary="The recommended monitors, monitors on custom metrics, logs and services, and SLOs.",
    help="The monitors that Datadog recommends for Lambda functions, those of the services around them, and "
    "monitors on custom metrics and on logs; for all functions, or for an env, a service or chosen "
    "functions. They are known by their tags, so running it again changes only what differs.",
    commands=(
        Command(
            name="plan",
            module="ddsetup.cli.monitors.plan",
            summary="Show what would be created or changed; or print it as Terraform.",
            examples=("ddsetup monitors plan --env prod", "ddsetup monitors plan --terraform > monitors.tf"),
            keys=(*_SCOPED, *ASKING),
            extras=(
                *_MONITOR_EXTRAS,
                switch("terraform", "Print the monitors as Terraform instead."),
            ),
        ),
        Command(
            name="apply",
            module="ddsetup.cli.monitors.apply",
            summary="Create and change monitors, once the plan is confirmed.",
            examples=(
                "ddsetup monitors apply --env prod --notify @slack-shop",
                "ddsetup monitors apply --on-metric 'coffee_house.order_value<1' --only none --yes",
                "ddsetup monitors apply --services --on-logs 'payment refused' --slo high_error_rate=99.9",
            ),
            keys=(*_SCOPED, *WRITING),
            extras=_MONITOR_EXTRAS,
        ),
        Command(
            name="remove",
            module="ddsetup.cli.monitors.remove",
            summary="Delete monitors that ddsetup made.",
            help="Deletes monitors that ddsetup made: all, or those for an env, a service or functions.",
            examples=("ddsetup monitors remove --env prod",),
            keys=(*_SCOPED, *WRITING),
            extras=(option("only", "MONITOR", "Only these monitors; repeatable.", many=True),),
        ),
    ),
)

DASHBOARDS = Group(
    name="dashboards",
    summary="Datadog's dashboards for Lambda, and an overview of your own.",
    help="Pages of Datadog's own dashboards, and dashboards of yours: what matters of the functions and of "
    "the services around them, custom metrics, and copies to change.",
    commands=(
        Command(
            name="open",
            module="ddsetup.cli.dashboards.open",
            summary="The addresses of the dashboards; in a browser if wanted.",
            examples=("ddsetup dashboards open", "ddsetup dashboards open enhanced --browser"),
            keys=("region", *CONNECT, *ASKING),
            extras=(
                Extra(name="name", metavar="[NAME]", help="Part of the name of the one that is meant."),
                switch("browser", "Open it in the browser."),
            ),
        ),
        Command(
            name="create",
            module="ddsetup.cli.dashboards.create",
            summary="Create the dashboard Serverless overview, or one of custom metrics.",
            help="Cold starts by function, errors, durations, cost and throttles on one page; API Gateway, "
            "Step Functions, DynamoDB, RDS and Aurora, S3, SQS, SNS and Kinesis where they are used. What "
            "you edit on it in Datadog stays. `ddsetup undo` takes it back.",
            examples=(
                "ddsetup dashboards create",
                "ddsetup dashboards create --title 'Shop' --env prod",
                "ddsetup dashboards create --metric coffee_house.order_value --by product",
                "ddsetup dashboards create --terraform > dashboard.tf",
            ),
            keys=(*_SCOPED, *WRITING),
            extras=(
                option("title", "TEXT", "What it is called. Default: Serverless overview, or the metric."),
                option("metric", "NAME", "Show this custom metric instead; repeatable.", many=True),
                option("by", "TAG", "Of custom metrics, one line for each value of this tag."),
                option(
                    "edits", "keep|replace", "What becomes of parts that were edited by hand. Default: keep."
                ),
                switch("terraform", "Print the dashboard as Terraform instead."),
            ),
        ),
        Command(
            name="clone",
            module="ddsetup.cli.dashboards.clone",
            summary="Copy a dashboard, to change it as you like.",
            help="Copies a dashboard that ddsetup made (by its title) or any other (by its id or address). "
            "The copy is yours: no later run changes it. `ddsetup undo` takes it back while it is unchanged.",
            examples=(
                "ddsetup dashboards clone 'Serverless overview' --title 'Shop on call'",
                "ddsetup dashboards clone abc-def-ghi",
            ),
            keys=("region", *CONNECT, *WRITING),
            extras=(
                Extra(name="name", required=True, metavar="NAME", help="A title, an id or an address."),
                option("title", "TEXT", "What the copy is called. Default: the name with (mine)."),
            ),
        ),
    ),
)

STATE = Group(
    name="state",
    summary="The runs that are remembered, here or by several machines together.",
    help="The runs that are remembered, on this machine or in an S3 bucket (--state s3://BUCKET/PREFIX).",
    commands=(
        Command(
            name="init",
            module="ddsetup.cli.state.init",
            summary="Make the bucket: private, encrypted, with former versions kept.",
            examples=("ddsetup state init --state s3://acme-ddsetup/prod --region eu-west-1",),
            keys=("region", "profile", "role_arn", *WRITING),
        ),
        Command(
            name="prune",
            module="ddsetup.cli.state.prune",
            summary="Forget runs of which nothing is left.",
            help="Forget the journals of runs that were given back or changed nothing, and of those in "
            "sandboxes that are gone. What is in force, failed, or did not come to its end stays: undo, "
            "--prune and teardown need it. A journal that cannot be read stays, too.",
            examples=("ddsetup state prune --dry-run", "ddsetup state prune --older-than 90 --yes"),
            keys=("profile", "role_arn", *WRITING),
            extras=(
                option(
                    "older_than",
                    "DAYS",
                    "Only runs that began at least so many days ago, with all their undos. Default: 30.",
                ),
            ),
        ),
    ),
)

GROUPS: tuple[Group, ...] = (KEEP, ORG, SANDBOX, EXPLORE, METRICS, MONITORS, DASHBOARDS, CODE, STATE)

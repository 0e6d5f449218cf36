"""Accounts that differ from a usual one in one thing each, by what is planned for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ddsetup.model.account import Alias, Function, Layer, NamespaceFilter, Secret, Stack, Unreadable
from ddsetup.model.answers import KeySource, Tracing
from ddsetup.model.snapshot import Snapshot
from tests import builders as b

DATADOG = "464622532012"
FORWARDER = b.forwarder()
ARN = FORWARDER.arn
OLD = b.forwarder("old-datadog-forwarder", stack=None, version="2.0.0")
OURS = {"created_by": "ddsetup"}
GROUP = "/aws/lambda/orders"
KINESIS = f"arn:aws:kinesis:{b.REGION}:{b.ACCOUNT}:stream/logs"
SSM = f"arn:aws:ssm:{b.REGION}:{b.ACCOUNT}:parameter/datadog"
REGISTERED = b.integration(lambdas=(ARN,), sources=("lambda",))


def layer(name: str, version: int, account: str = DATADOG) -> Layer:
    return Layer(f"arn:aws:lambda:{b.REGION}:{account}:layer:{name}:{version}")


def refused(action: str) -> Unreadable:
    return Unreadable(action, "access denied")


@dataclass(frozen=True)
class World:
    """What is wanted, and what is there: one function, and what is said of region and account."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    function: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    lane: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    filters: tuple[Any, ...] = ()

    def snapshot(self) -> tuple[Snapshot, tuple[Function, ...]]:
        function = b.function(**{"name": "orders", **self.function})
        lane: dict[str, Any] = {
            "forwarders": (FORWARDER,),
            "stacks": (stack(),),
            "filters": {function.log_group: self.filters},
            "log_groups": {function.log_group: b.log_group(function.log_group)},
            **self.lane,
        }
        if self.tags:
            lane["tags"] = {function.arn: dict(self.tags)}
        account = b.account_snapshot(**{"integration": REGISTERED, "role": b.role(), **self.account})
        return b.snapshot(b.lane_snapshot(function, **lane), accounts=[account]), (function,)


def stack(**over: Any) -> Stack:
    parameters = {"DdSite": b.SITE, "DdFetchLambdaTags": "true", "DdForwardLog": "true", "MemorySize": "1024"}
    return b.stack(**{"parameters": parameters, **over})


def fn(answers: Mapping[str, Any] | None = None, **over: Any) -> World:
    return World(answers=answers or {}, function=over)


def ext(**over: Any) -> World:
    return World(answers={"via": "extension", **over})


def here(answers: Mapping[str, Any] | None = None, **over: Any) -> World:
    return World(answers=answers or {}, lane=over)


def bare(answers: Mapping[str, Any] | None = None, **over: Any) -> World:
    """No Forwarder yet."""
    return World(answers=answers or {}, lane={"forwarders": (), "stacks": (), **over})


def account(answers: Mapping[str, Any] | None = None, **over: Any) -> World:
    return World(answers=answers or {}, account=over)


def subscribed(*filters: tuple[str, str], **answers: Any) -> World:
    made = tuple(b.subscription_filter(GROUP, name, to) for name, to in filters)
    return World(answers=answers, filters=made, account={"integration": b.integration()})


FUNCTIONS: dict[str, World] = {
    **{
        f"runtime {runtime}": fn(runtime=runtime)
        for runtime in (
            *("python3.7", "python3.8", "python3.14", "python2.7", "python3.15", "nodejs18.x", "nodejs22.x"),
            *("nodejs12.x", "ruby3.2", "ruby3.4", "java8", "java8.al2", "java21", "dotnet6", "dotnet8"),
            *("provided.al2023", "go1.x", "rust"),
        )
    },
    **{
        f"arm64 {runtime}": fn({"via": "extension"}, runtime=runtime, architecture="arm64")
        for runtime in (
            "python3.12",
            "nodejs22.x",
            "ruby3.4",
            "java21",
            "dotnet8",
            "provided.al2023",
            "python3.7",
        )
    },
    **{
        f"extension {runtime}": fn({"via": "extension"}, runtime=runtime)
        for runtime in ("nodejs22.x", "ruby3.4", "java21", "dotnet8", "provided.al2", "go1.x")
    },
    "container image": fn(package_type="Image", runtime=None, handler=None),
    "edge": fn(master_arn="arn:aws:lambda:us-east-1:1:function:m"),
    "unreadable environment": fn(env=None, env_error="KMSAccessDenied", kms_key_arn="arn:aws:kms:k"),
    "failed": fn(state="Failed"),
    "inactive": fn(state="Inactive"),
    "update under way": fn(last_update_status="InProgress"),
    "handler in a package": fn(handler="src/app.handler"),
    "handler of another vendor": fn(handler="newrelic_lambda_wrapper.handler"),
    "handler without a module": fn(handler="bootstrap"),
    "handler of datadog": fn(handler="datadog_lambda.handler.handler"),
    "handler remembered": fn(
        handler="datadog_lambda.handler.handler", env={"DD_LAMBDA_HANDLER": "app.handler"}
    ),
    "handler remembered and stale": fn(handler="app.new", env={"DD_LAMBDA_HANDLER": "app.old"}),
    "bundled library": fn(
        runtime="nodejs22.x", handler="node_modules/datadog-lambda-js/dist/handler.handler"
    ),
    "wrapper of another vendor": fn(env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}),
    "wrapper of their own": fn(env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"}),
    "wrapper of datadog": fn(env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper"}),
    "own values": fn(env={"DD_TRACE_ENABLED": "false", "DD_SERVICE": "mine", "DD_TRACE_SAMPLE_RATE": "0"}),
    "own values, upper case": fn(env={"DD_TRACE_ENABLED": "TRUE", "DD_ENHANCED_METRICS": "False"}),
    "flush off": fn(env={"DD_FLUSH_TO_LOG": "false"}),
    "old layer": fn(layers=(layer("Datadog-Python312", 100),)),
    "newer layer": fn(layers=(layer("Datadog-Python312", 999),)),
    "layer of another runtime": fn(layers=(layer("Datadog-Python39", 100), layer("mine", 1, b.ACCOUNT))),
    "copied layer": fn(layers=(layer("Datadog-Python312", 3, b.ACCOUNT),)),
    "copied extension": fn({"via": "extension"}, layers=(layer("Datadog-Extension", 3, b.ACCOUNT),)),
    "fips extension": fn({"via": "extension"}, layers=(layer("Datadog-Extension-FIPS", 90),)),
    "extension there": fn(layers=(layer("Datadog-Python312", 127), layer("Datadog-Extension", 99))),
    "extension first": fn(
        {"via": "extension"}, layers=(layer("Datadog-Extension", 99), layer("mine", 1, b.ACCOUNT))
    ),
    "four layers": fn({"via": "extension"}, layers=tuple(layer(f"own{n}", 1, b.ACCOUNT) for n in range(4))),
    "five layers": fn(layers=tuple(layer(f"own{n}", 1, b.ACCOUNT) for n in range(5))),
    "large code": fn(code_size=90 * 1024 * 1024),
    "rather large code": fn(code_size=52 * 1024 * 1024),
    "environment nearly full": fn(env={"BIG": "x" * 4000}),
    "environment too full": fn(env={"BIG": "x" * 4080}),
    "json logs": fn(log_format="JSON", system_log_level="INFO"),
    "json logs, WARN": fn(log_format="JSON", system_log_level="WARN", application_log_level="ERROR"),
    "json logs, WARN, extension": fn({"via": "extension"}, log_format="JSON", system_log_level="WARN"),
    "json logs, WARN, no metrics": fn(
        {"enhanced_metrics": False}, log_format="JSON", system_log_level="WARN"
    ),
    "snap start": fn(runtime="java21", snap_start="PublishedVersions"),
    "in a vpc": fn({"via": "extension"}, vpc=True),
    "xray": fn(tracing="Active"),
    "key in clear": fn({"via": "extension"}, env={"DD_API_KEY": "a" * 32}),
    "two keys": fn({"via": "extension"}, env={"DD_API_KEY": "a" * 32, "DD_KMS_API_KEY": "AQIC"}),
    "key replaced": fn(
        {"via": "extension", "key_source": KeySource(kind="ssm", value=SSM)},
        env={"DD_API_KEY_SECRET_ARN": "arn:mine", "DD_API_KEY": "a" * 32},
    ),
    "custom log group": fn(log_group="/shop/orders"),
    "govcloud": fn(
        region="us-gov-west-1", arn="arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:orders"
    ),
    "alias": here(aliases={b.function_arn("orders"): (Alias("live", "3"), Alias("test", "$LATEST"))}),
    "unreadable tags": here(tags=refused("tag:GetResources")),
    "unreadable tags, owned skipped": here({"owned": "skip"}, tags=refused("tag:GetResources")),
    "newest layers": here({"layer_version": "latest"}, newest_layers={"Datadog-Python312": 140}),
    **{
        f"tags {name}": World(tags=tags, answers=wanted)
        for name, tags, wanted in (
            ("of a stack", {"aws:cloudformation:stack-name": "shop"}, {}),
            ("of a stack, skipped", {"aws:cloudformation:stack-name": "shop"}, {"owned": "skip"}),
            ("of a stack, at the source", {"aws:cloudformation:stack-name": "shop"}, {"owned": "source"}),
            ("of sam", {"lambda:createdBy": "SAM", "aws:cloudformation:stack-name": "s"}, {}),
            ("of terraform", {"managed_by": "Terraform"}, {}),
            ("of cdk", {"dd_cdk_construct": "v1"}, {}),
            ("of the plugin", {"dd_sls_plugin": "v5"}, {}),
            ("of the macro", {"dd_sls_macro": "v1", "dd_sls_macro_by": "CDK"}, {}),
            ("of theirs", {"env": "dev", "service": "shop", "version": "1"}, {"env": "prod"}),
            ("of ours", {"dd_ddsetup": "v0.0.1"}, {}),
            ("full", {f"k{n}": "v" for n in range(50)}, {}),
            ("nearly full", {f"k{n}": "v" for n in range(49)}, {"env": "prod"}),
        )
    },
}

WISHED: dict[str, dict[str, Any]] = {
    "no logs": {"logs": False},
    "no logs, extension": {"logs": False, "via": "extension"},
    "no traces": {"traces": False},
    "no metrics": {"enhanced_metrics": False},
    "unified tags": {"env": "prod", "service": "shop", "version": "7"},
    "extra tags": {"extra_tags": (("team", "shop"), ("odd", "a|b"), ("env", "x"))},
    "layer none": {"layer_version": "none"},
    "layer pinned": {"layer_version": "110"},
    "layer latest": {"layer_version": "latest"},
    "extension none": {"via": "extension", "extension_version": "none"},
    "extension pinned": {"via": "extension", "extension_version": "20"},
    "fips": {"via": "extension", "fips": True},
    "fips, forwarder": {"fips": True},
    "every setting": {
        "tracing": Tracing(
            log_level="debug",
            capture_payload=True,
            merge_xray=True,
            appsec=True,
            llmobs="shop",
            apm_flush_deadline_ms=250,
            git_commit="abc",
            git_repository="github.com/shop/orders",
        )
    },
    "settings off": {"tracing": Tracing(capture_payload=False, merge_xray=False)},
    "settings, extension": {
        "via": "extension",
        "tracing": Tracing(appsec=True, llmobs="shop", apm_flush_deadline_ms=0),
    },
    "key in a secret": {"via": "extension", "key_source": KeySource(value=b.secret("mine").arn)},
    "key in a parameter": {"via": "extension", "key_source": KeySource(kind="ssm", value=SSM)},
    "key as ciphertext": {"via": "extension", "key_source": KeySource(kind="kms", value="AQIC")},
    "no grant": {"via": "extension", "grant_key_access": False},
    "extension": {"via": "extension"},
    "resource collection": {"resource_collection": True},
    "namespaces": {"integration_namespaces": ("sqs", "AWS/SES", "AWS/Odd")},
    "other sources": {"log_sources": ("lambda", "s3")},
    "no sources": {"log_sources": ()},
}
WISHES = {name: World(answers=wanted) for name, wanted in WISHED.items()}

FORWARDERS: dict[str, World] = {
    "none": bare(),
    "none, logs off": bare({"logs": False}),
    "none, parameters": bare(
        {"forwarder_params": {"MemorySize": "2048", "FunctionName": "fwd", "DdForwardLog": "x"}}
    ),
    "none, names": bare(
        {"forwarder_stack": "fwd", "forwarder_function": "fwd-fn", "forwarder_version": "5.4.0"}
    ),
    "none, template": bare({"template_url": "https://mirror.example/f.yaml"}),
    "none, parameters known": bare(template_parameters=("FunctionName", "DdSite")),
    "none, parameters unknown": bare(
        {"forwarder_params": {"MemorySize": "1"}},
        template_parameters=refused("cloudformation:GetTemplateSummary"),
    ),
    "none, key in a parameter": bare({"key_source": KeySource(kind="ssm", value=SSM)}),
    "none, key as ciphertext": bare({"key_source": KeySource(kind="kms", value="AQIC")}),
    "none, key of another region": bare(
        {"key_source": KeySource(value=b.secret("mine").arn.replace(b.REGION, "us-east-1"))}
    ),
    "none, secret there": bare(secrets={b.secret().name: b.secret(tags=OURS)}),
    "none, secret of theirs": bare(secrets={b.secret().name: b.secret()}),
    "none, secret deleted": bare(secrets={b.secret().name: b.secret(tags=OURS, deleted=True)}),
    "none, secret of theirs deleted": bare(
        secrets={b.secret().name: Secret("ddsetup/datadog-api-key", "arn", {}, True)}
    ),
    "none, secrets unreadable": bare(secrets=refused("secretsmanager:DescribeSecret")),
    "none, stacks unreadable": bare(stacks=refused("cloudformation:DescribeStacks")),
    "none, no concurrency left": bare(
        {"forwarder_params": {"ReservedConcurrency": "50"}}, unreserved_concurrency=140
    ),
    "none, concurrency left": bare(
        {"forwarder_params": {"ReservedConcurrency": "40"}}, unreserved_concurrency=140
    ),
    "none, concurrency unreadable": bare(
        {"forwarder_params": {"ReservedConcurrency": "40"}},
        unreserved_concurrency=refused("lambda:GetAccountSettings"),
    ),
    "none, layer missing": bare(forwarder_layer=False),
    "none, layer unreadable": bare(forwarder_layer=refused("lambda:GetLayerVersion")),
    "none, log group left": bare(
        log_groups={"/aws/lambda/datadog-forwarder": b.log_group("/aws/lambda/datadog-forwarder")}
    ),
    "unreadable": here(forwarders=refused("lambda:ListFunctions"), stacks=()),
    **{
        f"stack {status}": bare(stacks=(stack(status=status, outputs={}),))
        for status in (
            *(
                "REVIEW_IN_PROGRESS",
                "CREATE_IN_PROGRESS",
                "ROLLBACK_COMPLETE",
                "ROLLBACK_FAILED",
                "DELETE_FAILED",
            ),
            *("UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE", "CREATE_COMPLETE"),
        )
    },
    "stack of another": bare(stacks=(b.stack(description="shop", outputs={}),)),
    "function of that name": World(
        function={"name": "datadog-forwarder"}, lane={"forwarders": (), "stacks": ()}
    ),
    "named": here({"forwarder_arns": (ARN,)}),
    "named and gone": here({"forwarder_arns": (b.function_arn("gone"),)}),
    "named elsewhere": here({"forwarder_arns": (b.function_arn("fwd", region="us-east-1"),)}),
    "two": here(forwarders=(FORWARDER, b.forwarder("fwd-2", stack=None, version="4.0.0"))),
    "old": here(forwarders=(OLD,), stacks=()),
    "another site": here(stacks=(stack(parameters={"DdSite": "datadoghq.com"}),)),
    "tags off": here(
        stacks=(stack(parameters={"DdSite": b.SITE, "DdFetchLambdaTags": "false", "DdForwardLog": "false"}),)
    ),
    "ours, tags off": here(
        stacks=(
            stack(
                tags=OURS,
                parameters={"DdSite": b.SITE, "DdFetchLambdaTags": "false", "DdForwardLog": "false"},
            ),
        )
    ),
    "ours, tags off, no logs": here(
        {"logs": False},
        stacks=(
            stack(
                tags=OURS,
                parameters={"DdSite": b.SITE, "DdFetchLambdaTags": "false", "DdForwardLog": "false"},
            ),
        ),
    ),
    "ours, being updated": here(
        stacks=(stack(tags=OURS, status="UPDATE_IN_PROGRESS", parameters={"DdFetchLambdaTags": "false"}),)
    ),
    "parameters asked for": here({"forwarder_params": {"MemorySize": "2048"}}),
    "ours, parameters asked for": here(
        {"forwarder_params": {"MemorySize": "2048", "New": "1"}}, stacks=(stack(tags=OURS),)
    ),
    "upgrade": here({"forwarder_upgrade": True, "forwarder_version": "5.4.11"}),
    "upgrade of an older one": here(
        {"forwarder_upgrade": True, "forwarder_params": {"MemorySize": "2048"}},
        forwarders=(b.forwarder(version="4.0.0"),),
        template_parameters=("DdSite", "MemorySize"),
    ),
    "upgrade without a stack": here({"forwarder_upgrade": True}, forwarders=(OLD,), stacks=()),
    "upgrade of a nested stack": here({"forwarder_upgrade": True}, forwarders=(b.forwarder(nested=True),)),
    "logs not wanted": here({"logs": False}),
}

ACCOUNTS: dict[str, World] = {
    "untouched": account(integration=None, role=None),
    "untouched, names": account(
        {"role_name": "Mine", "integration_namespaces": ("sqs",)}, integration=None, role=None
    ),
    "role alone, ours": account(integration=None, role=b.role(tags=OURS)),
    "role alone, theirs": account(integration=None, role=b.role()),
    "integration alone": account(role=None),
    "integration alone, role of another name": account(
        integration=b.integration(role_name="Other"), role=None
    ),
    "unreadable integration": account(integration=refused("aws_configuration_read")),
    "unreadable role": account(role=refused("iam:GetRole")),
    "nothing readable": account(integration=refused("aws_configuration_read"), role=refused("iam:GetRole")),
    "access keys": account(integration=b.integration(access_key_auth=True, role_name=None), role=None),
    "trust of another id": account(role=b.role(trust=b.trust_policy("another"))),
    "trust of another id, ours": account(role=b.role(trust=b.trust_policy("another"), tags=OURS)),
    "trust of another account": account(
        role=b.role(trust=b.trust_policy(principal="arn:aws:iam::999999999999:root"))
    ),
    "few permissions": account(role=b.role(inline={"p": b.policy("ec2:*")})),
    "few permissions, ours": account(role=b.role(inline={"p": b.policy("ec2:*")}, tags=OURS)),
    "attached policies": account(role=b.role(inline={}, attached=("arn:aws:iam::1:policy/p",))),
    "all permissions": account(role=b.role(inline={"p": b.policy("*")})),
    "denied by the boundary": account(role=b.role(boundary="arn:aws:iam::1:policy/b")),
    "metrics off": account(integration=b.integration(metrics_enabled=False)),
    "lambda excluded": account(
        integration=b.integration(
            namespaces=NamespaceFilter(mode="exclude_only", names=("AWS/Lambda", "AWS/EC2"))
        )
    ),
    "others only": account(
        integration=b.integration(namespaces=NamespaceFilter(mode="include_only", names=("AWS/EC2",)))
    ),
    "datadog's default": account(
        {"integration_namespaces": ("sqs",)}, integration=b.integration(namespaces=None)
    ),
    "another region": account(integration=b.integration(regions=("us-east-1",))),
    "this region": account(integration=b.integration(regions=(b.REGION, "us-east-1"))),
    "not registered": account(integration=b.integration()),
    "registered, other sources": account(integration=b.integration(lambdas=(ARN,), sources=("s3",))),
    "another forwarder registered": account(
        integration=b.integration(lambdas=(OLD.arn,), sources=("lambda",))
    ),
    "a forwarder that is gone": account(
        integration=b.integration(lambdas=(b.function_arn("gone"), ARN), sources=("lambda",))
    ),
    "govcloud": account(identity=b.identity(partition="aws-us-gov"), integration=None, role=None),
    "denied": account(simulated={"iam:CreateRole": "denied", "logs:DescribeAccountPolicies": "denied"}),
    "resource collection on": account(
        {"resource_collection": True}, integration=b.integration(resource_collection=True)
    ),
    "resource collection wanted, ours": account({"resource_collection": True}, role=b.role(tags=OURS)),
}

SUBSCRIPTIONS: dict[str, World] = {
    "direct": subscribed(subscribe="direct"),
    "direct, ours there": subscribed(("ddsetup-datadog-forwarder", ARN), subscribe="direct"),
    "direct, one foreign": subscribed(("audit", KINESIS), subscribe="direct"),
    "direct, two foreign": subscribed(("a", KINESIS), ("b", b.function_arn("audit")), subscribe="direct"),
    "direct, two foreign, replace": subscribed(
        ("a", KINESIS), ("b", b.function_arn("audit")), subscribe="direct", on_conflict="replace"
    ),
    "direct, two foreign, one given away": subscribed(
        ("a", KINESIS), ("b", KINESIS), subscribe="direct", conflicts={f"{GROUP}:a": "replace"}
    ),
    "direct, firehose": subscribed(
        ("a", f"arn:aws:firehose:{b.REGION}:{b.ACCOUNT}:deliverystream/datadog"), subscribe="direct"
    ),
    "direct, another forwarder": subscribed(
        ("a", b.function_arn("DatadogLambdaLogForwarder")), subscribe="direct"
    ),
    "direct, another forwarder, add": subscribed(
        ("a", b.function_arn("DatadogLambdaLogForwarder")), subscribe="direct", on_conflict="add"
    ),
    "direct, our name, another destination": subscribed(
        ("ddsetup-datadog-forwarder", KINESIS), subscribe="direct"
    ),
    "automatic, ours there": World(filters=(b.subscription_filter(GROUP, "ddsetup-datadog-forwarder", ARN),)),
    "automatic, theirs there": World(
        filters=(b.subscription_filter(GROUP, f"DD_LOG_SUBSCRIPTION_FILTER_{GROUP}", ARN),)
    ),
    "automatic, two foreign": World(
        filters=(b.subscription_filter(GROUP, "a", KINESIS), b.subscription_filter(GROUP, "b", KINESIS))
    ),
    "automatic, two foreign, replace": World(
        answers={"on_conflict": "replace"},
        filters=(b.subscription_filter(GROUP, "a", KINESIS), b.subscription_filter(GROUP, "b", KINESIS)),
    ),
    "a part of the lines": World(filters=(b.subscription_filter(GROUP, "x", ARN, pattern="ERROR"),)),
    "twice": World(filters=(b.subscription_filter(GROUP, "x", ARN), b.subscription_filter(GROUP, "y", ARN))),
    "none": World(answers={"subscribe": "none"}),
    "extension and a filter": World(
        answers={"via": "extension"}, filters=(b.subscription_filter(GROUP, "x", ARN),)
    ),
    "group missing": here(log_groups={}, filters={}),
    "group missing, not made": here({"create_log_groups": False}, log_groups={}, filters={}),
    "group missing, direct": World(
        answers={"subscribe": "direct"},
        lane={"log_groups": {}, "filters": {}},
        account={"integration": b.integration()},
    ),
    "group infrequent": here(log_groups={GROUP: b.log_group(GROUP, log_class="INFREQUENT_ACCESS")}),
    "groups unreadable": here(log_groups=refused("logs:DescribeLogGroups")),
    "filters unreadable": here(filters={GROUP: refused("logs:DescribeSubscriptionFilters")}),
    "filters unseen": here(filters={}),
    "account policy": here(account_filter_policies=({"policyDocument": f'{{"DestinationArn":"{ARN}"}}'},)),
    "account policy of datadog": here(
        account_filter_policies=({"policyDocument": '{"DestinationArn":"Datadog"}'},)
    ),
    "account policy elsewhere": here(account_filter_policies=({"policyDocument": '{"DestinationArn":"x"}'},)),
    "account policies unreadable": here(account_filter_policies=refused("logs:DescribeAccountPolicies")),
    "integration unreadable, direct": World(
        answers={"subscribe": "direct"}, account={"integration": refused("aws_configuration_read")}
    ),
}

SOURCES: dict[str, World] = {
    name: World(
        answers={
            "state_machines": ("all",) if machines else (),
            "api_stages": ("all",) if stages else (),
            **wanted,
        },
        lane={
            "state_machines": machines,
            "api_stages": stages,
            "api_log_role": "arn:aws:iam::1:role/r",
            **lane,
        },
    )
    for name, machines, stages, wanted, lane in (
        ("machine off", (b.state_machine(),), (), {}, {}),
        (
            "machine off, tags",
            (b.state_machine(),),
            (),
            {"env": "prod", "service": "tea", "version": "1"},
            {},
        ),
        ("machine off, no traces", (b.state_machine(),), (), {"traces": False}, {}),
        ("machine off, direct", (b.state_machine(),), (), {"subscribe": "direct"}, {}),
        ("machine off, extension", (b.state_machine(),), (), {"via": "extension"}, {}),
        ("machine express", (b.state_machine(type="EXPRESS"),), (), {}, {}),
        (
            "machine on",
            (b.state_machine(level="ALL", group="/mine"),),
            (),
            {},
            {"log_groups": {"/mine": b.log_group("/mine")}},
        ),
        ("machine on, group gone", (b.state_machine(level="ERROR", group="/mine"),), (), {}, {}),
        (
            "machine unreadable",
            (b.state_machine(settings=refused("states:DescribeStateMachine")),),
            (),
            {},
            {},
        ),
        ("machine unseen", (b.state_machine(settings=None),), (), {}, {}),
        ("machine, tags unreadable", (b.state_machine(tags=refused("tag:GetResources")),), (), {}, {}),
        ("machine owned", (b.state_machine(tags={"aws:cloudformation:stack-name": "s"}),), (), {}, {}),
        (
            "machine owned, skip",
            (b.state_machine(tags={"aws:cloudformation:stack-name": "s"}),),
            (),
            {"owned": "skip"},
            {},
        ),
        (
            "machine, role denied",
            (b.state_machine(),),
            (),
            {},
            {"log_delivery": {f"arn:aws:iam::{b.ACCOUNT}:role/brew-role": "denied"}},
        ),
        ("stage off", (), (b.api_stage(),), {}, {}),
        ("stage http", (), (b.api_stage(protocol="HTTP"),), {}, {}),
        ("stage websocket", (), (b.api_stage(protocol="WEBSOCKET"),), {}, {}),
        (
            "stage on",
            (),
            (b.api_stage(destination=f"arn:aws:logs:{b.REGION}:{b.ACCOUNT}:log-group:/api", format="$x"),),
            {},
            {},
        ),
        (
            "stage to firehose",
            (),
            (b.api_stage(destination=f"arn:aws:firehose:{b.REGION}:1:deliverystream/amazon-apigateway-x"),),
            {},
            {},
        ),
        ("stage, no role", (), (b.api_stage(),), {}, {"api_log_role": ""}),
        ("stage, role unreadable", (), (b.api_stage(),), {}, {"api_log_role": refused("apigateway:GET")}),
        ("stage execution logs", (), (b.api_stage(execution_level="INFO"),), {}, {}),
        (
            "stage owned",
            (),
            (b.api_stage(tags={"aws:cloudformation:stack-name": "s"}),),
            {"owned": "skip"},
            {},
        ),
        ("stages unreadable", (), refused("apigateway:GET"), {}, {}),
        ("machines unreadable", refused("states:ListStateMachines"), (), {}, {}),
    )
}

CASES: dict[str, dict[str, World]] = {
    "functions": FUNCTIONS,
    "wishes": WISHES,
    "forwarders": FORWARDERS,
    "accounts": ACCOUNTS,
    "subscriptions": SUBSCRIPTIONS,
    "sources": SOURCES,
}

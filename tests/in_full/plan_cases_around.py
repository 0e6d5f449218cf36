"""Accounts that differ in what is around functions: Forwarders, the integration, subscriptions, sources."""

from __future__ import annotations

from ddsetup.model.account import NamespaceFilter, Secret
from ddsetup.model.answers import KeySource
from tests import builders as b
from tests.in_full.plan_world import (
    ARN,
    FORWARDER,
    GROUP,
    KINESIS,
    OLD,
    OURS,
    SSM,
    World,
    account,
    bare,
    here,
    refused,
    stack,
    subscribed,
)

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
    "ours there, logs off": World(
        answers={"logs": False}, filters=(b.subscription_filter(GROUP, "ddsetup-datadog-forwarder", ARN),)
    ),
    "one foreign": World(filters=(b.subscription_filter(GROUP, "audit", KINESIS),)),
    "no forwarder": bare(filters={GROUP: (b.subscription_filter(GROUP, "x", ARN),)}),
    "no forwarder, filters unseen": bare(filters={}),
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
        ("stage, no forwarder", (), (b.api_stage(),), {"via": "extension"}, {"forwarders": (), "stacks": ()}),
        (
            "stage, forwarder unreadable",
            (),
            (b.api_stage(),),
            {},
            {"forwarders": refused("x:Y"), "stacks": ()},
        ),
        (
            "machine, no forwarder",
            (b.state_machine(),),
            (),
            {"logs": False},
            {"forwarders": (), "stacks": ()},
        ),
        ("machines unreadable", refused("states:ListStateMachines"), (), {}, {}),
    )
}

"""Accounts that differ from a usual one in one thing each, by what is planned for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ddsetup.model.account import Alias
from ddsetup.model.answers import KeySource, Tracing
from tests import builders as b
from tests.in_full.plan_cases_around import ACCOUNTS, FORWARDERS, SOURCES, SUBSCRIPTIONS
from tests.in_full.plan_world import SSM, World, fn, here, layer, refused

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
    "a forwarder itself": fn(
        {"env": "prod", "service": "shop"}, name="datadog-forwarder", handler="lambda_function.lambda_handler"
    ),
    "of datadog's own stacks": World(
        answers={"env": "prod"}, tags={"aws:cloudformation:stack-name": "datadog-remote-instrument"}
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

CASES: dict[str, dict[str, World]] = {
    "functions": FUNCTIONS,
    "wishes": WISHES,
    "forwarders": FORWARDERS,
    "accounts": ACCOUNTS,
    "subscriptions": SUBSCRIPTIONS,
    "subscriptions_beside": {
        name: replace(world, answers={"via": "extension", **world.answers})
        for name, world in SUBSCRIPTIONS.items()
    },
    "sources": SOURCES,
}

"""What functions are told by their environment and log settings."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.plan.steps.instrument.key_access import POLICY_NAME
from tests import builders as b
from tests.in_full.patients.ways import (
    OTHER,
    REFUSED,
    Break,
    all_of,
    answered,
    billing,
    filters,
    having,
    orders,
    payments,
    role_of,
    silent,
)
from tests.unit.patient import (
    FORWARDER_ARN,
    ORDERS,
    PAYMENTS,
    layer,
)

VARIABLES: Mapping[str, Break] = {
    "flush off, java by the forwarder": all_of(
        billing(layers=(layer("dd-trace-java"),), env={"DD_FLUSH_TO_LOG": "false"}),
    ),
    "flush gone": orders(env={"DD_FLUSH_TO_LOG": None}),
    "flush on, extension": payments(env={"DD_FLUSH_TO_LOG": "1"}),
    "two keys": payments(env={"DD_API_KEY_SSM_ARN": "arn:aws:ssm:p"}),
    "two keys, one in clear": payments(env={"DD_API_KEY": "0" * 32}),
    "empty keys": payments(env={"DD_API_KEY_SECRET_ARN": "", "DD_API_KEY": ""}),
    "key in clear, forwarder": orders(env={"DD_API_KEY": "0" * 32}),
    "org, old extension": payments(
        env={"DD_API_KEY_SECRET_ARN": None, "DD_ORG_UUID": "u"},
        layers=(layer("Datadog-Python312"), layer("Datadog-Extension", 95)),
    ),
    "org, new extension": payments(
        env={"DD_API_KEY_SECRET_ARN": None, "DD_ORG_UUID": "u"},
        layers=(layer("Datadog-Python312", 95), layer("Datadog-Extension", 96)),
    ),
    "org and a role": all_of(payments(env={"DD_ORG_UUID": "u"}), role_of(PAYMENTS, "s3:GetObject")),
    "no key and a role": all_of(payments(env={"DD_API_KEY_SECRET_ARN": None}), role_of(PAYMENTS, "s3:*")),
    "role unreadable": lambda p: p.know(roles={p.functions[PAYMENTS].role: REFUSED}),
    "role unreadable, forwarder": lambda p: p.know(roles={p.functions[ORDERS].role: REFUSED}),
    **{
        f"role may {action}": role_of(PAYMENTS, action)
        for action in (
            *("*", "secretsmanager:*", "secretsmanager:GetSecretValue", "secretsmanager:Get*"),
            *("secretsmanager:Put*", "ssm:GetParameter", "SecretsManager:getsecretvalue", "s3:*"),
        )
    },
    "secret, forwarder, role may not": all_of(
        orders(env={"DD_API_KEY_SECRET_ARN": b.secret().arn}), role_of(ORDERS, "s3:Get*")
    ),
    "secret, forwarder, role unreadable": all_of(
        orders(env={"DD_API_KEY_SECRET_ARN": b.secret().arn}),
        lambda p: p.know(roles={p.functions[ORDERS].role: REFUSED}),
    ),
    "role may not": role_of(PAYMENTS, "secretsmanager:GetSecretValue", effect="Deny"),
    "role, a managed policy": role_of(PAYMENTS, "s3:*", attached=("arn:aws:iam::1:policy/p",)),
    "role, an aws policy": role_of(
        PAYMENTS, "s3:*", attached=("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",)
    ),
    "role, our policy": role_of(PAYMENTS, inline={POLICY_NAME: b.policy("secretsmanager:GetSecretValue")}),
    "role, our policy does not do": role_of(PAYMENTS, inline={POLICY_NAME: b.policy("s3:*")}),
    "parameter, may": all_of(
        payments(env={"DD_API_KEY_SECRET_ARN": None, "DD_API_KEY_SSM_ARN": "arn:aws:ssm:p"}),
        role_of(PAYMENTS, "ssm:Get*"),
    ),
    "parameter, may not": all_of(
        payments(
            env={
                "DD_API_KEY_SECRET_ARN": None,
                "DD_API_KEY_SSM_ARN": f"arn:aws:ssm:{b.REGION}:{b.ACCOUNT}:parameter/datadog",
            }
        ),
        role_of(PAYMENTS, "secretsmanager:*"),
    ),
    "another site": payments(env={"DD_SITE": "datadoghq.com"}),
    "no site, US1 wanted": all_of(
        payments(env={"DD_SITE": None}),
        lambda p: p.forwarder_env(DD_SITE="datadoghq.com"),
        lambda p: p.parameters(DdSite="datadoghq.com"),
        answered(site="datadoghq.com"),
    ),
    "another site, forwarder": orders(env={"DD_SITE": "datadoghq.com"}),
    **{
        f"sample rate {rate!r}": orders(env={"DD_TRACE_SAMPLE_RATE": rate})
        for rate in ("0", " 0.0 ", "0.5", "", "none")
    },
    "traces off, not wanted": all_of(orders(env={"DD_TRACE_ENABLED": "false"}), answered(traces=False)),
    "metrics off, not wanted": all_of(
        orders(env={"DD_ENHANCED_METRICS": "false"}), answered(enhanced_metrics=False)
    ),
    "metrics off, java": billing(env={"DD_ENHANCED_METRICS": "0"}),
    "extension's logs off": payments(env={"DD_SERVERLESS_LOGS_ENABLED": "false"}),
    "extension's logs off, not wanted": all_of(
        payments(env={"DD_SERVERLESS_LOGS_ENABLED": "false"}), answered(logs=False)
    ),
    "extension's logs off, by the forwarder": all_of(
        payments(env={"DD_SERVERLESS_LOGS_ENABLED": "false"}),
        filters(f"/aws/lambda/{PAYMENTS}", ("f", FORWARDER_ARN)),
    ),
    "extension's logs off, another filter": all_of(
        payments(env={"DD_SERVERLESS_LOGS_ENABLED": "false"}),
        filters(f"/aws/lambda/{PAYMENTS}", ("f", OTHER)),
    ),
    "extension's logs off, unread": all_of(
        payments(env={"DD_SERVERLESS_LOGS_ENABLED": "false"}),
        lambda p: p.filters.pop(f"/aws/lambda/{PAYMENTS}"),
    ),
    "extension's logs off, unreadable": all_of(
        payments(env={"DD_SERVERLESS_LOGS_ENABLED": "false"}),
        lambda p: p.filters.update({f"/aws/lambda/{PAYMENTS}": REFUSED}),
    ),
    "extension's logs off, no forwarder": all_of(
        having(forwarder=None, forwarder_function=None, stack=None),
        payments(env={"DD_SERVERLESS_LOGS_ENABLED": "false"}),
    ),
    "WARN, extension": payments(log_format="JSON", system_log_level="WARN"),
    "WARN, text": orders(log_format="Text", system_log_level="WARN"),
    "DEBUG": orders(log_format="JSON", system_log_level="DEBUG", application_log_level="INFO"),
    **{
        f"application {level}": all_of(
            orders(log_format="JSON", application_log_level=level), silent(ORDERS, "enhanced_metrics")
        )
        for level in ("WARN", "FATAL", "INFO")
    },
    "application ERROR, data arrives": orders(log_format="JSON", application_log_level="ERROR"),
    "application ERROR, text": all_of(
        orders(log_format="Text", application_log_level="ERROR"), silent(ORDERS, "enhanced_metrics")
    ),
    "application ERROR, extension": all_of(
        payments(log_format="JSON", application_log_level="ERROR"), silent(PAYMENTS, "enhanced_metrics")
    ),
    "service by a tag": all_of(
        orders(env={"DD_SERVICE": None}),
        lambda p: p.tags.update({b.function_arn(ORDERS): {"service": "shop"}}),
    ),
    "rules that keep": payments(env={"DD_LOGS_CONFIG_PROCESSING_RULES": '[{"type":"include_at_match"}]'}),
    "rules that mask": payments(env={"DD_LOGS_CONFIG_PROCESSING_RULES": '[{"type":"mask_sequences"}]'}),
    "rules, forwarder": orders(env={"DD_LOGS_CONFIG_PROCESSING_RULES": "exclude_at_match"}),
}

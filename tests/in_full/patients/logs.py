"""Log groups and their filters, what arrives, and what arrives twice."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ddsetup.facts.firehose import STACK as STREAM
from ddsetup.model.answers import Selection
from ddsetup.model.evidence import LogIndex
from tests import builders as b
from tests.in_full.patients.ways import (
    FAILED,
    OTHER,
    REFUSED,
    Break,
    about,
    account_policy,
    all_of,
    all_silent,
    answered,
    bare,
    beside,
    changed_before,
    chosen,
    filters,
    forwarder_function,
    having,
    here,
    knowing,
    orders,
    payments,
    record,
    registered_before,
    role_of,
    saying,
    signals,
    silent,
    unsubscribed,
)
from tests.unit.patient import (
    BILLING,
    FORWARDER_ARN,
    GROUP,
    ORDERS,
    OWN_GROUP,
    PAYMENTS,
    layer,
)

GROUPS: Mapping[str, Break] = {
    "group missing, idle": all_of(lambda p: p.groups.pop(GROUP), lambda p: p.filters.pop(GROUP)),
    "group missing, traffic unreadable": all_of(
        lambda p: p.groups.pop(GROUP), lambda p: p.filters.pop(GROUP), knowing(traffic=REFUSED)
    ),
    "group missing, it ran": all_of(
        lambda p: p.groups.pop(GROUP),
        lambda p: p.filters.pop(GROUP),
        about(ORDERS, traffic=1.0),
    ),
    "group missing, another ran": all_of(
        lambda p: p.groups.pop(GROUP), lambda p: p.filters.pop(GROUP), about(PAYMENTS, traffic=1.0)
    ),
    "group missing, one of two ran": all_of(
        payments(log_group=GROUP, layers=(layer("Datadog-Python312"),)),
        lambda p: p.groups.pop(GROUP),
        lambda p: p.filters.pop(GROUP),
        about(ORDERS, traffic=1.0),
    ),
    "groups unreadable": here(log_groups=REFUSED),
    "delivery class": lambda p: p.groups.update({GROUP: b.log_group(GROUP, log_class="DELIVERY")}),
    "filters unreadable": lambda p: p.filters.update({GROUP: REFUSED}),
    "filters unread": lambda p: p.filters.pop(GROUP),
    "filters unread, silent": all_of(lambda p: p.filters.pop(GROUP), all_silent),
    "no filter": unsubscribed,
    "no filter, direct": all_of(unsubscribed, answered(subscribe="direct")),
    "no filter, no forwarder": all_of(
        having(forwarder=None, forwarder_function=None, stack=None), unsubscribed
    ),
    "no filter, an account's policy": all_of(
        unsubscribed, here(account_filter_policies=(account_policy("all", OWN_GROUP),))
    ),
    "no filter, ddsetup's policy for others": all_of(
        unsubscribed,
        here(account_filter_policies=(account_policy("ddsetup-datadog-forwarder", GROUP, OWN_GROUP),)),
    ),
    "an account's policy with its own group": here(
        account_filter_policies=(account_policy("ddsetup-datadog-forwarder"),)
    ),
    "no filter, another policy": all_of(
        unsubscribed, here(account_filter_policies=({"policyDocument": "x"},))
    ),
    "no filter, policies unreadable": all_of(unsubscribed, here(account_filter_policies=REFUSED)),
    **{
        f"no filter, function changed {minutes:g} minutes ago": all_of(unsubscribed, changed_before(minutes))
        for minutes in (14.9, 15.0)
    },
    **{
        f"no filter, registered {minutes:g} minutes ago": all_of(unsubscribed, registered_before(minutes))
        for minutes in (14.9, 15.0)
    },
    "no filter, changed just now, direct": all_of(
        unsubscribed, changed_before(1), answered(subscribe="direct")
    ),
    "no filter, a time without a zone": all_of(
        unsubscribed, orders(last_modified=b.AT.replace(tzinfo=None).isoformat())
    ),
    "no filter, an odd time": all_of(unsubscribed, orders(last_modified="now")),
    "shared group, one is new": all_of(
        payments(log_group=GROUP, layers=(layer("Datadog-Python312"),)),
        unsubscribed,
        changed_before(1),
        changed_before(99, PAYMENTS),
    ),
    "two foreign": all_of(
        filters(GROUP, ("a", b.function_arn(BILLING)), ("b", b.function_arn(PAYMENTS))), all_silent
    ),
    "one foreign": all_of(filters(GROUP, ("a", b.function_arn(BILLING))), all_silent),
    "a part of the lines, automatic": filters(
        GROUP, (f"DD_LOG_SUBSCRIPTION_FILTER_{GROUP}", FORWARDER_ARN), pattern="?ERROR"
    ),
    "blank pattern": filters(GROUP, ("own", FORWARDER_ARN), pattern="  "),
    "foreign pattern": lambda p: p.filters.update(
        {
            GROUP: (
                *p.filters[GROUP],  # type: ignore[misc]
                b.subscription_filter(GROUP, "audit", b.function_arn(BILLING), pattern="ERROR"),
            )
        }
    ),
    **{
        f"leads to {arn}": filters(GROUP, ("own", FORWARDER_ARN), ("x", arn))
        for arn in (
            b.function_arn("gone"),
            f"{b.function_arn(BILLING)}:live",
            b.function_arn("gone", region="us-east-1"),
            b.function_arn("gone", account=b.OTHER_ACCOUNT),
            f"arn:aws:kinesis:{b.REGION}:{b.ACCOUNT}:stream/x",
        )
    },
    "leads to what is unknown": all_of(
        filters(GROUP, ("x", b.function_arn("gone"))),
        here(functions=REFUSED),
        answered(selection=Selection()),
    ),
    "loop": filters(OWN_GROUP, ("loop", FORWARDER_ARN)),
    "loop, own group": all_of(
        forwarder_function(log_group="/fwd"),
        filters("/fwd", ("loop", FORWARDER_ARN)),
    ),
    "loop, function unknown": all_of(
        having(forwarder_function=None, answers=b.answers(forwarder_arns=(FORWARDER_ARN,))),
        filters(OWN_GROUP, ("loop", FORWARDER_ARN)),
    ),
    "loop unreadable": lambda p: p.filters.update({OWN_GROUP: REFUSED}),
    "own group feeds another": filters(OWN_GROUP, ("x", b.function_arn(BILLING))),
    "own group unread": lambda p: p.filters.pop(OWN_GROUP),
    **{
        f"role may {action}": role_of(ORDERS, action)
        for action in ("*", "logs:*", "logs:PutLogEvents", "logs:Put*", "LOGS:putlogevents", "logs:Get*")
    },
    "role must not": role_of(ORDERS, "logs:*", effect="Deny"),
    "role must not, but may": role_of(
        ORDERS,
        inline={
            "may": b.policy("logs:*"),
            "not": {"Statement": [{"Effect": "Deny", "Action": "logs:PutLogEvents"}]},
        },
    ),
    "role may not, a managed policy": role_of(ORDERS, "s3:*", attached=("arn:aws:iam::1:policy/p",)),
    "role of an extension may not": role_of(PAYMENTS, "secretsmanager:*"),
    "role of a function unreadable": lambda p: p.know(roles={p.functions[ORDERS].role: REFUSED}),
    "role of a function gone": lambda p: p.know(roles={p.functions[ORDERS].role: None}),
    "direct by its filters": all_of(
        record(lambdas=()), filters(GROUP, ("ddsetup-datadog-forwarder", FORWARDER_ARN))
    ),
}

ARRIVAL: Mapping[str, Break] = {
    **{
        f"{signal} unreadable: {reason}": saying(signal, reason)
        for signal in ("cloudwatch_metrics", "enhanced_metrics", "cold_start", "logs", "traces")
        for reason in ("needs the permission apm_read", "no answer")
    },
    "traces off, missing": all_of(orders(env={"DD_TRACE_ENABLED": "false"}), silent(ORDERS, "traces")),
    "metrics off, missing": all_of(
        orders(env={"DD_ENHANCED_METRICS": "false"}),
        silent(ORDERS, "enhanced_metrics", "cold_start", "cloudwatch_metrics"),
    ),
    "everything off, logs missing": all_of(
        orders(env={"DD_ENHANCED_METRICS": "false", "DD_TRACE_ENABLED": "false"}), silent(ORDERS, "logs")
    ),
    "idle": signals("no_traffic"),
    "idle, but counted": all_of(signals("no_traffic"), about(ORDERS, traffic=3.0)),
    "idle, in part": signals("no_traffic", logs="arrived"),
    "idle, in two hours": all_of(signals("no_traffic"), knowing(minutes=120)),
    "idle, traffic unreadable": all_of(signals("no_traffic"), knowing(traffic=REFUSED)),
    "nothing expected": knowing(signals=()),
    "waiting": signals("waiting"),
    "indexes unreadable": knowing(indexes=REFUSED),
    **{
        f"excluded: {query!r} {share}": knowing(
            indexes=(LogIndex(name="main", exclusions=((query, share),)),)
        )
        for query, share in (
            ("", 1.0),
            (" * ", 1.0),
            ("*", 0.99),
            ("env:dev Source:Lambda", 1.0),
            ("-source:lambda", 1.0),
            ("(source:lambda)", 1.0),
            ("source:s3", 1.0),
        )
    },
    "two indexes": knowing(
        indexes=(
            LogIndex(name="a", limited=True, exclusions=(("x", 1.0), ("*", 1.0), ("source:lambda", 1.0))),
            LogIndex(name="b"),
        )
    ),
}

COST: Mapping[str, Break] = {
    "two of ours, none automatic": filters(GROUP, ("b", FORWARDER_ARN), ("a", FORWARDER_ARN)),
    "automatic and another": filters(
        GROUP, (f"DD_LOG_SUBSCRIPTION_FILTER_{GROUP}", FORWARDER_ARN), ("z", FORWARDER_ARN)
    ),
    "another forwarder": all_of(
        filters(GROUP, ("own", FORWARDER_ARN), ("x", OTHER)),
        beside(b.function("DatadogLambdaLogForwarder", handler="lambda_function.lambda_handler")),
        here(forwarders=(b.forwarder(), b.forwarder("DatadogLambdaLogForwarder", stack=None))),
    ),
    "another forwarder by its tag": all_of(
        filters(GROUP, ("own", FORWARDER_ARN), ("x", b.function_arn("ship"))),
        beside(b.function("ship")),
        here(forwarders=(b.forwarder(), b.forwarder("ship", stack=None))),
    ),
    "firehose to datadog": filters(
        GROUP,
        ("own", FORWARDER_ARN),
        ("x", f"arn:aws:firehose:{b.REGION}:{b.ACCOUNT}:deliverystream/datadog-logs"),
    ),
    "firehose elsewhere": filters(
        GROUP, ("own", FORWARDER_ARN), ("x", f"arn:aws:firehose:{b.REGION}:{b.ACCOUNT}:deliverystream/lake")
    ),
    "forwarders unreadable, named": all_of(
        answered(forwarder_arns=(FORWARDER_ARN,)),
        here(forwarders=REFUSED),
        filters(GROUP, ("own", FORWARDER_ARN), ("x", OTHER)),
        beside(b.function("DatadogLambdaLogForwarder")),
    ),
    "account's policy": here(account_filter_policies=({"policyDocument": json.dumps({"a": "Datadog"})},)),
    "account's policy, its stream gone": here(
        account_filter_policies=(
            {
                "policyName": f"ddsetup-{STREAM}",
                "policyDocument": json.dumps(
                    {"DestinationArn": f"arn:aws:firehose:::deliverystream/{STREAM}"}
                ),
                "selectionCriteria": f'LogGroupName NOT IN ["{GROUP}"]',
            },
        )
    ),
    "account's policy beside filters": here(account_filter_policies=(account_policy("all", OWN_GROUP),)),
    "account's policy elsewhere": here(account_filter_policies=({"policyDocument": "x"},)),
    "account's policies refused": here(account_filter_policies=REFUSED),
    "account's policies not answered": here(account_filter_policies=FAILED),
    "account's policy, nothing forwarded": all_of(
        here(account_filter_policies=({"policyDocument": "datadog"},)),
        lambda p: p.functions.pop(ORDERS),
        chosen(PAYMENTS, BILLING),
    ),
    "twice, both ways": filters(f"/aws/lambda/{PAYMENTS}", ("f", FORWARDER_ARN)),
    "extension and another filter": filters(f"/aws/lambda/{PAYMENTS}", ("f", b.function_arn(BILLING))),
    "x-ray joined": orders(tracing="Active", env={"DD_MERGE_XRAY_TRACES": "true"}),
    "x-ray alone": orders(tracing="Active", env={"DD_TRACE_ENABLED": "false"}),
    "x-ray passes": orders(tracing="PassThrough"),
    "x-ray, bare": all_of(bare(tracing="Active"), chosen()),
    "x-ray, extension": payments(tracing="Active"),
    "debug of the tracer": orders(env={"DD_TRACE_DEBUG": "true"}),
    "debug, bare": all_of(bare(env={"DD_LOG_LEVEL": "debug"}), chosen()),
    "info": orders(env={"DD_LOG_LEVEL": "info", "DD_TRACE_DEBUG": "false"}),
    "forwarders beside": all_of(
        beside(
            b.function("old", handler="lambda_function.lambda_handler", env={"DD_SITE": b.SITE}),
            b.function("DatadogLambdaLogForwarder"),
        ),
        here(
            forwarders=(
                b.forwarder(),
                b.forwarder("old", stack=None, version="3.1.0"),
                b.forwarder("DatadogLambdaLogForwarder", stack=None, version=None),
                b.forwarder("gone", stack=None),
            )
        ),
    ),
}

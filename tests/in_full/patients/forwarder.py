"""The Forwarder, and what Datadog was told about it."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.model.answers import Selection
from ddsetup.model.evidence import Local
from tests import builders as b
from tests.in_full.patients.ways import (
    OTHER,
    REFUSED,
    Break,
    all_of,
    answered,
    chosen,
    filters,
    forwarder_function,
    forwarder_state,
    having,
    health,
    here,
    knowing,
    lambda_policy,
    machines,
    record,
    stack,
    traced,
    unsubscribed,
    without_data,
)
from tests.unit.patient import (
    BILLING,
    FORWARDER_ARN,
    LOGS_ALLOWED,
    ORDERS,
    PAYMENTS,
)

FORWARDERS: Mapping[str, Break] = {
    "unreadable": all_of(having(forwarder=None, stack=None), here(forwarders=REFUSED)),
    "too old to serve": all_of(
        having(stack=None),
        here(forwarders=(b.forwarder(version="2.9.0", stack=None),)),
    ),
    "named": answered(forwarder_arns=(FORWARDER_ARN,)),
    "named and gone": answered(forwarder_arns=(b.function_arn("gone"),)),
    "no stack": having(stack=None),
    **{
        f"stack {status}": stack(status=status)
        for status in (
            *("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_FAILED"),
            *("UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"),
        )
    },
    "stack of our name, another's": here(
        stacks=(b.stack(status="DELETE_FAILED", outputs={}), b.stack("shop", status="DELETE_FAILED"))
    ),
    "another stack": here(stacks=(b.stack("shop", status="DELETE_FAILED", outputs={}),)),
    "update failed": forwarder_state(last_update_status="Failed", state=""),
    "state unreadable": knowing(states={FORWARDER_ARN: REFUSED}),
    "failed, reported alone": forwarder_state(state="Failed", last_update_status=""),
    "site by its stack": all_of(lambda p: p.parameters(DdSite="datadoghq.com")),
    **{f"key {state}": health(key=state) for state in ("valid", "malformed", "missing", "unknown")},
    "key invalid, and said": health(key="invalid", lines=("API Key is not valid",), key_unreadable=REFUSED),
    "key unknown, but said": health(
        key="unknown", lines=("x", "Failed to check if API Key is VALID"), key_unreadable=REFUSED
    ),
    "key valid, but said": health(key="valid", lines=("API Key is not valid",)),
    "key unreadable": health(key="unknown", key_unreadable=REFUSED),
    "key valid and unreadable": health(key="valid", key_unreadable=REFUSED),
    "logs off by a variable": lambda p: p.forwarder_env(DD_FORWARD_LOG="false"),
    "logs off, theirs": all_of(lambda p: p.parameters(DdForwardLog="false"), stack(tags={})),
    "logs off, no stack": all_of(having(stack=None), lambda p: p.forwarder_env(DD_FORWARD_LOG="FALSE")),
    "logs off, none wanted": all_of(lambda p: p.parameters(DdForwardLog="false"), answered(logs=False)),
    "both patterns": lambda p: p.forwarder_env(INCLUDE_AT_MATCH="a", EXCLUDE_AT_MATCH="b"),
    "an empty pattern": lambda p: p.forwarder_env(INCLUDE_AT_MATCH=""),
    **{
        f"version {version}": having(forwarder=b.forwarder(version=version))
        for version in ("3.999.0", "4.0.0", "5.4.10", "5.4.11", "5.5.0", None)
    },
    "version old, no stack": having(forwarder=b.forwarder(version="3.106.0", stack=None), stack=None),
    **{
        f"runtime {runtime}": forwarder_function(runtime=runtime)
        for runtime in ("python3.8", "python3.9", "python2.7", "python3.13", None)
    },
    "runtime old, no stack": all_of(
        having(stack=None),
        forwarder_function(runtime="python3.7"),
    ),
    "policy unread": health(policy=None, policy_read=False),
    "policy unreadable": health(policy=REFUSED),
    **{
        f"policy for {principal} to {action}, {effect}": lambda_policy(principal, action, effect)
        for principal, action, effect in (
            ("*", "lambda:InvokeFunction", "Allow"),
            ("logs.amazonaws.com", "*", "Allow"),
            ({"Service": "logs.eu-west-1.amazonaws.com"}, "lambda:*", "Allow"),
            ({"Service": ["s3.amazonaws.com", "logs.amazonaws.com"]}, ["lambda:InvokeFunction"], "Allow"),
            ({"Service": "logs.amazonaws.com"}, "lambda:InvokeFunction", "Deny"),
            ({"Service": "s3.amazonaws.com"}, "lambda:InvokeFunction", "Allow"),
            ({"Service": "logs.example.com"}, "lambda:InvokeFunction", "Allow"),
            ({"Service": "logs.amazonaws.com"}, "lambda:GetFunction", "Allow"),
            ({"AWS": "1"}, "lambda:InvokeFunction", "Allow"),
        )
    },
    "two statements": health(policy={"Statement": [{"Effect": "Deny"}, *LOGS_ALLOWED["Statement"]]}),
    "tags off, no stack": all_of(lambda p: p.parameters(DdFetchLambdaTags="false"), having(stack=None)),
    "addresses": lambda p: p.parameters(DdUrl="a", DdApiUrl="b", DdTraceIntakeUrl="", DdPort="1"),
    "addresses of a sandbox": all_of(
        lambda p: p.parameters(DdUrl="a"),
        knowing(local=Local(endpoints={"DDSETUP_DATADOG_URL": "http://d:1", "AWS_ENDPOINT_URL": "http://a"})),
    ),
    **{
        f"{failed:g} of {runs:g} failed": health(counts={"Invocations": runs, "Errors": failed})
        for failed, runs in ((1.0, 100.0), (1.0, 101.0), (0.0, 9.0), (1.0, 0.0))
    },
    "counts not told": health(counts={}),
    "counts unreadable": health(counts=REFUSED),
    **{
        f"failed with {line}": health(counts={"Invocations": 9.0, "Errors": 3.0}, lines=(line, "more"))
        for line in ("Task timed out after 120 s", "Runtime exited", "MemoryError", "Out Of Memory", "oops")
    },
    "failed in time and memory": health(
        counts={"Invocations": 9.0, "Errors": 3.0}, lines=("MemoryError", "Task timed out")
    ),
    "failed in time, no stack": all_of(
        having(stack=None),
        health(counts={"Invocations": 9.0, "Errors": 3.0}, lines=("Task timed out",)),
    ),
    "failed, log unreadable": health(counts={"Invocations": 9.0, "Errors": 3.0}, lines=REFUSED),
    "throttled, no stack": all_of(having(stack=None), health(counts={"Throttles": 7.0})),
    **{f"reserved {n}": health(reserved=n) for n in (1, 9, 10, None)},
    "reserved unreadable": health(reserved=REFUSED),
    **{
        f"log: {line}": health(lines=("fine", line))
        for line in (
            *("Connect timeout on x", "connecttimeout", "Max retries exceeded", "Name or service not known"),
            *("AccessDenied", "user is not authorized to perform x"),
        )
    },
    "no way out of the VPC": all_of(
        forwarder_function(vpc=True),
        health(lines=("Connect timeout",)),
    ),
    "its function unknown": having(forwarder_function=None),
    "nothing forwarded": all_of(
        lambda p: p.functions.pop(ORDERS), health(key="invalid", reserved=0), chosen(PAYMENTS, BILLING)
    ),
    "another site, alone": all_of(
        lambda p: p.forwarder_env(DD_SITE="datadoghq.com"), lambda p: p.parameters(DdSite="datadoghq.com")
    ),
}

COLLECTION: Mapping[str, Break] = {
    "not registered, all subscribed": record(lambdas=(), sources=()),
    "not registered, all led here": record(lambdas=(), sources=("lambda",)),
    "not registered, one not led": all_of(record(lambdas=()), unsubscribed),
    "not registered, direct": all_of(record(lambdas=()), unsubscribed, answered(subscribe="direct")),
    "not registered, none": all_of(record(lambdas=()), unsubscribed, answered(subscribe="none")),
    "another is registered": all_of(
        record(lambdas=(b.function_arn("old", region="us-east-1"), OTHER)), unsubscribed
    ),
    "another is registered elsewhere": all_of(
        record(lambdas=(b.function_arn("old", region="us-east-1"),)), unsubscribed
    ),
    "a function beside is registered": record(lambdas=(FORWARDER_ARN, b.function_arn(ORDERS))),
    "functions unreadable": all_of(
        record(lambdas=(b.function_arn("gone"),)), here(functions=REFUSED), answered(selection=Selection())
    ),
    "source off, all led here": record(sources=("s3",)),
    "source off, not led": all_of(record(sources=("s3",)), unsubscribed),
    "source off, nothing registered": all_of(record(sources=(), lambdas=()), unsubscribed),
    "logs of tagged ones": record(
        raw={
            "logs_config": {
                "lambda_forwarder": {
                    "log_source_config": {
                        "tag_filters": [
                            {"source": "s3", "tags": ["x:y"]},
                            {"source": "lambda", "tags": ["a:b", "c:d"]},
                        ]
                    }
                }
            }
        }
    ),
    "logs of tagged ones, direct": all_of(
        record(
            raw={
                "logs_config": {
                    "lambda_forwarder": {
                        "log_source_config": {"tag_filters": [{"source": "lambda", "tags": ["a:b"]}]}
                    }
                }
            }
        ),
        answered(subscribe="direct"),
    ),
    "machine without data": all_of(
        machines(without_data(traced(level="ALL", group="/brew"))),
        record(sources=("lambda", "states")),
    ),
    "machine logs all": all_of(
        machines(traced(level="ALL", group="/brew")), record(sources=("lambda", "states"))
    ),
    "machine logs all, source on, not led": all_of(
        machines(traced(level="ALL", group="/brew")), record(sources=("lambda", "states")), filters("/brew")
    ),
    "machine logs all, source off, led": all_of(
        machines(traced(level="ALL", group="/brew")), filters("/brew", ("f", FORWARDER_ARN))
    ),
    "machine logs all, source off, unread": machines(traced(level="ALL", group="/brew")),
    "machine logs all, source off, unreadable": all_of(
        machines(traced(level="ALL", group="/brew")), lambda p: p.filters.update({"/brew": REFUSED})
    ),
    "machine logs nothing": machines(traced()),
    "machine unreadable": machines(traced(settings=REFUSED)),
    "machine unseen": machines(traced(settings=None)),
    "machine not traced": machines(b.state_machine("brew", tags={"DD_TRACE_ENABLED": "false"})),
    "machine chosen": all_of(machines(b.state_machine("brew")), answered(state_machines=("br*",))),
    "machine not chosen": all_of(machines(b.state_machine("brew")), answered(state_machines=("tea",))),
    "machines unreadable": here(state_machines=REFUSED),
    "machines unreadable, chosen": all_of(here(state_machines=REFUSED), answered(state_machines=("all",))),
    "machine, integration unknown": all_of(
        machines(traced(level="ALL", group="/brew")), having(integration=REFUSED)
    ),
}

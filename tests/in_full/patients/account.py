"""This machine, the identities, and Datadog's record of the account."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.model.account import NamespaceFilter
from ddsetup.model.answers import Selection
from ddsetup.model.evidence import Fault, Local
from tests import builders as b
from tests.in_full.patients.ways import (
    ALL,
    FAILED,
    OURS,
    REFUSED,
    Break,
    all_of,
    answered,
    having,
    here,
    in_both_accounts,
    knowing,
    lacking,
    record,
    role_with,
    silent,
)
from tests.unit.patient import (
    ORDERS,
    PAYMENTS,
)

LOCAL: Mapping[str, Break] = {
    **{
        f"clock {skew:+g} s": knowing(local=Local(clock_skew=skew))
        for skew in (59.9, 60.0, -60.0, 299.9, 300.0, -300.0, -301.0)
    },
    "datadog elsewhere": knowing(local=Local(endpoints={"DDSETUP_DATADOG_URL": "https://dd.example"})),
    **{
        f"datadog on {host}": knowing(local=Local(endpoints={"DDSETUP_DATADOG_URL": f"http://{host}:1"}))
        for host in ("127.0.0.1", "localhost", "[::1]")
    },
    "both here": knowing(
        local=Local(endpoints={"AWS_ENDPOINT_URL": "http://h:1", "DDSETUP_DATADOG_URL": "http://localhost:2"})
    ),
    **{
        f"proxy {proxies}": knowing(local=Local(proxies=proxies))
        for proxies in (
            {"HTTPS_PROXY": "proxy.example"},
            {"HTTPS_PROXY": "http://proxy.example:0"},
            {"HTTPS_PROXY": "http://proxy.example:1"},
            {"HTTPS_PROXY": "http://proxy.example:x"},
            {"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"},
            {"https_proxy": "http://a:1", "HTTPS_PROXY": "http://a:1"},
            {"https_proxy": "http://a:1"},
            {"HTTPS_PROXY": "http://a:1", "HTTP_PROXY": "http://b:1"},
        )
    },
    "credentials of AWS and a clock": all_of(
        knowing(
            faults=(Fault(kind="aws", what="expired", fix="sign in"),),
            local=Local(clock_skew=301.0, misfits=("boto3 1.20 is installed", "typer 0.1 is installed")),
        )
    ),
    "keys refused": knowing(faults=(Fault(kind="keys", what="refused", fix="other keys"),)),
    "unreachable": all_of(
        knowing(faults=(Fault(kind="unreachable", what="no route"),)), having(integration=FAILED)
    ),
    "permissions of the key": knowing(
        permissions={"aws_configuration_read": "denied", "apm_read": "denied", "logs_read_data": "ok"}
    ),
    "denied: a read": having(simulated={"lambda:ListFunctions": "denied", "iam:CreateRole": "allowed"}),
    "denied: a write": having(simulated={"iam:CreateRole": "denied", "iam:GetRole": "unknown"}),
    "denied: get, describe": having(simulated={"iam:GetRole": "denied", "ec2:DescribeRegions": "denied"}),
    "bulk reads": here(tags=REFUSED, stacks=REFUSED, log_groups=FAILED),
}

INTEGRATION: Mapping[str, Break] = {
    "none, nobody chosen": all_of(having(integration=None, role=None, functions={}), answered()),
    "none, unreadable role": having(integration=None, role=REFUSED),
    "unreadable": having(integration=REFUSED),
    "not answered": having(integration=FAILED),
    "role unreadable": having(role=REFUSED),
    "access keys": all_of(record(access_key_auth=True), having(role=None)),
    "access keys, no name": all_of(record(access_key_auth=True, role_name=None), having(role=None)),
    "no role named": all_of(record(role_name=None), having(role=None)),
    "role of another name": having(role=b.role("Another", trust={})),
    "trust, ours": having(role=b.role(trust=b.trust_policy("another"), tags=OURS)),
    "trust of another account": having(
        role=b.role(trust=b.trust_policy(principal="arn:aws:iam::999999999999:root"))
    ),
    "no external id known": all_of(record(external_id=None), having(role=b.role(trust=b.trust_policy("x")))),
    "no trust": having(role=b.role(trust={})),
    "a site without roles in this partition": all_of(
        having(role=b.role(trust={}), identity=b.identity(partition="aws-cn"))
    ),
    "few permissions, ours": role_with(*lacking("lambda"), tags=OURS),
    "few permissions, managed beside": role_with(
        *lacking("lambda"), attached=("arn:aws:iam::1:policy/p", "arn:aws:iam::aws:policy/SecurityAudit")
    ),
    "few permissions, audit beside": role_with(
        *lacking("lambda"), attached=("arn:aws:iam::aws:policy/SecurityAudit",)
    ),
    "no triggers": role_with(*lacking("logs:")),
    "no triggers, direct": all_of(role_with(*lacking("logs:Put")), answered(subscribe="direct")),
    "no triggers, nothing registered": all_of(role_with(*lacking("logs:Put")), record(lambdas=())),
    "no triggers, only extensions": all_of(
        role_with(*lacking("logs:Put")), lambda p: p.functions.pop(ORDERS), silent(PAYMENTS, "traces")
    ),
    "namespaces not told": record(namespaces=None),
    "only others": record(namespaces=NamespaceFilter(mode="include_only", names=("AWS/EC2",))),
    "queues in use": here(resources={"AWS/SQS": 3, "AWS/Lambda": 9, "AWS/ElasticMapReduce": 1}),
    "queues not in use": here(resources={"AWS/SQS": 0}),
    "queues in use, read": all_of(
        here(resources={"AWS/SQS": 3}), record(namespaces=NamespaceFilter(mode="exclude_only", names=()))
    ),
    "queues in use, not told": all_of(here(resources={"AWS/SQS": 3}), record(namespaces=None)),
    "this region": record(regions=(b.REGION,)),
    "no region": record(regions=()),
    "no region, no functions": all_of(
        record(regions=()), having(functions={}), answered(selection=Selection())
    ),
    "metrics of tagged ones": in_both_accounts,
    "metrics of tagged ones, one left out": all_of(
        in_both_accounts, lambda p: p.tags.update({b.function_arn(PAYMENTS): {"Team": "Shop"}})
    ),
    "metrics of tagged ones, all": all_of(
        in_both_accounts,
        lambda p: p.tags.update({key: {"team": "shop"} for key in map(b.function_arn, ALL)}),
    ),
    "metrics of tagged ones elsewhere": record(
        raw={"metrics_config": {"tag_filters": [{"namespace": "AWS/EC2", "tags": ["x:y"]}, "odd"]}}
    ),
    "two tags": record(
        raw={"metrics_config": {"tag_filters": [{"namespace": "AWS/Lambda", "tags": ["a:b", "c:d"]}]}}
    ),
    "names of others": record(
        raw={"metrics_config": {"metric_name_filters": [{"namespace": "AWS/EC2"}, "odd", 1]}}
    ),
    "odd record": record(raw={"metrics_config": None, "logs_config": None}),
}

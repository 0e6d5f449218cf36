"""Every check, seen to fire on exactly what it is about, and silent on a healthy account."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ddsetup.doctor.checks.registry import BY_ID, CHECKS
from ddsetup.doctor.diagnose import can_mend, diagnose, mending
from ddsetup.facts import catalog
from ddsetup.facts.firehose import stream_arn
from ddsetup.model.account import Alias, Layer, NamespaceFilter, Unreadable, WorkloadIdentity
from ddsetup.model.answers import Selection
from ddsetup.model.change import ResourceId
from ddsetup.model.delivery import Deliveries, DeliveryStream
from ddsetup.model.evidence import Fault, Local, LogIndex
from ddsetup.model.metric_stream import MetricStream
from ddsetup.model.report import Signal
from tests import builders as b
from tests.unit.patient import (
    BILLING,
    FORWARDER_ARN,
    GROUP,
    ORDERS,
    OWN_GROUP,
    PAYMENTS,
    Patient,
    layer,
    signals_of,
)

Break = Callable[[Patient], object]


@dataclass(frozen=True)
class Breakage:
    """What is broken, and which other checks rightly speak up as well (as causes of their own)."""

    how: Break
    also: tuple[str, ...] = ()


def _both(*hows: Break) -> Break:
    """One breakage after the other."""

    def how(p: Patient) -> None:
        for each in hows:
            each(p)

    return how


def _silent(name: str, *signals: Any) -> Break:
    return lambda p: p.silence(name, *signals)


def _set(**over: Any) -> Break:
    def how(p: Patient) -> None:
        for name, value in over.items():
            setattr(p, name, value)

    return how


def _local(**over: Any) -> Break:
    return lambda p: p.know(local=Local(**over))


LED_TO_LOGS = json.dumps({"DestinationArn": stream_arn(b.lane(), "datadog-logs")})


def _refused(stream: str) -> Break:
    """A delivery stream with a key that Datadog refuses."""
    there = DeliveryStream(
        name=stream,
        status="ACTIVE",
        url="https://awsmetrics-intake.datadoghq.eu/api/v2/awsmetrics?dd-protocol=aws-kinesis-firehose",
        bucket="kept",
        version="1",
        destination="destinationId-000000000001",
    )
    said = ("HttpEndpoint.DestinationException 403",)
    found = Deliveries(stream=there, shares=((b.AT, 0.0),), waited=((b.AT, 61.0),), said=said)
    return lambda p: p.know(deliveries={stream_arn(b.lane(), stream): found})


def _orders(silent: tuple[Any, ...] = (), **over: Any) -> Break:
    def how(p: Patient) -> None:
        p.change(ORDERS, **over)
        if silent:
            p.silence(ORDERS, *silent)

    return how


def _payments(silent: tuple[Any, ...] = (), **over: Any) -> Break:
    def how(p: Patient) -> None:
        p.change(PAYMENTS, **over)
        if silent:
            p.silence(PAYMENTS, *silent)

    return how


def _health(**over: Any) -> Break:
    return lambda p: p.health(**over)


def _plain(**over: Any) -> Break:
    """`orders` without Datadog."""

    def how(p: Patient) -> None:
        settings: dict[str, Any] = {"handler": "app.handler", "layers": (), "env": {}}
        function = b.function(ORDERS, **(settings | over))
        p.functions[ORDERS] = function
        p.know(signals=tuple(s for s in p.evidence.signals if s.function != ORDERS))

    return how


def _filter(name: str, arn: str, **over: Any) -> Break:
    """One more filter on the log group of `orders`."""

    def how(p: Patient) -> None:
        held = p.filters[GROUP]
        assert not isinstance(held, Unreadable)
        p.filters[GROUP] = (*held, b.subscription_filter(GROUP, name, arn, **over))

    return how


def _only_filters(*filters: tuple[str, str]) -> Break:
    def how(p: Patient) -> None:
        p.filters[GROUP] = tuple(b.subscription_filter(GROUP, name, arn) for name, arn in filters)
        p.silence(ORDERS, "logs", "enhanced_metrics", "cold_start", "traces")

    return how


def _no_forwarder(p: Patient) -> None:
    p.forwarder = p.forwarder_function = p.stack = None
    p.record(lambdas=(), sources=())
    p.filters = dict.fromkeys(p.filters, ())
    p.silence(ORDERS, "logs", "enhanced_metrics", "cold_start", "traces")


def _tag_filter(section: str) -> Break:
    def how(p: Patient) -> None:
        metrics = {"metrics_config": {"tag_filters": [{"namespace": "AWS/Lambda", "tags": ["dd:yes"]}]}}
        sources = [{"source": "lambda", "tags": ["dd:yes"]}]
        logs = {"logs_config": {"lambda_forwarder": {"log_source_config": {"tag_filters": sources}}}}
        p.record(raw=metrics if section == "metrics" else logs)

    return how


def _name_filter(p: Patient) -> None:
    filters = [{"namespace": "AWS/Lambda", "exclude_only": ["aws.lambda.inv*"]}]
    p.record(raw={"metrics_config": {"metric_name_filters": filters}})


def _another_function(name: str, **over: Any) -> Break:
    """A function of the region that is not meant."""

    def how(p: Patient) -> None:
        p.functions[name] = b.function(name, **over)
        p.answers = b.answers(selection=Selection(names=(ORDERS, PAYMENTS, BILLING)))

    return how


def _unregistered(p: Patient) -> None:
    p.record(lambdas=(), sources=("lambda",))
    p.filters[GROUP] = ()
    p.silence(ORDERS, "logs", "enhanced_metrics", "cold_start", "traces")


def _traced(**over: Any) -> Break:
    """A state machine whose tag says that traces are wanted, beside one of which nobody wants any."""
    machines = (b.state_machine("brew", tags={"DD_TRACE_ENABLED": "true"}, **over), b.state_machine("plain"))
    return _set(lane={"state_machines": machines})


def _source_off(p: Patient) -> None:
    p.record(sources=("s3",))
    p.filters[GROUP] = ()
    p.silence(ORDERS, "logs", "traces")


def _nothing_there(p: Patient) -> None:
    p.functions = {"plain": b.function("plain")}
    p.filters, p.groups = {OWN_GROUP: ()}, {OWN_GROUP: b.log_group(OWN_GROUP)}
    p.answers = b.answers(selection=Selection())
    p.know(signals=())


def _gov(p: Patient) -> None:
    region = "us-gov-west-1"
    moved = {
        name: replace(f, region=region, arn=f.arn.replace(b.REGION, region))
        for name, f in p.functions.items()
    }
    p.functions = {ORDERS: moved[ORDERS]}
    p.forwarder = p.forwarder_function = p.stack = None
    p.filters, p.groups = {}, {}
    p.lane = {"lane": b.lane(region=region)}
    p.know(signals=())


def _log_group_gone(p: Patient) -> None:
    del p.groups[GROUP]
    del p.filters[GROUP]
    p.know(traffic={p.functions[ORDERS].arn: 5.0})
    p.silence(ORDERS, "logs")


def _no_logs_role(p: Patient) -> None:
    p.know(roles={p.functions[ORDERS].role: b.role("orders-role", inline={"p": b.policy("s3:GetObject")})})
    p.silence(ORDERS, "logs", "enhanced_metrics", "cold_start", "traces")


def _keyless_role(p: Patient) -> None:
    p.know(roles={p.functions[PAYMENTS].role: b.role("payments-role", inline={"p": b.policy("logs:*")})})
    p.silence(PAYMENTS, "enhanced_metrics", "cold_start", "traces")


def _unmapped_role(p: Patient) -> None:
    """As after somebody took the mapping away."""
    org = "1b2c3d4e-0000-4000-8000-0123456789ab"
    p.change(PAYMENTS, env={"DD_ORG_UUID": org, "DD_API_KEY_SECRET_ARN": None})
    p.tags[b.function_arn(PAYMENTS)] = {"dd_ddsetup": "v1"}
    p.datadog = replace(p.datadog, workload_identity=WorkloadIdentity(org_uuid=org))
    p.silence(PAYMENTS, "enhanced_metrics", "cold_start", "traces")


def _machine_is_silent(patient: Patient) -> None:
    machine = ResourceId("state_machine", "arn:aws:states:eu-west-1:1:stateMachine:brew", "eu-west-1", "1")
    reason = "CloudWatch counts an execution, and not there after more than the usual 25 minutes"
    signal = Signal(
        function="", region="eu-west-1", signal="logs", status="missing", reason=reason, resource=machine
    )
    patient.know(signals=(*patient.evidence.signals, signal))


def _idle(p: Patient) -> None:
    rest = tuple(s for s in p.evidence.signals if s.function != ORDERS)
    p.know(signals=rest + signals_of(ORDERS, "no_traffic"))


def _two_forwarders(p: Patient) -> None:
    p.functions["old"] = b.function(
        "DatadogLambdaLogForwarder", handler="lambda_function.lambda_handler", env={"DD_SITE": b.SITE}
    )
    other = b.forwarder("DatadogLambdaLogForwarder", version="3.1.0", stack="old", found_by=("tag",))
    p.lane = {"forwarders": (b.forwarder(), other)}
    p.answers = b.answers(selection=Selection(names=(ORDERS, PAYMENTS, BILLING)))


def _old_forwarder(p: Patient) -> None:
    p.functions["old"] = b.function("LogForwarder", handler="x.y")
    _filter("datadog", b.function_arn("LogForwarder"))(p)
    p.answers = b.answers(selection=Selection(names=(ORDERS, PAYMENTS, BILLING)))


def _extension_in_vpc(p: Patient) -> None:
    p.change(PAYMENTS, vpc=True)
    p.silence(PAYMENTS, "enhanced_metrics", "cold_start", "traces", "logs")


def _alias(p: Patient) -> None:
    p.aliases = {p.functions[ORDERS].arn: (Alias("live", "7"),)}
    p.silence(ORDERS, "enhanced_metrics", "cold_start", "traces")


def _fault(kind: Any, integration: Any = None) -> Break:
    def how(p: Patient) -> None:
        p.know(faults=(Fault(kind=kind, what="it does not do"),), signals=(), permissions={})
        p.integration = integration

    return how


UNSEEN = Unreadable("aws_configuration_read", "Datadog was not asked", denied=False)

STOPPED = MetricStream(name="datadog", delivery="datadog", running=False, output_format="opentelemetry1.0")

BREAKAGES: dict[str, Breakage] = {
    # This machine and credentials
    "local-versions": Breakage(_local(misfits=("boto3 1.20 is installed",))),
    "local-clock": Breakage(_local(clock_skew=400.0)),
    "local-endpoints": Breakage(_local(endpoints={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})),
    "local-proxy": Breakage(_local(proxies={"HTTPS_PROXY": "http://"})),
    "aws-credentials": Breakage(_fault("aws")),
    "datadog-reachable": Breakage(_fault("unreachable", UNSEEN)),
    "datadog-keys": Breakage(_fault("keys", UNSEEN)),
    "datadog-permissions": Breakage(lambda p: p.know(permissions={"logs_read_data": "denied"})),
    "aws-permissions": Breakage(_set(simulated={"logs:DescribeLogGroups": "denied"})),
    # The integration
    "integration-exists": Breakage(_set(integration=None, role=None)),
    "role-exists": Breakage(_set(role=None)),
    "role-trust": Breakage(_set(role=b.role(trust=b.trust_policy("another")))),
    "role-permissions": Breakage(
        _set(role=b.role(inline={"p": b.policy(*(p for p in b.PERMISSIONS if p != "lambda:List*"))}))
    ),
    "role-triggers": Breakage(
        _set(role=b.role(inline={"p": b.policy(*(p for p in b.PERMISSIONS if "Put" not in p))}))
    ),
    "role-boundary": Breakage(_set(role=b.role(boundary="arn:aws:iam::1:policy/limit"))),
    "metrics-enabled": Breakage(lambda p: p.record(metrics_enabled=False)),
    "lambda-namespace": Breakage(
        lambda p: p.record(namespaces=NamespaceFilter(mode="exclude_only", names=("AWS/Lambda",)))
    ),
    "service-namespaces": Breakage(_set(lane={"resources": {"AWS/SQS": 12}})),
    "regions-included": Breakage(lambda p: p.record(regions=("us-east-1",))),
    "metric-tag-filters": Breakage(_tag_filter("metrics")),
    "metric-name-filters": Breakage(_name_filter),
    "metric-stream": Breakage(_set(lane={"metric_streams": (STOPPED,)})),
    "metric-stream-delivers": Breakage(
        _both(_set(lane={"metric_streams": (replace(STOPPED, running=True),)}), _refused(STOPPED.delivery))
    ),
    "log-stream-delivers": Breakage(
        _both(
            _set(lane={"account_filter_policies": ({"policyDocument": LED_TO_LOGS},)}),
            _refused("datadog-logs"),
        ),
        also=("account-policy",),
    ),
    # The Forwarder
    "forwarder-exists": Breakage(_no_forwarder),
    "forwarder-stack": Breakage(lambda p: setattr(p, "stack", b.stack(status="UPDATE_ROLLBACK_FAILED"))),
    "forwarder-ready": Breakage(
        lambda p: setattr(p, "forwarder_function", b.function("datadog-forwarder", state="Failed"))
    ),
    "forwarder-site": Breakage(lambda p: p.forwarder_env(DD_SITE="datadoghq.com")),
    "forwarder-key": Breakage(_health(key="invalid", key_reason="Datadog refuses its API key")),
    "forwarder-logs-on": Breakage(lambda p: p.parameters(DdForwardLog="false")),
    "forwarder-filter": Breakage(lambda p: p.forwarder_env(EXCLUDE_AT_MATCH="REPORT")),
    "forwarder-errors": Breakage(_health(counts={"Invocations": 10.0, "Errors": 4.0})),
    "forwarder-throttles": Breakage(_health(counts={"Invocations": 10.0, "Throttles": 4.0})),
    "forwarder-concurrency": Breakage(_health(reserved=0)),
    "forwarder-version": Breakage(_set(forwarder=b.forwarder(version="3.90.0"))),
    "forwarder-runtime": Breakage(
        lambda p: setattr(p, "forwarder_function", b.function("datadog-forwarder", runtime="python3.7"))
    ),
    "forwarder-egress": Breakage(_health(lines=("ConnectTimeoutError: Connect timeout on endpoint",))),
    "forwarder-decrypt": Breakage(_health(lines=("AccessDenied when calling Decrypt",))),
    "forwarder-permission": Breakage(_health(policy=None)),
    "forwarder-tags": Breakage(lambda p: p.parameters(DdFetchLambdaTags="false")),
    "forwarder-address": Breakage(lambda p: p.parameters(DdTraceIntakeUrl="https://proxy.internal")),
    # Log collection
    "forwarder-registered": Breakage(_unregistered),
    "stale-registration": Breakage(
        lambda p: p.record(lambdas=(FORWARDER_ARN, b.function_arn("gone"))),
    ),
    "log-source": Breakage(_source_off),
    "log-tag-filters": Breakage(_tag_filter("logs")),
    "state-machine-logging": Breakage(
        _both(_traced(level="ERROR", group="/brew"), lambda p: p.record(sources=("lambda", "states")))
    ),
    "state-machine-source": Breakage(
        _both(_traced(level="ALL", group="/brew"), lambda p: p.filters.update({"/brew": ()}))
    ),
    # Functions
    "function-readable": Breakage(_plain(env=None, env_error="KMSAccessDenied")),
    "function-package": Breakage(_plain(package_type="Image", runtime=None, handler=None)),
    "function-runtime": Breakage(_plain(runtime="python2.7")),
    "other-vendor": Breakage(_plain(handler="newrelic_lambda_wrapper.handler")),
    "exec-wrapper": Breakage(
        _both(
            lambda p: p.change(BILLING, env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"}),
            _silent(BILLING, "enhanced_metrics", "traces"),
        )
    ),
    "handler-kept": Breakage(
        _plain(handler="run.sh", env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap", "PORT": "8000"})
    ),
    "layer-room": Breakage(_plain(layers=tuple(Layer(f"arn:aws:lambda:x:1:layer:l{i}:1") for i in range(5)))),
    "environment-room": Breakage(_plain(env={"MENU": "x" * 4000})),
    "function-instrumented": Breakage(_plain()),
    "any-function": Breakage(_nothing_there),
    "function-ready": Breakage(_orders(last_update_status="Failed")),
    "function-concurrency": Breakage(_orders(reserved=0)),
    "function-settled": Breakage(_orders(last_update_status="InProgress")),
    "function-starts": Breakage(
        _both(
            lambda p: p.know(lines={p.functions[ORDERS].arn: ("Runtime.ImportModuleError: no app",)}),
            _silent(ORDERS, "enhanced_metrics", "traces"),
        )
    ),
    "published-version": Breakage(_alias),
    "remote-instrumentation": Breakage(_another_function("datadog-remote-instrumenter")),
    "owned-by-tool": Breakage(
        lambda p: p.tags.update({b.function_arn(ORDERS): {"lambda:createdBy": "SAM", "dd_ddsetup": "v1"}})
    ),
    "extension-memory": Breakage(_payments(memory=128)),
    "extension-egress": Breakage(_extension_in_vpc),
    "timeout-margin": Breakage(lambda p: p.know(longest={b.function_arn(ORDERS): 2_990.0})),
    # Layers and handlers
    "layer-present": Breakage(_orders(("enhanced_metrics", "traces"), layers=())),
    "layer-runtime": Breakage(_orders(layers=(layer("Datadog-Python39"),))),
    "layer-architecture": Breakage(_orders(layers=(layer("Datadog-Python312-ARM"),))),
    "layer-recent": Breakage(_orders(layers=(layer("Datadog-Python312", 60),))),
    "layer-retired": Breakage(_orders(layers=(layer("Datadog-Python27", 50), layer("Datadog-Python312")))),
    "handler-redirected": Breakage(_orders(("enhanced_metrics", "traces"), handler="app.handler")),
    "handler-known": Breakage(_orders(("enhanced_metrics", "traces"), env={"DD_LAMBDA_HANDLER": None})),
    "handler-variable": Breakage(
        lambda p: p.change(BILLING, env={"DD_LAMBDA_HANDLER": "shop.Handler"}),
    ),
    "wrapper-set": Breakage(
        _both(lambda p: p.change(BILLING, env={"AWS_LAMBDA_EXEC_WRAPPER": None}), _silent(BILLING, "traces"))
    ),
    # Variables, tags, log settings
    "flush-to-log": Breakage(_orders(env={"DD_FLUSH_TO_LOG": "false"})),
    "flush-with-extension": Breakage(_payments(env={"DD_FLUSH_TO_LOG": "true"})),
    "key-source": Breakage(_payments(("enhanced_metrics", "traces"), env={"DD_API_KEY_SECRET_ARN": None})),
    "key-plain": Breakage(_payments(env={"DD_API_KEY": "0" * 32, "DD_API_KEY_SECRET_ARN": None})),
    "key-access": Breakage(_keyless_role),
    "key-mapping": Breakage(_unmapped_role),
    "function-site": Breakage(_payments(("enhanced_metrics",), env={"DD_SITE": None})),
    "government-site": Breakage(_gov, also=("forwarder-exists",)),
    "tracing-on": Breakage(_orders(("traces",), env={"DD_TRACE_ENABLED": "false"})),
    "enhanced-metrics-on": Breakage(_orders(("enhanced_metrics",), env={"DD_ENHANCED_METRICS": "false"})),
    "extension-logs": Breakage(_payments(("logs",), env={"DD_SERVERLESS_LOGS_ENABLED": "false"})),
    "system-log-level": Breakage(_orders(log_format="JSON", system_log_level="WARN")),
    "application-log-level": Breakage(
        _orders(("enhanced_metrics",), log_format="JSON", application_log_level="ERROR")
    ),
    "unified-tags": Breakage(_orders(env={"DD_SERVICE": None})),
    "log-rules": Breakage(
        _payments(env={"DD_LOGS_CONFIG_PROCESSING_RULES": '[{"type":"exclude_at_match"}]'})
    ),
    # Log groups and filters
    "log-group-exists": Breakage(_log_group_gone),
    "log-group-class": Breakage(
        lambda p: p.groups.update({GROUP: b.log_group(GROUP, log_class="INFREQUENT_ACCESS")})
    ),
    "log-group-subscribed": Breakage(_only_filters()),
    "log-group-room": Breakage(
        _only_filters(("mine", b.function_arn(BILLING)), ("yours", b.function_arn(PAYMENTS)))
    ),
    "filter-pattern": Breakage(
        lambda p: p.filters.update(
            {GROUP: (b.subscription_filter(GROUP, "own", FORWARDER_ARN, pattern="ERROR"),)}
        )
    ),
    "filter-target": Breakage(_filter("dead", b.function_arn("deleted"))),
    "forwarder-loop": Breakage(
        lambda p: p.filters.update({OWN_GROUP: (b.subscription_filter(OWN_GROUP, "own", FORWARDER_ARN),)})
    ),
    "role-writes-logs": Breakage(_no_logs_role),
    # Arrival
    "metrics-arrive": Breakage(lambda p: p.silence(ORDERS, "cloudwatch_metrics")),
    "enhanced-arrive": Breakage(lambda p: p.silence(ORDERS, "enhanced_metrics", "cold_start")),
    "cold-starts-arrive": Breakage(lambda p: p.silence(ORDERS, "cold_start")),
    "logs-arrive": Breakage(lambda p: p.silence(ORDERS, "logs")),
    "traces-arrive": Breakage(lambda p: p.silence(ORDERS, "traces")),
    "services-arrive": Breakage(_machine_is_silent),
    "traffic": Breakage(_idle),
    "logs-indexed": Breakage(
        _both(lambda p: p.know(indexes=(LogIndex(name="main", limited=True),)), _silent(ORDERS, "logs"))
    ),
    "rate-limits": Breakage(lambda p: p.know(exhausted=("logs_search",))),
    # Cost and duplicates
    "filter-twice": Breakage(_filter("ddsetup-datadog-forwarder", FORWARDER_ARN)),
    "old-forwarder": Breakage(_old_forwarder),
    "account-policy": Breakage(
        _set(lane={"account_filter_policies": ({"policyDocument": "to datadog-firehose"},)})
    ),
    "logs-once": Breakage(
        lambda p: p.filters.update(
            {
                f"/aws/lambda/{PAYMENTS}": (
                    b.subscription_filter(f"/aws/lambda/{PAYMENTS}", "own", FORWARDER_ARN),
                )
            }
        )
    ),
    "xray-once": Breakage(_orders(tracing="Active")),
    "one-forwarder": Breakage(_two_forwarders),
    "debug-off": Breakage(_orders(env={"DD_LOG_LEVEL": "DEBUG"})),
}

ONLY_OF_OURS = {"role-trust", "log-group-subscribed"}
"""Mended only where the role is ddsetup's own, or where ddsetup itself subscribes; here neither is so."""
BLIND_ONLY = {"bulk-reads"}
"""Checks that never find anything themselves, but say what could not be looked at."""


def test_a_healthy_account_has_no_finding_of_any_level() -> None:
    diagnosis = diagnose(Patient().case(), CHECKS)
    assert diagnosis.causes == ()
    assert diagnosis.blind == ()
    assert len(diagnosis.passed) == len(CHECKS)


def test_every_check_has_a_breakage() -> None:
    assert set(BREAKAGES) | BLIND_ONLY == set(BY_ID)


@pytest.mark.parametrize("check", BREAKAGES)
def test_a_check_fires_on_what_it_is_about_and_no_other_does(check: str) -> None:
    patient = Patient()
    BREAKAGES[check].how(patient)
    diagnosis = diagnose(patient.case(), CHECKS)
    causes = {cause.found.check.id for cause in diagnosis.causes}
    assert causes == {check, *BREAKAGES[check].also}
    assert all(f.problem.what and f.problem.resource.id for f in diagnosis.found())


@pytest.mark.parametrize("check", [c.id for c in CHECKS if c.fix != "manual"])
def test_what_a_check_offers_to_mend_is_mended_by_its_plan(check: str) -> None:
    """The changes name what was found broken; after them a setup of that part has nothing left to do."""
    patient = Patient()
    BREAKAGES[check].how(patient)
    case = patient.case()
    diagnosis = diagnose(case, CHECKS)
    mendable = [f for f in diagnosis.found() if f.check.id == check and can_mend(f)]
    if check in ONLY_OF_OURS:
        assert not mendable
        return
    assert mendable
    plan = mending(case, mendable)
    wanted = {r for f in mendable for r in f.problem.mends} | {
        c.resource for f in mendable for c in f.problem.changes
    }
    assert {c.resource for c in plan.changes} & wanted
    untouched = {c.resource for c in plan.changes} - wanted - {n for c in plan.changes for n in c.needs}
    assert not untouched


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.id)
def test_every_check_is_described(check: Any) -> None:
    assert check.title[0].islower() or check.title.split()[0] in (
        "AWS",
        "Datadog",
        "Datadog's",
        "CloudWatch",
        "Java",
    )
    assert len(check.doc) > 40
    assert not check.title.endswith(".")
    assert set(check.because_of) <= set(BY_ID)
    assert check.id not in check.because_of


def test_no_check_explains_itself_by_a_detour() -> None:
    def causes(id_: str, seen: frozenset[str]) -> None:
        assert id_ not in seen, f"{id_} explains itself"
        for other in BY_ID[id_].because_of:
            causes(other, seen | {id_})

    for id_ in BY_ID:
        causes(id_, frozenset())


def test_layers_of_the_tests_are_those_of_the_bundled_table() -> None:
    assert catalog.library_layer("python3.12", "x86_64") == "Datadog-Python312"


def test_the_organisations_id_is_a_source_of_the_key() -> None:
    """Such a function is healthy, and no mending adds a secret to it, unless its Extension is too old."""

    def found(version: int) -> set[str]:
        patient = Patient()
        env = {"DD_API_KEY_SECRET_ARN": None, "DD_ORG_UUID": "1b2c-3d4e"}
        layers = (layer("Datadog-Python312"), layer("Datadog-Extension", version))
        patient.change(PAYMENTS, env=env, layers=layers)
        diagnosis = diagnose(patient.case(), CHECKS)
        assert not mending(patient.case(), [f for f in diagnosis.found() if can_mend(f)]).changes
        return {f.check.id for f in diagnosis.found()}

    assert not found(99)
    assert found(95) == {"key-source"}


def test_a_rule_of_datadogs_is_no_fault_of_the_functions_that_it_covers() -> None:
    patient = Patient()
    patient.lane = {"datadog_rule": True}
    found = [f for f in diagnose(patient.case(), CHECKS).found() if f.check.id == "remote-instrumentation"]
    assert len(found) == 1
    patient.lane = {"datadog_rule": Unreadable("events:DescribeRule", "denied")}
    diagnosis = diagnose(patient.case(), CHECKS)
    assert not [f for f in diagnosis.found() if f.check.id == "remote-instrumentation"]

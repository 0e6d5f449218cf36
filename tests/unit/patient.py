"""An account in good health for the doctor's tests, of which a test breaks exactly what it is about.

Three functions: `orders` reports through the Forwarder, `payments` and `billing` (Java) through the
Extension. Everything of them has arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ddsetup.doctor.checks.case import Case, make_case
from ddsetup.facts import catalog
from ddsetup.model.account import (
    Alias,
    Forwarder,
    Function,
    Identity,
    Integration,
    Layer,
    LogGroup,
    Role,
    Stack,
    SubscriptionFilter,
    Unreadable,
)
from ddsetup.model.answers import Answers
from ddsetup.model.evidence import Evidence, ForwarderHealth
from ddsetup.model.report import Signal, SignalName, SignalStatus
from ddsetup.model.snapshot import AccountSnapshot, DatadogSnapshot
from tests import builders as b

FORWARDER_ARN = b.function_arn("datadog-forwarder")
OWN_GROUP = "/aws/lambda/datadog-forwarder"
ORDERS, PAYMENTS, BILLING = "orders", "payments", "billing"
GROUP = f"/aws/lambda/{ORDERS}"
EVERYTHING: tuple[SignalName, ...] = (
    "cloudwatch_metrics",
    "enhanced_metrics",
    "cold_start",
    "logs",
    "traces",
)
LOGS_ALLOWED: Any = {
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Principal": {"Service": "logs.amazonaws.com"},
        }
    ]
}


def layer(name: str, version: int | None = None) -> Layer:
    """One of Datadog's layers, in its newest version."""
    known = catalog.baseline_version(name, b.REGION)
    return Layer(str(catalog.layer_arn(b.REGION, name, version or known or 1)), 1_000)


def forwarded(name: str = ORDERS, **over: Any) -> Function:
    """A Python function that reports through the Forwarder."""
    over.setdefault("handler", catalog.PYTHON_HANDLER)
    over.setdefault("layers", (layer("Datadog-Python312"),))
    env = {
        "DD_LAMBDA_HANDLER": "app.handler",
        "DD_FLUSH_TO_LOG": "true",
        "DD_TRACE_ENABLED": "true",
        "DD_SERVICE": name,
    }
    over["env"] = env | over.pop("env", {})
    return b.function(name, **over)


def extended(name: str = PAYMENTS, **over: Any) -> Function:
    """A Python function that reports through the Extension."""
    over.setdefault("handler", catalog.PYTHON_HANDLER)
    over.setdefault("layers", (layer("Datadog-Python312"), layer("Datadog-Extension")))
    env = {
        "DD_LAMBDA_HANDLER": "app.handler",
        "DD_SITE": b.SITE,
        "DD_API_KEY_SECRET_ARN": b.secret().arn,
        "DD_FLUSH_TO_LOG": "false",
        "DD_SERVICE": name,
    }
    over["env"] = env | over.pop("env", {})
    over.setdefault("memory", 512)
    return b.function(name, **over)


def traced_java(name: str = BILLING, **over: Any) -> Function:
    """A Java function with the tracer's layer and the Extension."""
    env = {
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper",
        "DD_SITE": b.SITE,
        "DD_API_KEY_SECRET_ARN": b.secret().arn,
        "DD_SERVICE": name,
    }
    over.setdefault("layers", (layer("dd-trace-java"), layer("Datadog-Extension")))
    return b.function(
        name,
        runtime="java21",
        handler="shop.Handler::handleRequest",
        memory=512,
        env=env | over.pop("env", {}),
        **over,
    )


def signals_of(name: str, status: SignalStatus = "arrived", **over: SignalStatus) -> tuple[Signal, ...]:
    """Every signal of a function with this status, but for those named."""
    return tuple(
        Signal(
            function=name,
            region=b.REGION,
            signal=signal,
            status=over.get(signal, status),
            path="forwarder",
            reason="" if over.get(signal, status) == "arrived" else "because",
        )
        for signal in EVERYTHING
    )


def _functions() -> dict[str, Function]:
    return {f.name: f for f in (forwarded(), extended(), traced_java())}


def _forwarder_function() -> Function:
    return b.function(
        "datadog-forwarder",
        runtime="python3.14",
        architecture="arm64",
        handler="lambda_function.lambda_handler",
        env={"DD_SITE": b.SITE, "DD_API_KEY_SECRET_ARN": b.secret().arn},
    )


def _integration() -> Integration:
    return b.integration(lambdas=(FORWARDER_ARN,), sources=("lambda",))


def _stack() -> Stack:
    parameters = {"DdSite": b.SITE, "DdForwardLog": "true", "DdFetchLambdaTags": "true"}
    return b.stack(parameters=parameters, tags={"created_by": "ddsetup"})


def _filters() -> dict[str, tuple[SubscriptionFilter, ...] | Unreadable]:
    ours = b.subscription_filter(GROUP, f"DD_LOG_SUBSCRIPTION_FILTER_{GROUP}", FORWARDER_ARN)
    return {
        GROUP: (ours,),
        f"/aws/lambda/{PAYMENTS}": (),
        f"/aws/lambda/{BILLING}": (),
        OWN_GROUP: (),
    }


def _evidence() -> Evidence:
    health = ForwarderHealth(
        policy=LOGS_ALLOWED,
        policy_read=True,
        counts={"Invocations": 10.0, "Errors": 0.0, "Throttles": 0.0},
        key="valid",
    )
    return Evidence(
        forwarders={FORWARDER_ARN: health},
        traffic={},
        signals=tuple(s for name in (ORDERS, PAYMENTS, BILLING) for s in signals_of(name)),
        permissions={"aws_configuration_read": "ok", "logs_read_data": "ok"},
    )


@dataclass
class Patient:
    """The account in parts that a test may break. `case()` puts them together."""

    functions: dict[str, Function] = field(default_factory=_functions)
    forwarder_function: Function | None = field(default_factory=_forwarder_function)
    forwarder: Forwarder | None = field(default_factory=b.forwarder)
    stack: Stack | None = field(default_factory=_stack)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    filters: dict[str, tuple[SubscriptionFilter, ...] | Unreadable] = field(default_factory=_filters)
    groups: dict[str, LogGroup] = field(default_factory=dict)
    integration: Integration | Unreadable | None = field(default_factory=_integration)
    role: Role | Unreadable | None = field(default_factory=b.role)
    aliases: dict[str, tuple[Alias, ...]] = field(default_factory=dict)
    simulated: dict[str, str] = field(default_factory=dict)
    lane: dict[str, Any] = field(default_factory=dict)
    identity: Identity = field(default_factory=b.identity)
    datadog: DatadogSnapshot = field(default_factory=b.datadog_snapshot)
    evidence: Evidence = field(default_factory=_evidence)
    answers: Answers = field(default_factory=b.answers)

    def __post_init__(self) -> None:
        names = [f.log_group for f in self.functions.values()]
        self.groups = {name: b.log_group(name) for name in (*names, OWN_GROUP)}

    def change(self, name: str, /, **over: Any) -> None:
        """Change fields of a function; `env` is merged, a variable that is None is taken away."""
        function = self.functions[name]
        env = over.pop("env", None)
        if env is not None:
            merged = {k: v for k, v in ({**(function.env or {}), **env}).items() if v is not None}
            over["env"] = merged
        self.functions[name] = replace(function, **over)

    def silence(self, name: str, *signals: SignalName) -> None:
        """Let data of a function be missing in Datadog: all of it, or these signals."""
        missing: dict[str, SignalStatus] = dict.fromkeys(signals or EVERYTHING, "missing")
        rest = tuple(s for s in self.evidence.signals if s.function != name)
        self.evidence = replace(self.evidence, signals=rest + signals_of(name, **missing))

    def health(self, **over: Any) -> None:
        """Change how the Forwarder does."""
        held = self.evidence.forwarders[FORWARDER_ARN]
        self.evidence = replace(self.evidence, forwarders={FORWARDER_ARN: replace(held, **over)})

    def know(self, **over: Any) -> None:
        """Change the evidence."""
        self.evidence = replace(self.evidence, **over)

    def forwarder_env(self, **env: str) -> None:
        """Change variables of the Forwarder's function."""
        assert self.forwarder_function is not None
        self.forwarder_function = replace(
            self.forwarder_function, env={**(self.forwarder_function.env or {}), **env}
        )

    def parameters(self, **over: str) -> None:
        """Change parameters of the Forwarder's stack."""
        assert self.stack is not None
        self.stack = replace(self.stack, parameters={**self.stack.parameters, **over})

    def record(self, **over: Any) -> None:
        """Change Datadog's record of the account."""
        assert isinstance(self.integration, Integration)
        self.integration = replace(self.integration, **over)

    def case(self) -> Case:
        functions = list(self.functions.values())
        if self.forwarder_function is not None:
            functions.append(self.forwarder_function)
        parts: dict[str, Any] = {
            "functions": tuple(functions),
            "tags": self.tags,
            "stacks": (self.stack,) if self.stack else (),
            "forwarders": (self.forwarder,) if self.forwarder else (),
            "log_groups": self.groups,
            "filters": self.filters,
            "aliases": self.aliases,
        }
        held = AccountSnapshot(
            identity=self.identity,
            integration=self.integration,
            role=self.role,
            permissions=b.PERMISSIONS,
            permissions_source="live",
            simulated=self.simulated,
        )
        lane = b.lane_snapshot(**{"lane": b.lane(), **parts, **self.lane})
        snapshot = b.snapshot(lane, accounts=[held], datadog=self.datadog)
        return make_case(snapshot, self.evidence, self.answers)


def untouched() -> Patient:
    """Functions with the library, and nothing around them: no integration, no Forwarder."""
    patient = Patient(integration=None, role=None, forwarder=None, forwarder_function=None, stack=None)
    patient.filters = dict.fromkeys(patient.filters, ())
    for name in patient.functions:
        patient.silence(name)
    return patient

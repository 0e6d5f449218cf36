"""Ways to break an account that is in good health."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ddsetup.facts import catalog
from ddsetup.facts.account_policies import wanted_policy
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.answers import Selection
from ddsetup.model.report import SignalName, SignalStatus
from tests import builders as b
from tests.unit.patient import (
    BILLING,
    FORWARDER_ARN,
    GROUP,
    ORDERS,
    PAYMENTS,
    Patient,
    layer,
    signals_of,
)

Break = Callable[[Patient], object]
REFUSED = Unreadable("x:Read", "access denied")
FAILED = Unreadable("", "no answer", denied=False)
OURS = {"created_by": "ddsetup"}
ALL = (ORDERS, PAYMENTS, BILLING)
OTHER = b.function_arn("DatadogLambdaLogForwarder")
NAMES: tuple[SignalName, ...] = ("enhanced_metrics", "cold_start", "logs", "traces")


def all_of(*hows: Break) -> Break:
    def how(p: Patient) -> None:
        for each in hows:
            each(p)

    return how


def orders(**over: Any) -> Break:
    return lambda p: p.change(ORDERS, **over)


def payments(**over: Any) -> Break:
    return lambda p: p.change(PAYMENTS, **over)


def billing(**over: Any) -> Break:
    return lambda p: p.change(BILLING, **over)


def silent(name: str = ORDERS, *signals: SignalName) -> Break:
    return lambda p: p.silence(name, *signals)


def having(**over: Any) -> Break:
    """Parts of the patient as they are given."""

    def how(p: Patient) -> None:
        for name, value in over.items():
            setattr(p, name, value)

    return how


def knowing(**over: Any) -> Break:
    return lambda p: p.know(**over)


def about(name: str, **over: Any) -> Break:
    """What is known of one function, by its ARN."""
    return lambda p: p.know(**{field: {p.functions[name].arn: value} for field, value in over.items()})


def health(**over: Any) -> Break:
    return lambda p: p.health(**over)


def record(**over: Any) -> Break:
    return lambda p: p.record(**over)


def forwarder_function(**over: Any) -> Break:
    def how(p: Patient) -> None:
        assert p.forwarder_function is not None
        p.forwarder_function = replace(p.forwarder_function, **over)

    return how


def forwarder_state(**over: Any) -> Break:
    """What the Forwarder's function tells of its state when it is asked."""

    def how(p: Patient) -> None:
        assert p.forwarder_function is not None
        p.know(states={FORWARDER_ARN: replace(p.forwarder_function, **over)})

    return how


def stack(**over: Any) -> Break:
    def how(p: Patient) -> None:
        assert p.stack is not None
        p.stack = replace(p.stack, **over)

    return how


def layered(name: str, version: int) -> Break:
    return lambda p: p.change(ORDERS, layers=(layer(name, version),))


def here(**over: Any) -> Break:
    return lambda p: p.lane.update(over)


def filters(group: str, *found: tuple[str, str], pattern: str = "") -> Break:
    made = tuple(b.subscription_filter(group, name, arn, pattern=pattern) for name, arn in found)
    return lambda p: p.filters.update({group: made})


def account_policy(name: str, *excluded: str) -> dict[str, str]:
    """An account's policy of that name that leads to the Forwarder, as AWS describes it."""
    state = wanted_policy(b.forwarder().arn, excluded)
    return {"policyName": name, "policyDocument": state.document, "selectionCriteria": state.selection}


def answered(**over: Any) -> Break:
    return lambda p: setattr(p, "answers", b.answers(**over))


def chosen(*names: str) -> Break:
    return answered(selection=Selection(names=names or ALL))


def bare(**over: Any) -> Break:
    """`orders` without Datadog, which nothing is known of."""

    def how(p: Patient) -> None:
        p.functions[ORDERS] = b.function(
            ORDERS, **{"handler": "app.handler", "layers": (), "env": {}, **over}
        )
        p.know(signals=tuple(s for s in p.evidence.signals if s.function != ORDERS))

    return how


def beside(*functions: Function) -> Break:
    """Functions of the region that are not meant."""

    def how(p: Patient) -> None:
        p.functions.update({f.name: f for f in functions})
        chosen()(p)

    return how


def signals(status: SignalStatus, name: str = ORDERS, **over: SignalStatus) -> Break:
    def how(p: Patient) -> None:
        rest = tuple(s for s in p.evidence.signals if s.function != name)
        p.know(signals=rest + signals_of(name, status, **over))

    return how


def saying(signal: SignalName, reason: str) -> Break:
    """Datadog does not tell of one kind of data, for this reason."""

    def how(p: Patient) -> None:
        p.know(
            signals=tuple(
                replace(s, status="unreadable", reason=reason) if s.signal == signal else s
                for s in p.evidence.signals
            )
        )

    return how


def role_of(name: str, *actions: str, effect: str = "Allow", **over: Any) -> Break:
    """The function's role with one policy of its own."""
    policy = {"Statement": {"Effect": effect, "Action": list(actions), "Resource": "*"}}

    def how(p: Patient) -> None:
        role = b.role(f"{name}-role", **{"inline": {"own": policy}, **over})
        p.know(roles={p.functions[name].role: role})

    return how


def changed_before(minutes: float, name: str = ORDERS) -> Break:
    at = (b.AT - timedelta(minutes=minutes)).isoformat()
    return lambda p: p.change(name, last_modified=at)


def registered_before(minutes: float) -> Break:
    at = (b.AT - timedelta(minutes=minutes)).isoformat()
    return record(raw={"modified_at": at})


def lambda_policy(principal: Any, action: Any, effect: str = "Allow") -> Break:
    return health(policy={"Statement": [{"Effect": effect, "Principal": principal, "Action": action}]})


def role_with(*actions: str, **over: Any) -> Break:
    return having(role=b.role(inline={"p": b.policy(*actions)}, **over))


def lacking(*words: str) -> tuple[str, ...]:
    return tuple(p for p in b.PERMISSIONS if not any(word in p for word in words))


def machines(*found: Any) -> Break:
    return here(state_machines=found)


def traced(name: str = "brew", **over: Any) -> Any:
    return b.state_machine(name, tags={"DD_TRACE_ENABLED": "true"}, **over)


def without_data(machine: Any) -> Any:
    return replace(machine, settings=replace(machine.settings, include_execution_data=False))


def newest(name: str) -> int:
    return catalog.baseline_version(name, b.REGION) or 0


def all_silent(p: Patient) -> None:
    p.silence(ORDERS, *NAMES)


def unsubscribed(p: Patient) -> None:
    p.filters[GROUP] = ()
    p.silence(ORDERS, *NAMES)


def in_both_accounts(p: Patient) -> None:
    p.record(raw={"metrics_config": {"tag_filters": [{"namespace": "AWS/Lambda", "tags": ["Team:Shop"]}]}})
    p.tags = {b.function_arn(ORDERS): {"team": "shop"}, b.function_arn(BILLING): {"team": "bank"}}

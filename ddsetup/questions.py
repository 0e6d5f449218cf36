"""What a guided run asks, in its order, and what an unattended run cannot do without.

A question is about one setting (or, for "functions", about those that choose functions together). It knows
nothing of terminals: how it is put, and whether at all, is decided by `ddsetup.asking`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ddsetup import validate
from ddsetup.model import Snapshot
from ddsetup.setting import Kind, Setting, Value
from ddsetup.settings import INTEGRATIONS, SETTINGS
from ddsetup.steps.namespaces import SERVICES

Draft: TypeAlias = Mapping[str, Value]
"""The answers so far, by the key of their setting."""

Stage: TypeAlias = Literal["scope", "what"]

FUNCTIONS = "functions"
"""The key of the question that several settings answer together."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several possible answers, as it is offered. `disabled` is the reason why it cannot be taken."""

    value: str
    label: str = ""
    hint: str = ""
    disabled: str = ""


def _no_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return ()


def _always(_snapshot: Snapshot | None, _draft: Draft) -> bool:
    return True


def _required(_snapshot: Snapshot | None, _draft: Draft) -> Value | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `why` is shown with it.

    `default` is the answer when nobody is asked; None means that there is no safe one, so that the question
    is an error without a terminal, unless it is `optional`. `suggest` is what is preselected when somebody
    is asked, where that differs. Questions of stage "scope" come before anything is observed.
    """

    key: str
    text: str
    why: str
    stage: Stage = "what"
    choices: Callable[[Snapshot | None, Draft], tuple[Choice, ...]] = _no_choices
    default: Callable[[Snapshot | None, Draft], Value | None] = _required
    suggest: Callable[[Snapshot | None, Draft], Value | None] | None = None
    when: Callable[[Snapshot | None, Draft], bool] = _always
    optional: bool = False
    commands: tuple[str, ...] = ("setup", "plan")

    @property
    def setting(self) -> Setting | None:
        return SETTINGS.get(self.key)

    @property
    def kind(self) -> Kind:
        return "items" if self.setting is None else self.setting.kind

    @property
    def flag(self) -> str:
        return "--all or --function, --tag, --runtime, --stack" if self.setting is None else self.setting.flag

    @property
    def env(self) -> str:
        if self.setting is None:
            return "DDSETUP_ALL=1 or DDSETUP_FUNCTION, …"
        return " or ".join((*self.setting.also_env[:1], self.setting.env))


def _constant(value: Value) -> Callable[[Snapshot | None, Draft], Value | None]:
    return lambda _snapshot, _draft: value


def _site_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return tuple(Choice(site) for site in validate.sites())


def _via_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return (
        Choice(
            "forwarder",
            "Forwarder",
            "one more Lambda per region reads the functions' logs and sends them on",
        ),
        Choice(
            "extension",
            "Extension",
            "each function sends for itself, at once; each needs the right to read the API key",
        ),
    )


def _namespace_choices(snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    counts = _resources(snapshot)
    return tuple(
        Choice(name, name, f"{counts[name]} metrics here" if counts.get(name) else "")
        for name in INTEGRATIONS
    )


def _namespaces_in_use(snapshot: Snapshot | None, _draft: Draft) -> Value | None:
    counts = _resources(snapshot)
    return tuple(name for name in INTEGRATIONS if counts.get(name))


def _resources(snapshot: Snapshot | None) -> Mapping[str, int]:
    """How many metrics each service has in CloudWatch, by its short name."""
    counts: dict[str, int] = {}
    for lane in snapshot.lanes.values() if snapshot else ():
        for name, namespace in SERVICES.items():
            counts[name] = counts.get(name, 0) + lane.resources.get(namespace, 0)
    return counts


def _log_source_choices(snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return tuple(Choice(name) for name in (snapshot.datadog.log_services if snapshot else ("lambda",)))


def _subscribe_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return (
        Choice("automatic", "Datadog does it", "also for functions that come later"),
        Choice("direct", "ddsetup does it", "for the chosen functions only; nothing else is subscribed"),
        Choice("none", "nobody", "you do it yourself"),
    )


def _owned_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return (
        Choice("change", "change them", "their next deployment takes the change back"),
        Choice("skip", "leave them alone", "add Datadog in the deployment tool instead"),
    )


def _sends_logs_by_forwarder(_snapshot: Snapshot | None, draft: Draft) -> bool:
    return draft.get("via") == "forwarder" and draft.get("logs") is True


_EVERY = ("setup", "plan", "verify", "doctor", "status", "uninstrument")

QUESTIONS: tuple[Question, ...] = (
    Question(
        key="site",
        stage="scope",
        text="Which Datadog site is yours?",
        why="It is the domain in the address of your Datadog web application.",
        choices=_site_choices,
        commands=_EVERY,
    ),
    Question(
        key="region",
        stage="scope",
        text="Which AWS regions?",
        why="Functions are looked for in these; separate several by commas.",
        commands=_EVERY,
    ),
    Question(
        key=FUNCTIONS,
        text="Which functions?",
        why="A rule is kept rather than a list, so that later functions are found as well.",
        commands=("setup", "plan", "uninstrument"),
    ),
    Question(
        key="via",
        text="How shall the data get to Datadog?",
        why="Python and Node.js send everything either way; other runtimes need the Extension for traces.",
        choices=_via_choices,
        default=_constant("forwarder"),
    ),
    Question(
        key="logs",
        text="Collect the functions' logs?",
        why="Ingested and indexed logs are billed by Datadog.",
        default=_constant(True),
    ),
    Question(
        key="traces",
        text="Trace invocations?",
        why="Shows where time goes, across functions and services.",
        default=_constant(True),
    ),
    Question(
        key="enhanced_metrics",
        text="Send enhanced metrics?",
        why="Cold starts, memory used, out of memory, timeouts and estimated cost, by function.",
        default=_constant(True),
    ),
    Question(
        key="env",
        text="Environment of these functions",
        why="Becomes the `env` tag that everything in Datadog is filtered by, like prod; empty for none.",
        optional=True,
    ),
    Question(
        key="service",
        text="One service name for all of them",
        why="Empty: each function's `service` tag, else its own name.",
        optional=True,
    ),
    Question(
        key="integration_namespace",
        text="Metrics of which other AWS services?",
        why="Read from CloudWatch by the integration; CloudWatch calls are billed by AWS.",
        choices=_namespace_choices,
        default=_constant(()),
        suggest=_namespaces_in_use,
    ),
    Question(
        key="log_source",
        text="Logs of which AWS services?",
        why="Datadog subscribes the Forwarder to the log groups of these.",
        choices=_log_source_choices,
        default=_constant(("lambda",)),
        when=lambda s, d: _sends_logs_by_forwarder(s, d) and d.get("subscribe", "automatic") == "automatic",
    ),
    Question(
        key="subscribe",
        text="Who subscribes the Forwarder to the log groups?",
        why="Datadog's automatic triggers also take care of new functions.",
        choices=_subscribe_choices,
        default=_constant("automatic"),
        when=_sends_logs_by_forwarder,
    ),
    Question(
        key="owned",
        text="Some functions may be managed by a deployment tool. What about those?",
        why="What ddsetup changes is undone by the next deployment, unless the deployment adds it too.",
        choices=_owned_choices,
        default=_constant("change"),
    ),
)


def questions_for(command: str, stage: Stage | None = None) -> tuple[Question, ...]:
    """The questions that a command has, in their order; only those of one stage if it is given."""
    return tuple(q for q in QUESTIONS if command in q.commands and stage in (None, q.stage))

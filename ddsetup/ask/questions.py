"""What a guided run asks, in its order, and what an unattended run cannot do without.

A question is about one setting (or, for "functions", about those that choose functions together). It knows
nothing of terminals: how it is put, and whether at all, is decided by `ddsetup.ask.asking`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ddsetup.ask.forwarder_offers import forwarder_offers, one_for_each_region, several_forwarders
from ddsetup.ask.service_offers import log_sources_seen, service_offers
from ddsetup.facts.catalog import site as site_of
from ddsetup.facts.kinds import CHOSEN, Chosen
from ddsetup.facts.ownership import is_datadogs_own, owner
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.errors import DdsetupError
from ddsetup.model.services import SERVICE_KINDS
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.plan.select import select_in
from ddsetup.plan.steps.namespaces import PAGE, RESOURCES, SERVICES
from ddsetup.settings import validate
from ddsetup.settings.fields import selection_of
from ddsetup.settings.setting import Kind, Setting, Value
from ddsetup.settings.table import INTEGRATIONS, SETTINGS

Draft: TypeAlias = Mapping[str, Value]
"""The answers so far, by the key of their setting."""

Stage: TypeAlias = Literal["scope", "what"]

FUNCTIONS = "functions"
"""The key of the question that the settings of which functions answer together."""
REGION = "region"
"""The key of the question whose choices are counted where somebody asks AWS."""
SIGNALS = "signals"
"""The key of the question whose choices are switches of their own."""
OWNED = "owned"
"""The key of the question of which one choice, `SOURCE`, is only offered where the source is at hand."""
SOURCE = "source"


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


def _anything(_value: Value) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `why` is shown with it.

    Where nobody is asked its setting's default is the answer; where that has none the question is an error,
    unless it is `optional`. `suggest` is what is preselected when somebody is asked, where that differs.
    `check` says what is wrong with an answer beyond what its setting knows.
    Questions of stage "scope" come before anything is observed.
    """

    key: str
    text: str
    why: str
    stage: Stage = "what"
    choices: Callable[[Snapshot | None, Draft], tuple[Choice, ...]] = _no_choices
    suggest: Callable[[Snapshot | None, Draft], Value | None] | None = None
    when: Callable[[Snapshot | None, Draft], bool] = _always
    check: Callable[[Value], str] = _anything
    optional: bool = False
    commands: tuple[str, ...] = ("setup", "plan")

    @property
    def setting(self) -> Setting | None:
        return SETTINGS.get(self.key)

    @property
    def default(self) -> Value | None:
        """The answer when nobody is asked; None: there is no safe one."""
        setting = self.setting
        if setting is None or self.optional or self.stage == "scope":
            return None
        return setting.default

    @property
    def kind(self) -> Kind:
        return "items" if self.setting is None else self.setting.kind

    @property
    def flag(self) -> str:
        """Which option answers it."""
        return "--all or --function, --runtime, --stack, …" if self.setting is None else self.setting.flag

    @property
    def env(self) -> str:
        if self.setting is None:
            return "DDSETUP_ALL=1 or DDSETUP_FUNCTION, …"
        return " or ".join((*self.setting.also_env[:1], self.setting.env))


def _site_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return tuple(Choice(name, name, _host(name)) for name in validate.sites())


def _host(site_name: str) -> str:
    known = site_of(site_name)
    return f"{known.name}, {known.app_url.removeprefix('https://')}"


def _via_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return (
        Choice(
            "forwarder",
            "Forwarder (recommended to start with)",
            "one more Lambda per region reads the log groups and sends everything on; nothing runs inside "
            "your functions, data is some seconds behind",
        ),
        Choice(
            "extension",
            "Extension",
            "a process beside each function sends at once, also traces of Java, .NET and Go; longer cold "
            "starts, and every function's role needs to read the API key",
        ),
    )


def _signal_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return (
        Choice("logs", "Logs", "billed by Datadog as ingested and indexed"),
        Choice("traces", "Traces", "where the time goes; billed by spans ingested, indexed"),
        Choice("enhanced_metrics", "Enhanced metrics", "cold starts, memory, timeouts, estimated cost"),
    )


def _namespace_choices(snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    counts = _resources(snapshot)
    return tuple(Choice(name, name, _namespace_hint(name, counts.get(name, 0))) for name in INTEGRATIONS)


def _namespace_hint(name: str, metrics: int) -> str:
    """What the service's metrics are about, and how many there are: CloudWatch was asked for one page."""
    noun = RESOURCES.get(name, "")
    if not metrics:
        return noun
    many = f"{metrics} or more" if metrics >= PAGE else f"{metrics}"
    return f"{noun}: {many} {'metric' if metrics == 1 else 'metrics'} here in the last two weeks".lstrip(": ")


def _namespaces_in_use(snapshot: Snapshot | None, _draft: Draft) -> Value | None:
    """The services with metrics, and those whose resources were seen though they have not run of late."""
    counts = _resources(snapshot)
    lists = [held for lane in snapshot.lanes.values() for held in lane.services.items()] if snapshot else []
    there = {CHOSEN[kind].service for kind, held in lists if held and not isinstance(held, Unreadable)}
    return tuple(name for name in INTEGRATIONS if counts.get(name) or name in there)


def _resources(snapshot: Snapshot | None) -> Mapping[str, int]:
    """How many metrics each service has in CloudWatch, by its short name."""
    counts: dict[str, int] = {}
    for lane in snapshot.lanes.values() if snapshot else ():
        for name, namespace in SERVICES.items():
            counts[name] = counts.get(name, 0) + lane.resources.get(namespace, 0)
    return counts


def _log_source_choices(snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    if snapshot is None:
        return (Choice("lambda"),)
    seen = log_sources_seen(snapshot)
    return tuple(Choice(name, name, seen.get(name, "")) for name in snapshot.datadog.log_services)


def _log_sources_in_use(snapshot: Snapshot | None, _draft: Draft) -> Value | None:
    seen = log_sources_seen(snapshot) if snapshot else {}
    return ("lambda", *(name for name in seen if snapshot and name in snapshot.datadog.log_services))


def _forwards(draft: Draft) -> bool:
    """Whether there is a Forwarder, through which the logs of other services travel."""
    return draft.get("via") == "forwarder" or bool(draft.get("forwarder_arn"))


def _which(name: str, row: Chosen) -> Question:
    """The question which ones of a kind of another service are meant, if there are any."""

    def choices(snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
        return tuple(Choice(*o) for o in service_offers(snapshot, SERVICE_KINDS[name])) if snapshot else ()

    def when(snapshot: Snapshot | None, draft: Draft) -> bool:
        wanted = any(draft.get(signal) is not False for signal in row.signals)
        return wanted and _forwards(draft) and bool(choices(snapshot, draft))

    return Question(key=name, text=row.question, why=row.why, choices=choices, when=when)


def _forwarder_choices(snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return tuple(Choice(*offer) for offer in forwarder_offers(snapshot)) if snapshot else ()


def _best_forwarders(snapshot: Snapshot | None, _draft: Draft) -> Value | None:
    return tuple(found[0].arn for found in several_forwarders(snapshot).values()) if snapshot else ()


def _several_forwarders(snapshot: Snapshot | None, draft: Draft) -> bool:
    return draft.get("via") == "forwarder" and snapshot is not None and bool(several_forwarders(snapshot))


def _subscribe_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return (
        Choice(
            "automatic",
            "Datadog does it",
            "within minutes, for every function in the region: also for those not chosen, and later ones",
        ),
        Choice(
            "account",
            "One policy of the account",
            "now, and for all log groups of the region, also those that are not Lambda's; one call for all",
        ),
        Choice("direct", "ddsetup does it", "now, for the chosen functions only; nothing else is subscribed"),
        Choice("none", "Nobody", "you do it yourself"),
    )


def _owned_choices(_snapshot: Snapshot | None, _draft: Draft) -> tuple[Choice, ...]:
    return (
        Choice("source", "Change their project's files"),
        Choice(
            "change",
            "Change them all the same",
            "their next deployment takes it back; run the line for CI after each",
        ),
        Choice("skip", "Leave them alone", "add Datadog in the deployment tool instead"),
    )


def _owned_are_chosen(snapshot: Snapshot | None, draft: Draft) -> bool:
    """Whether a deployment tool owns one of the chosen functions. If that cannot be told, it may."""
    if snapshot is None:
        return True
    try:
        chosen = select_in(snapshot, selection_of(draft))
    except DdsetupError:
        return True
    return any(_is_owned(snapshot.lanes[function.lane], function) for function in chosen)


def _is_owned(lane: LaneSnapshot, function: Function) -> bool:
    """Whether a tool owns it, and it is none of Datadog's own functions, which nothing is done to."""
    by = owner(function, lane.tags_of(function))
    return by is not None and not by.datadogs and not is_datadogs_own(function, lane)


def _sends_logs_by_forwarder(_snapshot: Snapshot | None, draft: Draft) -> bool:
    return draft.get("via") == "forwarder" and draft.get("logs") is True


_EVERY = ("setup", "plan", "verify", "doctor", "status", "uninstrument", "teardown")

QUESTIONS: tuple[Question, ...] = (
    Question(
        key="site",
        stage="scope",
        text="Which Datadog site is yours?",
        why="It is the address at which you open Datadog in the browser; keys are valid on one site only.",
        choices=_site_choices,
        commands=_EVERY,
    ),
    Question(
        key=REGION,
        stage="scope",
        text="Which AWS regions?",
        why="Functions are looked for in these, like eu-west-1.",
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
        text="How should the data get to Datadog?",
        why="Python and Node.js send everything on either way; it can be changed later by setup again.",
        choices=_via_choices,
    ),
    Question(
        key=SIGNALS,
        text="What should be sent?",
        why="CloudWatch's own metrics of the functions come in any case, through the AWS integration.",
        choices=_signal_choices,
    ),
    Question(
        key="env",
        text="Which environment are they, like prod or staging?",
        why="Becomes the `env` tag, by which everything in Datadog is filtered. Empty: none.",
        optional=True,
    ),
    Question(
        key="service",
        text="One service name for all of them?",
        why="Empty: each function's own `service` tag, else its name, so that each is a service of its own.",
        optional=True,
    ),
    Question(
        key="version_tag",
        text="Which version are they, like 1.4.0 or a commit?",
        why="Becomes the `version` tag, by which releases are compared. Empty: none.",
        optional=True,
    ),
    Question(
        key="integration_namespace",
        text="Metrics of which other AWS services?",
        why="Those in use here are preselected. AWS bills Datadog's CloudWatch calls to this account.",
        choices=_namespace_choices,
        suggest=_namespaces_in_use,
    ),
    Question(
        key="forwarder_arn",
        text="Which Forwarder, one for each region?",
        why="There are several that send to this site. The others stay as they are.",
        choices=_forwarder_choices,
        suggest=_best_forwarders,
        check=one_for_each_region,
        when=_several_forwarders,
    ),
    Question(
        key="subscribe",
        text="Who subscribes the Forwarder to the log groups?",
        why="A function's logs, and by this way its traces, only arrive once its log group is subscribed.",
        choices=_subscribe_choices,
        when=_sends_logs_by_forwarder,
    ),
    *(_which(name, row) for name, row in CHOSEN.items()),
    Question(
        key="log_source",
        text="Logs of which AWS services?",
        why="Datadog subscribes the Forwarder to these. `lambda` is all that your functions need.",
        choices=_log_source_choices,
        suggest=_log_sources_in_use,
        when=lambda s, d: _sends_logs_by_forwarder(s, d) and d.get("subscribe", "automatic") == "automatic",
    ),
    Question(
        key=OWNED,
        text="A deployment tool manages some of them. What about those?",
        why="Whatever is changed beside it, the tool's next deployment takes back.",
        choices=_owned_choices,
        when=_owned_are_chosen,
    ),
)


def questions_for(command: str, stage: Stage | None = None) -> tuple[Question, ...]:
    """The questions that a command has, in their order; only those of one stage if it is given."""
    return tuple(q for q in QUESTIONS if command in q.commands and stage in (None, q.stage))

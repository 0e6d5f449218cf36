"""Settings that are rarely changed, on one screen: what will be used, and all else within reach. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ddsetup.ask.prompter import Prompt
from ddsetup.ask.questions import FUNCTIONS, OWNED, SIGNALS, Choice, Draft, Question
from ddsetup.facts.kinds import CHOSEN
from ddsetup.model.lines import names, padded, width_of
from ddsetup.model.snapshot import Snapshot
from ddsetup.settings.given import Given
from ddsetup.settings.setting import Value
from ddsetup.settings.table import SETTINGS

ACCEPTED = "settings"
"""The key under which a dialogue keeps that the screen was accepted."""
EVERYTHING = "everything"
"""The same for the wish to be asked every question."""

_TITLES: Mapping[str, str] = {
    "via": "Way to Datadog",
    SIGNALS: "Sent",
    "env": "Environment (env)",
    "service": "Service",
    "version_tag": "Version",
    "integration_namespace": "Metrics of services",
    "forwarder_arn": "Forwarder",
    "subscribe": "Log groups subscribed by",
    **{kind: row.title for kind, row in CHOSEN.items()},
    "log_source": "Logs of services",
    "metrics": "CloudWatch metrics come by",
    "extra_tag": "Further tags",
    "log_level": "Log level of the library",
    "capture_payload": "Payloads in traces",
    "merge_xray": "X-Ray in traces",
    "appsec": "App and API Protection",
    "llmobs": "LLM Observability",
    "fips": "FIPS",
    "role_name": "Integration's role",
    "resource_collection": "AWS resources collected",
    "key_source": "API key of functions",
    "api_key_secret": "API key from a secret",
    "api_key_ssm": "API key from a parameter",
    "api_key_kms": "API key by KMS",
    "forwarder_upgrade": "Forwarder upgraded",
    "forwarder_version": "Forwarder's version",
    "forwarder_param": "Forwarder's parameters",
    "layer_version": "Layers",
    "create_log_groups": "Log groups made",
}
_NOTHING: Mapping[str, str] = {"service": "each function's own tag, else its name"}

_METRICS = Question(
    key="metrics",
    text="How should CloudWatch metrics get to Datadog?",
    why="Those of AWS services, Lambda among them; enhanced metrics, logs and traces come another way.",
    choices=lambda _snapshot, _draft: (
        Choice("poll", "Polling", "Datadog asks CloudWatch every ten minutes or so"),
        Choice(
            "stream",
            "Metric stream",
            "within minutes: a stack in each region with a stream and a Firehose; AWS bills what is streamed",
        ),
    ),
)
_OTHERS = (
    *("extra_tag", "log_level", "capture_payload", "merge_xray", "appsec", "llmobs", "fips"),
    *("role_name", "resource_collection", "key_source", "api_key_secret", "api_key_ssm", "api_key_kms"),
    *("forwarder_upgrade", "forwarder_version", "forwarder_param", "layer_version", "create_log_groups"),
)
MORE: tuple[Question, ...] = (
    _METRICS,
    *(Question(key=key, text=f"{_TITLES[key]}?", why=SETTINGS[key].help, optional=True) for key in _OTHERS),
)
"""What is not asked by itself, and can be changed from the screen."""


@dataclass(frozen=True, slots=True)
class Usual:
    """A setting as the screen shows it: its question, and what it will be, in words."""

    question: Question
    text: str

    @property
    def title(self) -> str:
        return _TITLES.get(self.question.key, self.question.key)


def is_usual(question: Question) -> bool:
    """Whether a question is one of those that the screen answers."""
    return question.stage == "what" and question.key not in (FUNCTIONS, OWNED)


def in_words(question: Question, value: Value | None, snapshot: Snapshot | None, draft: Draft) -> str:
    """A value as somebody reads it: by the labels of its choices where it has any."""
    if value is None or value == ():
        return _NOTHING.get(question.key, "none")
    if isinstance(value, bool):
        return "yes" if value else "no"
    labels = {choice.value: choice.label or choice.value for choice in question.choices(snapshot, draft)}
    if isinstance(value, tuple):
        return names([labels.get(each, each) for each in value], 4)
    return labels.get(str(value), str(value))


def screen(shown: Sequence[Usual]) -> Prompt:
    """What will be used, and what can be done about it."""
    width = max(width_of(each.title) for each in shown)
    lines = [f"{padded(each.title, width)}  {each.text}" for each in shown]
    return Prompt(
        kind="one",
        text="Use these settings?",
        why="\n".join(lines),
        choices=(
            Choice("accept", "Accept"),
            Choice("change", "Change one of them, or another setting"),
            Choice("everything", "Ask me everything"),
        ),
        default="accept",
    )


def which(shown: Sequence[Usual], given: Given) -> Prompt:
    """Which setting to change, of those that were not given."""
    there = {each.question.key for each in shown}
    more = [
        Usual(each, SETTINGS[each.key].help)
        for each in MORE
        if each.key not in there and each.key not in given
    ]
    return Prompt(
        kind="one",
        text="Which setting?",
        why="",
        choices=tuple(Choice(each.question.key, each.title, each.text) for each in (*shown, *more)),
    )

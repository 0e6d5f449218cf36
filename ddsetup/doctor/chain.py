"""The whole path of one function's data, link by link, and where it breaks.

The links are made of what the checks said about this function and about what stands in its way; nothing is
judged a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from ddsetup.doctor.checks.case import Case, Place, Subject, Way
from ddsetup.doctor.checks.check import Check
from ddsetup.doctor.checks.registry import WEIGHT
from ddsetup.doctor.diagnose import Diagnosis, Found
from ddsetup.facts import recognise
from ddsetup.facts.signals import BY_NAME as SIGNALS
from ddsetup.facts.signals import Data
from ddsetup.facts.variables import SITE
from ddsetup.model.account import Unreadable
from ddsetup.model.report import SignalName
from ddsetup.plan.steps.subscriptions.groups import log_group_of

KINDS: tuple[Data, ...] = get_args(Data)
Mark: TypeAlias = Literal["ok", "broken", "doubtful", "unknown"]

_BY = {
    "cloudwatch": "by CloudWatch",
    "forwarder": "through the Forwarder",
    "extension": "through the Extension",
}
_BOTH: tuple[Way, ...] = ("forwarder", "extension")
_FORWARDER: tuple[Way, ...] = ("forwarder",)


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain. `detail` is what was found there."""

    title: str
    mark: Mark
    detail: str = ""
    check: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A link as it is described, and what to tell when all is well. `title` is the place at which the checks
    stand that judge it."""

    title: str
    tell: Callable[[Subject, Place], str] = lambda _subject, _place: ""
    kinds: tuple[Data, ...] = KINDS
    ways: tuple[Way, ...] = _BOTH
    signal: SignalName | None = None


def _runtime(s: Subject, _place: Place) -> str:
    return f"{s.function.runtime or 'container image'}, {s.function.architecture}"


def _layers(s: Subject, _place: Place) -> str:
    return ", ".join(layer.label for layer in recognise.datadog_layers(s.function)) or "none of Datadog's"


def _handler(s: Subject, _place: Place) -> str:
    own = recognise.own_handler(s.function)
    handler = s.function.handler or ""
    return f"{handler} → {own}" if own and own != handler else handler


def _way(s: Subject, _place: Place) -> str:
    return f"through the {'Extension' if s.way == 'extension' else 'Forwarder'}"


def _role(s: Subject, _place: Place) -> str:
    return s.function.role.rsplit("/", 1)[-1]


def _group(s: Subject, _place: Place) -> str:
    return log_group_of(s.function)


def _filter(s: Subject, place: Place) -> str:
    filters = place.filters_of(log_group_of(s.function))
    if filters is None or isinstance(filters, Unreadable):
        return (
            "not looked at: what arrived came through it"
            if place.leads_here(log_group_of(s.function))
            else ""
        )
    arn = place.forwarder.arn if place.forwarder else None
    return ", ".join(f.name for f in filters if f.destination_arn == arn)


def _forwarder(_s: Subject, place: Place) -> str:
    if place.forwarder is None:
        return ""
    version = f" {place.forwarder.version}" if place.forwarder.version else ""
    return f"{place.forwarder.name}{version}"


def _key(_s: Subject, place: Place) -> str:
    site = ((place.function.env if place.function else None) or {}).get(SITE, "")
    known = place.health.key == "valid"
    return f"{site}, {'the key is valid' if known else 'whether the key is valid is not known'}".strip(", ")


_OF_DATADOG = ("layer", "handler")
"""Links that prove nothing where a function carries no Datadog."""

_PARTS: tuple[_Part, ...] = (
    _Part(title="integration", kinds=("metrics",)),
    _Part(title="runtime", tell=_runtime),
    _Part(title="layer", tell=_layers),
    _Part(title="handler", tell=_handler),
    _Part(title="environment", tell=_way),
    _Part(title="execution role", tell=_role),
    _Part(title="invocations"),
    _Part(title="network", ways=("extension",)),
    _Part(title="log group", tell=_group, ways=_FORWARDER),
    _Part(title="REPORT lines", ways=_FORWARDER, kinds=("metrics",)),
    _Part(title="subscription filter", tell=_filter, ways=_FORWARDER),
    _Part(title="Forwarder's permission", ways=_FORWARDER),
    _Part(title="Forwarder", tell=_forwarder, ways=_FORWARDER),
    _Part(title="Forwarder's key and site", tell=_key, ways=_FORWARDER),
    _Part(title="Forwarder's filters", ways=_FORWARDER, kinds=("logs",)),
    _Part(title="index", kinds=("logs",)),
    *(_Part(title=kind.link, kinds=(kind.data,), signal=kind.name) for kind in SIGNALS.values() if kind.link),
)
"""In the order in which data travels."""


def chain(
    case: Case, diagnosis: Diagnosis, subject: Subject, kinds: Sequence[Data] = KINDS
) -> tuple[Link, ...]:
    """The links of a function's data, in the order in which it travels."""
    place = case.place_of(subject)
    found = [f for f in diagnosis.found() if _concerns(f, subject)]
    return tuple(
        _link(part, subject, place, found, diagnosis)
        for part in _PARTS
        if subject.way in part.ways and set(part.kinds) & set(kinds)
    )


def breaks_at(links: Sequence[Link]) -> Link | None:
    """The first link that is broken."""
    return next((link for link in links if link.mark == "broken"), None)


def _link(part: _Part, subject: Subject, place: Place, found: Sequence[Found], diagnosis: Diagnosis) -> Link:
    here = [f for f in found if _stands(f.check, part)]
    if here:
        worst = max(here, key=lambda f: WEIGHT[f.severity])
        mark: Mark = "broken" if worst.severity == "error" else "doubtful"
        return Link(part.title, mark, worst.problem.what, worst.check.id)
    if part.signal is not None:
        return _arrival(part, subject)
    for check, blind in diagnosis.blind:
        if _stands(check, part):
            missing = f" (needs {blind.unreadable.action})" if blind.unreadable.action else ""
            return Link(part.title, "unknown", f"{blind.unreadable.reason}{missing}", check.id)
    bare = part.title in _OF_DATADOG and subject.mode == "none"
    return Link(part.title, "unknown" if bare else "ok", part.tell(subject, place))


def _stands(check: Check, part: _Part) -> bool:
    """Whether the check judges this link."""
    return check.at == part.title or (part.signal is not None and check.id == SIGNALS[part.signal].check[0])


def _arrival(part: _Part, subject: Subject) -> Link:
    signal = next((s for s in subject.signals if s.signal == part.signal), None)
    if signal is None:
        return Link(part.title, "unknown", "not expected of this function")
    if signal.status == "arrived":
        return Link(part.title, "ok", f"arrived {_BY.get(signal.path, '')}".strip())
    return Link(part.title, "unknown", signal.reason)


def _concerns(found: Found, subject: Subject) -> bool:
    problem, function = found.problem, subject.function
    if problem.about:
        return function.arn in problem.about
    return problem.resource.account in ("", function.account) and problem.resource.region in (
        "",
        function.region,
    )

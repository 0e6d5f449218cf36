"""The kinds of data that prove a function's monitoring: what each is called, when it is expected, what keeps
it back, and what it means when it does not come. One row each; only how Datadog is asked for it is elsewhere
(`verify/look_at_functions`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from ddsetup.facts.catalog import family_of
from ddsetup.facts.guides import DELAY_GUIDE, LAMBDA_GUIDE, LOGS_GUIDE
from ddsetup.facts.recognise import active_vendor, stays_as_it_starts
from ddsetup.model.account import Function
from ddsetup.model.answers import Answers
from ddsetup.model.report import Severity, SignalName

CLOUDWATCH_DELAY = timedelta(minutes=25)
"""Datadog crawls CloudWatch every 10 minutes, after up to 10 for a new account (cloud metric delay guide)."""
FORWARDER_DELAY = timedelta(minutes=5)
"""The Forwarder takes one to two minutes; Datadog's first automatic subscription some more."""
EXTENSION_DELAY = timedelta(minutes=3)
"""The Extension sends within seconds."""

Data: TypeAlias = Literal["metrics", "logs", "traces"]
_Expected: TypeAlias = Callable[[Function, Answers], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalKind:
    """One kind of data. `expected` tells of which functions it should come, `delay` how long after an
    invocation it usually is there; `switch` is the variable by which a function turns it off.

    `by_library`: where a runtime's library has to be called in the function's own code, it needs that.
    `link` names it where one function's data is followed to its end. `check` is the doctor's check of it (id,
    title, meaning), which says `lacking` of a function; `needs` are the permissions that looking takes.
    """

    name: SignalName
    title: str
    data: Data
    expected: _Expected
    delay: Callable[[Answers], timedelta]
    switch: str = ""
    by_library: bool = True
    link: str = ""
    check: tuple[str, str, str]
    lacking: str
    severity: Severity = "error"
    needs: tuple[str, ...]
    guide: str


def reports(function: Function, answers: Answers) -> bool:
    """Whether something in the function itself reports to Datadog: a library, or the Extension.

    Without the Extension, the libraries for Java, .NET and custom runtimes report nothing, and ddsetup
    cannot put a library into a container image, which has no runtime.
    """
    if active_vendor(function):
        return False
    if answers.via == "forwarder" and stays_as_it_starts(function):
        return False
    family = family_of(function.runtime)
    return family is not None and (answers.via == "extension" or family.forwarder)


def _enhanced(function: Function, answers: Answers) -> bool:
    return answers.enhanced_metrics and reports(function, answers)


def _traced(function: Function, answers: Answers) -> bool:
    """Not where the library cannot be put before the handler."""
    return answers.traces and reports(function, answers) and not stays_as_it_starts(function)


def _logged(function: Function, answers: Answers) -> bool:
    return answers.logs and (answers.forwards or reports(function, answers))


def _on_the_way(answers: Answers) -> timedelta:
    return EXTENSION_DELAY if answers.via == "extension" else FORWARDER_DELAY


_METRICS = ("timeseries_query", "cloudwatch:GetMetricData")

KINDS: tuple[SignalKind, ...] = (
    SignalKind(
        name="cloudwatch_metrics",
        title="CloudWatch",
        data="metrics",
        expected=lambda _function, _answers: True,
        delay=lambda _answers: CLOUDWATCH_DELAY,
        link="CloudWatch metrics in Datadog",
        check=(
            "metrics-arrive",
            "CloudWatch metrics of the functions arrive",
            "The function ran, and its CloudWatch metrics (`aws.lambda.invocations`) are not in Datadog\n"
            "after more than the usual 25 minutes.",
        ),
        lacking="its CloudWatch metrics do not arrive",
        needs=_METRICS,
        guide=DELAY_GUIDE,
    ),
    SignalKind(
        name="enhanced_metrics",
        title="Enhanced",
        data="metrics",
        expected=_enhanced,
        delay=_on_the_way,
        switch="DD_ENHANCED_METRICS",
        link="enhanced metrics in Datadog",
        check=(
            "enhanced-arrive",
            "enhanced metrics of the functions arrive",
            "The function ran, and the library's metrics (`aws.lambda.enhanced.invocations`) are not in\n"
            "Datadog.\n\n"
            "With duration but no invocations the layer is missing; with invocations but no duration,\n"
            "REPORT lines are.",
        ),
        lacking="its enhanced metrics do not arrive",
        needs=_METRICS,
        guide=LAMBDA_GUIDE,
    ),
    SignalKind(
        name="cold_start",
        title="Cold start",
        data="metrics",
        expected=_enhanced,
        delay=_on_the_way,
        switch="DD_ENHANCED_METRICS",
        check=(
            "cold-starts-arrive",
            "cold starts of the functions are seen",
            "No invocation with `cold_start:true` was seen, although the function must have started once.",
        ),
        lacking="its cold starts are not seen",
        severity="warning",
        needs=_METRICS,
        guide=LAMBDA_GUIDE,
    ),
    SignalKind(
        name="logs",
        title="Logs",
        data="logs",
        expected=_logged,
        delay=_on_the_way,
        by_library=False,
        link="logs in Datadog",
        check=(
            "logs-arrive",
            "logs of the functions arrive",
            "The function ran, and no log of it is in Datadog's indexes.",
        ),
        lacking="its logs do not arrive",
        needs=("logs_read_data",),
        guide=LOGS_GUIDE,
    ),
    SignalKind(
        name="traces",
        title="Traces",
        data="traces",
        expected=_traced,
        delay=_on_the_way,
        switch="DD_TRACE_ENABLED",
        link="traces in Datadog",
        check=(
            "traces-arrive",
            "traces of the functions arrive",
            "The function ran, and no trace of it is in Datadog. Where metrics arrive by the Forwarder and\n"
            "traces do not, look at DD_TRACE_ENABLED, and at what the Forwarder's DdTraceIntakeUrl says.",
        ),
        lacking="its traces do not arrive",
        needs=("apm_read",),
        guide=LAMBDA_GUIDE,
    ),
)
BY_NAME: Mapping[SignalName, SignalKind] = {kind.name: kind for kind in KINDS}
"""A custom metric has no row: whoever names it expects it, of no function in particular. Nor have durable
executions, which only durable functions have, and what is expected of other things (`verify/things`)."""
TITLES: Mapping[SignalName, str] = {kind.name: kind.title for kind in KINDS} | {
    "forwarder_metrics": "Own metrics"
}

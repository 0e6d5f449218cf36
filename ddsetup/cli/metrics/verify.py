"""`ddsetup metrics verify`: did these metrics arrive?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ddsetup.explore.custom_metrics import metric_proof_blocks, proof_data, proofs
from ddsetup.explore.metrics import check_metric
from ddsetup.facts.links import metric_link
from ddsetup.flow.call import Call
from ddsetup.flow.looking import Looking, look
from ddsetup.flow.results import NOT_SEEN, base_report, of_data
from ddsetup.gateways.datadog.metric_tags import list_distributions
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Json
from ddsetup.model.report import Report

_PAUSE = 15.0
"""Seconds between two looks: a look is a call for each metric, and Datadog limits them by the hour."""


def run(call: Call) -> Report:
    """Look, and look again as long as was asked for; ends with 6 if a metric did not arrive."""
    names = tuple(dict.fromkeys(check_metric(name) for name in call.value("names")))
    looking = look(call)
    found = _waited_for(call, looking, names)
    missing = [proof["metric"] for proof in found if proof["status"] != "arrived"]
    known: tuple[str, ...] = ()
    if missing:
        account = looking.whose.account
        scope = f"aws_account:{account} OR account_id:{account}"
        seconds = int((looking.window.end - looking.window.start).total_seconds())
        known = tuple(metric.name for metric in list_distributions(looking.dd, scope, seconds))
    report = base_report("metrics verify", looking.session)
    return replace(
        report,
        data=proof_data(found, known, looking.window),
        exit_code=NOT_SEEN if missing else 0,
        links={name: metric_link(looking.dd.site, name) for name in names},
        next=(f"ddsetup metrics verify {' '.join(missing)} --wait 300",) if missing else (),
    )


def _waited_for(call: Call, looking: Looking, names: Sequence[str]) -> Sequence[Mapping[str, Json]]:
    clock = looking.session.host.clock
    until = clock.monotonic() + call.given.number("wait", 0)
    while True:
        window = Window(looking.window.start, max(looking.window.end, clock.now()))
        found = proofs(looking.dd, window, names, looking.whose)
        late = [proof["metric"] for proof in found if proof["status"] != "arrived"]
        left = until - clock.monotonic()
        if not late or left <= 0:
            return found
        call.console.say(f"waiting for {', '.join(late)}")
        clock.sleep(min(_PAUSE, left))


blocks = of_data(metric_proof_blocks)
"""The proof as text."""

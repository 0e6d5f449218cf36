"""What each writer asks, sends and answers, whatever it finds: created, changed and taken back.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from ddsetup.apply.writers import make_writers
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.model.change import Outcome
from ddsetup.model.errors import DdsetupError
from ddsetup.model.event import Event
from ddsetup.model.snapshot import DatadogSnapshot, LaneSnapshot, Snapshot
from tests.gateways.aws_stand import REGION, FakeTime, ScriptedAws
from tests.in_full.aws_script import SERVICES, Script, aws, time
from tests.in_full.calls.world import LANE
from tests.in_full.test_probe import asked, script
from tests.unit.show.test_render import matches_golden

__all__ = ["aws", "script", "time"]

from tests.in_full.written import KINDS
from tests.in_full.written.case import ANSWERS, JUST_NOW, Case
from tests.in_full.written.datadog import COLLECTIONS, RECORDS


class Account(Script):
    """Answers as the table says, errors included; what it does not name is answered with nothing."""

    def reply(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        left = self.answers.setdefault(model.name, [ANSWERS.get(model.name, {})])
        answer: Any = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, tuple):
            code, message, status = answer
            error = {"Error": {"Code": code, "Message": message}}
            return SimpleNamespace(status_code=status), {
                **error,
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
        return SimpleNamespace(status_code=200), {"ResponseMetadata": {}, **deepcopy(answer)}


@pytest.fixture(scope="module")
def account(aws: Aws) -> Iterator[Account]:
    made = Account()
    emitters = [aws.client(service, REGION).meta.events for service in SERVICES]
    for events in emitters:
        events.register_first("provide-client-params", made.note)
        events.register_first("before-call", made.reply)
    yield made
    for events in emitters:
        events.unregister("provide-client-params", made.note)
        events.unregister("before-call", made.reply)


def written(aws: Aws, time: FakeTime, account: Account, dd: Datadog | None, case: Case) -> list[str]:
    events: list[Event] = []
    snapshot = Snapshot(
        accounts={},
        lanes={LANE: LaneSnapshot(lane=LANE)},
        datadog=DatadogSnapshot(site="datadoghq.eu"),
        at=JUST_NOW,
    )
    if case.kind == "function_tags":
        snapshot = replace(snapshot, lanes={})
    time.seconds = 0.0
    account.answers = {}
    made = make_writers(aws, dd, DatadogKeys("1" * 32, "2" * 40), snapshot, time.clock, events.append)
    account.answers = {name: list(answers) for name, answers in case.answers.items()}
    account.asked.clear()
    time.slept.clear()
    writer = made[case.kind]
    try:
        change = writer.resolve(case.change())
        result = [_said(outcome) for outcome in writer.write([change])]
    except (DdsetupError, TypeError) as error:
        fix = getattr(error, "fix", "")
        result = [f"! {type(error).__name__}: {error}{f'; fix: {fix}' if fix else ''}"]
    said = [f"  told: {event.text}" for event in events]
    waited = f"  waited {', '.join(f'{each:g}' for each in time.slept[:20])}; {sum(time.slept):g} s in all"
    lines = [*_counted(account.asked), *said, *([waited] if time.slept else []), *result]
    return [line.replace("1" * 32, "KEY") for line in lines]


def _counted(asked: Sequence[str]) -> list[str]:
    """The lines in their order; of a long wait each once, with how often it came."""
    if len(asked) < 30:
        return [*asked]
    return [f"{line} x {asked.count(line)}" for line in dict.fromkeys(asked)]


def _said(outcome: Outcome) -> str:
    fix = f"; fix: {outcome.fix}" if outcome.fix else ""
    details = f"; {dict(outcome.details)}" if outcome.details else ""
    return f"= {outcome.status}: {outcome.reason}{fix}{details}"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_on_aws(aws: Aws, time: FakeTime, account: Account, kind: str) -> None:
    lines: list[str] = []
    for name, case in KINDS[kind].items():
        lines += [f"[{name}]", *written(aws, time, account, None, case), ""]
    matches_golden(f"written/{kind}", "\n".join(lines))


@pytest.mark.parametrize(("kind", "cases"), [("integration", RECORDS), ("collection", COLLECTIONS)])
def test_what_is_written_at_datadog(
    aws: Aws, time: FakeTime, account: Account, script: ScriptedAws, kind: str, cases: dict[str, Case]
) -> None:
    lines: list[str] = []
    for name, case in cases.items():
        script.requests.clear()
        script.script(*case.replies)
        dd = Datadog.connect("datadoghq.eu", DatadogKeys("1" * 32, "2" * 40), script.url, clock=time.clock)
        told = [
            line
            for line in written(aws, time, account, dd, case)
            if kind != "collection" or "waited" not in line
        ]
        lines += [f"[{name}]", *asked(script), *told, ""]
    matches_golden(f"written/{kind}", "\n".join(lines))

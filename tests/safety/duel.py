"""ddsetup's function writer against competitors who strike where it hurts: between its look and its write."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from ddsetup.apply.writers.functions import FunctionWriter
from ddsetup.apply.writers.issued import Issued
from ddsetup.gateways.aws.functions import list_functions
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Function, Lane
from ddsetup.model.change import Change, Outcome, Plan
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.plan.steps import instrument, uninstrument
from tests.builders import account_snapshot, answers, snapshot
from tests.gateways.aws_stand import ACCOUNT, REGION, FakeTime, connect
from tests.safety.competing import Competitor, Score
from tests.safety.lambda_stand import LambdaStand

LANE = Lane(ACCOUNT, REGION)
LAYERS = tuple(f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}:1" for name in ("config", "fonts", "log"))


@dataclass(slots=True)
class Result:
    """How a duel ended: what the competitors did and lost, and ddsetup's outcomes by status."""

    score: Score
    outcomes: Counter[str] = field(default_factory=Counter)


def fight(writes: int, functions: int = 30, seed: int = 1) -> Result:
    """Let ddsetup instrument and give back until the competitors have made `writes` writes."""
    stand = LambdaStand(functions)
    result = Result(Score())
    chance = random.Random(seed)
    # Each function has one owner at a time: the thread of a request, or the one that works all the time.
    owners = {
        name: Competitor(stand, [name], LAYERS, result.score, seed * 1000 + n, lambda: 0)
        for n, name in enumerate(stand.names)
    }
    locks = {name: threading.Lock() for name in stand.names}

    def strike(name: str) -> None:
        with locks[name]:
            owners[name].turn()

    def before_write(name: str) -> None:
        if chance.random() < 0.5:
            strike(name)

    stand.before_write = before_write
    with stand.served() as url, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        aws = connect(url, FakeTime(), rate_scale=1_000_000)
        while result.score.writes < writes and not result.score.lost:
            for step in (instrument.plan, uninstrument.plan):
                for _ in range(max(1, writes // 100)):
                    strike(chance.choice(stand.names))
                seen = list_functions(aws, LANE)
                assert isinstance(seen, tuple), seen
                for outcome in _carry_out(aws, seen, _plan(step, seen)):
                    result.outcomes[outcome.status] += 1
    for name in stand.names:
        owners[name].turn()
    return result


def _plan(step: object, seen: tuple[Function, ...]) -> Plan:
    account = account_snapshot(ACCOUNT)
    held = snapshot(LaneSnapshot(lane=LANE, functions=seen), accounts=[account])
    wanted = answers(regions=(REGION,), subscribe="none", layer_version="130")
    planned: Plan = step(held, wanted, seen)  # type: ignore[operator]
    return planned


def _carry_out(aws: Aws, seen: tuple[Function, ...], plan: Plan) -> list[Outcome]:
    account = account_snapshot(ACCOUNT)
    held = snapshot(LaneSnapshot(lane=LANE, functions=seen), accounts=[account])
    writer = FunctionWriter(aws, Issued(aws, held, str), {f.arn: f for f in seen}, aws.clock)
    changes: list[Change] = [c for c in plan.changes if c.resource.kind == "function"]
    with ThreadPoolExecutor(8) as pool:
        return [outcome for each in pool.map(lambda c: writer.write([c]), changes) for outcome in each]

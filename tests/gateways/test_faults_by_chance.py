"""Faults that strike by chance: the same calls in every run, and whoever asks again gets through."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import pytest

from ddsetup.sandbox.chance import IN_A_ROW
from ddsetup.sandbox.datadog import faults as datadog
from ddsetup.sandbox.emulator.faults import Faults, Request
from ddsetup.sandbox.faults import ALWAYS, AwsFault

CALLS = [f"/call/{n}" for n in range(30)] * 20
THROTTLED = AwsFault("*", "ThrottlingException", times=ALWAYS, probability=0.4, seed=1)
CUT = AwsFault("*", drop=True, times=ALWAYS, probability=0.4, seed=2)

Strikes = Callable[[str], bool]


def on_aws(path: Path) -> Strikes:
    path.write_text(json.dumps([asdict(THROTTLED), asdict(CUT)]))
    faults = Faults(path)

    def strikes(call: str) -> bool:
        # As botocore makes one for each attempt.
        token = f'{{"ClientRequestToken": "{random.random()}"}}'
        request = Request("logs", "PutSomething", "KEY", "eu-west-1", f"{call} {token}".encode())
        return faults.strike(request) is not None

    return strikes


def on_datadog(_path: Path) -> Strikes:
    times = {"path": "/call/*", "times": ALWAYS, "probability": 0.4}
    faults = datadog.Faults([{**times, "status": 429}, {**times, "status": 503}])
    return lambda call: faults.take("GET", call) is not None


@pytest.mark.parametrize("of", [on_aws, on_datadog])
def test_a_call_is_struck_as_ever_whatever_comes_between_and_gets_through(
    tmp_path: Path, of: Callable[[Path], Strikes]
) -> None:
    seen: list[dict[str, list[bool]]] = []
    for order in (CALLS, random.Random(7).sample(CALLS, len(CALLS))):
        strikes = of(tmp_path / f"faults-{len(seen)}")
        struck: dict[str, list[bool]] = {}
        for call in order:
            struck.setdefault(call, []).append(strikes(call))
        seen.append(struck)
    assert seen[0] == seen[1]
    rows = [len(list(row)) for calls in seen[0].values() for hit, row in groupby(calls) if hit]
    assert max(rows) == IN_A_ROW
    share = sum(rows) / len(CALLS)
    assert 0.35 < share < 0.65
    assert len({tuple(calls) for calls in seen[0].values()}) > 25, "each call has a fate of its own"


def test_what_is_certain_strikes_every_time(tmp_path: Path) -> None:
    (tmp_path / "faults").write_text(json.dumps([asdict(AwsFault("*", "Gone", times=ALWAYS))]))
    faults = Faults(tmp_path / "faults")
    request = Request("logs", "PutSomething", "KEY", "eu-west-1", b"/")
    assert all(faults.strike(request) for _ in range(3 * IN_A_ROW))

"""ddsetup against competitors, and against another ddsetup, on the same functions at the same time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.e2e.conftest import Result
from tests.nursery import Nursery
from tests.safety.competing import Competitor, Score, archive, owned
from tests.safety.conftest import Lab

LAYERS = ("house-logging", "house-config", "house-fonts")
ON_ALL = ("--all", "--yes", "--no-verify", "--subscribe", "none", "--output", "json")
UNDO = ("undo", "--yes", "--output", "json")
UNINSTRUMENT = ("uninstrument", "--all", "--yes", "--output", "json")
_THREADS = 6


@dataclass(slots=True)
class Standing:
    """How a contest ended."""

    score: Score
    runs: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


def hold(lab: Lab, writes: int, runs: int, pause: float, seed: int = 1) -> Standing:
    """Let all of them work until the competitors have made `writes` writes and each ddsetup `runs` runs.

    The account must have been set up once, so that the runs are about functions alone. At the end ddsetup
    takes itself out of all functions: the owners' part must still be there.
    """
    client = lab.world.client("lambda")
    names = sorted(name for name in lab.world.functions() if name.startswith("many-"))
    arns = [
        client.publish_layer_version(LayerName=name, Content={"ZipFile": archive(0)})["LayerVersionArn"]
        for name in LAYERS
    ]
    standing = Standing(Score())
    competitors = [
        Competitor(
            lab.world.client("lambda"), names[n::_THREADS], arns, standing.score, seed * 100 + n, pause
        )
        for n in range(_THREADS)
    ]
    over = threading.Event()
    rivals = [
        threading.Thread(target=_keep_running, args=(lab, standing, over, name, last), daemon=True)
        for name, last in (("a", UNDO), ("b", UNINSTRUMENT))
    ]
    for thread in (*competitors, *rivals):
        thread.start()
    while (standing.score.writes < writes or min(standing.runs["a"], standing.runs["b"]) < runs) and not (
        standing.score.lost or standing.errors or any(c.error for c in competitors)
    ):
        time.sleep(0.1)
    over.set()
    for rival in rivals:
        rival.join(timeout=120)
    for competitor in competitors:
        competitor.stop()
    before = {name: owned(config) for name, config in _configurations(lab).items()}
    _run(lab, lab.nursery, standing, "end", UNINSTRUMENT)
    after = {name: owned(config) for name, config in _configurations(lab).items()}
    standing.score.lost.extend(f"{name} at the end" for name in names if before[name] != after[name])
    return standing


def _keep_running(
    lab: Lab, standing: Standing, over: threading.Event, name: str, last: tuple[str, ...]
) -> None:
    with Nursery() as nursery:
        while not over.is_set() and not standing.errors:
            for command in (("setup", *ON_ALL, "--env", name), last):
                _run(lab, nursery, standing, name, command)


def _run(lab: Lab, nursery: Nursery, standing: Standing, name: str, command: tuple[str, ...]) -> None:
    environ = lab.cli.environ(DDSETUP_STATE_DIR=str(lab.cli.home / f"state-{name}"))
    end = nursery.run(command, environ, lab.cli.home)
    standing.runs[name] += 1
    nothing_to_undo = command[0] == "undo" and "there is no run to undo" in end.stdout
    if end.code not in (0, 1, 5) and not nothing_to_undo:
        standing.errors.append(f"{command[0]} ended with {end.code}: {end.stderr}{end.stdout}")
        return
    for outcome in Result(end.code, end.stdout, end.stderr).json["outcomes"]:
        if outcome["resource"]["kind"] == "function":
            standing.outcomes[outcome["status"]] += 1
            if "bug" in outcome["reason"]:
                standing.errors.append(outcome["reason"])


def _configurations(lab: Lab) -> dict[str, dict[str, object]]:
    pages = lab.world.client("lambda").get_paginator("list_functions").paginate()
    return {f["FunctionName"]: f for page in pages for f in page["Functions"]}

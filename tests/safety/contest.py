"""ddsetup against competitors, and against others of its kind, on the same functions at the same time.

One of them remembers by itself. Two share what they remember, so that they exclude each other: one prunes
what it set, and the other takes down all but what the others go on with.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ddsetup.plan.policy import state_statements
from ddsetup.sandbox.model import OPERATOR
from tests.e2e.conftest import Result
from tests.nursery import Nursery
from tests.patience import PATIENCE
from tests.safety.competing import Competitor, Score, archive, owned
from tests.safety.conftest import Lab

LAYERS = ("house-logging", "house-config", "house-fonts")
ON_ALL = ("--all", "--yes", "--no-verify", "--subscribe", "none", "--output", "json")
UNDO = ("undo", "--yes", "--output", "json")
UNINSTRUMENT = ("uninstrument", "--all", "--yes", "--output", "json")
KEPT = tuple(word for part in ("forwarder", "secret", "integration", "role") for word in ("--keep", part))
TEARDOWN = ("teardown", *KEPT, "--yes", "--output", "json")
PRUNE = ("setup", *ON_ALL, "--prune")
BUCKET = "the-runs-of-rivals"
SHARED = f"s3://{BUCKET}/shop"
RIVALS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "a": (UNDO, ""),
    "b": (PRUNE, SHARED),
    "c": (TEARDOWN, SHARED),
}
"""What each does after its setup, and where it remembers runs beside its own disk."""
_THREADS = 6
_MORE_REST = 1.5


@dataclass(slots=True)
class Standing:
    """How a contest ended."""

    score: Score
    rest: float
    """Seconds between a competitor's turns. Who leaves a run of ddsetup nothing to apply rests longer: how
    long a run takes between its look and its write is the machine's affair.
    """
    runs: Counter[str] = field(default_factory=Counter)
    busy: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def met(self) -> bool:
        """Whether ddsetup got through, was outrun, and excluded others of its kind, each once at least."""
        return bool(self.outcomes["applied"] and self.outcomes["changed_since"] and self.busy.total())


def _share(lab: Lab) -> None:
    """Make the bucket that two of them share, and let the operator use it."""
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": state_statements(BUCKET, "shop/", "aws", making=True)}
    )
    iam = lab.world.client("iam")
    iam.put_user_policy(UserName=OPERATOR, PolicyName="state", PolicyDocument=document)
    assert lab.run("state", "init", "--state", SHARED, "--yes").code == 0


def hold(lab: Lab, writes: int, runs: int, pause: float, seed: int = 1) -> Standing:
    """Let all of them work until the competitors have made `writes` writes and each ddsetup `runs` runs, and
    until they have met, for which there is a limit.

    The account must have been set up once, so that the runs are about functions alone. At the end ddsetup
    takes itself out of all functions: the owners' part must still be there.
    """
    _share(lab)
    client = lab.world.client("lambda")
    names = sorted(name for name in lab.world.functions() if name.startswith("many-"))
    arns = [
        client.publish_layer_version(LayerName=name, Content={"ZipFile": archive(0)})["LayerVersionArn"]
        for name in LAYERS
    ]
    standing = Standing(Score(), pause)
    competitors = [
        Competitor(
            lab.world.client("lambda"),
            names[n::_THREADS],
            arns,
            standing.score,
            seed * 100 + n,
            lambda: standing.rest,
        )
        for n in range(_THREADS)
    ]
    over = threading.Event()
    rivals = [
        threading.Thread(target=_keep_running, args=(lab, standing, over, name), daemon=True)
        for name in RIVALS
    ]
    for thread in (*competitors, *rivals):
        thread.start()
    given_up = time.monotonic() + PATIENCE
    while not standing.errors and not standing.score.lost and not any(c.error for c in competitors):
        done = standing.score.writes >= writes and min(standing.runs[name] for name in RIVALS) >= runs
        if done and (standing.met or time.monotonic() > given_up):
            break
        time.sleep(0.1)
    over.set()
    for rival in rivals:
        rival.join(timeout=3 * PATIENCE)
        assert not rival.is_alive(), "a run of ddsetup does not end"
    for competitor in competitors:
        competitor.stop()
    before = {name: owned(config) for name, config in _configurations(lab).items()}
    _run(lab, lab.nursery, standing, "end", UNINSTRUMENT)
    after = {name: owned(config) for name, config in _configurations(lab).items()}
    standing.score.lost.extend(f"{name} at the end" for name in names if before[name] != after[name])
    return standing


def _keep_running(lab: Lab, standing: Standing, over: threading.Event, name: str) -> None:
    setup = ("setup", *ON_ALL, "--env", name, "--extra-tag", f"rival={name}")
    try:
        with Nursery() as nursery:
            while not over.is_set() and not standing.errors:
                for command in (setup, RIVALS[name][0]):
                    _run(lab, nursery, standing, name, command)
    except Exception as error:
        standing.errors.append(f"{name}: {error!r}")
        raise


def _run(lab: Lab, nursery: Nursery, standing: Standing, name: str, command: tuple[str, ...]) -> None:
    shared = RIVALS.get(name, ((), ""))[1]
    own = {"DDSETUP_STATE_DIR": str(lab.cli.home / f"state-{name}")}
    environ = lab.cli.environ(**own, **({"DDSETUP_STATE": shared} if shared else {}))
    end = nursery.run(command, environ, lab.cli.home)
    if end.code == 1 and '"kind": "Busy"' in end.stdout:
        standing.busy[name] += 1
        return
    standing.runs[name] += 1
    if command[0] == "undo" and "there is no run to undo" in end.stdout:
        return
    outcomes = Result(end.code, end.stdout, end.stderr).json["outcomes"] if end.code in (0, 1, 5) else []
    if end.code and not outcomes:
        standing.errors.append(f"{command[0]} ended with {end.code}: {end.stderr}{end.stdout}")
        return
    functions = [each for each in outcomes if each["resource"]["kind"] == "function"]
    standing.errors.extend(each["reason"] for each in functions if "bug" in each["reason"])
    told = Counter(each["status"] for each in functions)
    with standing.score.lock:
        standing.outcomes.update(told)
        if told["changed_since"] and not told["applied"]:
            standing.rest *= _MORE_REST


def _configurations(lab: Lab) -> dict[str, dict[str, object]]:
    pages = lab.world.client("lambda").get_paginator("list_functions").paginate()
    return {f["FunctionName"]: f for page in pages for f in page["Functions"]}

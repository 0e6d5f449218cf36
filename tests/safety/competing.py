"""Competitors: others who keep changing the functions that ddsetup changes, and who notice what they lose.

A competitor owns what users own of a function: foreign variables, layers and their order, memory, code, the
handler. It changes them as a person at the console does (conditional on the revision), as a deployment does
(everything at once, without looking) and as a build does (the code only). Each look at a function compares
it with the last write that AWS confirmed: what is not there any more was lost.
"""

from __future__ import annotations

import io
import random
import threading
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from tests.patience import PATIENCE

DATADOG_HANDLER = "datadog_lambda.handler.handler"
OWN_HANDLER = "DD_LAMBDA_HANDLER"
_BUSY = ("ResourceConflictException", "PreconditionFailedException", "TooManyRequestsException")


@dataclass(frozen=True, slots=True)
class Owned:
    """What of a function is its owner's."""

    handler: str
    env: tuple[tuple[str, str], ...]
    layers: tuple[str, ...]
    memory: int
    code: str


def owned(config: dict[str, Any]) -> Owned:
    """The owner's part of a function as AWS answers it."""
    env = config.get("Environment", {}).get("Variables", {})
    layers = [layer["Arn"] for layer in config.get("Layers", ())]
    handler = config["Handler"]
    return Owned(
        handler=env.get(OWN_HANDLER, "") if handler == DATADOG_HANDLER else handler,
        env=tuple(sorted((k, v) for k, v in env.items() if not k.startswith("DD_"))),
        layers=tuple(arn for arn in layers if ":464622532012:" not in arn),
        memory=config["MemorySize"],
        code=config["CodeSha256"],
    )


@dataclass(slots=True)
class Score:
    """What all competitors did."""

    writes: int = 0
    refused: int = 0
    looks: int = 0
    lost: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Competitor(threading.Thread):
    """Works on some functions until it is told to stop. Nobody but it and ddsetup may touch them.

    `pause` tells the seconds until the next turn: who never rests leaves ddsetup nothing but "changed since".
    """

    def __init__(
        self,
        client: Any,
        names: Sequence[str],
        layers: Sequence[str],
        score: Score,
        seed: int,
        pause: Callable[[], float],
    ) -> None:
        super().__init__(daemon=True, name=f"competitor-{seed}")
        self._client = client
        self._names = names
        self._layers = layers
        self._score = score
        self._chance = random.Random(seed)
        self._pause = pause
        self._stop_asked = threading.Event()
        self._expected = {name: owned(self._read(name)) for name in names}
        self._turn = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._stop_asked.wait(self._pause()):
                self.turn()
            for name in self._names:
                self._look(name)
        except BaseException as error:
            self.error = error
            raise

    def stop(self) -> None:
        """End after the turn under way and a last look at every function; raises what went wrong."""
        self._stop_asked.set()
        self.join(timeout=PATIENCE)
        if self.error is not None:
            raise self.error

    def turn(self) -> None:
        """Look at the next function and change it."""
        self._work(self._names[self._turn % len(self._names)])
        self._turn += 1

    def _work(self, name: str) -> None:
        config = self._look(name)
        if config.get("LastUpdateStatus") == "InProgress":
            return
        kinds: Sequence[Callable[[str, dict[str, Any]], Owned]] = (
            *(self._edit, self._edit, self._relayer, self._resize, self._deploy, self._build),
        )
        try:
            expected = self._chance.choice(kinds)(name, config)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _BUSY:
                raise
            with self._score.lock:
                self._score.refused += 1
            return
        self._expected[name] = expected
        with self._score.lock:
            self._score.writes += 1

    def _look(self, name: str) -> dict[str, Any]:
        config = self._read(name)
        live, expected = owned(config), self._expected[name]
        with self._score.lock:
            self._score.looks += 1
            if live != expected:
                self._score.lost.append(f"{name}: {expected} became {live}")
        # Each loss is counted once.
        self._expected[name] = live
        return config

    def _read(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get_function_configuration(FunctionName=name)
        return found

    def _edit(self, name: str, config: dict[str, Any]) -> Owned:
        """A person adds, changes or removes a variable, and nobody else meanwhile."""
        env = dict(config.get("Environment", {}).get("Variables", {}))
        env[f"OWN_{self._chance.randrange(4)}"] = f"set in turn {self._turn}"
        gone = f"OWN_{self._chance.randrange(4)}"
        env.pop(gone, None)
        self._client.update_function_configuration(
            FunctionName=name, Environment={"Variables": env}, RevisionId=config["RevisionId"]
        )
        foreign = tuple(sorted((k, v) for k, v in env.items() if not k.startswith("DD_")))
        return replace(self._expected[name], env=foreign)

    def _relayer(self, name: str, config: dict[str, Any]) -> Owned:
        """A person puts a layer first or last, or takes one out."""
        layers = [layer["Arn"] for layer in config.get("Layers", ())]
        chosen = self._chance.choice(self._layers)
        if chosen in layers:
            layers.remove(chosen)
        else:
            layers.insert(self._chance.choice((0, len(layers))), chosen)
        self._client.update_function_configuration(
            FunctionName=name, Layers=layers, RevisionId=config["RevisionId"]
        )
        own = tuple(arn for arn in layers if ":464622532012:" not in arn)
        return replace(self._expected[name], layers=own)

    def _resize(self, name: str, config: dict[str, Any]) -> Owned:
        memory = self._chance.randrange(128, 1024)
        self._client.update_function_configuration(FunctionName=name, MemorySize=memory)
        return replace(self._expected[name], memory=memory)

    def _deploy(self, name: str, config: dict[str, Any]) -> Owned:
        """A deployment tool puts everything as its template says, whatever is there."""
        expected = self._expected[name]
        handler = f"app.handler{self._turn}"
        env = {"RELEASE": str(self._turn), "EMPTY": "", "OWNER": "Zoë"}
        layers = self._chance.sample(list(self._layers), 2)
        self._client.update_function_configuration(
            FunctionName=name, Handler=handler, Layers=layers, Environment={"Variables": env}
        )
        return replace(expected, handler=handler, env=tuple(sorted(env.items())), layers=tuple(layers))

    def _build(self, name: str, config: dict[str, Any]) -> Owned:
        answer = self._client.update_function_code(FunctionName=name, ZipFile=archive(self._turn))
        return replace(self._expected[name], code=answer["CodeSha256"])


def archive(number: int) -> bytes:
    """Some code, another for each number."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        packed.writestr("app.py", f"def handler(event, context):\n    return {number}\n")
    return data.getvalue()

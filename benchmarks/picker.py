"""How fast the list of functions is: `python benchmarks/picker.py [N...]`, without any account.

Opens the picker on a terminal of 80 by 24 that only counts, and measures the time to the first picture and
from each key to the next one. Prints one line of JSON per number of functions; ends with 1 beyond the goals.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field

from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from ddsetup.ask.prompter import Row
from ddsetup.terminal.picker import Heading, pick

OPEN_SECONDS, KEY_SECONDS = 1.0, 0.1
"""The goals: the list is there within a second, and typing is not held up."""
KEYS = [*"prod", "\x7f", "d", *("\x1b[B",) * 10, "\x1b[6~", " ", "\x01", "\x1b[F", "\x15", *"none 12"]


@dataclass
class Screen(DummyOutput):
    """Notes when each picture is complete."""

    at: list[float] = field(default_factory=list)

    def get_size(self) -> Size:
        return Size(rows=24, columns=80)

    def flush(self) -> None:
        self.at.append(time.perf_counter())


def rows(count: int) -> list[Row]:
    """Functions like those of a large account."""
    states = ("none", "forwarder", "extension")
    return [
        Row(
            value=f"arn:aws:lambda:eu-west-1:123456789012:function:f{n}",
            cells=(
                f"{('prod', 'dev', 'stage')[n % 3]}-checkout-{n:05}",
                "eu-west-1",
                f"python3.{11 + n % 3}",
                "arm64" if n % 2 else "x86_64",
                f"Datadog: {states[n % 3]}",
            ),
            terms=(f"runtime:python3.{11 + n % 3}", f"state:{states[n % 3]}"),
        )
        for n in range(count)
    ]


def measure(count: int) -> dict[str, float]:
    """Seconds to the first picture, and per key (median and longest)."""
    screen = Screen()
    found = rows(count)
    pauses: list[float] = []
    with create_pipe_input() as pipe:
        started = time.perf_counter()

        def keyboard() -> None:
            while not screen.at:
                time.sleep(0.001)
            for key in KEYS:
                before = len(screen.at)
                sent = time.perf_counter()
                pipe.send_text(key)
                while len(screen.at) == before and time.perf_counter() - sent < 5:
                    time.sleep(0.0005)
                pauses.append(time.perf_counter() - sent)
            pipe.send_text("\r")

        typing = threading.Thread(target=keyboard)
        typing.start()
        pick(Heading("Which functions?"), found, output=screen, input_=pipe)
        typing.join()
    return {
        "functions": count,
        "open_seconds": round(screen.at[0] - started, 3),
        "key_seconds_median": round(statistics.median(pauses), 4),
        "key_seconds_longest": round(max(pauses), 4),
    }


def main(arguments: list[str]) -> int:
    """Measure for each number given, or for 300, 3,000 and 10,000."""
    late = False
    for count in [int(each) for each in arguments] or [300, 3_000, 10_000]:
        result = measure(count)
        print(json.dumps(result))
        late |= result["open_seconds"] > OPEN_SECONDS or result["key_seconds_median"] > KEY_SECONDS
    return int(late)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

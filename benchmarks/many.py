"""How long a run over many accounts takes beside one over a single one: `python -m benchmarks.many`.

With --slower 4, AWS takes four times as long for everything: that is how the run looks on a machine with
processors four times as fast. With --memory no quota is kept and nothing is waited for.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.front import RATES, Front
from benchmarks.measured import REGION, UNHURRIED, Measured, at_pace, environ, measure, show, stand_in
from benchmarks.memory import UPDATE_SECONDS
from benchmarks.organisation import Organisation

_LATENCY = 0.04
_CHOICE = ("--all", "--output", "ndjson")
_COMMANDS = {
    "plan": ("org", "plan", *_CHOICE),
    "apply": ("org", "apply", *_CHOICE, "--yes", "--no-verify"),
    "again": ("org", "plan", *_CHOICE),
    "undo": ("org", "undo", "--yes", "--output", "ndjson"),
}
GOAL = 1.5
"""Many accounts take at most so many times as long as one: their quotas are their own."""


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="*", default=[1, 100], help="how many accounts")
    parser.add_argument("--n", type=int, default=100, help="functions in each")
    parser.add_argument("--commands", nargs="*", default=list(_COMMANDS), choices=list(_COMMANDS))
    parser.add_argument("--slower", type=float, default=1.0, help="how many times as long AWS takes")
    parser.add_argument("--memory", action="store_true", help="no quotas: how much memory it takes")
    parser.add_argument("--options", nargs="*", default=[], help="more for each command, such as --at-once=8")
    asked = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    print(table([each for accounts in asked.accounts for each in _measured(accounts, asked)]))
    return 0


def _measured(accounts: int, asked: argparse.Namespace) -> Iterator[tuple[int, str, Measured]]:
    slower, rates = asked.slower, {name: rate / asked.slower for name, rate in RATES.items()}
    update, latency = UPDATE_SECONDS * slower, _LATENCY * slower
    if asked.memory:
        slower, rates, update, latency = 1 / UNHURRIED, {}, 0.0, 0.0
    with tempfile.TemporaryDirectory(prefix="ddsetup-bench-") as place:
        home = Path(place)
        front = Front(Organisation(accounts, asked.n, REGION, update), latency=latency, rates=rates)
        with stand_in(home) as datadog:
            env = environ(home, front.url, datadog)
            for name in asked.commands:
                command = [*at_pace(1 / slower), *_COMMANDS[name]]
                found = measure(f"org {name} of {accounts}", asked.n, [*command, *asked.options], front, env)
                show(found)
                yield accounts, name, found
        front.close()


def table(found: Sequence[tuple[int, str, Measured]]) -> str:
    """Many beside one, as Markdown; what misses the goal is marked."""
    one = {name: m.seconds for accounts, name, m in found if accounts == 1}
    rows = [
        "| run | accounts | functions each | calls | seconds | of one's | CPU s | CPU ms an account | MB |",
        "|---|" + "---:|" * 8,
    ]
    for accounts, name, m in found:
        ratio = m.seconds / one[name] if name in one else 0.0
        missed = " (!)" if ratio > GOAL else ""
        rows.append(
            f"| `org {name}` | {accounts} | {m.n} | {m.calls:,} | {m.seconds:.1f} | {ratio:.2f}{missed} | "
            f"{m.cpu:.1f} | {m.cpu / accounts * 1000:.0f} | {m.peak_mb:.0f} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())

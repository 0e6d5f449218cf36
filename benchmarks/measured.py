"""One run of a command, measured: how it is started, what it takes, and how that is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.account import ACCOUNT
from benchmarks.front import RATES, Front, Tally

API_KEY, APP_KEY = "0" * 31 + "b", "0" * 39 + "b"
REGION = "us-east-1"
SLACK, MARGIN = 5.0, 1.15
DONE = (0, 6)
"""The exit codes of commands that did all their work."""
_AT_PACE = """
import sys
from ddsetup.facts import rates
rates.RATES = {{name: rate * {pace} for name, rate in rates.RATES.items()}}
from ddsetup.__main__ import main
sys.argv[0] = "ddsetup"
main()
"""
UNHURRIED = 200.0
"""The pace at which no quota is felt, to see how much memory a big run takes without waiting for its end."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One command: how long, how much of it processor time, how many calls, how much memory."""

    what: str
    n: int
    code: int
    seconds: float
    cpu: float
    begun: float
    tally: Tally
    peak_mb: float
    report: Mapping[str, object]

    @property
    def bound(self) -> float:
        """1.15 times what the slowest quota takes for these calls, and 5 seconds."""
        return MARGIN * max(quota_seconds(self.tally).values(), default=0.0) + SLACK

    @property
    def updating(self) -> tuple[float, float]:
        """When the first update was sent, and when the last look at an update came back."""
        update = "lambda:UpdateFunctionConfiguration"
        last = self.tally.last.get("lambda:GetFunction", self.tally.last.get(update, self.begun))
        return self.tally.first.get(update, self.begun) - self.begun, last - self.begun

    @property
    def calls(self) -> int:
        return sum(self.tally.calls.values())


def quota_seconds(tally: Tally) -> dict[str, float]:
    """What the calls of each class take at its rate."""
    groups: dict[str, float] = {}
    for name, count in tally.calls.items():
        group = name if name in RATES else name.split(":")[0]
        if rate := RATES.get(group):
            groups[group] = groups.get(group, 0.0) + count / rate
    return groups


@contextmanager
def stand_in(home: Path) -> Iterator[str]:
    """Datadog's stand-in as a process of its own; yields its URL."""
    port_file = home / "port"
    command = [sys.executable, "-m", "ddsetup.sandbox.datadog", "--port-file", str(port_file)]
    command += ["--api-key", API_KEY, "--app-key", APP_KEY]
    with (home / "datadog.log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            while not port_file.exists():
                if process.poll() is not None:
                    raise RuntimeError((home / "datadog.log").read_text())
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port_file.read_text()}"
        finally:
            process.terminate()


def environ(home: Path, aws: str, datadog: str) -> dict[str, str]:
    """A clean environment that leads to the front and to the stand-in."""
    keep = ("PATH", "LANG", "TMPDIR")
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        "HOME": str(home),
        "DDSETUP_STATE_DIR": str(home / "state"),
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "DDSETUP_DATADOG_URL": datadog,
        "DD_SITE": "datadoghq.com",
        "DD_API_KEY": API_KEY,
        "DD_APP_KEY": APP_KEY,
    }


def at_pace(pace: float) -> list[str]:
    """How ddsetup is started that keeps quotas of so many times the documented ones."""
    return [sys.executable, "-c", _AT_PACE.format(pace=pace)]


def measure(what: str, n: int, command: Sequence[str], front: Front, env: Mapping[str, str]) -> Measured:
    """Run one command and watch it."""
    front.reset()
    begun = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, env=dict(env), stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        peak = PeakMemory(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        seconds, cpu = time.monotonic() - begun, used.ru_utime + used.ru_stime
        out.seek(0)
        err.seek(0)
        text, said = out.read().decode(), err.read().decode()
    tally = front.reset()
    if code not in DONE:
        print(said[-3000:] or text[-3000:], file=sys.stderr)
    # Of lines the last one is the report.
    whole = text if '"event"' not in text.partition("\n")[0] else text.splitlines()[-1]
    report = json.loads(whole) if whole.startswith("{") else {}
    return Measured(what, n, code, seconds, cpu, begun, tally, peak.stop(), report)


class PeakMemory:
    """The most memory (RSS) that a process ever had, asked of Linux while it runs."""

    def __init__(self, pid: int) -> None:
        self._file = Path(f"/proc/{pid}/status")
        self._peak = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            try:
                lines = self._file.read_text().splitlines()
            except OSError:
                return
            found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
            self._peak = max([self._peak, *(int(kb) / 1024 for kb in found)])

    def stop(self) -> float:
        """In MB; 0 where /proc is not there."""
        self._done.set()
        self._thread.join()
        return self._peak


def show(m: Measured) -> None:
    """A result, as text."""
    writes = sum(c for name, c in m.tally.calls.items() if is_write(name))
    ratio = (m.seconds - SLACK) / max(m.bound - SLACK, 0.001) * MARGIN
    print(f"\n{m.what}, N = {m.n}: exit {m.code}")
    print(
        f"  wall {m.seconds:.1f} s; processor {m.cpu:.1f} s; bound {m.bound:.1f} s; "
        f"wall / bound {m.seconds / m.bound:.2f}; (wall - {SLACK:.0f} s) / slowest quota {ratio:.2f}"
    )
    if m.tally.calls["lambda:UpdateFunctionConfiguration"]:
        first, last = m.updating
        print(
            f"  first update after {first:.1f} s, every function instrumented and seen so after {last:.1f} s "
            f"({last - first:.1f} s later; 1.15 N / 15 = {MARGIN * m.n / 15:.1f} s)"
        )
    print(
        f"  calls {m.calls} = {m.calls / m.n:.3f} N; writes {writes}; "
        f"throttles {sum(m.tally.throttles.values())}; at once {m.tally.most_at_once}; "
        f"peak memory {m.peak_mb:.0f} MB"
    )
    quotas = quota_seconds(m.tally)
    for name, count in m.tally.calls.most_common():
        throttles = m.tally.throttles[name]
        when = f"  {m.tally.first[name] - m.begun:6.1f} to {m.tally.last.get(name, m.begun) - m.begun:.1f} s"
        print(f"    {count:6d}  {name:44s}{when}" + (f"  ({throttles} throttled)" if throttles else ""))
    print("  at the quotas: " + ", ".join(f"{k} {v:.1f} s" for k, v in sorted(quotas.items())))
    if m.tally.unknown:
        print(f"  unknown calls: {dict(m.tally.unknown)}")


def is_write(name: str) -> bool:
    """Whether a call changes something."""
    verb = name.split(":")[1]
    return not verb.startswith(("List", "Get", "Describe", "Simulate", "Filter", "Lookup"))

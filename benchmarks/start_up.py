"""Start-up, beside a Python that does nothing, and beside another build where one is named, taken in turns.

    python -m benchmarks.start_up [--rounds 15] [--beside /elsewhere/.venv/bin/ddsetup]

CPU seconds, which a busy machine changes less than the clock; those of `status` until its first call of AWS
arrives; `setup --region eu` is completed, as a shell asks for it.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import statistics
import subprocess
import sys
from pathlib import Path

_COMPLETED = ("setup", "--region", "eu")
_FIRST_CALL = ("status", "--no-input")
_COMMANDS = (("--version",), ("--help",), ("setup", "--help"), _COMPLETED, _FIRST_CALL)
_GOALS = {
    ("setup", "--help"): "<= 10 x bare Python",
    _COMPLETED: "<= 150 ms",
    _FIRST_CALL: "<= 600 ms",
}
_NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
    "DDSETUP_DATADOG_URL": "http://127.0.0.1:9",
    "DD_SITE": "datadoghq.com",
    "DD_API_KEY": "0" * 32,
    "DD_APP_KEY": "0" * 40,
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
}


def cpu_until_called(command: list[str]) -> float:
    """User and system time of a command until it connects to AWS; then it is ended."""
    with socket.create_server(("127.0.0.1", 0)) as aws:
        aws.settimeout(60)
        environ = _NOWHERE | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws.getsockname()[1]}"}
        with subprocess.Popen(
            command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                aws.accept()[0].close()
                fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            finally:
                process.kill()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(command: list[str]) -> float:
    """User and system time of a command, its children included."""
    if command[1:] == [*_FIRST_CALL]:
        return cpu_until_called(command)
    environ = _NOWHERE | ({"_DDSETUP_COMPLETE": "zsh"} if command[1:] == [*_COMPLETED] else {})
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=False, env=environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start_up", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--beside", help="the command of another build")
    asked = parser.parse_args()
    builds = {"here": str(Path(sys.executable).parent / "ddsetup")}
    if asked.beside:
        builds["beside"] = asked.beside
    commands = {("python -c pass", "python"): [sys.executable, "-c", "pass"]}
    commands |= {
        (" ".join(words), name): [binary, *words] for words in _COMMANDS for name, binary in builds.items()
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in commands}
    for _ in range(asked.rounds):
        for key, command in commands.items():
            times[key].append(cpu_seconds(command))
    base = statistics.median(times["python -c pass", "python"])
    for (what, build), taken in times.items():
        middle = statistics.median(taken)
        goal = _GOALS.get(tuple(what.split()), "")
        told = f"{middle * 1000:6.0f} ms CPU  {middle / base:5.1f} x bare Python"
        print(f"{what:20s} {build:7s} {told}  {goal and f'goal: {goal}'}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The command, run as users run it, against a sandbox of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.request import Request, urlopen

import jsonschema
import pytest

from ddsetup.model.answers import Via
from ddsetup.sandbox.accounts import ORGANISATION
from ddsetup.sandbox.control import start
from ddsetup.sandbox.faults import AwsFault, inject
from ddsetup.sandbox.model import OPERATOR, Sandbox, SandboxOptions
from tests import environment, nursery
from tests.e2e.world import World, operator_policy
from tests.exchanges import hearing, what_is_said_to_datadog_is_as_it_says
from tests.guard import GUARD, text_of
from tests.patience import PATIENCE

__all__ = ["hearing", "what_is_said_to_datadog_is_as_it_says"]

DDSETUP = str(Path(sys.executable).parent / "ddsetup")
REPORTS = {".json", ".ndjson", ".xml", ".sarif", ".zip", ".md", ".txt"}
"""How files end that commands are told to write where they are run."""


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    code: int
    stdout: str
    stderr: str

    @cached_property
    def json(self) -> dict[str, Any]:
        """The one document of `--output json`, checked against the published schema."""
        document: dict[str, Any] = json.loads(self.stdout)
        schema = json.loads(resources.files("ddsetup.data").joinpath("report.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(document)
        assert document["exit_code"] == self.code
        return document

    def outcomes(self, kind: str = "function") -> dict[str, dict[str, Any]]:
        """Outcomes of one kind of resource by short name."""
        return {
            o["resource"]["id"].rsplit(":", 1)[-1]: o
            for o in self.json["outcomes"]
            if o["resource"]["kind"] == kind
        }


@dataclass
class Cli:
    """The command with its own state directory, in a sandbox's environment unless told otherwise."""

    home: Path
    base: Mapping[str, str]
    secrets: tuple[str, ...]
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        environment.furnish(self.home)

    @property
    def state_dir(self) -> Path:
        return self.home / "state"

    def environ(self, **over: str | None) -> dict[str, str]:
        """The tests' own environment in a home of its own; `over` changes variables (None removes one)."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environ |= {"HOME": str(self.home), "DDSETUP_STATE_DIR": str(self.state_dir), **self.base}
        for name, value in over.items():
            environ.pop(name, None)
            if value is not None:
                environ[name] = value
        return environ

    def __call__(self, *arguments: str, cwd: Path | None = None, **over: str | None) -> Result:
        """Run `ddsetup ARGUMENTS` without a terminal, forked; `over` changes variables (None removes one)."""
        end = nursery.shared().run(arguments, self.environ(**over), cwd or self.home)
        return self._checked(end.code, end.stdout, end.stderr)

    def installed(self, *arguments: str, cwd: Path | None = None, **over: str | None) -> Result:
        """The same from nothing, as a shell starts it: for tests of what is loaded and when."""
        return self.ended(self.start(*arguments, cwd=cwd, **over))

    def start(self, *arguments: str, cwd: Path | None = None, **over: str | None) -> subprocess.Popen[str]:
        """The command as a process of its own, for tests that interrupt it, kill it or run beside it."""
        return subprocess.Popen(
            [DDSETUP, *arguments],
            env=self.environ(**over),
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ended(self, process: subprocess.Popen[str], timeout: float = 2 * PATIENCE) -> Result:
        """What a started command printed, checked as any other's."""
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            process.kill()
        return self._checked(process.returncode, stdout, stderr)

    def _checked(self, code: int, stdout: str, stderr: str) -> Result:
        for text in (stdout, stderr):
            self.check_secrets(text)
            assert "Traceback" not in text, text
        return Result(code, stdout, stderr)

    def journal_lines(self) -> list[dict[str, Any]]:
        """What the newest run has written into its journal so far."""
        journals = sorted(self.state_dir.glob("runs/*/journal.jsonl"))
        lines = journals[-1].read_text().splitlines() if journals else []
        return [_whole(line) for line in lines]

    def check_secrets(self, text: str) -> None:
        """No key, and no value that a scenario planted, may ever be seen."""
        for secret in self.secrets:
            assert secret not in text, f"a secret was printed in:\n{text}"

    def check_files(self) -> None:
        """Nor written: nothing that a run leaves on disk holds one, and nobody else can read its state."""
        for path in self.state_dir.rglob("*"):
            if path.is_file():
                self.check_secrets(text_of(path))
                assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"
        for path in self.home.glob("*"):
            if path.suffix in REPORTS:
                self.check_secrets(text_of(path))


def _whole(line: str) -> dict[str, Any]:
    """What a line says; nothing if it is half written."""
    try:
        return dict(json.loads(line)["body"])
    except ValueError:
        return {}


@dataclass(frozen=True)
class Place:
    """A sandbox, the command in it, and root's eyes on its account."""

    sandbox: Sandbox
    cli: Cli
    world: World

    def new_cli(self, home: Path) -> Cli:
        """The command with another state directory: another user, or another machine."""
        return Cli(home, self.cli.base, self.cli.secrets)

    @contextmanager
    def denying(self, *actions: str) -> Iterator[None]:
        """The operator without these IAM actions."""
        iam, name = self.world.client("iam"), "less"
        statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=OPERATOR, PolicyName=name, PolicyDocument=document)
        try:
            yield
        finally:
            iam.delete_user_policy(UserName=OPERATOR, PolicyName=name)

    @contextmanager
    def aws_faults(self, *faults: AwsFault) -> Iterator[None]:
        """Calls of AWS that answer with errors while the block runs."""
        inject(self.sandbox, *faults)
        try:
            yield
        finally:
            inject(self.sandbox)

    @contextmanager
    def datadog_faults(self, *faults: dict[str, Any]) -> Iterator[None]:
        """Requests to Datadog that answer with errors while the block runs."""
        url = f"{self.sandbox.datadog_url}/__sandbox/faults"
        body = json.dumps({"faults": faults}).encode()
        urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=60).close()
        try:
            yield
        finally:
            urlopen(Request(url, method="DELETE"), timeout=60).close()


OpenPlace = Callable[..., Place]


@pytest.fixture(scope="module")
def open_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenPlace]:
    """Opens places: `open_place("healthy", regions=("us-east-1", "eu-west-1"))`; closed with the module."""
    with ExitStack() as stack:

        def opened(
            *scenarios: str,
            regions: tuple[str, ...] = ("us-east-1",),
            via: Via = "forwarder",
            state: str = "",
            wishes: Mapping[str, Any] = MappingProxyType({}),
            **options: Any,
        ) -> Place:
            sources = ("all",) if "services" in scenarios else ()
            chosen = {"publish": "alias" in scenarios, "durable_events": "durable" in scenarios, **wishes}
            several = ORGANISATION in scenarios
            policy = operator_policy(
                regions, via, sources=sources, state=state, organisation=several, **chosen
            )
            wanted = SandboxOptions(policy, scenarios=scenarios, regions=regions, **options)
            sandbox = stack.enter_context(start(wanted))
            home = tmp_path_factory.mktemp("home")
            world = World(sandbox)
            secrets = (sandbox.api_key, sandbox.app_key, sandbox.operator.secret_access_key, *world.planted())
            cli = Cli(home, sandbox.env(), secrets)
            GUARD.plant(*secrets)
            stack.callback(cli.check_files)
            return Place(sandbox, cli, world)

        yield opened

"""The command line in this process, in an empty directory, against an AWS that counts what is asked of it."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import HealthCheck, settings

from ddsetup import __main__
from tests.gateways.aws_stand import Reply, ScriptedAws, scripted_aws
from tests.unit.world import ACCOUNT as JOURNALS_ACCOUNT

EXAMPLES = int(os.environ.get("DDSETUP_FUZZ", "12"))
"""For each test; hundreds for a longer look."""
QUICK = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
WORDS = {0, 1, 2, 4}
"""Exit codes that bad input may end with: help, failed, wrong usage, no credentials."""
CALLER = f"""<Answer xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{JOURNALS_ACCOUNT}:user/u</Arn><UserId>U</UserId><Account>{JOURNALS_ACCOUNT}</Account>
</GetCallerIdentityResult><ListAccountAliasesResult><AccountAliases/></ListAccountAliasesResult>
<DescribeStacksResult><Stacks/></DescribeStacksResult></Answer>"""
"""What is answered to everything: each call finds its own part in it."""


@dataclass(frozen=True)
class Desk:
    """A directory with nothing in it, and the command."""

    home: Path
    aws: ScriptedAws

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run `ddsetup ARGUMENTS`; its exit code and all that it printed."""
        printed = io.StringIO()
        before = sys.argv, signal.getsignal(signal.SIGTERM)
        environ = dict(os.environ)  # from which the command takes its keys
        sys.argv = ["ddsetup", *arguments]
        code: Any = 0
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                __main__.main()
        except SystemExit as end:
            code = end.code
        finally:
            sys.argv = before[0]
            signal.signal(signal.SIGTERM, before[1])
            os.environ.update(environ)
        text = printed.getvalue()
        assert "Traceback" not in text, text
        assert code != 70, text
        self._nothing_was_written()
        return code, text

    def _nothing_was_written(self) -> None:
        for method, path, body in self.aws.requests:
            action = parse_qs(body.decode(errors="replace")).get("Action", [path])[0]
            reads = action.startswith(("Get", "List", "Describe", "AssumeRole")) or method == "GET"
            assert reads, (method, path, body)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk")
    state = home / "state"
    with scripted_aws() as aws, pytest.MonkeyPatch.context() as patch:
        aws.script(Reply(CALLER, headers={"content-type": "text/xml"}))
        for name in list(os.environ):
            if name.startswith(("AWS_", "DD_", "DATADOG_", "DDSETUP_")):
                patch.delenv(name)
        for name, value in {
            "HOME": str(home),
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DDSETUP_STATE_DIR": str(state),
            "DDSETUP_DATADOG_URL": "http://127.0.0.1:9",
            "CI": "1",
        }.items():
            patch.setenv(name, value)
        patch.chdir(home)
        yield Desk(home, aws)

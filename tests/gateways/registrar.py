"""One run that registers a Forwarder, as a process of its own: `python -m tests.gateways.registrar`.

Its arguments are a region, the addresses of AWS and Datadog, a state directory, and a file for which it
waits, so that all begin together. Prints what came of it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from ddsetup.apply.run import Writer, apply
from ddsetup.apply.writers import make_writers
from ddsetup.gateways.aws.session import Aws, AwsOptions
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.records import Header
from ddsetup.journal.runs import Journal, new_run_id
from ddsetup.model.change import Change, Outcome
from ddsetup.model.clock import SYSTEM_CLOCK
from ddsetup.model.snapshot import DatadogSnapshot, Snapshot
from ddsetup.model.states import LogCollectionState
from tests.gateways.bench import ACCOUNT, KEYS, change


def registering(region: str) -> Change:
    """The Forwarder of a region becomes one of those that Datadog knows of."""
    arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:datadog-forwarder"
    wanted = LogCollectionState(lambdas=(arn,), sources=("lambda",))
    return change("log_collection", ACCOUNT, None, wanted)


def carried_out(planned: Change, writers: Mapping[str, Writer], state: Path) -> Sequence[Outcome]:
    """What came of a run of its own, with a journal and the clock of this machine."""
    at = SYSTEM_CLOCK.now()
    header = Header(
        run=new_run_id(at), version="0", command="setup", accounts=(ACCOUNT,), regions=(), site="", started=at
    )
    with closing(Journal.create(OnDisk(state), header)) as journal:
        return apply(
            [planned],
            writers,
            journal,
            clock=SYSTEM_CLOCK,
            on_event=lambda _: None,
            cancel=threading.Event(),
        )


def main(region: str, aws_url: str, datadog_url: str, state: Path, go: Path) -> None:
    """Register the Forwarder of a region."""
    aws = Aws.connect(AwsOptions(), endpoint_url=aws_url)
    dd = Datadog.connect("datadoghq.eu", KEYS, datadog_url)
    at = SYSTEM_CLOCK.now()
    seen = Snapshot(accounts={}, lanes={}, datadog=DatadogSnapshot(site="datadoghq.eu"), at=at)
    writers = make_writers(aws, dd, KEYS, seen, SYSTEM_CLOCK, lambda _: None)
    while not go.exists():
        time.sleep(0.01)
    print(*(outcome.status for outcome in carried_out(registering(region), writers, state)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), Path(sys.argv[5]))

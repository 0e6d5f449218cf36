"""What the emulator's process is told when it starts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """Paths and names; written as JSON by the launcher, read by the emulator's process."""

    directory: str
    """Where the emulator may write."""
    port_file: str
    """Gets the port as soon as it is bound; requests wait until the emulator answers."""
    call_log: str
    faults: str
    datadog_file: str
    """Tells the address of Datadog's stand-in, which starts later, and the site of its keys, as JSON."""
    account: str
    layer_account: str
    library_directory: str
    """The unpacked Datadog Lambda library; attached layers show it instead of unpacking the archive."""
    library_archive: str
    library_start: str
    """Tells what cold starts with the library have in common."""
    forwarder_archive: str
    runtime_packages: str
    """What the Python runtimes of Lambda bring along (the AWS SDK)."""

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> EmulatorSettings:
        return cls(**json.loads(path.read_text(encoding="utf-8")))

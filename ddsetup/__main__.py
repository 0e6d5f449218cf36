"""The entry point. `--version` is answered before anything else is loaded."""

from __future__ import annotations

import gc
import os
import sys

from ddsetup.terminal.streams import ended, take_over

_RARELY = (50_000, 50, 100)
"""How often Python's collector looks for garbage. By its own measure it looks at all that is there again and
again while models of AWS are loaded, none of which is any: up to a fifth of the processor time of a run."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    gc.set_threshold(*_RARELY)
    take_over()
    if sys.argv[1:] in (["--version"], ["-V"]):
        from ddsetup._version import __version__

        sys.stdout.write(f"ddsetup {__version__}\n")
        sys.exit(ended(0))
    if "_DDSETUP_COMPLETE" in os.environ:
        from ddsetup.cli.completing import answer

        sys.exit(ended(answer(sys.argv[1:])))
    from ddsetup.cli.app import run

    sys.exit(ended(run(sys.argv[1:])))


if __name__ == "__main__":
    main()

"""The entry point. `--version` is answered before anything else is loaded."""

from __future__ import annotations

import os
import sys

from ddsetup.terminal.streams import ended, take_over


def main() -> None:
    """Run the command line and end the process with its exit code."""
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

"""The entry point. `--version` is answered before anything else is loaded."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from ddsetup._version import __version__

        sys.stdout.write(f"ddsetup {__version__}\n")
        return
    from ddsetup.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

"""`ddsetup completion SHELL`: the script by which a shell completes ddsetup's command line."""

from __future__ import annotations

import os
from pathlib import Path

from ddsetup.settings.given import Values
from ddsetup.terminal.pager import show

SCRIPTS = {shell: f"complete.{shell}" for shell in ("bash", "zsh", "fish")} | {"powershell": "complete.ps1"}


def run(values: Values) -> int:
    """Print the script, which says in its first lines how it is put to use."""
    shell = str(values.get("shell") or Path(os.environ.get("SHELL", "")).name).lower()
    if shell == "pwsh":
        shell = "powershell"
    if shell not in SCRIPTS:
        from ddsetup.cli.boundary import refuse_command_line

        return refuse_command_line(
            "completion", (), f"there is no completion for {shell!r}", f"one of: {', '.join(SCRIPTS)};"
        )
    show((Path(__file__).parents[1] / "data/completion" / SCRIPTS[shell]).read_text("utf-8"), paging=False)
    return 0

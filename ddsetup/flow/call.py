"""One run of a command: what was given, where to print, whom to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsetup.journal.disk import OnDisk
from ddsetup.journal.memory import Memory
from ddsetup.journal.statedir import state_dir
from ddsetup.model.clock import SYSTEM_CLOCK
from ddsetup.model.errors import UsageError
from ddsetup.model.files import write_whole
from ddsetup.settings.given import Given, Values
from ddsetup.show.screen import Screen

if TYPE_CHECKING:
    from ddsetup.ask.asking import AtHand
    from ddsetup.ask.prompter import Prompter
    from ddsetup.flow.verbs import Host
    from ddsetup.gateways.aws.session import Aws


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a command is called with. `values` holds the parameters that only this command has; `prompter`
    makes whoever can be asked, None without a terminal. `called` is the command line, as a shell takes it."""

    command: str
    given: Given
    values: Values
    console: Screen
    environ: Mapping[str, str]
    directory: Path
    prompter: Callable[[], Prompter | None]
    can_ask: bool
    config: Path | None = None
    called: str = ""

    @property
    def sandbox(self) -> bool:
        return self.console.sandbox

    def value(self, name: str) -> Any:
        """A parameter that only this command has; None if it was not given."""
        return self.values.get(name)

    def host(self, at_hand: AtHand | None = None) -> Host:
        """What this process lends to a verb. `at_hand` tells which functions are deployed from here."""
        from ddsetup.flow.verbs import Host

        return Host(
            environ=self.environ,
            state_dir=self.state_dir(),
            memory=self.memory(),
            on_event=self.console.event,
            prompter=self.prompter(),
            working=self.console.working,
            sandbox=self.sandbox,
            at_hand=at_hand,
            called=self.called or f"ddsetup {self.command}",
        )

    def state_dir(self) -> Path:
        """Where ddsetup keeps what outlives a run on this machine."""
        named = self.given.text("state_dir")
        return state_dir(Path(named).expanduser() if named else None)

    def memory(self) -> Memory:
        """Where runs are remembered. Raises UsageError for a place that is none."""
        named = self.given.text("state")
        if not named:
            return OnDisk(self.state_dir())
        from ddsetup.journal.in_s3 import InS3, place_of

        return InS3(place_of(named), self.aws, SYSTEM_CLOCK.now)

    def save(self, named: object, text: str) -> None:
        """Write a file that an option names. Raises UsageError when that cannot be."""
        path = self.directory / str(named)
        try:
            write_whole(path, text.encode())
        except OSError as error:
            raise UsageError(f"cannot write it: {error.strerror}", where=str(path)) from None
        self.console.say(f"written: {path}")

    def aws(self) -> Aws:
        """A connection to AWS for whatever is no run of its own: what is remembered there, layers, the macro.

        Raises CredentialsError.
        """
        from ddsetup.gateways.aws.session import Aws, AwsOptions

        options = AwsOptions(
            profile=self.given.text("profile") or None,
            role_arn=self.given.text("role_arn") or None,
            interactive=self.can_ask,
            environ=self.environ,
        )
        return Aws.connect(options)

"""What the process lends to a verb, and the checked credentials that every verb works with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from ddsetup.ask.asking import AtHand, Scope
from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Prompter
from ddsetup.ask.signin import SignedIn
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.keys import KeyCheck
from ddsetup.journal.memory import Memory
from ddsetup.model.account import Identity, Lane
from ddsetup.model.clock import SYSTEM_CLOCK, Clock
from ddsetup.model.errors import UsageError
from ddsetup.model.event import Event, OnEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the process lends to a verb. `prompter` None: nobody can be asked.

    `dialogue` is what was typed so far; `working` shows for the length of a block that something takes its
    time. `memory` has the runs, `state_dir` what else is kept on this machine. `at_hand` tells which
    functions are deployed from the working directory. `called` is the command line of the process. `within`
    is the run over many accounts that this one is a part of; `side_by_side` as many are worked on at once.
    """

    environ: Mapping[str, str]
    state_dir: Path
    memory: Memory
    on_event: OnEvent
    prompter: Prompter | None = None
    dialogue: Dialogue = field(default_factory=Dialogue)
    working: Callable[[str], AbstractContextManager[Callable[[str], None]]] | None = None
    clock: Clock = SYSTEM_CLOCK
    cancel: threading.Event = field(default_factory=threading.Event)
    sandbox: bool = False
    at_hand: AtHand | None = None
    called: str = "ddsetup setup"
    within: str = ""
    side_by_side: int = 1

    @property
    def go_on(self) -> str:
        """The command line to go on with, where the run was interrupted; else empty."""
        return self.called if self.cancel.is_set() else ""

    def say(self, text: str) -> None:
        """Tell whoever watches what is going on."""
        self.on_event(Event(kind="log", at=self.clock.now(), text=text))

    def busy(self, text: str) -> AbstractContextManager[Callable[[str], None]]:
        """Tell whoever watches what takes its time now; what the block is given tells them how far it is."""
        if self.working is not None:
            return self.working(text)
        self.say(text)
        return nullcontext(lambda _text: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Credentials, and where to work.

    `signing` gives what signing in to Datadog came to, once that is over, and raises CredentialsError where
    it came to nothing; None for commands that do without Datadog, which have neither `dd` nor keys then.
    """

    host: Host
    aws: Aws
    identity: Identity
    scope: Scope
    signing: Callable[[], SignedIn] | None = None

    @property
    def dd(self) -> Datadog | None:
        return None if self.signing is None else self.signing().dd

    @property
    def keys(self) -> DatadogKeys | None:
        return None if self.signing is None else self.signing().found.keys

    @property
    def keys_from(self) -> tuple[str, ...]:
        """Where the keys came from."""
        return () if self.signing is None else self.signing().found.origins

    @property
    def key_check(self) -> KeyCheck | None:
        return None if self.signing is None else self.signing().check

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return tuple(Lane(each.account, region) for each in self.identities for region in self.scope.regions)

    @property
    def identities(self) -> tuple[Identity, ...]:
        """Who we are in each account of the run."""
        return (self.identity,)

    @property
    def datadog(self) -> Datadog:
        """The Datadog connection of a command that has one."""
        dd = self.dd
        if dd is None:
            raise UsageError("this needs a Datadog site and keys", fix="set DD_SITE, DD_API_KEY, DD_APP_KEY")
        return dd

    def with_datadog(self, dd: Datadog | None) -> Session:
        """The same session, with another connection to the same Datadog; as it is where it has none."""
        if self.signing is None or dd is None:
            return self
        signed_in = replace(self.signing(), dd=dd)
        return replace(self, signing=lambda: signed_in)

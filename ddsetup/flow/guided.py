"""From a call to a plan, with every question on the way, each of which can be gone back to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING

from ddsetup.ask.dialogue import Unfinished, forget, keep, unfinished
from ddsetup.ask.prompter import Back, Prompt
from ddsetup.flow.call import Call
from ddsetup.flow.conflicts import decide
from ddsetup.flow.durable_events import offer_durable_events
from ddsetup.flow.left_log_groups import offer_to_replace
from ddsetup.flow.pruning import offer_pruning
from ddsetup.flow.publishing import offer_publishing
from ddsetup.flow.remembered import last_setup
from ddsetup.model.errors import CredentialsError, Denied, Interrupted
from ddsetup.model.foreign import Lines
from ddsetup.model.lines import counted, cut, names
from ddsetup.settings.config import as_words
from ddsetup.settings.given import Given, from_flags
from ddsetup.settings.table import TABLE

if TYPE_CHECKING:
    from ddsetup.ask.prompter import Prompter
    from ddsetup.flow.verbs import Host, Prepared, Session
    from ddsetup.model.snapshot import Snapshot
    from ddsetup.observe.usage import Usage
    from ddsetup.settings.setting import Value

_NAMED = 3
_LONGEST = 200
"""Characters in which it is said what somebody answered: three lines of 80 columns."""
_KEPT = timedelta(days=14)
"""How long answers of a run that was left are worth going on with."""


@dataclass(slots=True)
class Guide:
    """The way from a call to a plan. `session` and `snapshot` are kept until where to look changes."""

    call: Call
    host: Host
    session: Session | None = None
    snapshot: Snapshot | None = None
    usage: Usage | None = None

    def plan(self) -> tuple[Session, Prepared]:
        """Connect, look and plan, asking for what is open; where the person goes back, from there again."""
        from ddsetup.flow import verbs

        call, signed_in_again = self.call, False
        while True:
            given = given_of(call, self.host)
            try:
                session = self.session or self._connected(given)
                prepared = verbs.prepare(
                    session,
                    given,
                    command=call.command,
                    choose=self._choose,
                    seen=self.snapshot,
                    late=call.command == "setup" and not given.on("dry_run"),
                )
            except Back:
                self.session = None
                continue
            except (CredentialsError, Denied):
                # An SSO session may end while somebody reads a question: log in, and go on where they were.
                if self.host.prompter is None or self.session is None or signed_in_again:
                    raise
                self.session, signed_in_again = None, True
                continue
            try:
                asked = offer_to_replace(call, session, prepared)
                asked = offer_publishing(call, session, asked)
                asked = offer_durable_events(call, session, asked)
                asked = offer_pruning(call, session, asked)
                return session, decide(call, session, asked)
            except Back:
                self.put_back(prepared)
            except BaseException:
                self.put_back(prepared)
                raise

    def _connected(self, given: Given) -> Session:
        """Connect; where somebody is asked, look and show it first, while what prompts take is loaded."""
        from ddsetup.flow import verbs

        self.session = verbs.connect(given, self.host, command=self.call.command, looks_next=True)
        self.snapshot = self.usage = None
        if self.host.prompter is not None:
            loading = _load_ahead()
            self.snapshot = verbs.look(self.session, given.text("role_name"))
            loading.join()
            self._welcome(self.session, self.snapshot)
        return self.session

    def assure_signed_in(self, prepared: Prepared) -> None:
        """Raise CredentialsError where somebody took so long to say yes that the credentials have ended.

        Nothing that would fail is begun then. It costs a call, so an unattended run does without.
        """
        if self.host.prompter is None or self.session is None:
            return
        if prepared.sweep is not None and prepared.sweep.signed_out is not None:
            raise prepared.sweep.signed_out
        self.session.aws.check_identity()

    def _choose(self, snapshot: Snapshot, prompter: Prompter) -> Mapping[str, Value]:
        """Ask which functions are meant; how often they run is counted meanwhile, once for a session."""
        from ddsetup.ask.choosing import choose_functions
        from ddsetup.observe.usage import usage_of

        if self.usage is None and self.session is not None:
            self.usage = usage_of(self.session.aws, snapshot)
        return choose_functions(snapshot, prompter, self.usage)

    def put_back(self, prepared: Prepared) -> None:
        """Give up a plan, but not the filters that were read for it: they are not asked for again."""
        if prepared.sweep is None:
            return
        prepared.sweep.close()
        if self.snapshot is not None:
            self.snapshot = prepared.sweep.onto(self.snapshot)

    def _welcome(self, session: Session, snapshot: Snapshot) -> None:
        """The first screen."""
        from ddsetup.show.first_screen import LABEL, welcome_lines

        last = last_setup(self.host.memory, session.identity.account)
        alias = session.aws.alias()
        found = welcome_lines(snapshot, session.key_check, session.keys_from, last, alias)
        self.call.console.lines([(), *found, ()], hang=LABEL)


def _load_ahead() -> threading.Thread:
    """Load what draws the first question while AWS is waited for: up to half a second on a busy machine."""
    names = (
        "questionary",
        "ddsetup.ask.choosing",
        "ddsetup.terminal.menu",
        "prompt_toolkit.application",
        "prompt_toolkit.styles",
    )
    loading = threading.Thread(target=lambda: [import_module(name) for name in names], daemon=True)
    loading.start()
    return loading


@contextmanager
def leaving(call: Call, host: Host) -> Iterator[None]:
    """While nothing is written yet: who leaves keeps what was typed, for the next run."""
    try:
        yield
    except KeyboardInterrupt:
        what = "stopped; nothing was changed"
        if keep_answers(call, host):
            kept = counted(len(host.dialogue.typed), "answer")
            raise Interrupted(f"{what}; {kept} kept", fix="ddsetup setup goes on from there") from None
        raise Interrupted(what) from None
    except (CredentialsError, Interrupted) as error:
        if keep_answers(call, host):
            error.fix = Lines.of(error.fix, "ddsetup setup goes on with your answers")
        raise


def keep_answers(call: Call, host: Host) -> bool:
    """Whether there is a next run, and something to keep for it. A trial's own sandbox is gone by then."""
    if host.prompter is None or call.command != "setup" or call.value("sandbox"):
        return False
    return keep(host.dialogue, host.state_dir, host.clock.now())


def offer_to_resume(call: Call, host: Host) -> None:
    """Go on with what an earlier run was told before it was left, if the person wants to."""
    if host.prompter is None or call.value("sandbox") or _says_something_else(call):
        return
    left = unfinished(host.state_dir)
    if left is None or host.clock.now() - left.at > _KEPT:
        return
    try:
        wanted = host.prompter.ask(_resume(left))
    except KeyboardInterrupt:
        raise Interrupted("stopped; nothing was changed; the answers are still kept") from None
    except Back:
        wanted = False
    if wanted:
        host.dialogue.typed.update(left.typed)
    else:
        forget(host.state_dir)


def _says_something_else(call: Call) -> bool:
    """Whether flags say what is wanted: they are not mixed with what an earlier run was told."""
    return bool(call.given.typed(*(s.key for s in TABLE if s.panel not in ("How to run", "Proof"))))


def _resume(left: Unfinished) -> Prompt:
    given = {key: value for settings in left.typed.values() for key, value in settings.items()}
    many_of = {k: v for k, v in given.items() if isinstance(v, tuple) and len(v) > _NAMED}
    parts = [
        f"{counted(len(v), k.replace('_', ' '))}, among them {names(v, _NAMED)}" for k, v in many_of.items()
    ]
    rest = as_words({k: v for k, v in given.items() if k not in many_of})
    said = "; ".join(part for part in (*parts, rest) if part)
    why = f"You answered: {cut(said, _LONGEST) or 'with the defaults'}"
    many = counted(len(left.typed), "answer")
    text = f"A setup was left on {left.at:%d %B at %H:%M} UTC. Go on with its {many}?"
    return Prompt(kind="confirm", text=text, why=why, default=True)


def given_of(call: Call, host: Host) -> Given:
    """What was given, together with what was chosen to get to AWS at all."""
    chosen = host.dialogue.typed.get("profile", {})
    return from_flags(chosen).over(call.given) if chosen else call.given

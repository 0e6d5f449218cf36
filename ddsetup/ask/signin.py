"""Getting to valid credentials together with a person: what is wrong, the usual ways out, and again.

Without anybody to ask, every error passes through unchanged.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ddsetup.ask.credentials import (
    API_KEY,
    FoundKeys,
    KeyReaders,
    KeyRefs,
    clean,
    find_keys,
    missing_keys,
)
from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Back, Prompt, Prompter, say_error
from ddsetup.ask.questions import Choice
from ddsetup.facts.catalog import site as site_of
from ddsetup.gateways.aws.credentials import AwsOptions, profiles
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.keys import (
    BadApiKey,
    KeyCheck,
    WrongSite,
    check_api_key,
    check_keys,
    key_kind,
)
from ddsetup.model.clock import Clock
from ddsetup.model.errors import CredentialsError, GatewayError, Unreachable
from ddsetup.model.foreign import lines_of

PROFILE = "profile"
"""The key under which a profile that was chosen on the way is kept in a dialogue."""

_AWS_WAYS = (
    "The usual ways to sign in to AWS:",
    "  aws configure sso, once; then aws sso login --profile NAME",
    "  aws configure, which keeps keys in a profile",
    "  export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=..., then start again",
)
_PROFILE_CHOICES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How to reach Datadog, where its keys may be, what checks them. `url` replaces the site's address."""

    site: str
    url: str | None
    environ: Mapping[str, str]
    readers: KeyReaders
    refs: KeyRefs
    clock: Clock
    check: Callable[[Datadog], KeyCheck] = check_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Keys that a site accepts, and where each came from."""

    site: str
    dd: Datadog
    found: FoundKeys
    check: KeyCheck


def sign_in_to_aws(
    options: AwsOptions,
    prompter: Prompter | None,
    dialogue: Dialogue,
    *,
    clock: Clock,
) -> Aws:
    """A session whose identity is known, or one that is not asked yet where nobody can help.

    Raises CredentialsError when there is none, and the person there gives up.
    """
    options = _with_profile(options, dialogue)
    if prompter is None:
        return Aws.connect(options, clock=clock)
    ways: tuple[str, ...] = _AWS_WAYS
    while True:
        try:
            aws = Aws.connect(options, clock=clock)
            aws.identity()
            return aws
        except CredentialsError as error:
            unreachable = isinstance(error, Unreachable)
            for text in (*lines_of(error.what), *(lines_of(error.fix) if unreachable else ways)):
                prompter.say(text)
            ways = ways if unreachable else ()
            if not _another_try(error, prompter, dialogue):
                raise
            options = _with_profile(options, dialogue)


def _with_profile(options: AwsOptions, dialogue: Dialogue) -> AwsOptions:
    chosen = dialogue.typed.get(PROFILE, {}).get(PROFILE)
    return options if chosen is None else replace(options, profile=str(chosen))


def _another_try(error: CredentialsError, prompter: Prompter, dialogue: Dialogue) -> bool:
    """Let the person change something; False if they would rather stop."""
    if isinstance(error, Unreachable):
        return _agreed(prompter, "Try again?")
    login = error.fix if error.fix.startswith(("aws sso login", "aws login")) else ""
    choices = [Choice("again", "Try again", "after logging in in another window")]
    able = shutil.which("aws") is not None
    if login:
        absent = "" if able else "the AWS CLI (aws) is not installed here"
        choices.insert(0, Choice("login", f"Log in now: {login}", "in the browser", absent))
    choices += [
        Choice(f"profile {name}", f"Use the profile {name}") for name in profiles()[:_PROFILE_CHOICES]
    ]
    choices.append(Choice("stop", "Stop here"))
    usual = "login" if login and able else "again"
    why = "Nothing can be looked at without an identity on AWS."
    prompt = Prompt(kind="one", text="How to go on?", why=why, choices=tuple(choices), default=usual)
    try:
        answer = str(prompter.ask(prompt))
    except Back:
        return False
    if answer == "login":
        _log_in(login, prompter)
    elif answer.startswith("profile "):
        dialogue.answer(PROFILE, {PROFILE: answer.removeprefix("profile ")})
    return answer != "stop"


def _log_in(command: str, prompter: Prompter) -> None:
    """Run what botocore suggests, with the profile that was named; the browser does the rest.

    What it says belongs on the terminal, not into the result; Ctrl-C ends the login only.
    """
    try:
        ended = subprocess.run(command.split(), stdout=sys.stderr, check=False).returncode  # noqa: S603
    except OSError as error:
        prompter.say(f"{command} could not be started: {error.strerror}")
    except KeyboardInterrupt:
        prompter.say("the login was stopped")
    else:
        if ended:
            prompter.say(f"{command} did not log in (it ended with {ended})")


def sign_in_to_datadog(
    wanted: Wanted, prompter: Prompter | None, dialogue: Dialogue, say: Callable[[str], None]
) -> SignedIn:
    """Keys that the site accepts; typed ones are checked at once and asked again when they are refused.

    Raises CredentialsError and UsageError as `find_keys` and `check_keys` do, where nobody can help; and
    `Back`, with the last answer taken back.
    """
    if prompter is None:
        return _checked(wanted, find_keys(wanted.environ, wanted.readers, wanted.refs), say)
    first = wanted
    wanted = replace(wanted, readers=_checking(wanted, prompter))
    if dialogue.keys is None:
        _tell_where(wanted, prompter)
    while True:
        found = None
        try:
            found = _found(wanted, dialogue)
            signed_in = _checked(wanted, found, say)
        except Back:
            dialogue.back()
            raise
        except CredentialsError as error:
            wanted = _another_try_at_keys(error, wanted, found, prompter)
            moved = isinstance(error, WrongSite) and found is not None and _typed(found)
            dialogue.keys = found.keys if moved and found is not None else None
            continue
        if _typed(found) and dialogue.keys is None:
            dialogue.keys = found.keys
            _offer_keyring(first, prompter, found)
        return signed_in


def _checked(wanted: Wanted, found: FoundKeys, say: Callable[[str], None]) -> SignedIn:
    for warning in found.warnings:
        say(f"warning: {warning}")
    dd = Datadog.connect(wanted.site, found.keys, wanted.url, clock=wanted.clock)
    return SignedIn(site=wanted.site, dd=dd, found=found, check=wanted.check(dd))


def _typed(found: FoundKeys) -> bool:
    return "prompt" in found.origins


def _found(wanted: Wanted, dialogue: Dialogue) -> FoundKeys:
    if dialogue.keys is not None:
        return FoundKeys(dialogue.keys, "prompt", "prompt")
    return find_keys(wanted.environ, wanted.readers, wanted.refs)


def _tell_where(wanted: Wanted, prompter: Prompter) -> None:
    """Say where keys come from, if they are going to be asked for."""
    if not missing_keys(wanted.environ, replace(wanted.readers, ask=None), wanted.refs):
        return
    pages = f"{site_of(wanted.site).app_url}/organization-settings"
    prompter.say(f"There are no keys for {wanted.site} yet. They are made at")
    prompter.say(f"  API key:         {pages}/api-keys")
    prompter.say(f"  application key: {pages}/application-keys")
    prompter.say("What you type is not shown, checked at once, and written to no file.")


def _another_try_at_keys(
    error: CredentialsError, wanted: Wanted, found: FoundKeys | None, prompter: Prompter
) -> Wanted:
    """What to try next. Raises the error when the person would rather stop."""
    say_error(prompter, error)
    if isinstance(error, WrongSite):
        if _agreed(prompter, f"Go on with {error.site}?"):
            return replace(wanted, site=error.site)
        raise error
    if found is None or not _typed(found):
        text = "Type other keys for this run?"
        if not _agreed(prompter, text):
            raise error
    # A key that is good is not typed twice.
    kept = found is not None and _typed(found) and not isinstance(error, BadApiKey) and not _swapped(found)
    environ = {API_KEY.variable: found.keys.api_key} if kept and found is not None else {}
    return replace(wanted, environ=environ, refs=KeyRefs(), readers=replace(wanted.readers, keyring=None))


def _swapped(found: FoundKeys) -> bool:
    return key_kind(found.keys.api_key) == "app"


def _checking(wanted: Wanted, prompter: Prompter) -> KeyReaders:
    """The readers, whose prompt checks an API key once it is typed, before the other one is asked for."""
    ask = wanted.readers.ask

    def checked(title: str) -> str:
        assert ask is not None
        while True:
            key = clean(ask(title))
            if title != API_KEY.title or key_kind(key) == "app":
                return key
            dd = Datadog.connect(wanted.site, DatadogKeys(key, ""), wanted.url, clock=wanted.clock)
            try:
                check_api_key(dd)
            except BadApiKey as error:
                say_error(prompter, error)
                continue
            except (WrongSite, GatewayError):
                pass  # said, with what to do about it, once both are there
            return key

    return replace(wanted.readers, ask=checked) if ask is not None else wanted.readers


def _offer_keyring(wanted: Wanted, prompter: Prompter, found: FoundKeys) -> None:
    """Keep typed keys for the next time, where the machine has a keyring and nothing comes before it."""
    elsewhere = not missing_keys(wanted.environ, KeyReaders(), wanted.refs)
    keep = None if elsewhere or wanted.readers.keeper is None else wanted.readers.keeper()
    if keep is None:
        return
    text = "Keep both keys in this machine's keyring for the next time?"
    if not _agreed(prompter, text, default=False):
        return
    kept = keep(found.keys)
    prompter.say(
        "the keys are in the keyring, under the service ddsetup"
        if kept
        else "the keyring did not take them; the keys are used for this run only"
    )


def _agreed(prompter: Prompter, text: str, *, default: bool = True) -> bool:
    """Yes or no; going back from such a question is no."""
    try:
        return bool(prompter.ask(Prompt(kind="confirm", text=text, default=default)))
    except Back:
        return False

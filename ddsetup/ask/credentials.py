"""Finding the Datadog keys: environment, Secrets Manager, the system's keyring, a hidden prompt.

Keys are never taken from a flag's value or from `ddsetup.toml`. Where each one came
from is told; the keys themselves are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeAlias

from ddsetup.gateways.datadog.client import DatadogKeys
from ddsetup.gateways.datadog.keys import KeyKind, key_kind, refuse_swapped
from ddsetup.model.errors import CredentialsError, GatewayError, UsageError

KEYRING_SERVICE = "ddsetup"

_WRAPPING = " \t\r\n'\"\ufeff\u200b\u00a0"


@dataclass(frozen=True, slots=True)
class KeyRefs:
    """ARNs of Secrets Manager secrets that hold the keys as plain text; empty where there is none."""

    api_key_secret: str = ""
    app_key_secret: str = ""


Keep: TypeAlias = Callable[[DatadogKeys], bool]
"""Keeps both keys for later runs; False if they were not taken."""


@dataclass(frozen=True, slots=True)
class KeyReaders:
    """The ways to get a key besides the environment; None where a way is not open.

    `secret` takes an ARN, and raises GatewayError; `keyring` takes the name of an entry and gives None if
    there is none; `ask` takes the prompt's text and does not echo what is typed. `keeper` finds what puts
    keys where `keyring` looks for them, None if nothing does.
    """

    secret: Callable[[str], str] | None = None
    keyring: Callable[[str], str | None] | None = None
    ask: Callable[[str], str] | None = None
    keeper: Callable[[], Keep | None] | None = None


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """Both keys, where they came from ("DD_API_KEY", "keyring", ...), and what looks odd about them."""

    keys: DatadogKeys
    api_key_from: str
    app_key_from: str
    warnings: tuple[str, ...] = ()

    @property
    def origins(self) -> tuple[str, str]:
        return self.api_key_from, self.app_key_from


@dataclass(frozen=True, slots=True)
class WantedKey:
    """One of the two keys: how people, environment variables and the option for a secret call it."""

    title: str
    variable: str
    other_variable: str
    option: str
    kind: KeyKind

    @property
    def handed(self) -> tuple[str, str]:
        """The flags by which the key is handed over; what it is called among the variables of a run then."""
        return tuple(self.option.replace("secret", way) for way in ("stdin", "file"))  # type: ignore[return-value]


API_KEY = WantedKey("Datadog API key", "DD_API_KEY", "DATADOG_API_KEY", "--api-key-secret", "api")
APP_KEY = WantedKey("Datadog application key", "DD_APP_KEY", "DATADOG_APP_KEY", "--app-key-secret", "app")


def find_keys(
    environ: Mapping[str, str], readers: KeyReaders | None = None, refs: KeyRefs | None = None
) -> FoundKeys:
    """The first of each key, in the order environment, secret, keyring, prompt.

    White space, line ends and quotes around a key are taken off. An unusual form is a warning. Raises
    UsageError, which names every way, when a key is nowhere; CredentialsError when a secret cannot be read
    or the two keys are swapped.
    """
    readers, refs = readers or KeyReaders(), refs or KeyRefs()
    missing = missing_keys(environ, readers, refs)
    if missing:
        raise _not_found(missing)
    api_key, api_from = _find(API_KEY, refs.api_key_secret, environ, readers)
    app_key, app_from = _find(APP_KEY, refs.app_key_secret, environ, readers)
    keys = DatadogKeys(api_key, app_key)
    refuse_swapped(keys)
    warnings = (*_oddities(API_KEY, api_key), *_oddities(APP_KEY, app_key))
    return FoundKeys(keys, api_from, app_from, warnings)


def missing_keys(
    environ: Mapping[str, str], readers: KeyReaders | None = None, refs: KeyRefs | None = None
) -> tuple[WantedKey, ...]:
    """The keys that are in none of the places, so that all missing answers can be named at once."""
    readers, refs = readers or KeyReaders(), refs or KeyRefs()
    if readers.ask is not None:
        return ()
    return tuple(
        wanted
        for wanted, ref in ((API_KEY, refs.api_key_secret), (APP_KEY, refs.app_key_secret))
        if not (_from_environment(wanted, environ) or ref or _from_keyring(wanted, readers))
    )


def os_keyring() -> Callable[[str], str | None] | None:
    """A reader of the system's keyring, service "ddsetup"; None if the package `keyring` is not there.

    The package is loaded when it is first asked: finding the machine's keyring takes up to a second.
    """
    if find_spec("keyring") is None:
        return None

    def read(entry: str) -> str | None:
        from keyring.errors import KeyringError

        try:
            backend = _keyring_backend()
            return None if backend is None else backend.get_password(KEYRING_SERVICE, entry)
        except KeyringError:  # locked, say
            return None

    return read


def os_keyring_keeper() -> Keep | None:
    """What puts keys into the system's keyring; None on a machine that has none."""
    if find_spec("keyring") is None or _keyring_backend() is None:
        return None
    return _keep_in_keyring


def _keep_in_keyring(keys: DatadogKeys) -> bool:
    """Put both keys into the system's keyring, and look whether they are there."""
    from keyring.errors import KeyringError

    wanted = {API_KEY.variable: keys.api_key, APP_KEY.variable: keys.app_key}
    try:
        backend = _keyring_backend()
        if backend is None:
            return False
        for entry, key in wanted.items():
            backend.set_password(KEYRING_SERVICE, entry, key)
        return all(backend.get_password(KEYRING_SERVICE, entry) == key for entry, key in wanted.items())
    except KeyringError:  # locked, or it was not allowed
        return False


def _keyring_backend() -> Any:
    """The machine's keyring; None if there is none that keeps anything, or PYTHON_KEYRING_BACKEND is wrong.

    Backends that keep nothing have no priority above 0 (keyring's documentation, "Creating new backends").
    """
    import keyring
    from keyring.errors import KeyringError

    try:
        backend = keyring.get_keyring()
        return backend if backend.priority > 0 else None
    except (KeyringError, ImportError, AttributeError):
        return None


def _find(wanted: WantedKey, ref: str, environ: Mapping[str, str], readers: KeyReaders) -> tuple[str, str]:
    if found := _from_environment(wanted, environ):
        return found
    if ref:
        return _from_secret(wanted, ref, readers), ref
    if key := _from_keyring(wanted, readers):
        return key, "keyring"
    if readers.ask is not None and (key := clean(readers.ask(wanted.title))):
        return key, "prompt"
    raise _not_found((wanted,))


def _from_environment(wanted: WantedKey, environ: Mapping[str, str]) -> tuple[str, str] | None:
    for variable in (*wanted.handed, wanted.variable, wanted.other_variable):
        if key := clean(environ.get(variable)):
            return key, variable
    return None


def _from_keyring(wanted: WantedKey, readers: KeyReaders) -> str:
    return clean(readers.keyring(wanted.variable)) if readers.keyring is not None else ""


def _from_secret(wanted: WantedKey, ref: str, readers: KeyReaders) -> str:
    if readers.secret is None:
        raise UsageError(f"{wanted.option} needs AWS credentials", fix=_ways(wanted))
    try:
        key = clean(readers.secret(ref))
    except GatewayError as error:
        raise CredentialsError(
            f"the {wanted.title} cannot be read from {ref}: {error.what}",
            fix=error.fix or "the permission is secretsmanager:GetSecretValue",
        ) from None
    if not key:
        raise CredentialsError(f"the secret {ref} is empty", fix="store the key in it as plain text")
    return key


def clean(value: str | None) -> str:
    """A key without what clings to it when it is copied: white space, line ends, quotes."""
    return (value or "").strip(_WRAPPING)


def _oddities(wanted: WantedKey, key: str) -> tuple[str, ...]:
    if key_kind(key) == wanted.kind:
        return ()
    usual = "32 hex digits" if wanted.kind == "api" else "40 hex digits, or ddapp_ and 34 characters"
    return (f"the {wanted.title} does not look like one: they are {usual}",)


def _not_found(missing: Sequence[WantedKey]) -> UsageError:
    return UsageError(
        f"no {' and no '.join(wanted.title for wanted in missing)}",
        fix="; ".join(_ways(wanted) for wanted in missing),
    )


def _ways(wanted: WantedKey) -> str:
    return (
        f"set {wanted.variable} (or {wanted.other_variable}), name a file with {wanted.handed[1]} FILE"
        f" or a secret with {wanted.option} ARN, or store it with"
        f" `keyring set {KEYRING_SERVICE} {wanted.variable}`"
    )

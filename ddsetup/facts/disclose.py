"""What of a resource may be shown: values known to be harmless, and a mask for all others.

Whatever leaves the program about a state of a resource (text, JSON, reports of bugs) goes through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ddsetup.facts.catalog import SECRET_VARIABLES, SHOWN_VARIABLES
from ddsetup.model.account import Json
from ddsetup.model.states import REF_EXTERNAL_ID, FunctionState, RoleState, StackState, State
from ddsetup.model.typed import told

MASK = "****"

_LOOKS_LIKE_A_KEY = re.compile(r"\b(ddapp_[0-9A-Za-z]{30,}|ddp[a-z]*_[0-9A-Za-z]{30,})\b")
_IS_AN_API_KEY = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}")
_KEY_IN_A_LINE = re.compile(
    r"\b(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|(?:AKIA|ASIA)[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w.-]+)\b"
)
"""Keys of Datadog and of AWS, and JSON web tokens, as they may stand in a line of a log."""
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")
_SECRET_PARAMETER = re.compile(r"(?i)key$|password|secret$|token|credential|extraheaders?")
_SHORTEST_SECRET = 6


def disclosed(state: State | None) -> Json:
    """The state as JSON types with every value masked that may be secret."""
    document = told(state)
    match state:
        case FunctionState():
            document["env"] = {name: variable(name, value) for name, value in state.env.items()}
        case StackState():
            document["parameters"] = {
                name: parameter(name, value) for name, value in state.parameters.items()
            }
        case RoleState(external_id=external_id) if external_id != REF_EXTERNAL_ID:
            document["external_id"] = MASK
    return document


def variable(name: str, value: str) -> str:
    """The value of an environment variable as it may be shown."""
    if name in SECRET_VARIABLES or name not in SHOWN_VARIABLES:
        return MASK
    return text(value)


def parameter(name: str, value: str) -> str:
    """The value of a stack parameter as it may be shown."""
    return MASK if value and _SECRET_PARAMETER.search(name) else text(value)


def text(value: str) -> str:
    """A harmless text, unless it is a key after all or an address that carries a password."""
    if _IS_AN_API_KEY.fullmatch(value):
        return MASK
    return _LOOKS_LIKE_A_KEY.sub(MASK, _USER_INFO.sub(f"{MASK}@", value))


def without(words: str, secrets: Iterable[str]) -> str:
    """`words` with every one of `secrets` masked, and whatever else looks like a Datadog key."""
    for secret in sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len, reverse=True):
        words = words.replace(secret, MASK)
    return _LOOKS_LIKE_A_KEY.sub(MASK, _USER_INFO.sub(f"{MASK}@", words))


_TOLD = (
    re.compile(r"(?i)\b(?:bearer|basic)\s+(?P<secret>[\w.~+/-]{8,}=*)"),
    re.compile(
        r"(?i)[\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|app[_-]?key|access[_-]?key|credential)"
        r"[\w-]*[\"']?\s*[:=]\s*[\"']?(?P<secret>[^\s\"',;&}]{6,})"
    ),
    re.compile(
        r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))", re.DOTALL
    ),
    re.compile(
        r"\b(?P<secret>(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_|rk_live_|AIza)[\w-]{10,})"
    ),
    re.compile(r"\b(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w.-]+)\b"),
    re.compile(r"(?<!trace_id=)(?<!trace_id\": \")\b(?P<secret>[0-9a-fA-F]{32}|[0-9a-fA-F]{40})\b"),
)
"""Secrets as they stand in logs: after a word that says so, or known by how they begin. Ids of traces, 32
hexadecimal digits as well, are none where they are called so."""


def in_log(words: str) -> str:
    """A text that somebody logged or raised, without what looks like any kind of secret."""
    words = without(words, ())
    for pattern in _TOLD:
        words = pattern.sub(lambda m: m[0].replace(m["secret"], MASK), words)
    return words


def log_line(line: str, longest: int) -> str:
    """A line of a log that is not known to be harmless: cut, and without what looks like any kind of key."""
    # Cut at the end: of a key that is cut before, what is left does not look like one.
    return _KEY_IN_A_LINE.sub(MASK, without(line.strip(), ()))[:longest]


def secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose names say that they are secret."""
    names = re.compile(r"(?i)key|secret|token|password|credential")
    return tuple(value for name, value in environ.items() if value and names.search(name))

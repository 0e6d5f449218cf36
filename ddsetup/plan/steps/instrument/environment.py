"""The environment variables of an instrumented function: what is set, what is left as it was.

Names and meanings are those of Datadog's documentation (serverless configuration). A value that the user
asked for by an answer wins over what the function has; a default never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ddsetup.facts import catalog, recognise
from ddsetup.facts.ownership import MARKER
from ddsetup.facts.variables import (
    APPSEC,
    BY_NAME,
    DURABLE_BUFFER,
    ENHANCED_METRICS,
    EXTENSION_APPSEC,
    FLUSH_TO_LOG,
    KEY_SECRET_ARN,
    KEY_VARIABLE,
    LOGS_ENABLED,
    ORG_UUID,
    SAMPLE_RATE,
    SERVICE,
    SITE,
    TAGS,
    TRACE_ENABLED,
    VARIABLES,
    asked,
    is_on,
    means,
)
from ddsetup.model.account import Unreadable
from ddsetup.model.answers import Via
from ddsetup.model.states import REF_SECRET
from ddsetup.plan.steps.api_key import own_secret, secret_reference
from ddsetup.plan.steps.instrument.key_access import BY_ROLE
from ddsetup.plan.steps.instrument.layers import Layers
from ddsetup.plan.steps.instrument.own_tags import extra_of, key_in, parts
from ddsetup.plan.steps.instrument.special import DURABLE_LINES
from ddsetup.plan.steps.instrument.subject import Refusal, Subject
from ddsetup.plan.steps.taken_back import owned_env, variables_of

MAX_ENV_BYTES = 4096
"""All names and values of a function's environment together must stay below it (AWS Lambda quotas page)."""

_BY_MODE = (*KEY_VARIABLE.values(), SITE, catalog.HANDLER_VARIABLE, catalog.WRAPPER_VARIABLE)
"""What the way of delivery and the handler decide, not the wish for a setting."""
_REMOVABLE_KEYS = BY_ROLE
"""Key sources that can be given back by an undo; the others hold a secret, which no journal may know."""
_EXTENSIONS = (
    *BY_ROLE,
    SITE,
    DURABLE_BUFFER,
    *(row.name for row in VARIABLES if row.only == "extension"),
)
"""Variables that only the Extension reads."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables that change; `before` and `after` hold no others. `key_set`: one is a key source.

    `unwanted` are those that ddsetup set and nobody wants any more.
    """

    before: Mapping[str, str]
    after: Mapping[str, str]
    notes: tuple[str, ...] = ()
    key_set: bool = False
    unwanted: tuple[str, ...] = ()


@dataclass(slots=True)
class _Wanted:
    """Collects what the rules want. `forced` wins over the function's own values, `defaults` do not."""

    forced: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def switch(self, name: str, on: bool) -> None:
        """On is Datadog's default and so no more than a default here; off was asked for."""
        (self.defaults if on else self.forced)[name] = "true" if on else "false"


def environment(subject: Subject, layers: Layers, handler: Mapping[str, str]) -> Environment | Refusal:
    """What changes in the environment, or why it cannot. `handler` is what the redirection needs."""
    wanted = _Wanted()
    wanted.forced.update(handler)
    _asked(subject, wanted)
    _reporting(subject, wanted)
    _unified_tags(subject, wanted)
    _tracing(subject, layers, wanted)
    key_set = subject.extension and _key_source(subject, wanted)
    if key_set and secret_missing(subject):
        assert isinstance(subject.lane.secrets, Unreadable)
        return Refusal(
            f"cannot see whether the secret with the API key exists (needs {subject.lane.secrets.action})",
            "grant the permission, or name a secret that holds the key: --api-key-secret ARN",
        )
    unwanted = _unwanted(subject, wanted)
    if subject.answers.prune:
        wanted.forced |= {name: value for name, value in unwanted.items() if value}
        wanted.removed |= {name for name, value in unwanted.items() if not value}
    merged = _merged(subject.env, wanted)
    size = size_of(merged, subject)
    if size >= MAX_ENV_BYTES and merged != dict(subject.env):
        return Refusal(
            f"its environment would take {size} bytes; AWS allows less than {MAX_ENV_BYTES}",
            f"free {size - MAX_ENV_BYTES + 1} bytes or more, e.g. by moving values into Parameter Store",
        )
    changed = {name for name in {*merged, *subject.env} if merged.get(name) != subject.env.get(name)}
    return Environment(
        before={name: subject.env[name] for name in sorted(changed) if name in subject.env},
        after={name: merged[name] for name in sorted(changed) if name in merged},
        notes=(*wanted.notes, *_kept(subject, wanted)),
        key_set=bool(key_set and changed & set(KEY_VARIABLE.values())),
        unwanted=() if subject.answers.prune else tuple(sorted(unwanted)),
    )


def _unwanted(subject: Subject, wanted: _Wanted) -> dict[str, str]:
    """Variables that are still as ddsetup set them and that nobody wants so now, each with what it was before
    or what is its default; empty: it was not set."""
    found: dict[str, str] = {}
    former = variables_of(subject)
    for name, now in former.now.items():
        if name in wanted.removed or name in wanted.forced or name == TAGS:
            continue
        default = wanted.defaults.get(name)
        was = former.was.get(name, "")
        if (default or "") != now and not (default is None and name in _BY_MODE):
            found[name] = was or default or ""
    extra = extra_of(subject)
    left = tags_without(subject, extra)
    if left is not None:
        if extra and subject.answers.prune:
            wanted.forced[TAGS] = merged_tags(left, extra)
        if not extra or merged_tags(left, extra) != merged_tags(subject.env.get(TAGS, ""), extra):
            found[TAGS] = merged_tags(left, extra)
    return found


def tags_without(subject: Subject, extra: Mapping[str, str]) -> str | None:
    """`DD_TAGS` without the tags that ddsetup added and nobody wants any more; None if there are none."""
    now, was = (parts(states.get(TAGS, "")) for states in owned_env(subject))
    gone = [part for part in now if part not in was and key_in(part) not in extra]
    current = parts(subject.env.get(TAGS, ""))
    if not set(gone) & set(current):
        return None
    left = [part for part in current if part not in gone]
    # A value that somebody else gave a key since is theirs: what it was before does not come beside it.
    taken = _keys(left) | (_keys(now) - _keys(gone))
    back = [part for part in was if part not in current and key_in(part) not in taken]
    return ",".join((*left, *back))


def _keys(tags: Sequence[str]) -> set[str]:
    return {key_in(tag) for tag in tags}


def secret_missing(subject: Subject) -> bool:
    """Whether the API key should come from a secret of which nobody knows if it exists."""
    return subject.answers.key_source.kind == "secret" and _reference(subject) is None


def _reference(subject: Subject) -> str | None:
    return secret_reference(subject.lane, subject.answers, subject.secret.id)


def size_of(env: Mapping[str, str], subject: Subject) -> int:
    """The bytes of all names and values, with references counted as long as what they stand for."""
    return sum(len(name.encode()) + len(_issued(value, subject).encode()) for name, value in env.items())


def _issued(value: str, subject: Subject) -> str:
    if not value.startswith(REF_SECRET):
        return value
    function = subject.function
    # Secrets Manager adds a hyphen and six characters to the name.
    place = f"{catalog.partition_of(function.region)}:secretsmanager:{function.region}:{function.account}"
    return f"arn:{place}:secret:{value.removeprefix(REF_SECRET)}-xxxxxx"


def _merged(env: Mapping[str, str], wanted: _Wanted) -> dict[str, str]:
    kept = {name: value for name, value in env.items() if name not in wanted.removed}
    return wanted.defaults | kept | wanted.forced


def _asked(subject: Subject, wanted: _Wanted) -> None:
    """What the answers ask for by name, as the table of variables has it."""
    via: Via = "extension" if subject.extension else "forwarder"
    for name, value in asked(subject.answers).items():
        row = BY_NAME[name]
        if row.rule == "asked" and row.only in (None, via):
            wanted.forced[name] = value


def _reporting(subject: Subject, wanted: _Wanted) -> None:
    """How data gets out, which the mode decides."""
    answers, family = subject.answers, subject.family
    library = family is not None and family.forwarder
    if library:
        # Either mode works only with its own value, so the function's is no matter of taste.
        wanted.forced[FLUSH_TO_LOG] = "false" if subject.extension else "true"
    if subject.extension:
        wanted.forced[SITE] = answers.site
        wanted.switch(LOGS_ENABLED, answers.logs)
        if subject.function.durable:
            wanted.defaults[DURABLE_BUFFER] = DURABLE_LINES
    elif recognise.has_extension(subject.function):
        # Moving away from it: what ddsetup set for the Extension alone goes with it.
        wanted.removed |= set(_EXTENSIONS) & set(variables_of(subject).now)
        if MARKER in subject.tags:
            wanted.removed |= {n for n in _REMOVABLE_KEYS if own_secret(subject.env.get(n, ""))}
    wanted.switch(TRACE_ENABLED, answers.traces)


def _unified_tags(subject: Subject, wanted: _Wanted) -> None:
    answers = subject.answers
    if not answers.service:
        wanted.defaults[SERVICE] = subject.tags.get("service") or subject.function.name
    extra = extra_of(subject)
    if extra:
        wanted.forced[TAGS] = merged_tags(subject.env.get(TAGS, ""), extra)


def merged_tags(current: str, extra: Mapping[str, str]) -> str:
    """`DD_TAGS` with the extra tags: the same key is replaced in place, new ones go to the end."""
    left = dict(extra)
    merged: list[str] = []
    for part in parts(current):
        key = key_in(part)
        if key not in extra:
            merged.append(part)
        elif key in left:
            merged.append(f"{key}:{left.pop(key)}")
    return ",".join([*merged, *(f"{key}:{value}" for key, value in left.items())])


def _tracing(subject: Subject, layers: Layers, wanted: _Wanted) -> None:
    tracing, forced = subject.answers.tracing, wanted.forced
    if tracing.llmobs and not subject.extension:
        wanted.notes.append(
            "LLM Observability is left out: without the Extension nothing would send its data"
        )
    if subject.family is not None and subject.family.wrapped and layers.library is not None:
        forced[catalog.WRAPPER_VARIABLE] = catalog.DATADOG_WRAPPER
    if tracing.appsec:
        _appsec(subject, layers, wanted)


def _appsec(subject: Subject, layers: Layers, wanted: _Wanted) -> None:
    """AppSec is in newer Python tracers; elsewhere the Extension does it, which its start-up script tells."""
    library = layers.library
    python = subject.family is not None and subject.family.name == "python"
    if python and library is not None and library.version >= catalog.TRACER_APPSEC_SINCE:
        wanted.forced[APPSEC] = "true"
    elif not subject.extension:
        wanted.notes.append(f"AppSec is left out: for {subject.function.runtime} it needs --via extension")
    elif wrapper := recognise.foreign_wrapper(subject.function):
        wanted.notes.append(f"AppSec is left out: {catalog.WRAPPER_VARIABLE} is {wrapper} and stays")
    else:
        wanted.forced[EXTENSION_APPSEC] = "true"
        wanted.forced[catalog.WRAPPER_VARIABLE] = catalog.DATADOG_WRAPPER


def _ignored(present: Sequence[str]) -> str:
    """The Extension looks there first and never falls back, so a key beside it is of no use."""
    others = [name for name in present if name != ORG_UUID]
    return f", and ignores {', '.join(others)}" if others else ""


def _key_source(subject: Subject, wanted: _Wanted) -> bool:
    """See to it that the Extension finds one API key. True if ddsetup's answer is what it finds."""
    source = subject.answers.key_source
    present = [name for name in catalog.KEY_VARIABLES if subject.env.get(name)]
    if ORG_UUID in present and source.kind != "wif":
        if variables_of(subject).now.get(ORG_UUID) != subject.env[ORG_UUID]:
            wanted.notes.append(f"gets its API key by {ORG_UUID}{_ignored(present)}")
            return False
        present.remove(ORG_UUID)
        wanted.removed.add(ORG_UUID)
    elif source.kind == "wif":
        wanted.forced[ORG_UUID] = source.value
        wanted.removed.update(key for key in present if key in _REMOVABLE_KEYS)
        left = [key for key in present if key not in _REMOVABLE_KEYS]
        wanted.notes += [f"gets its API key by {ORG_UUID}{_ignored(left)}"] if _ignored(left) else []
        return True
    if present and not source.value and not _of_another_site(present, subject):
        site, named = subject.answers.site, ", ".join(present)
        if subject.env.get(SITE, site) != site:
            wanted.notes.append(f"keeps its API key ({named}), which must be good on {site} now")
        if len(present) > 1:
            wanted.notes.append(f"has more than one source of the API key ({named}); all are kept")
        elif present == ["DD_API_KEY"]:
            wanted.notes.append("keeps its API key in plain text (DD_API_KEY); a secret would be safer")
        return False
    name = KEY_VARIABLE[source.kind]
    value = source.value or _reference(subject) or ""
    stays = [key for key in present if key in catalog.SECRET_VARIABLES and subject.env[key] != value]
    wanted.notes += [
        f"{key} stays, as its value could not be given back; take it out by hand" for key in stays
    ]
    if name in stays:
        return False
    wanted.forced[name] = value
    wanted.removed.update(key for key in present if key in _REMOVABLE_KEYS and key != name)
    return True


def _of_another_site(present: Sequence[str], subject: Subject) -> bool:
    """Whether the function reads the key of another site, from the secret that ddsetup made for that."""
    named = own_secret(subject.env.get(KEY_SECRET_ARN, ""))
    return list(present) == [KEY_SECRET_ARN] and named not in ("", subject.secret.id)


def _kept(subject: Subject, wanted: _Wanted) -> list[str]:
    """Values of the function's own that differ from a default and change what arrives."""
    return [
        f"keeps its {name}={subject.env[name]}"
        for name, value in wanted.defaults.items()
        if name != SERVICE and name not in wanted.forced and not means(subject.env, name, value)
    ] + [
        f"keeps its {name}={subject.env[name]}"
        for name in (ENHANCED_METRICS, SAMPLE_RATE)
        if name not in wanted.forced and not is_on(subject.env, name)
    ]

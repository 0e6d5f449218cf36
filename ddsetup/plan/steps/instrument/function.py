"""One function: from what it is to what it should be, in one change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ddsetup.facts import catalog, recognise
from ddsetup.facts.edge import edge_unknown
from ddsetup.model.account import Unreadable
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import FunctionState
from ddsetup.plan.steps.api_key import makes_secret
from ddsetup.plan.steps.instrument.environment import Environment, environment
from ddsetup.plan.steps.instrument.key_access import policy_resource
from ddsetup.plan.steps.instrument.layers import Layers, layers
from ddsetup.plan.steps.instrument.publish import versions_called
from ddsetup.plan.steps.instrument.refusals import refusal
from ddsetup.plan.steps.instrument.special import special_notes
from ddsetup.plan.steps.instrument.subject import STEP, Refusal, Subject
from ddsetup.plan.steps.instrument.workload_identity import mapping_resource


@dataclass(frozen=True, slots=True)
class Instrumented:
    """What instrumenting a function comes to: the change, None if there is nothing left to do."""

    change: Change | None
    summary: str
    key_set: bool = False
    unwanted: tuple[str, ...] = ()


def instrument(subject: Subject) -> Instrumented | Refusal:
    """The one change that instruments the function, or why there cannot be one."""
    refused = refusal(subject)
    if refused is not None:
        return refused
    list_of_layers = layers(subject)
    if isinstance(list_of_layers, Refusal):
        return list_of_layers
    handler, variable, stale = _redirection(subject, list_of_layers)
    env = environment(subject, list_of_layers, variable)
    if isinstance(env, Refusal):
        return env
    before, after, level_note = _states(subject, list_of_layers, handler, env)
    notes = [*list_of_layers.notes, *stale, *env.notes, *level_note, *_left_out(subject)]
    notes += special_notes(subject, list_of_layers)
    if before == after:
        said = f"; {'; '.join(notes)}" if notes else ""
        said = f"already instrumented with {_what(list_of_layers, subject)}{said}"
        return Instrumented(None, said, unwanted=env.unwanted)
    change = Change(
        step=STEP,
        resource=subject.resource,
        before=before,
        after=after,
        why=f"{_what(list_of_layers, subject)}: {_purpose(subject)}",
        precondition=subject.function.revision_id,
        needs=_needs(subject, env),
        note="; ".join([*notes, *_afterwards(subject)]),
    )
    return Instrumented(change, change.why, env.key_set, env.unwanted)


def _states(
    subject: Subject, found: Layers, handler: str | None, env: Environment
) -> tuple[FunctionState, FunctionState, list[str]]:
    """The function's part that changes, before and after, and what to say about its log level."""
    before_level, after_level, note = _system_log_level(subject)
    publish_to = "LATEST_PUBLISHED" if subject.function.managed_instances and subject.answers.publish else ""
    before = FunctionState(
        handler=subject.function.handler,
        layers=tuple(layer.arn for layer in subject.function.layers),
        env=env.before,
        system_log_level=before_level,
        publish_to=publish_to,
    )
    after = replace(before, handler=handler, layers=found.arns, env=env.after, system_log_level=after_level)
    return before, after, note


def _redirection(subject: Subject, found: Layers) -> tuple[str | None, Mapping[str, str], list[str]]:
    """The handler, the variable that remembers the user's own, and what to say about a stale one.

    A handler that is the user's own is always the true one: whatever the variable holds was left by an
    earlier deploy, and running that would run code that is gone.
    """
    function, family = subject.function, subject.family
    has_library = found.library is not None or any(
        layer.role == "library"
        for layer in (*recognise.datadog_layers(function), *recognise.copied_layers(function))
    )
    redirected = recognise.is_datadog_handler(function.handler)
    if family is None or family.handler is None or redirected or not has_library or function.handler is None:
        return function.handler, {}, []
    if subject.starts_otherwise:
        return function.handler, {}, []
    remembered = subject.env.get(catalog.HANDLER_VARIABLE)
    stale = []
    if remembered and remembered != function.handler:
        stale.append(f"{catalog.HANDLER_VARIABLE} was stale: it named {remembered}")
    return family.handler, {catalog.HANDLER_VARIABLE: function.handler}, stale


def _system_log_level(subject: Subject) -> tuple[str | None, str | None, list[str]]:
    """Lambda's own log level, where it hides the lines that the Forwarder makes metrics from."""
    function = subject.function
    if subject.extension or function.log_format != "JSON":
        return None, None, []
    notes = []
    if function.application_log_level in ("WARN", "ERROR", "FATAL"):
        level = function.application_log_level
        notes.append(f"its application log level {level} may hide the library's metric lines")
    if function.system_log_level != "WARN" or not subject.answers.enhanced_metrics:
        return None, None, notes
    notes.append("system log level WARN hides the REPORT line, so it becomes INFO")
    return "WARN", "INFO", notes


def _needs(subject: Subject, env: Environment) -> tuple[ResourceId, ...]:
    if not env.key_set:
        return ()
    secret = (subject.secret,) if makes_secret(subject.answers) else ()
    of_role = mapping_resource if subject.answers.key_source.kind == "wif" else policy_resource
    return (*secret, of_role(subject.function))


def _left_out(subject: Subject) -> list[str]:
    """What only the library could do, where it cannot be put before the handler."""
    if not subject.starts_otherwise or subject.answers.layer_version == "none":
        return []
    return [
        f"{subject.starts_otherwise}; so only the Extension is attached, and traces are what the code "
        "sends to it: by Datadog's tracer, or by OTLP to localhost:4318 with "
        "DD_OTLP_CONFIG_RECEIVER_PROTOCOLS_HTTP_ENDPOINT=localhost:4318"
    ]


def _what(found: Layers, subject: Subject) -> str:
    labels = [layer.label for layer in (found.library, found.extension) if layer is not None]
    return " and ".join(labels) or (
        "the Extension's settings" if subject.extension else "the library's settings"
    )


def _purpose(subject: Subject) -> str:
    answers = subject.answers
    through = "the Extension" if subject.extension else "the Forwarder"
    wanted = [
        name
        for name, on in (
            ("enhanced metrics", answers.enhanced_metrics),
            ("traces", answers.traces and not subject.starts_otherwise),
            ("logs", answers.logs),
        )
        if on
    ]
    return f"{', '.join(wanted) or 'custom metrics'} through {through}"


def _by_number(called: tuple[str, ...]) -> str:
    if len(called) == 1:
        return f"version {called[0]} was called by its"
    return f"versions {', '.join(called[:-1])} and {called[-1]} were called by their"


def _afterwards(subject: Subject) -> list[str]:
    """What this change does not reach, and what will take it back."""
    notes = []
    function = subject.function
    aliases = subject.lane.aliases.get(function.arn, ())
    published = [a for a in aliases if a.version != "$LATEST"]
    if published and not subject.answers.publish:
        listed = ", ".join(f"{a.name} (version {a.version})" for a in published)
        notes.append(
            f"only $LATEST changes: publish a version and move the alias {listed}, or let --publish do it"
        )
    if function.snap_start == "PublishedVersions" and not (published and subject.answers.publish):
        notes.append("only $LATEST changes: SnapStart serves published versions, so publish a new one")
    if called := versions_called(subject):
        notes.append(
            f"{_by_number(called)} number within two weeks: such calls go on without this until whoever "
            "makes them names another version, or an alias"
        )
    if subject.owner is not None:
        sure = "owned by" if subject.owner.sure else "probably owned by"
        notes.append(f"{sure} {subject.owner}, whose next deploy takes this back")
    elif isinstance(subject.lane.tags, Unreadable):
        notes.append("its tags cannot be read, so whether a deployment tool owns it is unknown")
    if frozen := catalog.FROZEN_RUNTIMES.get(function.runtime or ""):
        notes.append(f"{function.runtime} is deprecated by AWS, which may refuse the change; {frozen}")
    if unread := edge_unknown(function, subject.lane):
        notes.append(f"whether it runs on Lambda@Edge is not known (needs {unread.action})")
    for arn, vendor in recognise.vendor_layers(function).items():
        parsed = catalog.parse_layer(arn)
        notes.append(f"carries the layer {parsed.label if parsed else arn} of {vendor}, too")
    return notes

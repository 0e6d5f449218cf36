"""Functions that cannot or must not be changed, each with its reason and what to do instead.

Reasons are those of AWS (Lambda developer guide: container images, Lambda@Edge, function states) and of
Datadog (documentation of serverless instrumentation by runtime).
"""

from __future__ import annotations

from collections.abc import Callable

from ddsetup.facts import catalog, recognise
from ddsetup.facts.ownership import is_datadog_helper, leaves_alone
from ddsetup.facts.start_up import WEB_ADAPTER, has_web_adapter
from ddsetup.model.account import Unreadable
from ddsetup.plan.steps.instrument.subject import Refusal, Subject


def refusal(subject: Subject) -> Refusal | None:
    """The first reason not to touch the function, None if there is none."""
    for rule in _RULES:
        found = rule(subject)
        if found is not None:
            return found
    return None


def _partition(subject: Subject) -> Refusal | None:
    partition = catalog.partition_of(subject.function.region)
    if partition in catalog.LAYER_ACCOUNTS:
        return None
    where = "China" if partition == "aws-cn" else f"the partition {partition}"
    return Refusal(
        f"Datadog publishes no Lambda layers in {where}",
        "bring Datadog's library in the function's own package (datadog-lambda, datadog-lambda-js)",
    )


def _datadogs_own(subject: Subject) -> Refusal | None:
    if not subject.datadogs_own:
        return None
    if is_datadog_helper(subject.function, subject.tags):
        return Refusal("it belongs to Datadog's own stacks", unchanged=True)
    return Refusal("it is a Datadog Forwarder itself, which would feed on its own logs", unchanged=True)


def _image(subject: Subject) -> Refusal | None:
    if subject.function.package_type == "Zip":
        return None
    add_extension = "COPY --from=public.ecr.aws/datadog/lambda-extension:latest /opt/. /opt/"
    if has_web_adapter((), subject.env):
        reason = f"it is a container image that {WEB_ADAPTER} serves"
        fix = f"in the Dockerfile: {add_extension}, and CMD stays; traces by Datadog's tracer or by OTLP"
        return Refusal(reason, fix)
    fix = "in the Dockerfile: install the library (Python: pip install datadog-lambda, with CMD "
    fix += f'["{catalog.PYTHON_HANDLER}"] and {catalog.HANDLER_VARIABLE} set to your own handler)'
    if subject.extension:
        fix += f"; and {add_extension}"
    return Refusal("it is a container image, which takes no layers", fix)


def _edge(subject: Subject) -> Refusal | None:
    if not subject.edge:
        return None
    reason = (
        f"it runs on Lambda@Edge ({subject.edge}), where layers and environment variables are not allowed"
    )
    if recognise.mode_of(subject.function) != "none":
        how = f"ddsetup uninstrument --function {subject.function.name}"
        return Refusal(reason, f"take Datadog out, or CloudFront refuses its next version: {how}")
    return Refusal(reason, "wrap the handler in the function's code")


def _environment(subject: Subject) -> Refusal | None:
    function = subject.function
    if function.env is not None:
        return None
    return Refusal(
        "its environment cannot be read, so a write would wipe it out"
        + (f" ({function.env_error})" if function.env_error else ""),
        f"allow kms:Decrypt on the key {function.kms_key_arn or 'that encrypts it'}, then again",
    )


def _state(subject: Subject) -> Refusal | None:
    """States of the Lambda API model; one that is not known here is no time to write, and no fault."""
    state = subject.function.state
    if state in (None, "Active", "Inactive", "Pending"):
        return None
    if state == "Failed":
        return Refusal("AWS could not bring the function up (state Failed)", "deploy it again, then this")
    if state in ("Deleting", "Deactivating", "Deactivated"):
        return Refusal(f"it is going away or to sleep (state {state})", "see whether it is still wanted")
    return Refusal(f"AWS does not have it ready now (state {state})", "run this again later")


def _owned(subject: Subject) -> Refusal | None:
    if subject.owner is None or not leaves_alone(subject.answers, subject.owner):
        return None
    if subject.owner.datadogs:
        return _datadogs_function(subject)
    if subject.answers.owned == "source":
        return Refusal(
            f"it is owned by {subject.owner}, and --owned source leaves it to its project's files",
            "deploy them once they are changed, then: ddsetup verify",
        )
    return Refusal(
        f"it is owned by {subject.owner}, and --owned skip leaves such functions alone",
        f"put the Datadog settings into {subject.owner.tool}'s files, or use --owned change",
    )


def _datadogs_function(subject: Subject) -> Refusal:
    """Datadog looks every hour, and at each change that it hears of, and restores what its rule says."""
    by = subject.owner
    surely = by is not None and (by.sure or subject.lane.datadog_rule is True)
    return Refusal(
        f"it is {'' if surely else 'most probably '}instrumented by {by}, which restores what others change",
        "change the rule there (in Datadog, on the page of this AWS account), or use --owned all",
    )


def _runtime(subject: Subject) -> Refusal | None:
    runtime = subject.function.runtime
    if runtime is None:
        return Refusal("AWS names no runtime for it")
    if catalog.is_retired(runtime):
        return Refusal(
            f"{runtime} is retired: AWS may refuse any change, and no current layer of Datadog fits"
            + _old_layer(subject),
            "move the function to a current runtime, then again",
        )
    if catalog.is_supported(runtime):
        return None
    if subject.extension and subject.answers.layer_version == "none":
        return None
    return Refusal(
        f"Datadog has no layer for {runtime} yet (table of {catalog.layers_source()})",
        "the Extension alone works with any runtime: --via extension --layer-version none",
    )


def _old_layer(subject: Subject) -> str:
    layers = [layer.label for layer in recognise.datadog_layers(subject.function)]
    return f"; it still carries {', '.join(layers)}" if layers else ""


def _vendor(subject: Subject) -> Refusal | None:
    found = recognise.active_vendor(subject.function)
    if found is None:
        return None
    return Refusal(
        f"it is run by the instrumentation of {found.vendor} ({found.sign}); two of a kind break each other",
        f"take {found.vendor} out of the function first, then again",
    )


def _logs_only(subject: Subject) -> Refusal | None:
    family = subject.family
    if subject.extension or family is None or family.forwarder:
        return None
    if family.has_library:
        reason = f"{subject.function.runtime} reports traces and metrics only through the Extension"
        if recognise.has_extension(subject.function):
            reason += ", which it has; that stays as it is"
    else:
        reason = f"{subject.function.runtime} carries Datadog's library in its code; nothing can be attached"
    return Refusal(
        f"{reason}; the Forwarder takes its logs and CloudWatch its metrics",
        "for more: --via extension",
        unchanged=True,
    )


def _starts_otherwise(subject: Subject) -> Refusal | None:
    """The library cannot be put before the handler; beside the Extension nothing needs that."""
    reason = subject.starts_otherwise
    if not reason:
        return None
    if recognise.is_datadog_handler(subject.function.handler):
        return Refusal(
            f"{reason}, but {catalog.HANDLER_VARIABLE} redirects it: the function cannot start",
            f"give its handler back: ddsetup uninstrument --function {subject.function.name}",
        )
    if subject.extension:
        return None
    return Refusal(
        f"{reason}; it keeps its handler, and the Forwarder takes its logs",
        "--via extension attaches the Extension alone: metrics and logs, and traces that the code sends "
        "to it (Datadog's tracer, or OTLP to localhost:4318)",
    )


def _broken_handler(subject: Subject) -> Refusal | None:
    function = subject.function
    if not recognise.is_datadog_handler(function.handler) or recognise.own_handler(function) is not None:
        return None
    remembered = subject.env.get(catalog.HANDLER_VARIABLE)
    how = "names Datadog's handler, too" if remembered else "is missing"
    at = f"--function-name {function.name} --region {function.region}"
    return Refusal(
        f"its handler is Datadog's, but {catalog.HANDLER_VARIABLE}, which must name your own, {how}: "
        "the function cannot start",
        "look your handler up in the deployment's files or an older version of the function, then "
        f"`aws lambda update-function-configuration {at} --handler {catalog.OWN_HANDLER}`, then this again",
    )


def _no_handler(subject: Subject) -> Refusal | None:
    family = subject.family
    if subject.function.handler or family is None or family.handler is None:
        return None
    return Refusal("AWS names no handler for it", "deploy the function with a handler, then again")


def _unknown_owner(subject: Subject) -> Refusal | None:
    if subject.answers.changes_owned or not isinstance(subject.lane.tags, Unreadable):
        return None
    return Refusal(
        f"its owner is unknown, as its tags cannot be read (needs {subject.lane.tags.action})",
        "grant the permission, or use --owned change",
    )


_RULES: tuple[Callable[[Subject], Refusal | None], ...] = (
    _partition,
    _datadogs_own,
    _edge,
    _image,
    _environment,
    _state,
    _unknown_owner,
    _owned,
    _runtime,
    _vendor,
    _broken_handler,
    _logs_only,
    _no_handler,
    _starts_otherwise,
)

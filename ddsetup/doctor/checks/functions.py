"""Functions: can they be instrumented at all."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.doctor.checks.case import Case, Subject
from ddsetup.doctor.checks.check import Checks, Problem, Result
from ddsetup.doctor.checks.road import LIBRARY
from ddsetup.facts import catalog, recognise
from ddsetup.facts.failures import update_command
from ddsetup.facts.guides import SETTINGS_GUIDE
from ddsetup.plan.steps.instrument.environment import MAX_ENV_BYTES
from ddsetup.plan.steps.instrument.layers import MAX_LAYERS

_LIST = ("lambda:ListFunctions",)
_DATADOG_ENV_BYTES = 200
"""About what the variables of an instrumented function take."""
check = Checks("functions", needs=_LIST)


def problem(subject: Subject, what: str, fix: str = "", **more: object) -> Problem:
    """A problem of one function."""
    return Problem(resource=subject.resource, what=what, fix=fix, about=subject.about, **more)  # type: ignore[arg-type]


def mendable(subject: Subject, what: str, fix: str) -> Problem:
    """A problem of one function that a setup, which changes the function, would mend."""
    return problem(subject, what, fix, mends=(subject.resource,))


def command_for(subject: Subject, arguments: str) -> str:
    """`aws lambda update-function-configuration` for the function."""
    return update_command(subject.function.name, subject.function.region, arguments)


def instrumentable(subject: Subject) -> bool:
    """Whether nothing about the function itself keeps Datadog out."""
    f = subject.function
    return (
        subject.touchable
        and not subject.edge
        and f.runtime is not None
        and catalog.is_supported(f.runtime)
        and recognise.active_vendor(f) is None
        and (subject.way == "extension" or not recognise.stays_as_it_starts(f))
        and not _layers_full(subject)
        and not _environment_full(subject)
    )


def _layers_full(subject: Subject) -> bool:
    takes_one = subject.family is not None and subject.family.has_library
    return subject.mode == "none" and takes_one and len(subject.function.layers) >= MAX_LAYERS


def _environment_full(subject: Subject) -> bool:
    return subject.mode == "none" and env_size(subject) > MAX_ENV_BYTES - _DATADOG_ENV_BYTES


def env_size(subject: Subject) -> int:
    """The bytes of all names and values."""
    return sum(len(k.encode()) + len(v.encode()) for k, v in subject.env.items())


@check("function-readable", "functions' environments can be read", "warning", at="environment")
def readable(case: Case) -> Iterator[Result]:
    """AWS could not decrypt the function's environment, so a write would wipe it out: ddsetup never does.

    The identity needs kms:Decrypt on the key that encrypts it; a key that is disabled or deleted keeps the
    function itself from starting, too.
    """
    for s in case.subjects:
        if s.function.env is None:
            yield problem(
                s,
                f"its environment cannot be read ({s.function.env_error})",
                f"allow kms:Decrypt on {s.function.kms_key_arn or 'the key that encrypts it'}",
            )


@check("function-package", "functions take layers", "info", link=SETTINGS_GUIDE, at="runtime")
def package(case: Case) -> Iterator[Result]:
    """The function is a container image, or runs on Lambda@Edge: no layer can be attached.

    Datadog's library goes into the image; at the edge the handler is wrapped in the code.
    """
    for s in case.subjects:
        if s.edge and s.mode != "none":
            yield problem(
                s,
                f"it runs on Lambda@Edge ({s.edge}) and has Datadog: CloudFront refuses its next version",
                "take Datadog out, and wrap the handler in the code",
                command=f"ddsetup uninstrument --function {s.function.name} --region {s.function.region}",
                severity="error",
            )
        elif s.edge:
            said = f"it runs on Lambda@Edge, without layers or variables ({s.edge})"
            yield problem(s, said, "wrap the handler in its code")
        elif s.function.package_type == "Image":
            yield problem(
                s,
                "it is a container image, which takes no layers",
                f'in its Dockerfile: pip install datadog-lambda, CMD ["{catalog.PYTHON_HANDLER}"]'
                " and DD_LAMBDA_HANDLER (Python; see the link for others)",
            )


@check(
    "function-runtime",
    "functions run on runtimes that Datadog supports",
    "warning",
    at="runtime",
    stops=(*LIBRARY, "current layer"),
)
def runtime(case: Case) -> Iterator[Result]:
    """AWS has retired the runtime, or Datadog has no layer for it (yet).

    AWS refuses changes of functions on retired runtimes; old Datadog layers keep working as they are.
    """
    for s in case.subjects:
        name = s.function.runtime
        if name is None or s.edge:
            continue
        if catalog.is_retired(name) or name in catalog.FROZEN_RUNTIMES:
            yield problem(s, f"{name} is retired by AWS", "move it to a current runtime")
        elif not catalog.is_supported(name):
            yield problem(s, f"Datadog has no layer for {name}", "--via extension --layer-version none")


@check(
    "other-vendor",
    "no other vendor instruments the functions",
    "warning",
    at="runtime",
    stops=(*LIBRARY, "redirection"),
)
def vendor(case: Case) -> Iterator[Result]:
    """The function's handler or start-up script belongs to another monitoring vendor; two of a kind break
    each other, so ddsetup leaves it alone."""
    for s in case.subjects:
        found = recognise.active_vendor(s.function)
        if found:
            said = f"it is run by the instrumentation of {found.vendor} ({found.sign})"
            yield problem(s, said, f"take {found.vendor} out of it")


@check(
    "exec-wrapper",
    "functions that need it have room for Datadog's start-up script",
    at="handler",
    stops=(*LIBRARY, "start-up script"),
)
def wrapper(case: Case) -> Iterator[Result]:
    """AWS_LAMBDA_EXEC_WRAPPER names another script, and Java and .NET need the place for Datadog's.

    With the layers attached and without Datadog's script there are no traces.
    """
    for s in case.subjects:
        other = recognise.foreign_wrapper(s.function)
        if other and s.family and s.family.wrapped and not recognise.active_vendor(s.function):
            yield problem(
                s, f"{catalog.WRAPPER_VARIABLE} is {other}", "remove the variable, or do without traces"
            )


@check(
    "handler-kept",
    "functions that do not start by a handler in a module keep it",
    "info",
    link=SETTINGS_GUIDE,
    at="handler",
    stops=LIBRARY,
)
def handler_kept(case: Case) -> Iterator[Result]:
    """The handler is executed by a start-up script (AWS Lambda Web Adapter), or names no function in a
    module, so Datadog's library cannot be put before it; redirected, the function cannot start.

    Its logs and CloudWatch's metrics arrive by the Forwarder. The Extension can be attached beside it; traces
    come from Datadog's tracer in the code, or by OTLP.
    """
    for s in case.subjects:
        reason = recognise.stays_as_it_starts(s.function) if s.touchable else ""
        if not reason or recognise.active_vendor(s.function):
            continue
        if recognise.is_datadog_handler(s.function.handler):
            yield problem(
                s,
                f"{reason}, but {catalog.HANDLER_VARIABLE} redirects it: the function cannot start",
                "give its handler back",
                command=f"ddsetup uninstrument --function {s.function.name} --region {s.function.region}",
                severity="error",
            )
        elif s.mode != "extension":
            yield problem(
                s, f"{reason}, so the library is not put before it", "--via extension goes beside it"
            )


@check("layer-room", "there is room for Datadog's layer", "warning", at="layer")
def layer_room(case: Case) -> Iterator[Result]:
    """The function has five layers, the most that AWS allows, and Datadog's is not among them."""
    for s in case.subjects:
        if s.touchable and _layers_full(s):
            yield problem(
                s, f"it has {MAX_LAYERS} layers, the most that AWS allows", "merge or remove one of them"
            )


@check("environment-room", "there is room for Datadog's variables", "warning", at="environment")
def environment_room(case: Case) -> Iterator[Result]:
    """The function's environment is close to 4 KB, which AWS does not let it exceed."""
    for s in case.subjects:
        if s.touchable and _environment_full(s):
            size = env_size(s)
            yield problem(
                s, f"its environment takes {size} of {MAX_ENV_BYTES} bytes", "move values to Parameter Store"
            )

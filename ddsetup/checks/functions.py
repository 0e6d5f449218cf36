"""Functions: can they be instrumented at all, are they, and what serves their traffic."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup import catalog, recognise
from ddsetup.change import ResourceId
from ddsetup.checks.case import MARKERS, Case, Subject
from ddsetup.checks.check import LAMBDA_GUIDE, LOGS_GUIDE, SETTINGS_GUIDE, Problem, Result, check
from ddsetup.model import Function, Unreadable
from ddsetup.steps.instrument.environment import MAX_ENV_BYTES
from ddsetup.steps.instrument.layers import MAX_LAYERS

_LIST = ("lambda:ListFunctions",)
REMOTE_INSTRUMENTER = "datadog-remote-instrumenter"
LEAST_EXTENSION_MEMORY = 256
_DATADOG_ENV_BYTES = 200
"""About what the variables of an instrumented function take."""


def problem(subject: Subject, what: str, fix: str = "", **more: object) -> Problem:
    """A problem of one function."""
    return Problem(resource=subject.resource, what=what, fix=fix, about=subject.about, **more)  # type: ignore[arg-type]


def command_for(subject: Subject, arguments: str) -> str:
    """`aws lambda update-function-configuration` for the function."""
    f = subject.function
    return (
        f"aws lambda update-function-configuration --function-name {f.name} --region {f.region} {arguments}"
    )


def instrumentable(subject: Subject) -> bool:
    """Whether nothing about the function itself keeps Datadog out."""
    f = subject.function
    return (
        subject.touchable
        and not recognise.is_edge(f)
        and f.runtime is not None
        and catalog.is_supported(f.runtime)
        and recognise.active_vendor(f) is None
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


@check("function-readable", "functions' environments can be read", "functions", "warning", needs=_LIST)
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


@check("function-package", "functions take layers", "functions", "info", needs=_LIST, link=SETTINGS_GUIDE)
def package(case: Case) -> Iterator[Result]:
    """The function is a container image, or runs on Lambda@Edge: no layer can be attached.

    Datadog's library goes into the image; at the edge the handler is wrapped in the code.
    """
    for s in case.subjects:
        if recognise.is_edge(s.function):
            yield problem(s, "it runs on Lambda@Edge, without layers or variables", "wrap it in its code")
        elif s.function.package_type == "Image":
            yield problem(
                s,
                "it is a container image, which takes no layers",
                f'in its Dockerfile: pip install datadog-lambda, CMD ["{catalog.PYTHON_HANDLER}"]'
                " and DD_LAMBDA_HANDLER (Python; see the link for others)",
            )


@check(
    "function-runtime", "functions run on runtimes that Datadog supports", "functions", "warning", needs=_LIST
)
def runtime(case: Case) -> Iterator[Result]:
    """AWS has retired the runtime, or Datadog has no layer for it (yet).

    AWS refuses changes of functions on retired runtimes; old Datadog layers keep working as they are.
    """
    for s in case.subjects:
        name = s.function.runtime
        if name is None or recognise.is_edge(s.function):
            continue
        if catalog.is_retired(name) or name in catalog.FROZEN_RUNTIMES:
            yield problem(s, f"{name} is retired by AWS", "move it to a current runtime")
        elif not catalog.is_supported(name):
            yield problem(s, f"Datadog has no layer for {name}", "--via extension --layer-version none")


@check("other-vendor", "no other vendor instruments the functions", "functions", "warning", needs=_LIST)
def vendor(case: Case) -> Iterator[Result]:
    """The function's handler or start-up script belongs to another monitoring vendor; two of a kind break
    each other, so ddsetup leaves it alone."""
    for s in case.subjects:
        name = recognise.active_vendor(s.function)
        if name:
            yield problem(s, f"it is run by the instrumentation of {name}", f"take {name} out of it")


@check(
    "exec-wrapper", "functions that need it have room for Datadog's start-up script", "functions", needs=_LIST
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


@check("layer-room", "there is room for Datadog's layer", "functions", "warning", needs=_LIST)
def layer_room(case: Case) -> Iterator[Result]:
    """The function has five layers, the most that AWS allows, and Datadog's is not among them."""
    for s in case.subjects:
        if s.touchable and _layers_full(s):
            yield problem(
                s, f"it has {MAX_LAYERS} layers, the most that AWS allows", "merge or remove one of them"
            )


@check("environment-room", "there is room for Datadog's variables", "functions", "warning", needs=_LIST)
def environment_room(case: Case) -> Iterator[Result]:
    """The function's environment is close to 4 KB, which AWS does not let it exceed."""
    for s in case.subjects:
        if s.touchable and _environment_full(s):
            size = env_size(s)
            yield problem(
                s, f"its environment takes {size} of {MAX_ENV_BYTES} bytes", "move values to Parameter Store"
            )


@check(
    "function-instrumented",
    "functions that are meant carry Datadog",
    "functions",
    needs=_LIST,
    fix="automatic",
    link=SETTINGS_GUIDE,
)
def instrumented(case: Case) -> Iterator[Result]:
    """The function has neither Datadog's library nor its Extension.

    If it is marked as instrumented, a deployment has taken Datadog out again: run `ddsetup setup` after each
    deployment, or put Datadog into the deployment's own files.
    """
    for s in case.subjects:
        if s.mode != "none" or not instrumentable(s):
            continue
        marked = any(marker in s.tags for marker in MARKERS) or catalog.HANDLER_VARIABLE in s.env
        expected = s.family is not None and (s.way == "extension" or s.family.forwarder)
        if expected and (marked or case.selected):
            by = f" by {s.owner}" if s.owner else ""
            yield problem(
                s,
                f"Datadog was taken out of it again{by}" if marked else "it carries no Datadog",
                "instrument it" + (", and see that the next deployment keeps it" if marked else ""),
                mends=(s.resource,),
            )


@check(
    "any-function", "some function carries Datadog", "functions", "warning", needs=_LIST, link=SETTINGS_GUIDE
)
def any_function(case: Case) -> Iterator[Result]:
    """No function of these regions has Datadog, and none was named: there is nothing to look at."""
    readable_lanes = [p for p in case.places if not isinstance(p.lane.functions, Unreadable)]
    if readable_lanes and not case.subjects and not case.selected and case.snapshot.functions():
        at = readable_lanes[0].at
        yield Problem(
            resource=ResourceId("region", at.region, at.region, at.account),
            what="no function carries Datadog",
            fix="choose functions and set them up",
            command="ddsetup setup",
        )


@check("function-ready", "AWS could bring the functions up", "functions", needs=("lambda:ListFunctions",))
def ready(case: Case) -> Iterator[Result]:
    """The function's state is Failed, or its last update failed: it does not run, or runs as before."""
    for s in case.subjects:
        if s.function.state == "Failed" or s.function.last_update_status == "Failed":
            f = s.function
            yield problem(
                s,
                f"its state is {f.state or '?'}, its last update {f.last_update_status or '?'}",
                "look at the reason, then deploy it again",
                command=f"aws lambda get-function --function-name {f.name} --region {f.region}",
            )


@check("function-settled", "no function is being changed", "functions", "info", needs=_LIST)
def settled(case: Case) -> Iterator[Result]:
    """The function is being updated at this moment; look again when it is done."""
    for s in case.subjects:
        if s.function.last_update_status == "InProgress":
            yield problem(s, "it is being updated right now", "wait, then look again")


@check(
    "function-starts",
    "functions start",
    "functions",
    needs=("logs:FilterLogEvents",),
    link=LAMBDA_GUIDE,
    because_of=("layer-present", "handler-known", "layer-runtime", "layer-architecture"),
)
def starts(case: Case) -> Iterator[Result]:
    """The function's log tells that it cannot start: a module or a handler is not found.

    After instrumenting, that is a DD_LAMBDA_HANDLER that names code that is gone, a missing layer, or a
    library of the function's own that does not fit the layer's. Logs are read only where data is missing.
    """
    words = ("ImportModuleError", "HandlerNotFound", "HandlerError", "No module named", "InvalidEntrypoint")
    for s in case.subjects:
        lines = case.evidence.lines.get(s.function.arn, ())
        if isinstance(lines, Unreadable):
            continue
        said = next((line for line in lines if any(word in line for word in words)), "")
        if said:
            yield problem(
                s, f"it cannot start: {said}", "correct the handler, or take Datadog out and look again"
            )


@check(
    "published-version",
    "traffic is served by what was instrumented",
    "functions",
    "warning",
    needs=("lambda:ListAliases",),
)
def published(case: Case) -> Iterator[Result]:
    """An alias or SnapStart serves a published version, and only $LATEST was instrumented.

    A published version never changes. Publish a new one and move the alias.
    """
    for s in case.subjects:
        if s.mode in ("none", "broken") or s.arrived("enhanced_metrics"):
            continue
        aliases = case.snapshot.lanes[s.function.lane].aliases.get(s.function.arn, ())
        held = [a for a in aliases if a.version != "$LATEST"]
        if held:
            listed = ", ".join(f"{a.name} (version {a.version})" for a in held)
            yield problem(
                s,
                f"traffic by the alias {listed} may be served by a version without Datadog",
                "publish a version, and move the alias to it",
                command=f"aws lambda publish-version --function-name {s.function.name} "
                f"--region {s.function.region}",
                severity="info" if s.arrived("traces") else "warning",
            )


@check("remote-instrumentation", "no other instrumenter reverts changes", "functions", "warning", needs=_LIST)
def remote(case: Case) -> Iterator[Result]:
    """Datadog's remote instrumentation is active in the region: it reverts changes that are made by hand.

    Let one of the two do it.
    """
    for place in case.places:
        functions: tuple[Function, ...] | Unreadable = place.lane.functions
        if isinstance(functions, Unreadable) or not place.subjects:
            continue
        for function in functions:
            if function.name == REMOTE_INSTRUMENTER:
                yield Problem(
                    resource=ResourceId("function", function.arn, function.region, function.account),
                    what="Datadog's remote instrumentation is active here, and reverts other changes",
                    fix="manage functions there, or remove its stack datadog-remote-instrument",
                )


@check(
    "owned-by-tool",
    "functions are not taken back by the next deployment",
    "functions",
    "info",
    needs=("tag:GetResources",),
)
def owned(case: Case) -> Iterator[Result]:
    """A deployment tool owns the function, and Datadog was added beside it: the next deployment takes it out.

    Run ddsetup after each deployment, or put Datadog into the tool's own files.
    """
    for s in case.subjects:
        if s.owner is not None and "dd_ddsetup" in s.tags:
            yield problem(s, f"it is owned by {s.owner}, whose next deployment takes Datadog out again")


@check(
    "extension-memory",
    "functions with the Extension have the memory for it",
    "functions",
    "info",
    needs=_LIST,
)
def memory(case: Case) -> Iterator[Result]:
    """The function has less than 256 MB, which Datadog advises with the Extension."""
    for s in case.subjects:
        if s.mode == "extension" and s.function.memory < LEAST_EXTENSION_MEMORY:
            yield problem(
                s,
                f"it has {s.function.memory} MB; {LEAST_EXTENSION_MEMORY} are advised with the Extension",
                "raise its memory",
                command=command_for(s, f"--memory-size {LEAST_EXTENSION_MEMORY}"),
            )


@check(
    "extension-egress",
    "functions with the Extension reach Datadog",
    "functions",
    "warning",
    needs=("cloudwatch:GetMetricData",),
    link=LOGS_GUIDE,
    because_of=("key-source", "key-access", "function-site"),
)
def extension_egress(case: Case) -> Iterator[Result]:
    """The function is in a VPC, ran, and nothing that its Extension should send has arrived.

    It needs a way out to port 443: a NAT gateway, a proxy, or PrivateLink; and one to Secrets Manager.
    """
    for s in case.subjects:
        ran = any(signal.status == "missing" for signal in s.signals)
        silent = not (s.arrived("enhanced_metrics") or s.arrived("traces"))
        if s.mode == "extension" and s.function.vpc and ran and silent:
            yield problem(
                s, "it is in a VPC, ran, and its Extension sends nothing", "give its subnets a way out"
            )


@check(
    "timeout-margin",
    "functions end before their timeout",
    "functions",
    "warning",
    needs=("cloudwatch:GetMetricData",),
    link=LAMBDA_GUIDE,
)
def timeout(case: Case) -> Iterator[Result]:
    """The function's longest run came close to its timeout, or ran into it: what the library and the
    Extension were about to send at the end is cut off."""
    for s in case.subjects:
        longest = case.evidence.longest.get(s.function.arn, 0.0)
        if longest >= 950.0 * s.function.timeout:
            yield problem(
                s,
                f"its longest run took {longest / 1000:.1f} s of the {s.function.timeout} s it is given",
                "give it more time, or make it faster",
                command=command_for(s, f"--timeout {min(900, s.function.timeout * 2)}"),
            )


CHECKS = (
    readable,
    package,
    runtime,
    vendor,
    wrapper,
    layer_room,
    environment_room,
    instrumented,
    any_function,
    ready,
    settled,
    starts,
    published,
    remote,
    owned,
    memory,
    extension_egress,
    timeout,
)

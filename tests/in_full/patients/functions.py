"""Functions: can they be instrumented, are they, and do they run."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.model.account import Alias, Layer
from ddsetup.model.answers import Selection
from ddsetup.model.evidence import Past
from tests import builders as b
from tests.in_full.patients.ways import (
    ALL,
    NAMES,
    REFUSED,
    Break,
    about,
    all_of,
    all_silent,
    answered,
    bare,
    beside,
    billing,
    chosen,
    having,
    here,
    layered,
    newest,
    orders,
    payments,
    signals,
    silent,
)
from tests.unit.patient import (
    BILLING,
    ORDERS,
    PAYMENTS,
    extended,
    layer,
)

FUNCTIONS: Mapping[str, Break] = {
    "unreadable environment, its key": bare(
        env=None, env_error="KMSAccessDenied", kms_key_arn="arn:aws:kms:k"
    ),
    "edge": bare(master_arn="arn:aws:lambda:us-east-1:1:function:m"),
    "edge, instrumented": orders(master_arn="arn:aws:lambda:us-east-1:1:function:m"),
    **{
        f"runtime {runtime}": all_of(bare(runtime=runtime), chosen())
        for runtime in ("python3.8", "nodejs12.x", "go1.x", "python3.15", "ruby3.4", "dotnet6", "rust1")
    },
    "runtime python2.7, edge": all_of(
        bare(runtime="python2.7", master_arn="arn:aws:lambda:us-east-1:1:function:m"), chosen()
    ),
    "another vendor's script, java": billing(env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-handler"}),
    "a script of theirs, python": orders(env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"}),
    "a script of theirs, unknown runtime": all_of(
        bare(runtime="rust1", env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"}), chosen()
    ),
    "web adapter, redirected": orders(env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"}),
    "web adapter, extension": payments(
        env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"},
        handler="run.sh",
        layers=(layer("Datadog-Extension"),),
    ),
    "web adapter, chosen": all_of(
        bare(handler="run.sh", env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"}), chosen()
    ),
    "four layers": all_of(bare(layers=(Layer("arn:aws:lambda:x:1:layer:l:1"),) * 4), chosen()),
    "five layers": all_of(bare(layers=(Layer("arn:aws:lambda:x:1:layer:l:1"),) * 5), chosen()),
    "five layers, no library": all_of(
        bare(runtime="provided.al2", layers=(Layer("arn:aws:lambda:x:1:layer:l:1"),) * 5), chosen()
    ),
    "five layers, instrumented": orders(
        layers=(layer("Datadog-Python312"), *(Layer("arn:aws:lambda:x:1:layer:l:1"),) * 4)
    ),
    "environment just fits": all_of(bare(env={"N": "x" * (4096 - 201)}), chosen()),
    "environment is full": all_of(bare(env={"N": "ü" * (4096 // 2 - 100)}), chosen()),
    "environment is full, instrumented": orders(env={"N": "x" * 4000}),
    "bare, chosen": all_of(bare(), chosen()),
    "bare, not chosen": bare(),
    "bare, of a stack": all_of(
        bare(),
        chosen(),
        lambda p: p.tags.update({b.function_arn(ORDERS): {"aws:cloudformation:stack-name": "shop"}}),
    ),
    "bare, tagged": all_of(bare(), lambda p: p.tags.update({b.function_arn(ORDERS): {"dd_ddsetup": "v1"}})),
    "bare, tagged, of SAM": all_of(
        bare(),
        lambda p: p.tags.update(
            {
                b.function_arn(ORDERS): {
                    "dd_ddsetup": "v1",
                    "lambda:createdBy": "SAM",
                    "aws:cloudformation:stack-name": "shop",
                }
            }
        ),
    ),
    "bare, handler remembered": bare(env={"DD_LAMBDA_HANDLER": "app.handler"}),
    "bare, by a run": all_of(
        bare(), about(ORDERS, history=Past(how="run", name="r-1", at="2026-11-20T08:00Z"))
    ),
    "bare, by a version": all_of(
        bare(), about(ORDERS, history=Past(how="version", name="7", at="2026-11-20T08:00Z"))
    ),
    "bare, by a version, chosen": all_of(
        bare(), about(ORDERS, history=Past(how="version", name="7", at="x")), chosen()
    ),
    "bare, past unreadable": all_of(bare(), about(ORDERS, history=REFUSED), chosen()),
    "bare, no library by the forwarder": all_of(bare(runtime="provided.al2023"), chosen()),
    "bare, no library, extension": all_of(
        bare(runtime="provided.al2023"), answered(via="extension", selection=Selection(names=ALL))
    ),
    "nobody chosen": answered(selection=Selection()),
    "unreadable environment, an old layer of another runtime": bare(
        env=None, env_error="KMSAccessDenied", layers=(layer("Datadog-Python39", 1),)
    ),
    "extension alone, its own handler": all_of(
        payments(handler="app.handler", layers=(layer("Datadog-Extension"),)),
        silent(PAYMENTS, "enhanced_metrics"),
    ),
    "nobody there": all_of(having(functions={}, filters={}, groups={}), answered(selection=Selection())),
    "nobody there, no forwarder": all_of(
        having(functions={}, filters={}, groups={}, forwarder=None, forwarder_function=None, stack=None),
        answered(selection=Selection()),
    ),
    "nobody chosen that is there": all_of(
        bare(), answered(selection=Selection(names=("*",), exclude=("*",)))
    ),
    "alias of an unknown version": lambda p: p.aliases.update(
        {b.function_arn(ORDERS): (Alias("live", "7"), Alias("next", "$LATEST"))}
    ),
    "alias of a bare version": all_of(
        lambda p: p.aliases.update({b.function_arn(ORDERS): (Alias("live", "7"), Alias("old", "6"))}),
        about(ORDERS, published={"7": b.function(ORDERS), "6": extended(ORDERS)}),
    ),
    "alias of a bare version, silent": all_of(
        lambda p: p.aliases.update({b.function_arn(ORDERS): (Alias("live", "7"), Alias("old", "6"))}),
        about(ORDERS, published={"6": b.function(ORDERS)}),
        all_silent,
    ),
    "alias of an unknown version, metrics missing": all_of(
        lambda p: p.aliases.update({b.function_arn(ORDERS): (Alias("live", "7"),)}),
        silent(ORDERS, "enhanced_metrics"),
    ),
    "alias of a bare function": all_of(
        bare(), chosen(), lambda p: p.aliases.update({b.function_arn(ORDERS): (Alias("live", "7"),)})
    ),
    "alias of a bare version behind a bare function": all_of(
        bare(),
        chosen(),
        lambda p: p.aliases.update({b.function_arn(PAYMENTS): (Alias("live", "7"),)}),
        about(PAYMENTS, published={"7": b.function(PAYMENTS)}),
    ),
    "versions unreadable": all_of(
        lambda p: p.aliases.update({b.function_arn(ORDERS): (Alias("live", "7"),)}),
        about(ORDERS, published=REFUSED),
    ),
    "datadog's own rule": here(datadog_rule=True),
    "datadog's own rule unreadable": here(datadog_rule=REFUSED),
    "datadog's own rule, nobody meant": all_of(
        here(datadog_rule=True), having(functions={}), answered(selection=Selection())
    ),
    "instrumented by datadog": all_of(
        here(datadog_rule=True),
        lambda p: p.tags.update(
            {key: {"dd_sls_remote_instrumenter_version": "v1"} for key in map(b.function_arn, ALL)}
        ),
    ),
    "remote instrumenter": beside(b.function("datadog-remote-instrumenter")),
    "owned by terraform, ours": lambda p: p.tags.update(
        {b.function_arn(ORDERS): {"managed_by": "Terraform", "dd_ddsetup": "v1"}}
    ),
    "owned by terraform": lambda p: p.tags.update({b.function_arn(ORDERS): {"managed_by": "Terraform"}}),
    "failed": orders(state="Failed", last_update_status=""),
    "state unreadable": about(ORDERS, states=REFUSED),
    **{
        f"log: {line}": about(ORDERS, lines=("fine", line))
        for line in (
            *("ImportModuleError", "HandlerNotFound", "HandlerError", "No module named 'x'"),
            *("InvalidEntrypoint", "KeyError"),
        )
    },
    "log unreadable": about(ORDERS, lines=REFUSED),
    **{f"memory {size}": payments(memory=size) for size in (128, 255, 256)},
    "memory 128, forwarder": orders(memory=128),
    "vpc, silent": all_of(payments(vpc=True), silent(PAYMENTS, *NAMES)),
    "vpc, traces missing": all_of(payments(vpc=True), silent(PAYMENTS, "traces")),
    "vpc, metrics missing": all_of(payments(vpc=True), silent(PAYMENTS, "enhanced_metrics", "logs")),
    "vpc, idle": all_of(payments(vpc=True), signals("no_traffic", PAYMENTS)),
    "vpc, forwarder": all_of(orders(vpc=True), silent(ORDERS, *NAMES)),
    **{
        f"longest run {longest} ms of {timeout} s": all_of(
            orders(timeout=timeout), about(ORDERS, longest=longest)
        )
        for longest, timeout in ((2849.0, 3), (2850.0, 3), (599_000.0, 600), (1000.0, 1))
    },
}

LAYERS: Mapping[str, Break] = {
    "library in the package": all_of(
        orders(layers=(), handler="node_modules/datadog-lambda-js/dist/handler.handler", runtime="nodejs22.x")
    ),
    "layer gone, data arrives": orders(layers=()),
    "layer gone": all_of(orders(layers=()), all_silent),
    "layer copied": all_of(
        orders(layers=(Layer(f"arn:aws:lambda:{b.REGION}:{b.ACCOUNT}:layer:Datadog-Python312:3"),)),
        all_silent,
    ),
    "another python": orders(layers=(layer("Datadog-Python311"),)),
    "fips": orders(layers=(layer("Datadog-Python312-FIPS", 130),)),
    "arm, right": orders(architecture="arm64", layers=(layer("Datadog-Python312-ARM"),)),
    "arm, wrong": orders(architecture="arm64"),
    "extension, wrong": payments(layers=(layer("Datadog-Python312"), layer("Datadog-Extension-ARM"))),
    "extension, wrong, arm": payments(
        architecture="arm64", layers=(layer("Datadog-Python312-ARM"), layer("Datadog-Extension"))
    ),
    "extension of the government": payments(
        layers=(layer("Datadog-Python312"), layer("Datadog-Extension-ARM-FIPS", 90))
    ),
    **{
        f"{behind} behind": layered("Datadog-Python312", newest("Datadog-Python312") - behind)
        for behind in (20, 21)
    },
    "behind the newest that is read": all_of(
        here(newest_layers={"Datadog-Python312": 900, "Datadog-Extension": 1})
    ),
    "retired, arm": orders(layers=(layer("Datadog-Node12-x", 9), layer("Datadog-Python312"))),
    "handler its own, data arrives": orders(handler="app.handler"),
    "handler its own": all_of(orders(handler="app.handler"), all_silent),
    "handler its own, stale": all_of(orders(handler="app.other"), all_silent),
    "handler its own, no layer": all_of(orders(handler="app.handler", layers=()), all_silent),
    "handler its own, ruby": all_of(
        orders(runtime="ruby3.4", handler="app.run", layers=(layer("Datadog-Ruby3-4"),)), all_silent
    ),
    "handler remembered as datadog's": all_of(
        orders(env={"DD_LAMBDA_HANDLER": "datadog_lambda.handler.handler"}), all_silent
    ),
    "handler of java remembered": billing(env={"DD_LAMBDA_HANDLER": "x"}),
    "handler remembered, unknown runtime": orders(runtime="rust1"),
    "wrapper gone": all_of(billing(env={"AWS_LAMBDA_EXEC_WRAPPER": None}), silent(BILLING, "traces")),
    "wrapper gone, dotnet by hand": billing(
        runtime="dotnet8",
        layers=(layer("dd-trace-dotnet"), layer("Datadog-Extension")),
        env={"AWS_LAMBDA_EXEC_WRAPPER": None, "CORECLR_ENABLE_PROFILING": "1"},
    ),
    "wrapper gone, no library": billing(
        layers=(layer("Datadog-Extension"),), env={"AWS_LAMBDA_EXEC_WRAPPER": None}
    ),
}

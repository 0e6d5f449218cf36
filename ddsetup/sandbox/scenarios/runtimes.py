"""Functions of runtimes other than Python: they can be configured here, not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World


def furnish(world: World) -> None:
    """One function a runtime, and one that is a container image."""
    for function in (
        _other("tea-node", "nodejs22.x", "index.handler"),
        _other("tea-node-arm", "nodejs20.x", "src/index.handler", architecture="arm64"),
        _other("tea-java", "java21", "shop.Tea::handleRequest"),
        _other("tea-dotnet", "dotnet8", "Tea::Shop.Tea::Handle"),
        _other("tea-ruby", "ruby3.3", "tea.handler"),
        _other("tea-go", "provided.al2023", "bootstrap", architecture="arm64"),
    ):
        create(world, function)
    image = {
        "PackageType": "Image",
        "Code": {"ImageUri": f"{world.account}.dkr.ecr.{world.region}.amazonaws.com/tea:latest"},
    }
    create(world, SampleFunction("tea-image", more=image))
    old_layer = f"arn:aws:lambda:{world.region}:464622532012:layer:Datadog-Python27:50"
    create(
        world,
        SampleFunction(
            "tea-python27",
            "placeholder",
            runtime="python2.7",
            handler="datadog_lambda.handler.handler",
            layers=(old_layer,),
            environment={"DD_LAMBDA_HANDLER": "tea.handler", "DD_FLUSH_TO_LOG": "true"},
        ),
    )


def _other(name: str, runtime: str, handler: str, architecture: str = "x86_64") -> SampleFunction:
    return SampleFunction(name, "placeholder", runtime=runtime, handler=handler, architecture=architecture)

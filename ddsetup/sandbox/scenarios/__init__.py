"""The states that a sandbox can start in. Adding one is an entry here and, if it makes things, a function.

Scenarios add up: none makes a function of another's name. `messy` is all the parts it names.
"""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.sandbox.scenarios import (
    broken,
    chain,
    delivery,
    filters,
    full,
    healthy,
    integration,
    many,
    organisation,
    owners,
    runtimes,
    services,
    trouble,
)
from ddsetup.sandbox.scenarios.world import Scenario, World

__all__ = ["MESSY", "SCENARIOS", "Scenario", "World"]

MESSY: Mapping[str, Scenario] = {
    "runtimes": Scenario("Node, Java, .NET, Ruby, Go, a container image, Python 2.7", runtimes.furnish),
    "trouble": Scenario("a function that fails and one that times out", trouble.furnish),
    "no-log-permission": Scenario("a function whose role may not write logs", trouble.furnish_silent),
    "foreign-filters": Scenario("log groups with one and with two foreign filters", filters.furnish_foreign),
    "shared-log-group": Scenario("two functions with one custom log group", filters.furnish_shared_group),
    "quiet-logs": Scenario("JSON logs without the platform's reports", filters.furnish_quiet_logs),
    "old-forwarder": Scenario("a Datadog forwarder from before version 3", filters.furnish_old_forwarder),
    "five-layers": Scenario("a function that has five layers", full.furnish_layers),
    "full-environment": Scenario("a function with 4 KB of environment variables", full.furnish_environment),
    "unreadable": Scenario("a function whose environment cannot be decrypted", full.furnish_unreadable),
    "alias": Scenario("a function behind an alias of a published version", owners.furnish_alias),
    "stack-owned": Scenario("a function that CloudFormation owns", owners.furnish_stack),
    "stale-handler": Scenario("datadog-ci's work half undone by a deployment", owners.furnish_datadog_ci),
    "self-reference": Scenario("a DD_LAMBDA_HANDLER that names itself", owners.furnish_self_reference),
    "other-vendor": Scenario("a function that New Relic monitors", owners.furnish_other_vendor),
    "own-settings": Scenario("a function with DD_* settings of its owner", owners.furnish_own_settings),
}


def _furnish_messy(world: World) -> None:
    for scenario in MESSY.values():
        scenario.furnish(world)


SCENARIOS: Mapping[str, Scenario] = {
    "healthy": Scenario("six Python functions of a coffee house, all well", healthy.furnish),
    "messy": Scenario("everything that makes an account difficult, at once", _furnish_messy),
    "empty": Scenario("an account without a single function"),
    "integrated": Scenario("integrated with Datadog by someone else", integration.furnish, integration.SEED),
    "broken": Scenario("set up once and broken since, for the doctor", broken.furnish, broken.SEED),
    "failed": Scenario("a function that AWS could not bring up", trouble.furnish_failed),
    "failing-delivery": Scenario("logs by Firehose, with a key that was revoked", delivery.furnish),
    "services": Scenario("state machines and APIs beside a function", services.furnish),
    "chain": Scenario("functions that call each other; one runs into its timeout", chain.furnish),
    "datadog-owned": Scenario("functions that Datadog instruments itself", owners.furnish_datadog_owned),
    "edge": Scenario("functions that CloudFront runs at its edges", owners.furnish_edge),
    "durable": Scenario("a function with durable executions", owners.furnish_durable),
    "organisation": Scenario(
        "an organisation of fourteen accounts in three units", organisation.furnish, organisation.SEED
    ),
    "many": Scenario("hundreds of functions, for trying out speed", many.furnish),
    **MESSY,
}

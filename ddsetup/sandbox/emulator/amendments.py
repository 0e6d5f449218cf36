"""All that makes the emulator, once it is imported, more like AWS."""

from __future__ import annotations

from pathlib import Path

from ddsetup.sandbox.emulator import (
    account_policies,
    account_regions,
    actions,
    api_gateway,
    builds,
    calls,
    changes,
    connections,
    delivery,
    faults,
    filter_patterns,
    firehose,
    late_lines,
    limits,
    metric_stream_flow,
    metric_streams,
    organizations,
    public_objects,
    runtime,
    seed,
    service_metrics,
    stacks,
    state_machines,
    thrift,
    topics,
    trail,
)
from ddsetup.sandbox.emulator.settings import EmulatorSettings
from ddsetup.sandbox.emulator.stack_sets import api as stack_sets_api


def install(settings: EmulatorSettings, meant: faults.Faults) -> None:
    """Make all of it, in an order that counts: what is put around a call later is asked earlier."""
    thrift.install()
    actions.install()
    connections.install()
    runtime.install(settings)
    filter_patterns.install()
    delivery.install()
    limits.install(settings.layer_account)
    firehose.install(Path(settings.datadog_file))
    metric_streams.install()
    stacks.install()
    stack_sets_api.install(meant.reason_of_instance)
    account_policies.install()
    state_machines.install()
    api_gateway.install()
    topics.install()
    builds.install(Path(settings.directory))
    organizations.install()
    public_objects.install()
    account_regions.install()
    changes.install()
    trail.install()
    service_metrics.install()
    metric_stream_flow.install()
    late_lines.install(meant)
    calls.install(Path(settings.call_log), meant)
    seed.publish_layers(settings)

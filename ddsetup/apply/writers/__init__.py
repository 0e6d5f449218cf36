"""One writer for each kind of resource: the only code that changes anything in AWS or Datadog."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.apply.run import Writer
from ddsetup.apply.writers.account_policies import AccountPolicyWriter
from ddsetup.apply.writers.aliases import AliasWriter
from ddsetup.apply.writers.dashboards import DashboardWriter
from ddsetup.apply.writers.function_tags import FunctionTagsWriter
from ddsetup.apply.writers.functions import FunctionWriter
from ddsetup.apply.writers.intake_mappings import IntakeMappingWriter
from ddsetup.apply.writers.integration import IntegrationWriter
from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.log_collection import LogCollectionWriter
from ddsetup.apply.writers.logs import FilterWriter, LogGroupWriter, Recent, nothing_recent
from ddsetup.apply.writers.metric_tags import MetricTagsWriter
from ddsetup.apply.writers.monitors import MonitorWriter
from ddsetup.apply.writers.roles import RolePolicyWriter, RoleWriter
from ddsetup.apply.writers.secrets import SecretWriter
from ddsetup.apply.writers.slos import SloWriter
from ddsetup.apply.writers.sources import ApiStageWriter, StateMachineWriter
from ddsetup.apply.writers.stacks import StackWriter
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.integration import new_external_id
from ddsetup.model.clock import Clock
from ddsetup.model.errors import CredentialsError
from ddsetup.model.event import OnEvent
from ddsetup.model.snapshot import Snapshot


def make_writers(  # noqa: PLR0913 - what the writers of all kinds need together
    aws: Aws,
    dd: Datadog | None,
    keys: DatadogKeys | None,
    snapshot: Snapshot,
    clock: Clock,
    on_event: OnEvent,
    *,
    recent: Recent = nothing_recent,
) -> Mapping[str, Writer]:
    """The writer of each kind; without `dd` none for what Datadog keeps. `keys` may be missing where no
    secret has to be made (undo, uninstrument). `recent` knows filters that were just read."""
    issued = Issued(aws, snapshot, lambda: _external_id(dd))
    functions = {f.arn: f for f in snapshot.functions()}
    writers: dict[str, Writer] = {
        "iam_role": RoleWriter(aws, issued),
        "role_policy": RolePolicyWriter(aws, issued),
        "secret": SecretWriter(aws, issued, keys, snapshot.datadog.site),
        "stack": StackWriter(aws, issued, clock, on_event),
        "function": FunctionWriter(aws, issued, functions, clock),
        "alias": AliasWriter(aws, clock),
        "function_tags": FunctionTagsWriter(aws, snapshot),
        "log_group": LogGroupWriter(aws),
        "subscription_filter": FilterWriter(aws, issued, clock, recent),
        "account_policy": AccountPolicyWriter(aws, issued, clock),
        "state_machine": StateMachineWriter(aws),
        "api_stage": ApiStageWriter(aws),
    }
    if dd is not None:
        writers |= _of_datadog(aws, dd, issued, snapshot, clock)
    return writers


def _external_id(dd: Datadog | None) -> str:
    if dd is None:
        raise CredentialsError("an external ID is issued by Datadog, and no Datadog keys were given")
    return new_external_id(dd)


def _of_datadog(
    aws: Aws, dd: Datadog, issued: Issued, snapshot: Snapshot, clock: Clock
) -> Mapping[str, Writer]:
    """The writers of what Datadog keeps."""
    return {
        "integration": IntegrationWriter(aws, dd, issued, clock),
        "log_collection": LogCollectionWriter(aws, dd, issued, snapshot, clock),
        "intake_mapping": IntakeMappingWriter(aws, dd, snapshot.lanes),
        "metric_tags": MetricTagsWriter(dd),
        "monitor": MonitorWriter(dd),
        "slo": SloWriter(dd),
        "dashboard": DashboardWriter(dd),
    }

"""Who we are on AWS and in Datadog. Without that, the other checks have nothing to look at."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.doctor.checks.case import Case
from ddsetup.doctor.checks.check import Checks, Problem, Result
from ddsetup.doctor.checks.road import EVERYTHING
from ddsetup.model.change import ResourceId

AWS = ResourceId("credentials", "AWS")
DATADOG = ResourceId("credentials", "Datadog")

REQUIRED = ("aws_configuration_read",)
"""Datadog permissions without which there is no looking at all."""
check = Checks("credentials")


def _fault(case: Case, kind: str, resource: ResourceId) -> Iterator[Result]:
    fault = case.evidence.fault(kind)
    if fault is not None:
        yield Problem(resource=resource, what=fault.what, fix=fault.fix)


@check("aws-credentials", "AWS knows the credentials", needs=("sts:GetCallerIdentity",), proves="AWS")
def aws(case: Case) -> Iterator[Result]:
    """No credentials were found, they have expired, or AWS does not know them.

    Everything about AWS is unknown until they are: an expired SSO session, a profile that does not exist, a
    clock that is off, or no connection are the usual causes.
    """
    yield from _fault(case, "aws", AWS)


@check(
    "datadog-reachable",
    "Datadog's API answers",
    proves="Datadog",
    stops=(*EVERYTHING, "rights in Datadog", "record", "services", "index"),
)
def reachable(case: Case) -> Iterator[Result]:
    """There is no connection to the API of the chosen site.

    Usually a proxy, a firewall or a wrong address (DDSETUP_DATADOG_URL). What is on AWS's side is checked all
    the same.
    """
    yield from _fault(case, "unreachable", DATADOG)


@check(
    "datadog-keys",
    "the Datadog keys are valid on the chosen site",
    stops=(*EVERYTHING, "rights in Datadog", "record", "services", "index"),
)
def keys(case: Case) -> Iterator[Result]:
    """The API key or the application key is refused: invalid, of another site, swapped, or revoked.

    Each Datadog site has keys of its own. If the key belongs to another site, that site is named. What is on
    AWS's side is checked all the same.
    """
    yield from _fault(case, "keys", DATADOG)


@check(
    "datadog-permissions",
    "the application key may read what the doctor looks at",
    "warning",
    proves="rights in Datadog",
    stops=(*EVERYTHING, "record", "services"),
)
def permissions(case: Case) -> Iterator[Result]:
    """The application key lacks a permission, by its scopes or by the role of its owner.

    Without `aws_configuration_read` nothing can be said about the integration, without `timeseries_query`,
    `logs_read_data` and `apm_read` nothing about the arrival of metrics, logs and traces.
    """
    denied = sorted(name for name, state in case.evidence.permissions.items() if state == "denied")
    for name in denied:
        yield Problem(
            resource=DATADOG,
            what=f"the application key lacks the permission {name}",
            fix="use an unscoped application key of a user whose role has it, or add it to the key's scopes",
            severity="error" if name in REQUIRED else "warning",
        )

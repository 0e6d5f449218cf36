"""Workload identity federation: which roles of AWS send to this organisation without an API key of their own.

A mapping lets what runs as a role get a key that Datadog keeps and rotates (`/api/v2/cloud_auth/aws/
intake_mapping`, a public beta; terraform-provider-datadog, `datadog_aws_wif_intake_mapping`). It cannot be
changed, only made and deleted, and takes some minutes to work.
"""

from __future__ import annotations

from types import NoneType

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.faults import Rejected, unreadable
from ddsetup.gateways.datadog.shapes import Shape
from ddsetup.model.account import Json, Unreadable, WorkloadIdentity
from ddsetup.model.errors import GatewayError, NotFound

READ = "workload_identity_federation_config_read"
WRITE = "workload_identity_federation_config_write"
ORGANISATION = "org_management"

_MAPPINGS = "/api/v2/cloud_auth/aws/intake_mapping"
_TYPE = "aws_cloud_auth_intake_mapping"
_MAPPING: Shape = {"id": str, "attributes": {"arn_pattern": str}}
_CURRENT: Shape = {"data": {"id": str}}
_NOT_YET = "not integrated with this"
"""How Datadog refuses an account that it has only just been told of."""
_WAITS = (2.0, 4.0, 8.0, 16.0, 30.0, 30.0)
"""Seconds: Datadog's own provider tries for two minutes until a new integration is known."""


def read_workload_identity(dd: Datadog, org_uuid: str = "") -> WorkloadIdentity | Unreadable:
    """The organisation and the roles that it takes data from; `org_uuid` is one that the user named."""
    try:
        uuid = org_uuid or _organisation(dd)
        return WorkloadIdentity(org_uuid=uuid, patterns=tuple(sorted(_list(dd))))
    except GatewayError as error:
        return unreadable(error)


def find_mapping(dd: Datadog, pattern: str) -> str | None:
    """The id of the mapping of this very pattern, None if there is none. Raises as `Datadog.call` does."""
    return _list(dd).get(pattern)


def create_mapping(dd: Datadog, pattern: str) -> None:
    """Take data from what runs as this (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/*`).

    Raises Rejected for one that overlaps with another, and as `Datadog.call` does.
    """
    body = {"data": {"type": _TYPE, "attributes": {"arn_pattern": pattern}}}
    for wait in _WAITS:
        try:
            return _post(dd, body, pattern)
        except Rejected as error:
            if _NOT_YET not in error.what:
                raise
            dd.clock.sleep(wait)
    return _post(dd, body, pattern)


def _post(dd: Datadog, body: Json, pattern: str) -> None:
    shape: Shape = {"data": _MAPPING}
    dd.create(_MAPPINGS, body, action=WRITE, shape=shape, look=lambda: find_mapping(dd, pattern))


def delete_mapping(dd: Datadog, number: str) -> None:
    """Delete the mapping with this id. One that is already gone counts as deleted."""
    try:
        dd.call("DELETE", f"{_MAPPINGS}/{number}", action=WRITE, shape=NoneType)
    except NotFound:
        return


def _list(dd: Datadog) -> dict[str, str]:
    """The ids of the mappings, by pattern."""
    found = dd.get(_MAPPINGS, action=READ, shape={"data": [_MAPPING]})["data"]
    return {each["attributes"]["arn_pattern"]: each["id"] for each in found}


def _organisation(dd: Datadog) -> str:
    """The UUID of the organisation whose keys these are (API reference, list your managed organizations)."""
    answer = dd.get("/api/v2/org", action=ORGANISATION, shape=_CURRENT)
    return str(answer["data"]["id"])

"""Objects that anybody may read, from whichever account: Datadog's templates, which the sandbox publishes in
the account that it is made for."""

from __future__ import annotations

from ddsetup.sandbox.emulator import org_tree

_PUBLIC = "datadog-cloudformation-template"
"""How the names of Datadog's buckets with templates begin (its documentation names them by region)."""


def install() -> None:
    """Look for them in the management account where the caller's own has none."""
    from ministack.core.responses import get_region, request_scope
    from ministack.services import s3

    read = s3._get_object_data

    def from_anywhere(bucket_name: str, key: str, version_id: str | None = None) -> bytes | None:
        found: bytes | None = read(bucket_name, key, version_id)
        organization = org_tree.current()
        if found is not None or organization is None or not bucket_name.startswith(_PUBLIC):
            return found
        with request_scope(organization.management, get_region()):
            held: bytes | None = read(bucket_name, key, version_id)
            return held

    s3._get_object_data = from_anywhere

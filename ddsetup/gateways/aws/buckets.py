"""Buckets that a stack made: what is in them, and how they are emptied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Json, Lane
from ddsetup.model.errors import GatewayError, NotFound

_BATCH = 1000
"""Objects that one call deletes (API reference of S3, DeleteObjects)."""


def has_objects(aws: Aws, lane: Lane, bucket: str, prefix: str) -> bool:
    """Whether any object's key begins so; False for a bucket that is gone.

    Needs s3:ListBucket. Raises Denied or GatewayError.
    """
    try:
        answer = aws.call(
            "s3:ListBucket", lane, operation="ListObjectsV2", Bucket=bucket, Prefix=prefix, MaxKeys=1
        )
    except NotFound:
        return False
    return bool(answer.get("Contents"))


def empty(aws: Aws, lane: Lane, bucket: str) -> int:
    """Delete every object, every version of one and every delete marker; how many there were.

    Needs s3:ListBucketVersions, s3:DeleteObject and s3:DeleteObjectVersion. Raises Denied or GatewayError.
    """
    deleted = 0
    try:
        while batch := list(_versions(aws, lane, bucket)):
            wanted = {"Objects": batch, "Quiet": True}
            answer = aws.call(
                "s3:DeleteObject", lane, operation="DeleteObjects", Bucket=bucket, Delete=wanted
            )
            failed = answer.get("Errors") or ()
            if failed:
                said = (
                    f"{len(failed)} objects of bucket {bucket} could not be deleted: {failed[0].get('Code')}"
                )
                raise GatewayError(said, action="s3:DeleteObjectVersion", where=lane.region)
            deleted += len(batch)
    except NotFound:
        pass
    return deleted


def delete_bucket(aws: Aws, lane: Lane, bucket: str) -> None:
    """Delete an empty bucket; one that is gone is fine. Needs s3:DeleteBucket.

    Raises Denied or GatewayError.
    """
    with suppress(NotFound):
        aws.call("s3:DeleteBucket", lane, Bucket=bucket)


def _versions(aws: Aws, lane: Lane, bucket: str) -> Iterator[dict[str, Json]]:
    """A first page of what there is; in a bucket without versions each object has the version "null"."""
    answer = aws.call(
        "s3:ListBucketVersions", lane, operation="ListObjectVersions", Bucket=bucket, MaxKeys=_BATCH
    )
    for item in (*(answer.get("Versions") or ()), *(answer.get("DeleteMarkers") or ())):
        yield {"Key": item["Key"], "VersionId": item.get("VersionId") or "null"}

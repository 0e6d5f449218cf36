"""Objects in a bucket, written only on what is known of them: S3's conditional writes.

`If-None-Match: *` makes an object that nobody else has made, `If-Match` replaces the very one that was read
(S3 user guide, "Conditional requests"); the loser is told 412, or 409 while another write is under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ddsetup.gateways.aws.errors import Refused
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Json, Lane
from ddsetup.model.errors import GatewayError, NotFound

_LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_BATCH = 1000
"""Objects that one call deletes (API reference of S3, DeleteObjects)."""


class Overtaken(GatewayError):
    """The object is not as it was known: somebody else wrote it, or there is one already."""


@dataclass(frozen=True, slots=True)
class Held:
    """An object as it was read."""

    data: bytes
    etag: str


def put(aws: Aws, bucket: str, key: str, data: bytes, *, etag: str | None = None) -> str:
    """Write an object and return its ETag. `etag` "": only where there is none; another: only over that one.

    A write whose answer was lost and that is found in place is ours. Raises Overtaken, Denied, GatewayError.
    """
    condition: dict[str, Json] = {}
    if etag is not None:
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
    try:
        answer = aws.call("s3:PutObject", Bucket=bucket, Key=key, Body=data, **condition)
    except (Refused, NotFound) as error:
        if isinstance(error, Refused) and error.code not in _LOST:
            raise
        there = get(aws, bucket, key)
        if there is not None and there.data == data:
            return there.etag
        raise Overtaken(f"s3://{bucket}/{key} was written by somebody else", action="s3:PutObject") from None
    return str(answer["ETag"])


def get(aws: Aws, bucket: str, key: str) -> Held | None:
    """An object, None if there is none. Raises Denied or GatewayError."""
    try:
        answer = aws.call("s3:GetObject", Bucket=bucket, Key=key)
    except NotFound:
        return None
    return Held(bytes(answer["Body"]), str(answer["ETag"]))


def listed(aws: Aws, bucket: str, prefix: str) -> Mapping[str, str]:
    """The keys that begin so, in their order, each with its object's ETag. Raises Denied or GatewayError."""
    found = aws.pages(
        "s3:ListBucket",
        None,
        "Contents",
        token=("NextContinuationToken", "ContinuationToken"),
        operation="ListObjectsV2",
        Bucket=bucket,
        Prefix=prefix,
    )
    return {str(item["Key"]): str(item["ETag"]) for item in found}


def delete(aws: Aws, bucket: str, keys: Iterable[str]) -> None:
    """Delete objects. Raises Denied or GatewayError."""
    every = list(keys)
    for start in range(0, len(every), _BATCH):
        batch: Json = {"Objects": [{"Key": key} for key in every[start : start + _BATCH]], "Quiet": True}
        aws.call("s3:DeleteObject", operation="DeleteObjects", Bucket=bucket, Delete=batch)


def make_bucket(aws: Aws, bucket: str, region: str) -> bool:
    """Make a private bucket that keeps former versions; False if it is ours already.

    Encrypted with keys of S3 by default, as every bucket is. Raises AlreadyExists, Denied or GatewayError.
    """
    place: dict[str, Json] = {}
    if region != "us-east-1":
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    # S3 makes a bucket only where it was called: the endpoint of another region refuses the constraint.
    there = Lane("", region)
    made = True
    try:
        aws.call("s3:CreateBucket", there, Bucket=bucket, **place)
    except GatewayError as error:
        if not (isinstance(error, Refused) and error.code == "BucketAlreadyOwnedByYou"):
            raise
        made = False
    closed = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    aws.call(
        "s3:PutBucketPublicAccessBlock",
        there,
        operation="PutPublicAccessBlock",
        Bucket=bucket,
        PublicAccessBlockConfiguration=closed,
    )
    versioned = {"Status": "Enabled"}
    aws.call("s3:PutBucketVersioning", there, Bucket=bucket, VersioningConfiguration=versioned)
    return made

"""What stands in for Datadog's Forwarder releases: templates at an address and the code they install."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ddsetup.sandbox.layers import archive_of
from ddsetup.sandbox.model import LAYER_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path
    from urllib.parse import SplitResult

BUCKET = "datadog-cloudformation-template"
_PREFIX = "aws/forwarder"
_CODE_KEY = f"{_PREFIX}/aws-dd-forwarder.zip"


@dataclass(frozen=True, slots=True)
class Release:
    """A version that can be installed. Older ones have parameters that the latest template dropped."""

    version: str
    layer_version: int
    older_parameters: tuple[str, ...] = ()


LATEST = Release("5.4.11", 110)
RELEASES = (LATEST, Release("5.4.9", 109, older_parameters=("DdFetchStepFunctionsTags",)))
"""Versions and the parameter that 5.4.10 dropped: the official template's changelog."""


def code_archive() -> bytes:
    """The sandbox's Forwarder as a function package."""
    return archive_of(dict(_own_files("")))


def layer_archive(official_zip: Path | None) -> bytes:
    """The Forwarder as a layer: the sandbox's own, or an official release's zip."""
    if official_zip is None:
        return archive_of(dict(_own_files("python/")))
    with zipfile.ZipFile(official_zip) as release:
        files = {
            f"python/{name}": release.read(name) for name in release.namelist() if not name.endswith("/")
        }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def publish(s3: Any, region: str, aws_url: str, datadog: SplitResult, site: str) -> dict[str, str]:
    """Put the templates and the code into a bucket of that region; returns the templates' URLs by version."""
    bucket = BUCKET if region == "us-east-1" else f"{BUCKET}-{region}"
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **location)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_readable_by_all(bucket)))
    s3.put_object(Bucket=bucket, Key=_CODE_KEY, Body=code_archive())
    urls = {}
    for release in RELEASES:
        body = _render(release, bucket, datadog, site)
        names = [release.version, "latest"] if release is LATEST else [release.version]
        for name in names:
            key = f"{_PREFIX}/{name}.yaml"
            s3.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="application/x-yaml")
            urls[name] = f"{aws_url}/{bucket}/{key}"
    return urls


def _readable_by_all(bucket: str) -> dict[str, Any]:
    """Anybody can fetch Datadog's templates, as the links in its documentation do."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def publish_beside(s3: Any, url: str, key: str, template: str) -> str:
    """Put another template into the bucket that the one at `url` is in; returns its address."""
    parts = urlsplit(url)
    bucket = parts.path.split("/")[1]
    s3.put_object(Bucket=bucket, Key=key, Body=template.encode(), ContentType="application/x-yaml")
    return f"{parts.scheme}://{parts.netloc}/{bucket}/{key}"


def _render(release: Release, bucket: str, datadog: SplitResult, site: str) -> str:
    text = _directory().joinpath("template.yaml").read_text("utf-8")
    older = "".join(
        f'  {each}:\n    Type: String\n    Default: "false"\n' for each in release.older_parameters
    )
    values = {
        "version": release.version,
        "layer_version": str(release.layer_version),
        "layer_account": LAYER_ACCOUNT,
        "older_parameters": older,
        "intake_host": str(datadog.hostname),
        "intake_port": str(datadog.port),
        "intake_url": datadog.geturl(),
        "code_bucket": bucket,
        "code_key": _CODE_KEY,
        "sandbox_site": site,
    }
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def _directory() -> Traversable:
    return resources.files("ddsetup.sandbox") / "forwarder"


def _own_files(prefix: str) -> Iterator[tuple[str, bytes]]:
    yield f"{prefix}lambda_function.py", _directory().joinpath("lambda_function.py").read_bytes()
    package = _directory().joinpath("sandbox_forwarder")
    for each in package.iterdir():
        if each.name.endswith(".py"):
            yield f"{prefix}sandbox_forwarder/{each.name}", each.read_bytes()

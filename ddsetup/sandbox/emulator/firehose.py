"""What the emulator lacks of Amazon Data Firehose: it delivers to HTTP endpoints.

A batch is a POST of JSON, compressed where the stream says so, with the key in a header (Firehose developer
guide, "HTTP endpoint delivery specifications"); what the endpoint does not take goes to the stream's bucket.
Endpoints on Datadog's sites are the stand-in. A buffer is handed on after half a second, where AWS waits for
a minute and more. CloudFormation reads a secret that a stream's template refers to in the caller's name
(CloudFormation user guide, "Dynamic references").
"""

from __future__ import annotations

import base64
import contextvars
import gzip
import json
import logging
import queue
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from ddsetup.facts.catalog import sites
from ddsetup.sandbox.emulator import firehose_told, itself, stack_rights

T = TypeVar("T")

_TYPE = "AWS::KinesisFirehose::DeliveryStream"
_BUFFER_SECONDS = 0.5
_MOST = 500
"""Records of a batch."""
_SITES = tuple(sorted((site.site for site in sites()), key=len, reverse=True))
_SECRET = re.compile(
    r"\{\{resolve:secretsmanager:(arn:[^}]+?:secret:[^:}]+)(?::SecretString(?::([^:}]*))?)?\}\}"
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Record:
    """Something put to a stream, in the account and region of whoever put it."""

    context: contextvars.Context
    stream: Mapping[str, Any]
    data: bytes


_waiting: queue.SimpleQueue[_Record] = queue.SimpleQueue()


def install(datadog_file: Path) -> None:
    """Deliver what is put to streams with an HTTP endpoint, and read the secrets that templates refer to."""
    from ministack.services import firehose
    from ministack.services.cloudformation import provisioners

    firehose_told.install()
    _replace(firehose, "_put_record", lambda data: [data.get("Record") or {}])
    _replace(firehose, "_put_record_batch", lambda data: data.get("Records") or [])
    maker = provisioners._RESOURCE_HANDLERS[_TYPE]
    create, update = maker["create"], maker["update"]

    def created(logical_id: str, properties: dict[str, Any], *rest: Any) -> Any:
        return create(logical_id, _resolved(properties), *rest)

    def updated(physical_id: str, before: Any, after: dict[str, Any], *rest: Any, **named: Any) -> Any:
        return update(physical_id, before, _resolved(after), *rest, **named)

    maker.update(create=created, update=updated)
    threading.Thread(target=_deliver_for_ever, args=(datadog_file,), daemon=True).start()


def put(name: str, data: bytes) -> bool:
    """What a service of AWS puts to a stream here; whether there is such a stream, and it is active."""
    from ministack.services import firehose

    stream = firehose._streams.get(name)
    if stream is None or stream["status"] != "ACTIVE":
        return False
    firehose_told.came(stream)
    _waiting.put(_Record(contextvars.copy_context(), stream, data))
    return True


def may_put(role_arn: str, service: str, action: str, stream_arn: str) -> bool:
    """Whether a service, by its name or how that begins, may take on a role, and that role may do `action` to
    a delivery stream."""
    from ministack.services import iam

    role = iam._roles.get(role_arn.rpartition("/")[2]) or {}
    if service not in json.dumps(role.get("AssumeRolePolicyDocument") or ""):
        return False
    keys = itself.session_of(role_arn, service)
    return not stack_rights.refusal(keys.access_key_id, f"firehose:{action}", stream_arn)


def _replace(firehose: Any, name: str, records: Callable[[dict[str, Any]], Sequence[Any]]) -> None:
    plain = getattr(firehose, name)

    def with_delivery(data: dict[str, Any]) -> Any:
        answer = plain(data)
        for record in records(data) if answer[0] == 200 else ():
            put(str(data["DeliveryStreamName"]), base64.b64decode(record.get("Data", "")))
        return answer

    setattr(firehose, name, with_delivery)


def _resolved(value: Any) -> Any:
    """A template's properties with the secrets that they refer to. Raises ValueError as a handler does."""
    if isinstance(value, dict):
        return {key: _resolved(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each) for each in value]
    found = _SECRET.fullmatch(value) if isinstance(value, str) else None
    return _secret(found[1], found[2] or "") if found else value


def _secret(arn: str, key: str) -> str:
    from ministack.services import secretsmanager

    if refused := stack_rights.refusal_of_caller("secretsmanager:GetSecretValue", arn):
        raise ValueError(refused)
    status, _, body = secretsmanager._get_secret_value({"SecretId": arn})
    if status != 200:
        raise ValueError("Secrets Manager can't find the specified secret.")
    text = str(json.loads(body)["SecretString"])
    return str(json.loads(text)[key]) if key else text


def batches(waiting: queue.SimpleQueue[T], seconds: float) -> Iterator[list[T]]:
    """What comes, without end: each time all that has come until so long after the first."""
    while True:
        found = [waiting.get()]
        time.sleep(seconds)
        while not waiting.empty():
            found.append(waiting.get())
        yield found


def _deliver_for_ever(datadog_file: Path) -> None:
    for records in batches(_waiting, _BUFFER_SECONDS):
        for arn in {str(record.stream["arn"]) for record in records}:
            mine = [record for record in records if record.stream["arn"] == arn]
            for start in range(0, len(mine), _MOST):
                _deliver(mine[start : start + _MOST], datadog_file)


def _deliver(records: Sequence[_Record], datadog_file: Path) -> None:
    stream, context = records[0].stream, records[0].context
    for destination in stream["destinations"]:
        if destination["type"] != "HttpEndpoint":
            continue
        config, failed = destination["config"], None
        try:
            datadog = json.loads(datadog_file.read_text(encoding="utf-8"))
            _post(stream, config, [record.data for record in records], datadog["url"])
        except Exception as error:  # noqa: BLE001 (the thread serves other streams, too)
            failed = firehose_told.failure(error)
            _log.warning("delivery stream %s: %s", stream["name"], failed.message)
            context.run(_back_up, stream, config, records)
        context.run(firehose_told.told, stream, config, failed, len(records))


def _post(stream: Mapping[str, Any], config: Mapping[str, Any], records: Sequence[bytes], url: str) -> None:
    """Bring them to the endpoint. Raises what keeps it from taking them."""
    endpoint, number = config["EndpointConfiguration"], str(uuid.uuid4())
    body = json.dumps(
        {
            "requestId": number,
            "timestamp": int(time.time() * 1000),
            "records": [{"data": base64.b64encode(record).decode()} for record in records],
        }
    ).encode()
    compressed = (config.get("RequestConfiguration") or {}).get("ContentEncoding") == "GZIP"
    headers = {
        "Content-Type": "application/json",
        "X-Amz-Firehose-Protocol-Version": "1.0",
        "X-Amz-Firehose-Request-Id": number,
        "X-Amz-Firehose-Source-Arn": str(stream["arn"]),
        "X-Amz-Firehose-Access-Key": str(endpoint.get("AccessKey", "")),
        **({"Content-Encoding": "gzip"} if compressed else {}),
    }
    request = Request(  # noqa: S310 (an address of loopback)
        address(str(endpoint["Url"]), url), gzip.compress(body, 1) if compressed else body, headers
    )
    with urlopen(request, timeout=10) as response:  # noqa: S310
        if json.loads(response.read()).get("requestId") != number:
            raise ValueError("the answer is of another request")


def address(url: str, datadog: str) -> str:
    """Where an endpoint is here: of one of Datadog's sites, at the stand-in. Raises URLError for others."""
    parts = urlsplit(url)
    site = next((each for each in _SITES if (parts.hostname or "").endswith(f".{each}")), "")
    if not site:
        raise URLError(f"{parts.hostname} is not Datadog's")
    return f"{datadog}/{site}{parts.path}{f'?{parts.query}' if parts.query else ''}"


def _back_up(stream: Any, config: Mapping[str, Any], records: Sequence[_Record]) -> None:
    from ministack.services import firehose

    for record in records:
        firehose._deliver_to_s3(stream, {"config": config.get("S3Configuration") or {}}, record.data)

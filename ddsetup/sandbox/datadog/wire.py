"""What travels between the HTTP server and the endpoints: requests, responses, errors in Datadog's shapes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

JSON = "application/json"
JSON_API = "application/vnd.api+json"

# A body that unpacks to more than any documented limit is refused while unpacking, not after.
MAX_UNPACKED_BYTES = 63_000_000


class ApiError(Exception):
    """An error answer. ``errors`` is a list of strings or of objects: Datadog answers in both styles."""

    def __init__(self, status: int, errors: list[str] | list[JsonObject]) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.errors = errors


def text_error(status: int, message: str) -> ApiError:
    """The style of v1 and of most v2 endpoints: ``{"errors": ["message"]}``."""
    return ApiError(status, [message])


def object_error(status: int, title: str, detail: str, meta: Mapping[str, str] | None = None) -> ApiError:
    """The JSON:API style of newer v2 endpoints: ``{"errors": [{"status", "title", "detail"}]}``."""
    error: JsonObject = {"status": str(status), "title": title, "detail": detail}
    if meta:
        error["meta"] = dict(meta)
    return ApiError(status, [error])


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower-cased, the body is as it was sent (perhaps compressed)."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw_body: bytes
    captures: Mapping[str, str] = field(default_factory=dict)

    def body(self, limit: int = MAX_UNPACKED_BYTES) -> bytes:
        """The body unpacked. Raises ApiError 400 on broken compression, 413 beyond ``limit`` bytes."""
        return unpack(self.raw_body, self.headers.get("content-encoding", ""), limit)

    def json(self, limit: int = MAX_UNPACKED_BYTES) -> Any:
        """The body as JSON. Raises ApiError 400 when it is none."""
        try:
            return json.loads(self.body(limit) or b"null")
        except ValueError:
            raise text_error(400, "Invalid JSON payload") from None

    def json_object(self, limit: int = MAX_UNPACKED_BYTES) -> JsonObject:
        """The body as a JSON object. Raises ApiError 400 when it is something else."""
        value = self.json(limit)
        if not isinstance(value, dict):
            raise text_error(400, "Invalid payload: expected a JSON object")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number from the query string. Raises ApiError 400 when missing or malformed."""
        value = self.query.get(name)
        if value is None:
            if default is None:
                raise text_error(400, f"The parameter '{name}' is required")
            return default
        try:
            return int(float(value))
        except ValueError:
            raise text_error(400, f"The value provided for parameter '{name}' is invalid") from None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; ``body`` None sends no content.

    ``raw`` is sent in place of the body, ``drip`` are the seconds between its bytes: faults make use of both.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    raw: bytes | None = None
    drip: float = 0.0

    def payload(self) -> bytes:
        """The body as bytes."""
        if self.raw is not None:
            return self.raw
        return b"" if self.body is None else json.dumps(self.body).encode()


def json_api(body: Any, status: int = 200) -> Response:
    """An answer with the content type of Datadog's JSON:API endpoints."""
    return Response(status, body, content_type=JSON_API)


def error_response(error: ApiError) -> Response:
    """The answer that tells of ``error``."""
    return Response(error.status, {"errors": error.errors})


def unpack(data: bytes, encoding: str, limit: int) -> bytes:
    """Undo Content-Encoding gzip or deflate, refusing what grows beyond ``limit`` bytes."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        unpacked = data
    elif encoding == "gzip":
        unpacked = _inflate(data, zlib.MAX_WBITS | 16, limit)
    elif encoding == "deflate":
        unpacked = _inflate(data, zlib.MAX_WBITS, limit)
    else:
        raise text_error(415, f"Unsupported content encoding: {encoding}")
    if len(unpacked) > limit:
        raise text_error(413, "Payload too large")
    return unpacked


def _inflate(data: bytes, window: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        unpacked = inflater.decompress(data, limit + 1)
    except zlib.error:
        raise text_error(400, "Invalid compressed payload") from None
    if not inflater.eof and len(unpacked) <= limit:
        raise text_error(400, "Invalid compressed payload")
    return unpacked

"""The direct way of a call: botocore makes a request of it and an answer of what comes back; in between it
is signed and sent here.

On its own way botocore leads a request past the doors of other code, copies its headers four times over and
signs it as if it could be anything: half of the processor time of a call.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from ddsetup.gateways.aws.answers import check_bytes
from ddsetup.gateways.aws.parsing import parser_for

_UNSIGNED = frozenset({"user-agent", "x-amzn-trace-id", "expect", "transfer-encoding", "connection"})
"""Headers that may change on the way, and are not signed (botocore.auth)."""


def go_directly(client: Any, credentials: Callable[[], Any]) -> None:
    """Let the calls of a client of botocore's go directly where nothing about them is out of the ordinary.

    `credentials` gives those of the call that the thread makes, in botocore's sense, None where there are
    none. They are signed for when the call is sent: what waited for its pace is not old then. What is
    registered for `before-send` and `response-received` is asked as ever.
    """
    from botocore.endpoint import convert_to_response_dict
    from botocore.hooks import first_non_none_response

    events, way = client.meta.events, client._endpoint
    parser = parser_for(client.meta.service_model.resolved_protocol)

    def before_call(
        event_name: str, model: Any, params: Mapping[str, Any], request_signer: Any, context: Any, **_: Any
    ) -> tuple[Any, Any] | None:
        if not _is_ordinary(model, params, request_signer, context):
            return None
        request, name = _prepared(params), event_name.partition(".")[2]
        response = first_non_none_response(events.emit(f"before-send.{name}", request=request))
        if response is None:
            scope = context.get("signing", {})
            region = scope.get("region") or request_signer.region_name
            service = scope.get("signing_name") or request_signer.signing_name
            _sign(request, credentials(), f"{region}/{service}")
            response = way.http_session.send(request)
        answer = convert_to_response_dict(response, model)
        check_bytes(answer, model)
        parsed = parser.parse(answer, model.output_shape)
        if response.status_code >= 300:
            events.emit(f"response-received.{name}", parsed_response=parsed)
        return response, parsed

    events.register_last("before-call", before_call)


def _is_ordinary(model: Any, params: Mapping[str, Any], signer: Any, context: Mapping[str, Any]) -> bool:
    """Whether it is a document that is sent, a document that comes back, and the usual signature."""
    streams = model.has_streaming_output or model.has_event_stream_output or model.has_streaming_input
    changed = "checksum" in params["context"] or model.request_compression or context.get("unsigned_payload")
    # S3's rules say "v4", too, and mean a signature of its own: with the hash of the body as a header.
    usual = signer.signature_version == "v4" and context.get("auth_type") in (None, "v4")
    return usual and not streams and not changed and isinstance(params["body"], bytes)


def _prepared(params: Mapping[str, Any]) -> Any:
    from botocore.awsrequest import AWSPreparedRequest

    headers: Any = dict(params["headers"])
    body = params["body"]
    if params["method"] not in ("GET", "HEAD"):
        headers["Content-Length"] = str(len(body))
    return AWSPreparedRequest(params["method"], params["url"], headers, body or None, False)


def _sign(request: Any, credentials: Any, scope: str) -> None:
    """Add AWS's signature, version 4; `scope` is the region and the service that it is for.

    Raises botocore's NoCredentialsError without credentials.
    """
    from botocore.exceptions import NoCredentialsError

    if credentials is None:
        raise NoCredentialsError
    known = credentials.get_frozen_credentials()
    now, headers = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), request.headers
    headers["X-Amz-Date"] = now
    if known.token:
        headers["X-Amz-Security-Token"] = known.token
    scope = f"{now[:8]}/{scope}/aws4_request"
    signed, canonical = _canonical(request)
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{known.secret_key}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={known.access_key}/{scope}, "
        f"SignedHeaders={signed}, Signature={key.hex()}"
    )


def _canonical(request: Any) -> tuple[str, str]:
    """The names of the headers that are signed, and the request in its canonical form (AWS IAM user guide,
    "Create a signed AWS API request")."""
    from botocore.utils import normalize_url_path

    url = urlsplit(request.url)
    named = {name.lower(): " ".join(value.split()) for name, value in request.headers.items()}
    headers = {name: value for name, value in named.items() if name not in _UNSIGNED} | {"host": _host(url)}
    names = sorted(headers)
    parts = (
        request.method,
        quote(normalize_url_path(url.path), safe="/~"),
        # As botocore does: by name, then by value.
        "&".join(sorted(url.query.split("&"), key=lambda pair: tuple(pair.partition("=")[::2]))),
        *(f"{name}:{headers[name]}" for name in names),
        "",
        ";".join(names),
        sha256(request.body or b"").hexdigest(),
    )
    return ";".join(names), "\n".join(parts)


def _host(url: SplitResult) -> str:
    """As it is sent: without the port that is usual."""
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    usual = {"http": 80, "https": 443}.get(url.scheme)
    return host if url.port in (None, usual) else f"{host}:{url.port}"

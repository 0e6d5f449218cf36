"""How AWS requests and answers look on the wire: which operation one is, and how each protocol says no."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

Json: TypeAlias = Any

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_TARGETS: Mapping[str, str] = {
    "Logs_20140328": "logs",
    "ResourceGroupsTaggingAPI_20170126": "tag",
    "GraniteServiceVersion20100801": "cloudwatch",
    "secretsmanager": "secretsmanager",
    "AWSStepFunctions": "states",
    "AWSEvents": "events",
    "AWSOrganizationsV20161128": "organizations",
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail",
}
_LAMBDA: Sequence[tuple[str, str, str]] = (
    ("GET", r"/2015-03-31/functions/?", "ListFunctions"),
    ("GET", r"/2015-03-31/functions/(?P<FunctionName>[^/]+)", "GetFunction"),
    ("GET", r"/2015-03-31/functions/(?P<FunctionName>[^/]+)/configuration", "GetFunctionConfiguration"),
    ("PUT", r"/2015-03-31/functions/(?P<FunctionName>[^/]+)/configuration", "UpdateFunctionConfiguration"),
    ("GET", r"/2015-03-31/functions/(?P<FunctionName>[^/]+)/aliases", "ListAliases"),
    ("GET", r"/2015-03-31/functions/(?P<FunctionName>[^/]+)/versions", "ListVersionsByFunction"),
    ("GET", r"/2019-09-30/functions/(?P<FunctionName>[^/]+)/concurrency", "GetFunctionConcurrency"),
    ("GET", r"/2015-03-31/functions/(?P<FunctionName>[^/]+)/policy", "GetPolicy"),
    ("POST", r"/2015-03-31/functions/(?P<FunctionName>[^/]+)/policy", "AddPermission"),
    ("GET", r"/2016-08-19/account-settings/?", "GetAccountSettings"),
    ("GET", r"/2018-10-31/layers/(?P<LayerName>[^/]+)/versions/(?P<VersionNumber>\d+)", "GetLayerVersion"),
    ("GET", r"/2017-03-31/tags/(?P<Resource>.+)", "ListTags"),
    ("POST", r"/2017-03-31/tags/(?P<Resource>.+)", "TagResource"),
)
"""Method, path and operation (Lambda API reference), for what any of the measured tools calls."""
_API_GATEWAY: Sequence[tuple[str, str, str]] = (
    ("GET", r"/restapis", "GetRestApis"),
    ("GET", r"/v2/apis", "GetApis"),
)
_REST: Mapping[str, Sequence[tuple[str, str, str]]] = {"lambda": _LAMBDA, "apigateway": _API_GATEWAY}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A request understood: `service` is the IAM prefix; `parameters` as the protocol gives them; `key` is
    the access key that signed it."""

    service: str
    operation: str
    region: str
    protocol: str
    parameters: Mapping[str, Json]
    key: str = ""

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


class AwsError(Exception):
    """An error that AWS answers, by its code."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message or code, status


def understand(request: Request) -> Call:
    """Which operation of which service this is. Raises AwsError for what is not known."""
    scope = _SCOPE.search(request.headers.get("authorization", ""))
    key, region, service = scope.groups() if scope else ("", "us-east-1", "")
    target = request.headers.get("x-amz-target", "")
    if target:
        prefix, _, operation = target.rpartition(".")
        known = _TARGETS.get(prefix, prefix)
        return Call(known, operation, region, "json", json.loads(request.body or b"{}"), key)
    if service in _REST:
        operation, parameters = _rest(request, service)
        return Call(service, operation, region, "rest", parameters, key)
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    if "Action" in form:
        return Call(service, form["Action"], region, "query", form, key)
    raise AwsError("UnknownOperationException", f"{request.method} {request.target} of {service}", 404)


def _rest(request: Request, service: str) -> tuple[str, Mapping[str, Json]]:
    url = urlsplit(request.target)
    for method, pattern, operation in _REST[service]:
        found = re.fullmatch(pattern, url.path)
        if found and method == request.method:
            parameters: dict[str, Json] = json.loads(request.body) if request.body else {}
            parameters |= dict(parse_qsl(url.query))
            parameters |= {key: unquote(value) for key, value in found.groupdict().items()}
            return operation, parameters
    raise AwsError("UnknownOperationException", f"{request.method} {url.path}", 404)


def answered(call: Call, answer: Json) -> Reply:
    """A success: a document, or for the query protocol the XML inside of the result."""
    if call.protocol != "query":
        return Reply(200, json.dumps(answer).encode(), "application/json")
    name = call.operation
    text = (
        f"<{name}Response><{name}Result>{answer or ''}</{name}Result>"
        f"<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{name}Response>"
    )
    return Reply(200, text.encode(), "text/xml")


def refused(protocol: str, error: AwsError) -> Reply:
    """An error, as the protocol words it."""
    if protocol == "query":
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(error.message)}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
        return Reply(error.status, text.encode(), "text/xml")
    document = {"__type": error.code, "message": error.message}
    headers = (("x-amzn-ErrorType", error.code),)
    return Reply(error.status, json.dumps(document).encode(), "application/json", headers)


def throttled(call: Call) -> Reply:
    """The refusal for speed, as each service words it (API references, "Errors")."""
    if call.service == "lambda":
        return refused(call.protocol, AwsError("TooManyRequestsException", "Rate exceeded", 429))
    codes = {"query": "Throttling", "tag": "ThrottledException"}
    code = codes.get(call.service) or codes.get(call.protocol) or "ThrottlingException"
    return refused(call.protocol, AwsError(code, "Rate exceeded", 400))

"""What the emulator lacks of API Gateway: access logs, their end, and the role that REST APIs log by.

Requests to APIs are logged in the stage's own format; variables that the emulator does not know are `-`, as
API Gateway writes those without a value.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from ddsetup.sandbox.emulator import environments, log_streams, service_metrics

_NO_ROLE = "CloudWatch Logs role ARN must be set in account settings to enable logging"
_END = re.compile(r"/v2/apis/([^/]+)/stages/([^/]+)/accesslogsettings/?")


def install() -> None:
    """Add all of it."""
    from ministack.services import apigateway, apigateway_v1

    _end_access_logs(apigateway)
    _want_a_role(apigateway_v1)
    _log_requests(apigateway_v1, apigateway)


def _end_access_logs(apigateway: Any) -> None:
    """DeleteAccessLogSettings; the emulator takes it for the deletion of the whole stage."""
    handle = apigateway.handle_request

    async def with_end(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        from urllib.parse import unquote

        found = _END.fullmatch(unquote(path))
        if method != "DELETE" or found is None:
            return await handle(method, path, headers, body, query)
        stage = apigateway._stages.get(found[1], {}).get(found[2])
        if stage is None:
            return apigateway._apigw_error("NotFoundException", "Invalid stage identifier specified", 404)
        stage.pop("accessLogSettings", None)
        return 204, {}, b""

    apigateway.handle_request = with_end


def _want_a_role(apigateway_v1: Any) -> None:
    update = apigateway_v1._update_stage

    def checked(api_id: str, stage_name: str, data: dict[str, Any]) -> Any:
        operations = data.get("patchOperations", [])
        logs = any(
            str(op.get("path", "")).startswith("/accessLogSettings") and op.get("op") != "remove"
            for op in operations
        )
        settings = apigateway_v1._account_settings.get("settings") or {}
        if logs and not settings.get("cloudwatchRoleArn"):
            return apigateway_v1._v1_error("BadRequestException", _NO_ROLE, 400)
        return update(api_id, stage_name, data)

    apigateway_v1._update_stage = checked


def _log_requests(apigateway_v1: Any, apigateway: Any) -> None:
    rest, http = apigateway_v1._handle_execute_in_scope, apigateway._handle_execute_in_scope

    async def rest_logged(api_id: str, stage: str, method: str, path: str, *rest_of: Any) -> Any:
        answer = await rest(api_id, stage, method, path, *rest_of)
        held = apigateway_v1._stages_v1.get(api_id, {}).get(stage) or {}
        api = apigateway_v1._rest_apis.get(api_id) or {}
        service_metrics.request({"ApiName": api.get("name", api_id), "Stage": stage})
        _log(held, _variables(api_id, stage, method, path, answer))
        return answer

    async def http_logged(
        api_id: str, stage: str, path: str, method: str, headers: Any, *rest_of: Any
    ) -> Any:
        if environments.goes_unheard(headers):
            return 409, {}, b"Nothing is subscribed to the log of a function behind it."
        answer = await http(api_id, stage, path, method, headers, *rest_of)
        held = apigateway._stages.get(api_id, {}).get(stage) or {}
        service_metrics.request({"ApiId": api_id, "Stage": stage})
        _log(held, _variables(api_id, stage, method, path, answer))
        return answer

    apigateway_v1._handle_execute_in_scope = rest_logged
    apigateway._handle_execute_in_scope = http_logged


def _log(stage: dict[str, Any], variables: dict[str, str]) -> None:
    from ministack.services import cloudwatch_logs

    settings = stage.get("accessLogSettings") or {}
    group = str(settings.get("destinationArn", "")).partition(":log-group:")[2].removesuffix(":*")
    if group in cloudwatch_logs._log_groups:
        line = re.sub(
            r"\$context\.([A-Za-z.]+)", lambda m: variables.get(m[1], "-"), str(settings.get("format", ""))
        )
        log_streams.append(group, uuid.uuid4().hex, [line])


def _variables(api_id: str, stage: str, method: str, path: str, answer: Any) -> dict[str, str]:
    now = time.time()
    return {
        "apiId": api_id,
        "stage": stage,
        "requestId": str(uuid.uuid4()),
        "identity.sourceIp": "127.0.0.1",
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "requestTimeEpoch": str(int(now * 1000)),
        "httpMethod": method,
        "resourcePath": path,
        "path": path,
        "status": str(answer[0]),
        "protocol": "HTTP/1.1",
        "responseLength": str(len(answer[2] or b"")),
    }

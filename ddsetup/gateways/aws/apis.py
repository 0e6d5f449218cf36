"""API Gateway: stages of REST, HTTP and WebSocket APIs, and where their logs go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ddsetup.gateways.aws.errors import readable, readable_or_none
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Json, Lane
from ddsetup.model.errors import NotFound
from ddsetup.model.services import ApiStage

MOST_APIS = 50
"""APIs whose stages are read at a look, one call each: API Gateway passes ten calls a second (its quotas
page)."""

READ = "apigateway:GET"
_AT_ONCE = 4
_V2 = "apigatewayv2"


@readable
def list_api_stages(aws: Aws, lane: Lane) -> tuple[ApiStage, ...]:
    """Every stage of the first fifty APIs by name, and the others without their stages.

    Needs apigateway:GET.
    """
    every = [*_rest_apis(aws, lane), *_http_apis(aws, lane)]
    every.sort(key=lambda api: (api["name"], api["id"]))
    return (*_all_stages(aws, lane, every[:MOST_APIS]), *(_bare(api, lane) for api in every[MOST_APIS:]))


@readable
def read_api_stages(aws: Aws, lane: Lane, apis: Sequence[ApiStage]) -> tuple[ApiStage, ...]:
    """The stages of APIs that were listed without them. Needs apigateway:GET."""
    known = [
        {"id": api.api_id, "name": api.api_name, "protocol": api.protocol, "tags": api.tags} for api in apis
    ]
    return _all_stages(aws, lane, known)


@readable_or_none
def read_api_stage(aws: Aws, stage: ApiStage) -> ApiStage:
    """One stage as it is now, None if it is not there."""
    api = {"id": stage.api_id, "name": stage.api_name, "protocol": stage.protocol}
    if stage.protocol == "REST":
        names: dict[str, Json] = {"restApiId": stage.api_id, "stageName": stage.stage}
        return _rest_stage(api, aws.call(READ, stage.lane, operation="GetStage", **names), stage.lane)
    names = {"ApiId": stage.api_id, "StageName": stage.stage}
    return _http_stage(api, aws.call(READ, stage.lane, operation=f"{_V2}:GetStage", **names), stage.lane)


@readable
def api_log_role(aws: Aws, lane: Lane) -> str:
    """The role by which API Gateway writes the logs of REST and WebSocket APIs in this region, "" for none.

    Needs apigateway:GET on /account.
    """
    return str(aws.call(READ, lane, operation="GetAccount").get("cloudwatchRoleArn") or "")


def set_access_log(aws: Aws, stage: ApiStage, destination: str, form: str) -> None:
    """Have the stage write access logs in this format to a log group; "" for both: no access logs.

    Takes effect without a deployment of the API. Needs apigateway:PATCH (and, to end the access logs of an
    HTTP API, apigateway:DELETE). Raises NotFound when the stage is not there.
    """
    lane = stage.lane
    if stage.protocol == "REST":
        names: dict[str, Json] = {"restApiId": stage.api_id, "stageName": stage.stage}
        operations: Sequence[Json] = (
            [
                {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": destination},
                {"op": "replace", "path": "/accessLogSettings/format", "value": form},
            ]
            if destination
            else [{"op": "remove", "path": "/accessLogSettings"}]
        )
        aws.call("apigateway:PATCH", lane, operation="UpdateStage", patchOperations=operations, **names)
        return
    names = {"ApiId": stage.api_id, "StageName": stage.stage}
    if destination:
        settings = {"DestinationArn": destination, "Format": form}
        aws.call(
            "apigateway:PATCH", lane, operation=f"{_V2}:UpdateStage", AccessLogSettings=settings, **names
        )
    else:
        aws.call("apigateway:DELETE", lane, operation=f"{_V2}:DeleteAccessLogSettings", **names)


def _all_stages(aws: Aws, lane: Lane, apis: Sequence[Mapping[str, Json]]) -> tuple[ApiStage, ...]:
    stages = each(lambda api: _stages(aws, lane, api), apis, _AT_ONCE)
    found = [stage for of_api in stages for stage in of_api]
    return tuple(sorted(found, key=lambda s: (s.api_name, s.api_id, s.stage)))


def _bare(api: Mapping[str, Json], lane: Lane) -> ApiStage:
    """An API without any of its stages: one whose stages are not looked at, and what all of them share."""
    return ApiStage(
        api_id=api["id"],
        api_name=api["name"],
        protocol=api["protocol"],
        stage="",
        region=lane.region,
        account=lane.account,
        tags=api.get("tags", {}),
    )


def _rest_apis(aws: Aws, lane: Lane) -> Iterator[Mapping[str, Json]]:
    token = ("position", "position")
    for item in aws.each(READ, lane, "items", token=token, operation="GetRestApis", limit=500):
        yield {
            "id": item["id"],
            "name": item.get("name") or "",
            "protocol": "REST",
            "tags": item.get("tags") or {},
        }


def _http_apis(aws: Aws, lane: Lane) -> Iterator[Mapping[str, Json]]:
    token = ("NextToken", "NextToken")
    for item in aws.each(READ, lane, "Items", token=token, operation=f"{_V2}:GetApis"):
        yield {
            "id": item["ApiId"],
            "name": item.get("Name") or "",
            "protocol": item.get("ProtocolType") or "HTTP",
            "tags": item.get("Tags") or {},
        }


def _stages(aws: Aws, lane: Lane, api: Mapping[str, Json]) -> Sequence[ApiStage]:
    """The stages of an API; none if it was deleted a moment ago."""
    token = ("NextToken", "NextToken")
    try:
        if api["protocol"] == "REST":
            answer = aws.call(READ, lane, operation="GetStages", restApiId=api["id"])
            return [_rest_stage(api, item, lane) for item in answer.get("item") or ()]
        items = aws.each(READ, lane, "Items", token=token, operation=f"{_V2}:GetStages", ApiId=api["id"])
        return [_http_stage(api, item, lane) for item in items]
    except NotFound:
        return []


def _rest_stage(api: Mapping[str, Json], item: Mapping[str, Json], lane: Lane) -> ApiStage:
    access: Mapping[str, Json] = item.get("accessLogSettings") or {}
    everywhere: Mapping[str, Json] = (item.get("methodSettings") or {}).get("*/*") or {}
    return replace(
        _bare(api, lane),
        stage=item["stageName"],
        destination=access.get("destinationArn") or "",
        format=access.get("format") or "",
        execution_level=everywhere.get("loggingLevel") or "OFF",
        tags={**api.get("tags", {}), **(item.get("tags") or {})},
    )


def _http_stage(api: Mapping[str, Json], item: Mapping[str, Json], lane: Lane) -> ApiStage:
    access: Mapping[str, Json] = item.get("AccessLogSettings") or {}
    routes: Mapping[str, Json] = item.get("DefaultRouteSettings") or {}
    return replace(
        _bare(api, lane),
        stage=item["StageName"],
        destination=access.get("DestinationArn") or "",
        format=access.get("Format") or "",
        execution_level=routes.get("LoggingLevel") or "OFF",
        tags={**api.get("tags", {}), **(item.get("Tags") or {})},
    )

"""What of functions has writers of its own: tags, and aliases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ddsetup.model.states import REF_VERSION, AliasState, TagsState
from tests.in_full.calls.world import ARN, FUNCTION
from tests.in_full.written.case import DENIED, GONE, Case
from tests.in_full.written.logs import GROUP


def tagged(**tags: str) -> list[Any]:
    found = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": found}], "PaginationToken": ""}]


def some_tags(before: Any, after: Any, indexed: list[Any], now: Any = None, **answers: Any) -> Case:
    was, now_ = (TagsState(tags=each) if each is not None else None for each in (before, after))
    answers = {"GetResources": indexed, "ListTags": [now if now is not None else {"Tags": {}}], **answers}
    return Case("function_tags", ARN, was, now_, answers)


FAILED_TAG = {"FailedResourcesMap": {ARN: {"StatusCode": 400, "ErrorCode": "C", "ErrorMessage": "m"}}}
TAGS = {
    "set": some_tags({}, {"a": "1"}, tagged()),
    "set, as it is": some_tags({}, {"a": "1"}, tagged(a="1"), {"Tags": {"a": "1"}}),
    "set, the index lags": some_tags({}, {"a": "1"}, tagged(a="0"), {"Tags": {}}),
    "set, moved": some_tags({}, {"a": "1"}, tagged(a="0"), {"Tags": {"a": "0"}}),
    "set, not to be asked": some_tags({}, {"a": "1"}, tagged(a="0"), DENIED),
    "set from nothing": some_tags(None, {"a": "1"}, tagged()),
    "changed": some_tags({"a": "0", "b": "1"}, {"a": "1", "c": "2"}, tagged(a="0", b="1", d="3")),
    "changed in part": some_tags(
        {"a": "0", "b": "1"}, {"a": "1"}, tagged(a="1", b="1"), {"Tags": {"a": "1", "b": "1"}}
    ),
    "removed": some_tags({"a": "1"}, {}, tagged(a="1")),
    "removed, all": some_tags({"a": "1"}, None, tagged(a="1")),
    "set in vain": some_tags({}, {"a": "1"}, tagged(), TagResources=[FAILED_TAG]),
    "changed in vain": some_tags({"b": "1"}, {"a": "1"}, tagged(b="1"), TagResources=[FAILED_TAG]),
    "not to be seen": some_tags({}, {"a": "1"}, [DENIED]),
    "another kind": Case("function_tags", ARN, None, GROUP),
}
LIVE = AliasState(function="orders", alias="live", version="3")


def an_alias(after: str = "8", version: Any = "3", **answers: Any) -> Case:
    answers = {
        "GetAlias": [{"FunctionVersion": version, "Name": "live", "RevisionId": "r"}],
        "GetFunction": [{"Configuration": {**FUNCTION, "Version": after}}],
        **answers,
    }
    return Case("alias", f"{ARN}:live", LIVE, replace(LIVE, version=after), answers)


WEIGHTED = {"FunctionVersion": "3", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {"4": 0.1}}}
ALIASES = {
    "moved": an_alias(),
    "published and moved": an_alias(REF_VERSION),
    "moved already": an_alias(version="8"),
    "serves another": an_alias(version="5"),
    "weighted": an_alias(GetAlias=[WEIGHTED]),
    "weighted to the new one": an_alias("3", GetAlias=[WEIGHTED]),
    "gone": an_alias(GetAlias=[GONE]),
    "its version is gone": an_alias(GetFunction=[GONE]),
    "version that fails": an_alias(GetFunction=[{"Configuration": {**FUNCTION, "State": "Failed"}}]),
    "denied": an_alias(UpdateAlias=[DENIED]),
    "moved by another": an_alias(UpdateAlias=[("PreconditionFailedException", "moved", 412)]),
    "made": replace(an_alias(), before=None),
}

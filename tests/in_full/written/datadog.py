"""Datadog's side: the record of an account, and its lists of Forwarders and log sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ddsetup.model.states import IntegrationState, LogCollectionState, State
from tests.gateways.aws_stand import ACCOUNT, REGION, Reply
from tests.in_full.written.case import Case
from tests.in_full.written.iam import NOBODY, role
from tests.in_full.written.logs import GROUP

RECORD = {
    "id": "c0nf",
    "attributes": {
        "aws_account_id": ACCOUNT,
        "aws_partition": "aws",
        "auth_config": {"role_name": "R", "external_id": "e" * 32},
        "metrics_config": {"enabled": True, "namespace_filters": {"exclude_only": ["AWS/SQS"]}},
        "aws_regions": {"include_all": True},
        "resources_config": {"extended_collection": False},
    },
}
REGISTERED = IntegrationState(
    aws_account_id=ACCOUNT,
    partition="aws",
    role_name="R",
    namespaces_mode="exclude_only",
    namespaces=("AWS/SQS",),
)


def collecting(*lambdas: str, sources: Sequence[str] = ("lambda",)) -> dict[str, Any]:
    config = {"logs_config": {"lambda_forwarder": {"lambdas": [*lambdas], "sources": [*sources]}}}
    return {**RECORD, "attributes": {**RECORD["attributes"], **config}}  # type: ignore[dict-item]


def known(*records: Any) -> Reply:
    return Reply({"data": [*records]})


def one(record: Any) -> Reply:
    return Reply({"data": record})


def a_record(before: State | None, after: State | None, *replies: Reply, **answers: Any) -> Case:
    return Case("integration", ACCOUNT, before, after, answers, replies=replies)


NOT_YET = Reply({"errors": ["Datadog could not assume the role"]}, 400)
FORBIDDEN = Reply({"errors": ["Forbidden"]}, 403)
FULL = replace(REGISTERED, regions=(REGION,), resource_collection=True, metrics_enabled=False)
RECORDS = {
    "made": a_record(None, REGISTERED, known(), one(RECORD), **role()),
    "made, role not seen yet": a_record(None, REGISTERED, known(), NOT_YET, NOT_YET, one(RECORD), **role()),
    "made, role never seen": a_record(None, REGISTERED, known(), NOT_YET, **role()),
    "made, no role": a_record(None, REGISTERED, known(), **NOBODY),
    "made, role without an external id": a_record(None, REGISTERED, known(), **role(trust={"Statement": []})),
    "made, as it is": a_record(None, REGISTERED, known(RECORD)),
    "made, another is there": a_record(None, FULL, known(RECORD)),
    "made, not to be seen": a_record(None, REGISTERED, FORBIDDEN),
    "changed": a_record(REGISTERED, FULL, known(RECORD), one(RECORD)),
    "changed, as it is": a_record(FULL, REGISTERED, known(RECORD)),
    "changed, gone": a_record(REGISTERED, FULL, known()),
    "deleted": a_record(REGISTERED, None, known(RECORD), Reply({})),
    "deleted, gone": a_record(REGISTERED, None, known()),
    "deleted, with forwarders": a_record(REGISTERED, None, known(collecting("arn:f"))),
    "deleted, changed": a_record(FULL, None, known(RECORD)),
    "nothing": a_record(None, None, known()),
}


def some_lists(
    before: Sequence[str], after: Sequence[str], *replies: Reply, sources: Sequence[Sequence[str]] = ((), ())
) -> Case:
    was, then = (
        LogCollectionState(lambdas=tuple(lambdas), sources=tuple(each))
        for lambdas, each in zip((before, after), sources, strict=True)
    )
    # Whether a source that is to be added is there by now is looked at before anything is remembered.
    looked = replies[:1] if set(then.sources) - set(was.sources) else ()
    return Case("log_collection", ACCOUNT, was, then, replies=(*looked, *replies))


ON_LAMBDA = ((), ("lambda",))
COLLECTIONS = {
    "registered": some_lists(
        (), ("arn:f",), known(RECORD), one(collecting("arn:f")), one(collecting("arn:f")), sources=ON_LAMBDA
    ),
    "registered beside others": some_lists(
        (),
        ("arn:f",),
        known(collecting("arn:g", sources=["s3"])),
        one(collecting("arn:g", "arn:f")),
        sources=ON_LAMBDA,
    ),
    "registered, as it is": some_lists((), ("arn:f",), known(collecting("arn:f")), sources=ON_LAMBDA),
    "registered in part": some_lists((), ("arn:f", "arn:g"), known(collecting("arn:f")), sources=ON_LAMBDA),
    "registered, no record": some_lists((), ("arn:f",), known()),
    "registered, does not stay": some_lists(
        (), ("arn:f",), known(RECORD), one(RECORD), known(RECORD), one(RECORD), known(RECORD)
    ),
    "taken out, no record": some_lists(("arn:f",), (), known()),
    "taken out, gone": some_lists(("arn:f",), (), known(collecting("arn:g"))),
    "taken out in part": some_lists(("arn:f", "arn:g"), (), known(collecting("arn:g"))),
    "a source alone": some_lists(
        (), (), known(collecting("arn:g", sources=[])), one(collecting("arn:g")), sources=ON_LAMBDA
    ),
    "a source taken out": some_lists(
        (),
        (),
        known(collecting("arn:g", sources=["lambda", "s3"])),
        one(collecting("arn:g", sources=["s3"])),
        sources=(("lambda",), ()),
    ),
    "a source taken out, gone": some_lists(
        (), (), known(collecting("arn:g", sources=["s3"])), sources=(("lambda", "x"), ())
    ),
    "not to be seen": some_lists((), ("arn:f",), FORBIDDEN),
    "another kind": Case("log_collection", ACCOUNT, None, GROUP, replies=(known(RECORD),)),
}

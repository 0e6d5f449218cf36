"""What goes directly is signed and read as botocore does it, and for those who make the call."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, HeadersDict
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from botocore.session import get_session

from ddsetup.gateways.aws import direct
from ddsetup.gateways.aws.parsing import parser_for
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane
from ddsetup.model.errors import Denied
from tests.gateways.aws_stand import ACCOUNT, REGION, Reply, ScriptedAws, connect

LANE = Lane(ACCOUNT, REGION)
FUNCTION = "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions"
ARN = "arn%3Aaws%3Alambda%3Aeu-central-1%3A123456789012%3Afunction%3Ab%2Fc"


def signed(request: Any) -> list[str]:
    """Credential, names of headers and signature."""
    return str(request.headers["Authorization"]).split(", ")


@pytest.mark.parametrize("token", [None, "a/token=="])
@pytest.mark.parametrize(
    ("method", "url", "body", "headers"),
    [
        ("GET", f"{FUNCTION}/orders/configuration", b"", {}),
        ("PUT", f"{FUNCTION}/orders/configuration", b'{"Layers": ["\xc3\xbc"]}', {"User-Agent": "x"}),
        ("GET", f"{FUNCTION}/{ARN}/policy?Qualifier=live", b"", {"Accept": "a/b"}),
        ("GET", f"{FUNCTION}/?Marker=a%2Bb%3D%3D&FunctionVersion=ALL&MaxItems=50&M=&M=1", b"", {}),
        ("GET", f"{FUNCTION}/a?n=2&n-a=1&n=10", b"", {"X-Amzn-Trace-Id": "Root=1"}),
        ("DELETE", f"{FUNCTION}//a/../b/", b"", {"X-Amz-Client-Token": "two  spaces "}),
        ("POST", "http://localhost:4566", b"{}", {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}),
        ("POST", "http://[::1]:80/", b"{}", {"Content-Type": "application/x-amz-json-1.1"}),
    ],
)
def test_a_request_is_signed_as_botocore_signs_it(
    method: str, url: str, body: bytes, headers: dict[str, str], token: str | None
) -> None:
    known = Credentials("AKIDEXAMPLE", "wJalr/secret", token)
    own: Any = dict(headers)
    ours = AWSPreparedRequest(method, url, own, body or None, False)
    direct._sign(ours, known, "eu-central-1/lambda")
    theirs = AWSRequest(method, url, headers, body)
    with patch("botocore.auth.get_current_datetime") as now:
        now.return_value.strftime.return_value = ours.headers["X-Amz-Date"]
        SigV4Auth(known.get_frozen_credentials(), "lambda", "eu-central-1").add_auth(theirs)
    assert signed(ours) == signed(theirs)


def test_each_call_is_signed_for_the_one_who_makes_it(script: ScriptedAws) -> None:
    script.script(Reply({"FunctionArn": "arn", "Functions": []}))
    base = connect(script.url)
    for aws in (base, base.as_another(Credentials("ANOTHER", "secret"))):
        aws.call("lambda:UpdateFunctionConfiguration", LANE, FunctionName="a", Handler="b.c")
    assert script.signed == ["AKIAIOSFODNN7EXAMPLE", "ANOTHER"]
    assert script.sent() == {"Handler": "b.c"}


FOUND = {
    "FunctionName": "orders",
    "Layers": [{"Arn": "arn", "CodeSize": 5, "New": 1}, None],
    "Environment": {"Variables": {"A": "b"}, "Error": None},
    "VpcConfig": {"SubnetIds": ["a"], "VpcId": None},
    "Description": None,
    "NotKnown": {"a": 1},
}
TAGGED = {"ResourceTagMappingList": [{"ResourceARN": "a", "Tags": [{"Key": "k", "Value": "v"}]}]}
GROUPS = {
    "logGroups": [{"logGroupName": "g", "creationTime": 5, "arn": None, "bearer": True}],
    "nextToken": "t",
}


@pytest.mark.parametrize(
    ("service", "operation", "body"),
    [
        ("lambda", "GetFunctionConfiguration", FOUND),
        ("lambda", "ListFunctions", {"Functions": [FOUND, {}], "NextMarker": "m"}),
        (
            "lambda",
            "ListEventSourceMappings",
            {"EventSourceMappings": [{"LastModified": 5.5, "Topics": ["t"]}]},
        ),
        ("logs", "DescribeLogGroups", GROUPS),
        ("resourcegroupstaggingapi", "GetResources", TAGGED),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretBinary": "YQ==", "CreatedDate": 1.5, "VersionStages": []},
        ),
        ("ssm", "GetParameter", {"Parameter": {"Name": "a"}}),
    ],
)
def test_an_answer_is_read_as_botocore_reads_it(service: str, operation: str, body: dict[str, Any]) -> None:
    model = get_session().get_service_model(service)
    answer = {
        "status_code": 200,
        "headers": HeadersDict({"X-Amzn-RequestId": "r"}),
        "body": json.dumps(body).encode(),
        "context": {},
    }
    shape: Any = model.operation_model(operation).output_shape
    protocol = model.resolved_protocol
    assert parser_for(protocol).parse(answer, shape) == create_parser(protocol).parse(answer, shape)


def test_what_s3_wants_a_signature_of_its_own_for_does_not_go_directly(script: ScriptedAws) -> None:
    """S3's API reference, "Signature Calculations for the Authorization Header": the hash of the body is a
    header of its own, and signed."""
    script.script(Reply("<ListVersionsResult/>", headers={"content-type": "application/xml"}))
    another = connect(script.url).as_another(Credentials("ANOTHER", "secret"))
    another.call("s3:ListBucketVersions", LANE, operation="ListObjectVersions", Bucket="b", MaxKeys=1)
    assert script.signed == ["ANOTHER"]
    assert "SignedHeaders=host;x-amz-content-sha256;x-amz-date" in script.authorized[0]


def test_nobody_signs_without_credentials(script: ScriptedAws) -> None:
    aws: Aws = connect(script.url).as_another(None)
    with pytest.raises(Denied, match="credentials"):
        aws.call("lambda:ListFunctions", LANE)
    assert script.requests == []

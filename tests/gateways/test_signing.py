"""Calls are signed for those who make them."""

from __future__ import annotations

from botocore.credentials import Credentials

from ddsetup.model.account import Lane
from tests.gateways.aws_stand import ACCOUNT, REGION, Reply, ScriptedAws, connect

LANE = Lane(ACCOUNT, REGION)


def test_each_call_is_signed_for_the_one_who_makes_it(script: ScriptedAws) -> None:
    script.script(Reply({"FunctionArn": "arn", "Functions": []}))
    base = connect(script.url)
    for aws in (base, base.as_another(Credentials("ANOTHER", "secret"))):
        aws.call("lambda:UpdateFunctionConfiguration", LANE, FunctionName="a", Handler="b.c")
    assert script.signed == ["AKIAIOSFODNN7EXAMPLE", "ANOTHER"]
    assert script.sent() == {"Handler": "b.c"}


def test_s3_has_a_signature_of_its_own(script: ScriptedAws) -> None:
    """S3's API reference, "Signature Calculations for the Authorization Header": the hash of the body is a
    header of its own, and signed."""
    script.script(Reply("<ListVersionsResult/>", headers={"content-type": "application/xml"}))
    another = connect(script.url).as_another(Credentials("ANOTHER", "secret"))
    another.call("s3:ListBucketVersions", LANE, operation="ListObjectVersions", Bucket="b", MaxKeys=1)
    assert script.signed == ["ANOTHER"]
    assert "SignedHeaders=host;x-amz-content-sha256;x-amz-date" in script.authorized[0]

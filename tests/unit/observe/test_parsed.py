"""What is read of AWS's answers where they leave out, or leave empty, what does not apply."""

from __future__ import annotations

from typing import Any

from ddsetup.gateways.aws.function_reads import parse_function
from tests import builders as b

ARN = b.function_arn("f")
NOTHING: dict[str, Any] = {
    **dict.fromkeys(("Runtime", "Handler", "Role", "CodeSha256", "RevisionId", "KMSKeyArn", "MasterArn"), ""),
    **dict.fromkeys(("State", "LastUpdateStatus", "LastModified", "PackageType"), ""),
    **{name: [] for name in ("Layers", "Architectures")},
    **{name: {} for name in ("Environment", "LoggingConfig", "VpcConfig", "SnapStart", "TracingConfig")},
    **{name: {} for name in ("CapacityProviderConfig", "DurableConfig", "TenancyConfig")},
    **dict.fromkeys(("MemorySize", "Timeout", "CodeSize"), 0),
}


def test_what_is_empty_is_what_is_not_there() -> None:
    bare = {"FunctionName": "f", "FunctionArn": ARN}
    read = parse_function(b.lane(), bare)
    assert parse_function(b.lane(), bare | NOTHING) == read
    assert parse_function(b.lane(), bare | dict.fromkeys(NOTHING)) == read
    for name, value in NOTHING.items():
        assert parse_function(b.lane(), {**bare, name: value}) == read, name


def test_what_is_not_there_is_what_lambda_does_without_it() -> None:
    read = parse_function(b.lane(), {"FunctionName": "f", "FunctionArn": ARN})
    assert (read.memory, read.timeout, read.code_size, read.package_type) == (128, 3, 0, "Zip")
    assert (read.architecture, read.log_group, read.log_format) == ("x86_64", "/aws/lambda/f", "Text")
    assert (read.snap_start, read.tracing, read.vpc) == ("None", "PassThrough", False)
    assert (read.runtime, read.handler, read.kms_key_arn, read.master_arn, read.state) == (None,) * 5
    assert (read.application_log_level, read.system_log_level, read.last_update_status) == (None,) * 3
    assert (read.env, read.env_error, read.layers) == ({}, "", ())
    assert (read.role, read.code_sha256, read.revision_id, read.last_modified) == ("",) * 4
    assert (read.managed_instances, read.durable, read.tenant_isolation) == (False,) * 3

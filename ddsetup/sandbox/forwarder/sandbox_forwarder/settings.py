"""The Forwarder's settings, from the environment that its template writes."""

import os
import re
from dataclasses import dataclass

VERSION = os.environ.get("DD_FORWARDER_VERSION", "5.4.11")


def _flag(name, default):
    return os.environ.get(name, default).lower() == "true"


@dataclass(frozen=True)
class Settings:
    """Names and meanings are the official Forwarder's; `sandbox_site` is that of the sandbox's Datadog."""

    site: str
    sandbox_site: str
    logs_url: str
    api_url: str
    trace_url: str
    key_secret_arn: str
    key_parameter: str
    tags: str
    source: str
    forward_log: bool
    fetch_lambda_tags: bool
    include: re.Pattern | None
    exclude: re.Pattern | None
    tags_cache_seconds: float
    bucket: str
    cache_key: str

    @classmethod
    def from_environment(cls):
        site = os.environ.get("DD_SITE", "datadoghq.com")
        scheme = "http" if _flag("DD_NO_SSL", "false") else "https"
        host = os.environ.get("DD_URL") or f"http-intake.logs.{site}"
        port = os.environ.get("DD_PORT") or "443"
        include, exclude = os.environ.get("INCLUDE_AT_MATCH"), os.environ.get("EXCLUDE_AT_MATCH")
        return cls(
            site=site,
            sandbox_site=os.environ.get("DDSETUP_SANDBOX_SITE", site),
            logs_url=f"{scheme}://{host}:{port}/api/v2/logs",
            api_url=os.environ.get("DD_API_URL") or f"https://api.{site}",
            trace_url=os.environ.get("DD_TRACE_INTAKE_URL") or f"https://trace.agent.{site}",
            key_secret_arn=os.environ.get("DD_API_KEY_SECRET_ARN", ""),
            key_parameter=os.environ.get("DD_API_KEY_SSM_NAME", ""),
            tags=os.environ.get("DD_TAGS", ""),
            source=os.environ.get("DD_SOURCE", ""),
            forward_log=_flag("DD_FORWARD_LOG", "true"),
            fetch_lambda_tags=_flag("DD_FETCH_LAMBDA_TAGS", "false"),
            include=re.compile(include) if include else None,
            exclude=re.compile(exclude) if exclude else None,
            tags_cache_seconds=float(os.environ.get("DD_TAGS_CACHE_TTL_SECONDS", "300")),
            bucket=os.environ.get("DD_S3_BUCKET_NAME", ""),
            cache_key=f"cache/{os.environ.get('AWS_LAMBDA_FUNCTION_NAME', '')}_lambda.json",
        )

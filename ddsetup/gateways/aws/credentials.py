"""Finding AWS credentials, and saying in people's words why there are none.

The search itself is botocore's own chain: environment, profiles, SSO, assumed roles with MFA, containers,
instances. Only `--role-arn` is added on top, with credentials that renew themselves in long runs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ddsetup.gateways.aws.service_models import share_models
from ddsetup.model.errors import CredentialsError, Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsOptions:
    """Which identity to use. `interactive` False: never ask for an MFA code, fail instead.

    `region` is one that the run is about: its partition is where STS and IAM are asked. `environ` holds the
    variables with keys, which are not among the process's own; None: they are. `rates` are calls a second, in
    the place of AWS's usual quotas (`facts.rates`).
    """

    profile: str | None = None
    role_arn: str | None = None
    interactive: bool = False
    region: str | None = None
    environ: Mapping[str, str] | None = field(default=None, repr=False)
    rates: Mapping[str, float] = field(default_factory=dict)


def profile_of(options: AwsOptions, environ: Mapping[str, str] | None = None) -> str | None:
    """The profile in use: the option, else AWS_PROFILE, else AWS_DEFAULT_PROFILE, else None."""
    environ = os.environ if environ is None else environ
    return options.profile or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or None


def open_session(options: AwsOptions) -> Any:
    """A botocore session for these options. Nothing is asked of AWS yet.

    Raises CredentialsError when the profile does not exist or the AWS configuration cannot be read.
    """
    import botocore.session
    from botocore.exceptions import BotoCoreError

    _quiet()
    session = botocore.session.Session(profile=profile_of(options))
    try:
        session.get_scoped_config()
        share_models(session)
        resolver = session.get_component("credential_provider")
        provider = resolver.get_provider("assume-role")
        if options.environ is not None:
            _read_from(options.environ, resolver, provider)
        if not options.interactive:
            # botocore offers no public way to say "do not ask"; without a terminal it would hang.
            provider._prompter = _refuse_to_ask
        if options.role_arn:
            _assume(session, options)
    except BotoCoreError as error:
        raise explain_credentials(error, options) from None
    return session


def _read_from(environ: Mapping[str, str], resolver: Any, assuming: Any) -> None:
    """Have botocore look for keys in `environ`: its own way to say so is for makers of providers.

    Of a profile that is named, the provider of variables is only among the sources for roles.
    """
    sources = getattr(getattr(assuming, "_credential_sourcer", None), "_providers", ())
    for provider in (*resolver.providers, *sources):
        for name in ("environ", "_environ"):
            if hasattr(provider, name):
                setattr(provider, name, environ)


def _assume(session: Any, options: AwsOptions) -> None:
    """Put renewable credentials of the role in the place of the session's own."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.exceptions import NoCredentialsError

    source = session.get_credentials()
    if source is None:
        raise NoCredentialsError
    region = region_of(session) or "us-east-1"

    def create(service: str, **arguments: Any) -> Any:
        return session.create_client(service, region_name=region, **arguments)

    fetcher = AssumeRoleCredentialFetcher(
        create,
        source,
        options.role_arn or "",
        extra_args={"RoleSessionName": "ddsetup"},
        mfa_prompter=None if options.interactive else _refuse_to_ask,
    )
    session._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


def profiles() -> tuple[str, ...]:
    """The profiles of the AWS configuration; none if it cannot be read."""
    import botocore.session
    from botocore.exceptions import BotoCoreError

    try:
        return tuple(botocore.session.Session().available_profiles)
    except BotoCoreError:
        return ()


def region_of(session: Any, environ: Mapping[str, str] | None = None) -> str | None:
    """The region to use when none is named: AWS_REGION (which boto3 ignores), then botocore's own choice."""
    environ = os.environ if environ is None else environ
    return environ.get("AWS_REGION") or session.get_config_variable("region") or None


def _refuse_to_ask(prompt: str) -> str:
    del prompt
    raise CredentialsError(
        "the AWS profile wants an MFA code, and there is no terminal to ask for one",
        fix="get temporary credentials first (`aws sts get-session-token`) and pass those",
    )


def _quiet() -> None:
    """Keep botocore's debug log shut whatever the root logger says: it holds request bodies."""
    import logging

    for name in ("boto3", "botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)


def explain_credentials(error: Exception, options: AwsOptions | None = None) -> CredentialsError:
    """Why there is no identity, with what was tried and what to do. Never quotes a key."""
    if isinstance(error, CredentialsError):
        return error
    options = options or AwsOptions()
    profile = profile_of(options)
    what, fix = _cause(error, f" --profile {profile}" if profile else "")
    if (what, fix) == _NETWORK:
        return Unreachable(what, fix=fix)
    if what == _NONE[0]:
        fix = ways_to_sign_in()
    tried = f"profile {profile!r}" if profile else "environment, shared files, SSO, container and instance"
    role = f", role {options.role_arn}" if options.role_arn else ""
    return CredentialsError(f"{what} (tried: {tried}{role})", fix=fix)


def ways_to_sign_in() -> str:
    """What to type where there are no credentials, with the profiles that could be used."""
    there = profiles()
    more = ", ..." if len(there) > _PROFILES else ""
    with_profile = f"--profile {'|'.join(there[:_PROFILES])}{more}, " if there else ""
    return f"{with_profile}{_WAYS}"


def cause_of_end(error: Exception, options: AwsOptions | None = None) -> tuple[str, str] | None:
    """What became of credentials that worked before, and what to do; None if the error is no sign of that."""
    if isinstance(error, CredentialsError):
        return error.what, error.fix
    profile = profile_of(options or AwsOptions())
    cause = _cause(error, f" --profile {profile}" if profile else "")
    if hasattr(error, "response"):
        return cause if cause in (_EXPIRED, _CLOCK) else None
    return cause if type(error).__name__ in _CAUSES else None


_LOGIN = ("the AWS SSO login has expired or is missing", "aws sso login{profile}")
_AWS_LOGIN = ("the AWS login has expired or is missing", "aws login{profile}")
_CONFIG = ("the AWS configuration cannot be used: {error}", "correct ~/.aws/config")
_SOURCE = ("the source of the AWS credentials failed", "aws sts get-caller-identity{profile}")
_NETWORK = ("AWS cannot be reached", "check the network, the proxy and AWS_ENDPOINT_URL")

_WAYS = "aws sso login, aws configure, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
_NONE = ("no AWS credentials found", _WAYS)
_PROFILES = 6
"""How many profiles are named."""
_CLOCK = ("the clock of this machine is wrong", "set the clock (NTP) and repeat")

_CAUSES: Mapping[str, tuple[str, str]] = {
    "ConfigParseError": _CONFIG,
    "ConnectTimeoutError": _NETWORK,
    "ConnectionClosedError": _NETWORK,
    "CredentialRetrievalError": _SOURCE,
    "EndpointConnectionError": _NETWORK,
    "InfiniteLoopConfigError": _CONFIG,
    "InvalidConfigError": _CONFIG,
    "LoginAuthorizationCodeError": _AWS_LOGIN,
    "LoginError": _AWS_LOGIN,
    "LoginRefreshRequired": _AWS_LOGIN,
    "LoginTokenLoadError": _AWS_LOGIN,
    "MetadataRetrievalError": _SOURCE,
    "NoAuthTokenError": _LOGIN,
    "NoCredentialsError": _NONE,
    "PartialCredentialsError": (
        "the AWS credentials are incomplete: {error}",
        "set the access key and the secret key together",
    ),
    "ProfileNotFound": ("{error}", "aws configure list-profiles"),
    "ProxyConnectionError": _NETWORK,
    "ReadTimeoutError": _NETWORK,
    "RefreshWithMFAUnsupportedError": (
        "the MFA session has ended and cannot be renewed by itself",
        "log in again and repeat the command",
    ),
    "RuntimeError": _CLOCK,
    "SSOError": _LOGIN,
    "SSOTokenLoadError": _LOGIN,
    "TokenRetrievalError": _LOGIN,
    "UnauthorizedSSOTokenError": _LOGIN,
    "UnknownCredentialError": _CONFIG,
}
"""What happened and the next command to type, by the class names of botocore (older ones lack some)."""

_OTHER = ("the AWS credentials cannot be used ({name})", "aws sts get-caller-identity{profile}")

_EXPIRED = ("the temporary AWS credentials have expired", "log in again")
_UNKNOWN = ("AWS does not know this access key", "check AWS_ACCESS_KEY_ID, or log in again")

_ANSWERS: Mapping[str, tuple[str, str]] = {
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "InvalidClientTokenId": _UNKNOWN,
    "UnrecognizedClientException": _UNKNOWN,
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
}
_SIGNATURE = ("SignatureDoesNotMatch", "InvalidSignatureException")


def _cause(error: Exception, profile: str) -> tuple[str, str]:
    name = type(error).__name__
    if hasattr(error, "response"):
        return _answer(error, profile)
    what, fix = _CAUSES.get(name, _OTHER)
    return what.format(error=error, name=name), fix.format(profile=profile)


def _answer(error: Any, profile: str) -> tuple[str, str]:
    code = str(error.response.get("Error", {}).get("Code") or "")
    text = str(error.response.get("Error", {}).get("Message") or "")
    if code in _SIGNATURE:
        if "expired" in text or "not yet current" in text:
            return _CLOCK
        return "the AWS secret access key does not fit the access key", "check AWS_SECRET_ACCESS_KEY"
    if code in _ANSWERS:
        return _ANSWERS[code]
    if code in ("AccessDenied", "AccessDeniedException"):
        operation = getattr(error, "operation_name", "")
        if operation == "AssumeRole":
            return "the role may not be assumed", "check the role's trust policy, and sts:AssumeRole on it"
        return "AWS refused to tell who we are", f"aws sts get-caller-identity{profile}"
    return f"AWS did not accept the credentials ({code or 'no reason given'})", "log in again"

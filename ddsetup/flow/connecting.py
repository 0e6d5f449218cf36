"""Find and check credentials and scope: AWS, regions, Datadog."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ddsetup.ask.asking import Missing, Scope, scope_from
from ddsetup.ask.credentials import KeyReaders, KeyRefs, missing_keys, os_keyring, os_keyring_keeper
from ddsetup.ask.prompter import Back, Prompt
from ddsetup.ask.region_offers import FunctionsByRegion
from ddsetup.ask.signin import SignedIn, Wanted, sign_in_to_aws, sign_in_to_datadog
from ddsetup.facts.rates import given_rates
from ddsetup.flow.host import Host, Session
from ddsetup.gateways.aws import secrets
from ddsetup.gateways.aws.credentials import ways_to_sign_in
from ddsetup.gateways.aws.functions import count_functions
from ddsetup.gateways.aws.regions import check_regions
from ddsetup.gateways.aws.session import Aws, AwsOptions
from ddsetup.gateways.overlap import begun, each
from ddsetup.model.account import Lane
from ddsetup.model.errors import UsageError
from ddsetup.model.foreign import Lines
from ddsetup.model.lines import counted
from ddsetup.settings.given import Given


def connect(
    given: Given, host: Host, *, command: str, datadog: bool = True, looks_next: bool = False
) -> Session:
    """Find and check credentials and scope. Nothing is written.

    Where nobody can be asked, signing in to Datadog goes on beside AWS; `looks_next`: also beside `look`,
    which then raises what is wrong with it. Raises UsageError that names every missing answer at once, or
    CredentialsError.
    """
    while True:
        try:
            session = _connect(given, host, command, datadog)
        except Back:
            continue  # the last answer was taken back, so its question comes again
        if session.signing is not None and not looks_next:
            session.signing()
        return session


def _connect(given: Given, host: Host, command: str, datadog: bool) -> Session:
    """`connect`, until somebody goes back; `Back` then."""
    aws = sign_in_to_aws(_aws_options(given, host), host.prompter, host.dialogue, clock=host.clock)
    refs = KeyRefs(quiet(given, "api_key_secret"), quiet(given, "app_key_secret"))
    readers = _key_readers(aws, host)
    missing = _missing_keys(host, readers, refs) if datadog else ()
    here = (aws.default_region,) if aws.default_region else ()
    try:
        scope = scope_from(
            given,
            host.prompter,
            command=command,
            default_regions=here,
            missing=missing,
            dialogue=host.dialogue,
            count=partial(_functions_by_region, aws, host),
        )
    except UsageError as error:
        if host.prompter is None and not aws.has_credentials:
            absent = Missing("AWS credentials", "--profile", "AWS_PROFILE or AWS_ACCESS_KEY_ID")
            error.what = Lines.of(error.what, f"  {absent}")
            error.fix = Lines.of(error.fix, f"for AWS: {ways_to_sign_in()}")
        raise
    check_regions(scope.regions, aws.regions)
    wanted = _wanted(given, host, scope, readers, refs)
    greeted = threading.Event()
    signing: Callable[[], SignedIn] | None = None
    if datadog and host.prompter is None:
        signing = begun(partial(_sign_in_beside, aws, wanted, host, greeted)).result
    try:
        identity = aws.identity()
        host.say(f"AWS account {identity.account} as {identity.arn}, {', '.join(scope.regions)}")
    finally:
        greeted.set()
    if datadog and signing is None:
        signed_in = _sign_in(wanted, host, greeted)
        if "site" in host.dialogue.typed:
            host.dialogue.typed["site"] = {"site": signed_in.site}
        scope, signing = replace(scope, site=signed_in.site), lambda: signed_in
    return Session(host=host, aws=aws, identity=identity, scope=scope, signing=signing)


def _functions_by_region(aws: Aws, host: Host) -> FunctionsByRegion:
    """How many functions there are in each region of the identity's partition, asked side by side."""
    identity = aws.identity()
    lanes = [Lane(identity.account, region) for region in aws.regions(identity.partition)]
    with host.busy(f"counting the functions of {counted(len(lanes), 'region')}"):
        found = each(partial(count_functions, aws), lanes, len(lanes))
    return {lane.region: number for lane, number in zip(lanes, found, strict=True)}


def _wanted(given: Given, host: Host, scope: Scope, readers: KeyReaders, refs: KeyRefs) -> Wanted:
    return Wanted(
        site=scope.site,
        url=quiet(given, "datadog_url") or None,
        environ=host.environ,
        readers=readers,
        refs=refs,
        clock=host.clock,
    )


def _sign_in_beside(aws: Aws, wanted: Wanted, host: Host, greeted: threading.Event) -> SignedIn:
    """As `_sign_in`, from when AWS is on the wire: until then both would only wait for the processor."""
    aws.called.wait()
    return _sign_in(wanted, host, greeted)


def _sign_in(wanted: Wanted, host: Host, greeted: threading.Event) -> SignedIn:
    """Sign in to Datadog, and say so after AWS has been greeted."""
    signed_in = sign_in_to_datadog(wanted, host.prompter, host.dialogue, host.say)
    greeted.wait()
    host.say(f"Datadog site {signed_in.site}: keys are valid ({', '.join(signed_in.found.origins)})")
    return signed_in


def _missing_keys(host: Host, readers: KeyReaders, refs: KeyRefs) -> tuple[Missing, ...]:
    """The Datadog keys that no source has, where nobody can be asked for them."""
    if host.prompter is not None:
        return ()
    absent = missing_keys(host.environ, readers, refs)
    return tuple(Missing(key.title, key.option, key.variable) for key in absent)


def _aws_options(given: Given, host: Host) -> AwsOptions:
    try:
        regions = given.items("region")
    except ValueError:
        regions = ()  # said with all else that is wrong, once it is settled where to work
    try:
        rates = given_rates(given.items("rate"))
    except ValueError:
        rates = {}
    return AwsOptions(
        region=regions[0] if regions else None,
        profile=quiet(given, "profile") or None,
        role_arn=quiet(given, "role_arn") or None,
        interactive=host.prompter is not None,
        environ=host.environ,
        rates=rates,
    )


def _key_readers(aws: Aws, host: Host) -> KeyReaders:
    prompter = host.prompter

    def ask(title: str) -> str:
        assert prompter is not None
        return str(prompter.ask(Prompt(kind="secret", text=f"Your {title}?", check=_key_typed)))

    return KeyReaders(
        secret=lambda arn: secrets.read_secret_value(aws, arn),
        keyring=os_keyring(),
        ask=ask if prompter is not None else None,
        keeper=os_keyring_keeper,
    )


def _key_typed(value: object) -> str:
    return "" if value else "paste the key; nothing of it is shown"


def quiet(given: Given, key: str) -> str:
    """A setting's value, empty if it is wrong: `scope_from` reports all that is wrong at once."""
    try:
        return given.text(key)
    except ValueError:
        return ""

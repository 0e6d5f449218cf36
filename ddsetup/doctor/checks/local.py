"""This machine: libraries, clock, proxy, endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from ddsetup.doctor.checks.case import Case
from ddsetup.doctor.checks.check import Checks, Problem, Result
from ddsetup.doctor.checks.road import EVERYTHING
from ddsetup.model.change import ResourceId

HERE = ResourceId("machine", "this machine")

MOST_SKEW = 300.0
"""Seconds by which a clock may differ before AWS refuses signatures (AWS signature version 4)."""
NOTED_SKEW = 60.0
check = Checks("local")


@check("local-versions", "the libraries that ddsetup works with are of fitting versions", "warning")
def versions(case: Case) -> Iterator[Result]:
    """An installed library is older or newer than what ddsetup was made for.

    Calls may miss fields or fail in odd ways. Installing ddsetup into an environment of its own (pipx, uv
    tool, a virtual environment) keeps other programs from changing its libraries.
    """
    for misfit in case.evidence.local.misfits:
        yield Problem(
            resource=HERE,
            what=misfit,
            fix="install ddsetup again, best into an environment of its own",
            command="python -m pip check",
        )


@check(
    "local-clock",
    "this machine's clock agrees with AWS's",
    needs=("sts:GetCallerIdentity",),
    stops=(*EVERYTHING, "AWS", "services"),
)
def clock(case: Case) -> Iterator[Result]:
    """The clock differs from AWS's by a minute or more.

    AWS refuses requests that are signed more than five minutes off, Datadog drops data from the future, and
    every "has it arrived since" is wrong by as much.
    """
    skew = case.evidence.local.clock_skew
    if skew is None or abs(skew) < NOTED_SKEW:
        return
    way = "ahead of" if skew > 0 else "behind"
    yield Problem(
        resource=HERE,
        what=f"the clock is {abs(skew):.0f} seconds {way} AWS's",
        fix="set the clock, best by a time server (NTP)",
        severity="error" if abs(skew) >= MOST_SKEW else "warning",
    )


@check("local-endpoints", "AWS and Datadog are called at addresses that belong together", "warning")
def endpoints(case: Case) -> Iterator[Result]:
    """One of AWS and Datadog is replaced by another address, the other one is not.

    A sandbox replaces both. With one of them real, changes would be made in one world because of what was
    seen in the other.
    """
    given = case.evidence.local.endpoints
    aws, datadog = given.get("AWS_ENDPOINT_URL"), given.get("DDSETUP_DATADOG_URL")
    if aws and not datadog:
        yield Problem(
            resource=HERE,
            what=f"AWS is called at {aws} (AWS_ENDPOINT_URL), Datadog at its real address",
            fix="unset AWS_ENDPOINT_URL, or set DDSETUP_DATADOG_URL as well",
        )
    if datadog and not aws and _is_here(datadog):
        yield Problem(
            resource=HERE,
            what=f"Datadog is called at {datadog} (DDSETUP_DATADOG_URL), AWS at its real address",
            fix="unset DDSETUP_DATADOG_URL, or set AWS_ENDPOINT_URL as well",
        )


@check("local-proxy", "the proxy that is set can be used", "warning", stops=("AWS", "Datadog"))
def proxy(case: Case) -> Iterator[Result]:
    """A proxy variable holds no address, or its upper-case and lower-case forms disagree.

    Some libraries read one form, some the other, so one half of the calls goes another way.
    """
    proxies = case.evidence.local.proxies
    for name, value in sorted(proxies.items()):
        if not _is_address(value):
            yield Problem(
                resource=HERE,
                what=f"{name} is no address of a proxy",
                fix=f"set {name} to http://HOST:PORT, or unset it",
                severity="error",
            )
        twin = proxies.get(name.upper())
        if name.islower() and twin is not None and twin != value:
            yield Problem(
                resource=HERE,
                what=f"{name} and {name.upper()} name different proxies",
                fix="make them equal",
            )


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")

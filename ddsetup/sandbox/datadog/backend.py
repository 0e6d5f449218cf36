"""What Datadog's backend does by itself: visit the registered accounts every ten (scaled) minutes."""

from __future__ import annotations

import logging
import threading

from ddsetup.sandbox.datadog import triggers
from ddsetup.sandbox.datadog.aws_access import (
    AccessFailed,
    BackendOptions,
    Changes,
    CustomerAccess,
    changes,
    explained,
)
from ddsetup.sandbox.datadog.crawler import crawl_region, wants_metrics
from ddsetup.sandbox.datadog.integrations import Account, Integrations
from ddsetup.sandbox.datadog.step_functions import trace_executions
from ddsetup.sandbox.datadog.store import Telemetry

__all__ = ["Backend", "BackendOptions"]

#: Datadog crawls an account every ten minutes (seconds).
CRAWL_PERIOD = 600.0

#: A region where nothing was found is looked at again after so many rounds, if nothing changes there before.
IDLE_ROUNDS = 10

#: How seldom a metric is read that nobody has asked for, where polling is adaptive: once an hour.
ROUNDS_OF_UNASKED = 6

#: What has not changed is read again all the same once in so many rounds.
ROUNDS_OF_QUIET = 6

_HOME_REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}

_log = logging.getLogger(__name__)


class Backend:
    """A thread that crawls metrics and keeps automatic triggers with each account's own role."""

    def __init__(self, telemetry: Telemetry, integrations: Integrations, options: BackendOptions) -> None:
        self._telemetry = telemetry
        self._integrations = integrations
        self._options = options
        self._period = CRAWL_PERIOD / options.time_scale
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="datadog-backend", daemon=True)
        self._busy = threading.Lock()
        self._access: CustomerAccess | None = None
        self._idle: dict[tuple[str, str], int] = {}
        self._subscribed: dict[tuple[str, str], set[str]] = {}
        self._traced: set[str] = set()
        self._rounds = 0
        self._known = Changes()
        self._registered: tuple[Account, ...] = ()
        self._quiet = 0

    def start(self) -> None:
        """Begin; the first round starts after one period."""
        self._thread.start()

    def stop(self) -> None:
        """End after the call that is under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def crawl(self) -> None:
        """One round over all accounts, every region included, at once."""
        self._round(every_region=True)

    def _run(self) -> None:
        while not self._stopping.wait(self._period):
            try:
                if self._is_due():
                    self._round()
            except (LookupError, TypeError, ValueError):
                # An answer of the emulated AWS in an odd shape must not end the crawling for good.
                _log.exception("the round failed")

    def _is_due(self) -> bool:
        """Whether a round may find anything new: most of a sandbox's life nothing happens in it."""
        seen, self._known = self._known, changes(self._options.aws_endpoint)
        before, self._registered = self._registered, tuple(self._integrations.accounts())
        stirred = {
            region for region, count in self._known.regions.items() if seen.regions.get(region) != count
        }
        self._idle = {key: rounds for key, rounds in self._idle.items() if key[1] not in stirred}
        if self._known.subscriptions != seen.subscriptions or not self._known.version:
            self._subscribed.clear()
        version = self._known.version
        changed = not version or seen.version != version or before != self._registered
        if changed or any(self._integrations.issues().values()) or self._options.adaptive:
            self._quiet = 0
            return True
        self._quiet = (self._quiet + 1) % ROUNDS_OF_QUIET
        self._idle = {key: max(0, rounds - 1) for key, rounds in self._idle.items()}
        return self._quiet == 0

    def _round(self, *, every_region: bool = False) -> None:
        with self._busy:
            self._rounds += 1
            if every_region:
                self._subscribed.clear()
            for account in self._integrations.accounts():
                if not self._stopping.is_set():
                    self._integrations.set_issues(account.id, self._visit(account, every_region))

    def _visit(self, account: Account, every_region: bool) -> list[str]:
        # One for all accounts, which are visited one after the other: clients cost more than calls.
        access = self._access = self._access or CustomerAccess(self._options)
        try:
            access.assume(account)
        except AccessFailed as error:
            return [str(error)]
        issues = triggers.take_back(account, access, self._integrations)
        for region, forwarder in triggers.forwarders(account).items():
            subscribed = self._subscribed.setdefault((account.id, forwarder), set())
            try:
                issues += triggers.subscribe(account, region, access, self._integrations, subscribed)
            except AccessFailed as error:
                issues.append(f"{region}: {error}")
        try:
            trace_executions(account, access, self._telemetry, self._traced)
        except AccessFailed as error:
            issues.append(str(error))
        if wants_metrics(account):
            issues += self._crawl(account, access, every_region)
        return issues

    def _crawl(self, account: Account, access: CustomerAccess, every_region: bool) -> list[str]:
        try:
            regions = _regions(account, access)
        except AccessFailed as error:
            return [str(error)]
        issues = []
        for region in regions:
            key = (account.id, region)
            idle = self._idle.get(key, 0 if self._may_hold(region) else IDLE_ROUNDS)
            if idle > 0 and not every_region:
                self._idle[key] = idle - 1
                continue
            try:
                unasked = not self._options.adaptive or self._rounds % ROUNDS_OF_UNASKED == 0
                found, met = crawl_region(account, region, access, self._telemetry, unasked=unasked)
            except AccessFailed as error:
                issues.append(f"{region}: {error}")
                continue
            issues += met
            self._idle[key] = 0 if found else IDLE_ROUNDS
        return issues

    def _may_hold(self, region: str) -> bool:
        """Whether anything ever happened there, as far as is told."""
        return not self._known.version or region in self._known.regions


def _regions(account: Account, access: CustomerAccess) -> list[str]:
    """The regions to read: those named, or all that are enabled in the account. Raises AccessFailed."""
    configured = account.attributes.get("aws_regions") or {}
    if "include_only" in configured:
        return list(configured["include_only"])
    home = _HOME_REGIONS.get(account.attributes["aws_partition"], "us-east-1")
    with explained("describe_regions"):
        answer = access.client("ec2", home).describe_regions()
    return [region["RegionName"] for region in answer["Regions"]]

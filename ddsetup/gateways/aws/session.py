"""One identity on AWS: its clients, the pace of its calls, and the way every call is made."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ddsetup.facts.catalog import partition_of
from ddsetup.gateways.aws.answers import NotAws, answered
from ddsetup.gateways.aws.clients import configuration, keep_bounds, keep_pace
from ddsetup.gateways.aws.credentials import AwsOptions, explain_credentials, open_session, region_of
from ddsetup.gateways.aws.errors import AlreadyExists, is_throttle, is_transient, translate
from ddsetup.gateways.aws.limits import Limits
from ddsetup.gateways.aws.patience import OPTIONAL, PATIENCE, Patience, pause
from ddsetup.gateways.aws.shared_clients import SharedClients
from ddsetup.model.account import Identity, Json, Lane
from ddsetup.model.clock import SYSTEM_CLOCK, Clock
from ddsetup.model.errors import CredentialsError, GatewayError, Interrupted

__all__ = ["OPTIONAL", "PATIENCE", "Aws", "AwsOptions", "Patience", "default_region"]

_OWN_NAMES = (
    *(".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"),
    *(".amazonwebservices.com.cn", ".amazonwebservices.eu", ".ic.gov", ".sgov.gov", ".adc-e.uk"),
)
"""How the names of AWS's own endpoints end (botocore's endpoints.json), those of VPC endpoints included."""
_SERVICES: Mapping[str, str] = {"states": "stepfunctions", "tag": "resourcegroupstaggingapi"}
"""botocore's names where they differ from the IAM prefix."""


def default_region(options: AwsOptions, environ: Mapping[str, str] | None = None) -> str | None:
    """The region that AWS_REGION, AWS_DEFAULT_REGION or the profile names; None if none does."""
    return region_of(open_session(options), environ)


class Aws:
    """The gateway's connection to one account: cached clients, token buckets and retries.

    `called` is set once the first call is on its way.

    Thread-safe. botocore's own retries are off: all of them happen in `call`, on the clock that was passed
    in, and every attempt takes a slot of its bucket first.
    """

    def __init__(
        self,
        options: AwsOptions,
        session: Any,
        *,
        endpoint_url: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
        rate_scale: float = 1.0,
        shared: SharedClients | None = None,
    ) -> None:
        self.options = options
        self.credentials: Any = None
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.called = threading.Event()
        self._session = session
        self.limits = Limits(clock, rate_scale, options.rates)
        self._endpoint_url = endpoint_url
        self._shared = shared
        self._clients: dict[tuple[str, str, int], Any] = shared.clients if shared else {}
        self._for_others: SharedClients | None = None
        self._identity: Identity | None = None
        self._stopped = threading.Event()
        self._lock = threading.RLock()
        self._making = shared.making if shared else threading.RLock()
        self._counting = threading.Lock()

    @classmethod
    def connect(
        cls,
        options: AwsOptions,
        *,
        endpoint_url: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
        rate_scale: float = 1.0,
    ) -> Aws:
        """Open a session. No call is made; `endpoint_url` serves every service (else AWS_ENDPOINT_URL does).

        Raises CredentialsError when the profile or the configuration cannot be read.
        """
        session = open_session(options)
        return cls(options, session, endpoint_url=endpoint_url, clock=clock, rate_scale=rate_scale)

    def beside(self, options: AwsOptions, session: Any = None) -> Aws:
        """The same way to AWS with another identity, its quotas its own.

        Raises CredentialsError when the profile cannot be read.
        """
        return Aws(
            options,
            session or open_session(options),
            endpoint_url=self._endpoint_url,
            clock=self.clock,
            rate_scale=self.limits.scale,
        )

    def as_another(self, credentials: Any, identity: Identity | None = None) -> Aws:
        """As `beside`, by credentials in botocore's sense; `identity` is whose they are, where that is known.

        All that come of this share their clients, which stay open.
        """
        with self._making:
            self._for_others = self._for_others or SharedClients.of(self)
        made = Aws(
            replace(self.options, role_arn=None),
            self._for_others.session,
            endpoint_url=self._endpoint_url,
            clock=self.clock,
            rate_scale=self.limits.scale,
            shared=self._for_others,
        )
        made.credentials, made._identity = credentials, identity
        return made

    def close(self) -> None:
        """Let go of all clients and their connections, but for those that others share."""
        if self._shared is not None:
            return
        for client in tuple(self._clients.values()):
            client.close()
        self._clients.clear()

    @property
    def clients(self) -> frozenset[tuple[str, str]]:
        """The service and the region of each client that was made: to make one takes longer than a call."""
        return frozenset((service, region) for service, region, *_ in tuple(self._clients))

    def stop(self) -> None:
        """Begin no further call or attempt: each raises Interrupted. For Ctrl-C while threads are reading."""
        self._stopped.set()

    @property
    def default_region(self) -> str | None:
        """The region that the environment or the profile names."""
        return region_of(self._session)

    @property
    def has_credentials(self) -> bool:
        """Whether anything of AWS's chain has credentials, good or not. On a machine of AWS's it is asked."""
        from botocore.exceptions import BotoCoreError

        try:
            return self._session.get_credentials() is not None
        except (BotoCoreError, CredentialsError):
            return True

    @property
    def address(self) -> str:
        """The address at which AWS is called where it is not AWS's own (a proxy, the sandbox), else empty.

        Taken from Lambda's: `AWS_ENDPOINT_URL`, a service's own variable and the profile may each say it.
        """
        url = str(self.client("lambda", self.home_region).meta.endpoint_url)
        host = urlsplit(url).hostname or ""
        return "" if host.endswith(_OWN_NAMES) else url

    @property
    def home_region(self) -> str:
        """Where services without regions are called from: in the partition of the regions that are meant."""
        usual, meant = self.default_region or "us-east-1", self.options.region
        return meant if meant and partition_of(meant) != partition_of(usual) else usual

    def partition_of(self, region: str) -> str:
        """The partition of a region: "aws", "aws-us-gov", "aws-cn" and others."""
        return partition_of(region)

    def regions(self, partition: str = "aws") -> tuple[str, ...]:
        """The regions with Lambda that the installed botocore knows; a newer one may exist all the same."""
        return tuple(self._session.get_available_regions("lambda", partition_name=partition))

    def client(self, service: str, region: str, read_timeout: int = 30) -> Any:
        """The cached client of a service, by IAM prefix or by botocore's name. Retries are the caller's."""
        key = (service, region, read_timeout)
        if key in self._clients:
            return self._clients[key]
        # Making one takes long, and a session makes one at a time; calls go on meanwhile.
        with self._making:
            if key not in self._clients:
                self._clients[key] = self._create(*key)
            return self._clients[key]

    def call(
        self,
        action: str,
        lane: Lane | None = None,
        /,
        *,
        operation: str = "",
        patience: Patience = PATIENCE,
        read_timeout: int = 30,
        **parameters: Any,
    ) -> Json:
        """Make one API call and return its answer.

        `action` is the IAM action; `operation` the API operation where the two differ, after botocore's name
        of the service (`apigatewayv2:GetApis`) where that differs too. A lane without a region is about what
        all regions share.
        Raises GatewayError and its subclasses; throttles, dropped connections and server faults are tried
        again first.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return self._attempt(action, lane, operation, patience, read_timeout, parameters)
        except (BotoCoreError, ClientError, CredentialsError, NotAws) as error:
            raise translate(error, action, _where(lane), self.options) from None
        except RuntimeError as error:
            if not _looks_old(error):
                raise
            raise translate(error, action, _where(lane), self.options) from None

    def pages(
        self,
        action: str,
        lane: Lane | None,
        key: str,
        *,
        token: tuple[str, str],
        **parameters: Any,
    ) -> list[Json]:
        """Every item under `key` of all pages. `token` names the answer's token and the request's."""
        return list(self.each(action, lane, key, token=token, **parameters))

    def each(
        self,
        action: str,
        lane: Lane | None,
        key: str,
        *,
        token: tuple[str, str],
        **parameters: Any,
    ) -> Iterator[Json]:
        """As `pages`, one page at a time: what is made of thousands of items is often much smaller."""
        told, asked = token
        while True:
            page = self.call(action, lane, **parameters)
            yield from page.get(key) or ()
            if not page.get(told):
                return
            parameters[asked] = page[told]

    def identity(self) -> Identity:
        """Who we are; asked once.

        Raises CredentialsError, which says what was tried and what to do, when nobody knows us.
        """
        with self._lock:
            if self._identity is None:
                self._identity = self._ask_identity()
            return self._identity

    def check_identity(self) -> None:
        """Ask once more who we are, after a pause in which credentials may have ended.

        Raises CredentialsError as `identity` does.
        """
        self._ask_caller()

    def _ask_caller(self) -> Json:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return self._attempt("sts:GetCallerIdentity", None, "", Patience(5, 2), 30, {})
        except NotAws as error:
            raise translate(error, "sts:GetCallerIdentity") from None
        except (BotoCoreError, ClientError) as error:
            raise explain_credentials(error, self.options) from None
        except RuntimeError as error:
            if not _looks_old(error):
                raise
            raise explain_credentials(error, self.options) from None

    def _ask_identity(self) -> Identity:
        answer = self._ask_caller()
        arn = str(answer["Arn"])
        return Identity(account=str(answer["Account"]), arn=arn, partition=arn.split(":")[1])

    def alias(self) -> str:
        """The account's alias, for people; empty where there is none, or it may not be read.

        Wants iam:ListAccountAliases.
        """
        try:
            aliases = self.call("iam:ListAccountAliases", patience=OPTIONAL).get("AccountAliases")
        except GatewayError:
            return ""
        return str(aliases[0]) if aliases else ""

    def _attempt(
        self,
        action: str,
        lane: Lane | None,
        operation: str,
        patience: Patience,
        read_timeout: int,
        parameters: Mapping[str, Any],
    ) -> Json:
        from botocore.exceptions import BotoCoreError, ClientError

        self._check_account(lane)
        service, _, name = action.partition(":")
        named, _, called = operation.rpartition(":")
        region = lane.region if lane is not None and lane.region else self.home_region
        client = self.client(named or service, region, read_timeout)
        method = getattr(client, _snake(called or name))
        throttled = dropped = 0
        while True:
            if self._stopped.is_set():
                raise Interrupted("stopped")
            try:
                if self._shared is not None:
                    self._shared.caller.aws = self
                return answered(method, f"{service}:{called or name}", parameters)
            except (BotoCoreError, ClientError, NotAws) as error:
                if is_throttle(error):
                    throttled += 1
                    again = throttled <= patience.throttled
                else:
                    dropped += 1
                    again = is_transient(error) and dropped <= patience.dropped
                if not again:
                    said = translate(error, action, _where(lane), self.options)
                    if isinstance(said, AlreadyExists):
                        said.repeated = dropped > 1
                        raise said from None
                    raise
                self.clock.sleep(pause(throttled + dropped))

    def _check_account(self, lane: Lane | None) -> None:
        """Raises GatewayError for a lane of an account that is not ours."""
        mine = self._identity
        if lane is not None and lane.account and mine is not None and lane.account != mine.account:
            raise GatewayError(
                f"these credentials are of account {mine.account}, not of {lane.account}", where=_where(lane)
            )

    def _create(self, service: str, region: str, read_timeout: int) -> Any:
        client = self._session.create_client(
            _SERVICES.get(service, service),
            region_name=region,
            endpoint_url=self._endpoint_url,
            config=configuration(read_timeout, shared=self._shared is not None),
        )
        keep_bounds(client, self.clock)
        keep_pace(client, self._pacing, region)
        return client

    def _pacing(self) -> tuple[Limits, Callable[[str], None]]:
        """The quotas of the call that this thread makes, and what counts it."""
        by = self if self._shared is None else self._shared.caller.aws
        return by.limits, by._count

    def _count(self, called: str) -> None:
        with self._counting:
            self.calls[called] += 1
        self.called.set()


def _looks_old(error: RuntimeError) -> bool:
    """botocore's way to say that fresh credentials look expired: the clock of this machine runs ahead."""
    return "expired" in str(error)


def _snake(operation: str) -> str:
    from botocore import xform_name

    return xform_name(operation)


def _where(lane: Lane | None) -> str:
    return f"{lane.account}/{lane.region}" if lane is not None and lane.region else ""

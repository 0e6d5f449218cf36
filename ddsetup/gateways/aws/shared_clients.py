"""Clients that many identities share: each call is signed by, and keeps the pace of, whoever makes it.

Making the clients that a run takes costs a quarter of a second of processor time, connections as much again;
of a hundred accounts that would be most of the run.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ddsetup.gateways.aws.credentials import profile_of
from ddsetup.gateways.aws.service_models import share_models

if TYPE_CHECKING:
    from ddsetup.gateways.aws.session import Aws


class _Caller(threading.local):
    """Who makes a call in this thread."""

    aws: Aws


@dataclass(frozen=True, slots=True)
class SharedClients:
    """A session without credentials of its own, and its clients."""

    session: Any
    caller: _Caller
    clients: dict[tuple[str, str, int], Any] = field(default_factory=dict)
    making: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def of(cls, aws: Aws) -> SharedClients:
        """Those of further accounts that are called as `aws` calls. Raises nothing that `aws` did not."""
        import botocore.session

        session: Any = botocore.session.Session(profile=profile_of(aws.options))
        share_models(session)
        caller = _Caller()
        session._credentials = _of_caller(caller)
        return cls(session, caller)


def _of_caller(caller: _Caller) -> Any:
    from botocore.credentials import Credentials

    class OfCaller(Credentials):
        """A signer asks for these with every call, in the thread of the call (botocore's RequestSigner)."""

        def get_frozen_credentials(self) -> Any:
            return caller.aws.credentials.get_frozen_credentials()

    return OfCaller("of-the-caller", "of-the-caller")


def renewing(first: Mapping[str, str], renewed: Any) -> Any:
    """Credentials that renew themselves before they end. `first` and what `renewed` gives are in botocore's
    words."""
    from botocore.credentials import RefreshableCredentials

    return RefreshableCredentials.create_from_metadata(
        metadata=dict(first), refresh_using=renewed, method="assume-role"
    )

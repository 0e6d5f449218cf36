"""A delivery stream of Amazon Data Firehose as it is there, and how its deliveries went."""

from __future__ import annotations

from dataclasses import dataclass

from ddsetup.model.account import Unreadable
from ddsetup.model.points import Points


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStream:
    """One that brings what is put to it to an HTTP endpoint; `url` is empty where it does something else.

    `status` is AWS's. `bucket` keeps what was not delivered, `log_group` says why. `version` and
    `destination` are what an update of the endpoint has to name, `secret` is where it
    takes its key from, empty for one of its own, which is never told.
    """

    name: str
    status: str
    url: str = ""
    endpoint: str = ""
    bucket: str = ""
    log_group: str = ""
    version: str = ""
    destination: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """How one does. `stream` None: there is none of that name.

    `shares` are those of requests to the endpoint that went well, between 0 and 1; `came` are the records
    that were put to it, `waited` the seconds that its oldest record had been there. `said` are the newest
    errors of its log: Firehose's code and the endpoint's HTTP status, where there is one.
    """

    stream: DeliveryStream | Unreadable | None
    shares: Points | Unreadable = ()
    came: Points = ()
    waited: Points = ()
    said: tuple[str, ...] | Unreadable = ()

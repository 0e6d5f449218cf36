"""One Datadog organisation for many AWS accounts at the same time: asked once, written by few at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import ACCOUNTS, ALL_ACCOUNTS
from ddsetup.gateways.datadog.shapes import Shape
from ddsetup.model.account import Json

_INTEGRATION = "/api/v2/integration/aws"
_AT_ONCE = 4
"""Writes side by side: each takes Datadog some tenths of a second, and an account takes some of them."""


class Once(Datadog):
    """What it was asked for, it is not asked for again: for looking, before anything is written.

    The records of all AWS accounts come in one answer (the endpoint has no pages), from which each account
    gets its own. Not for writers, which compare with what is there.
    """

    __slots__ = ("_asking", "_known")

    _known: dict[tuple[str, tuple[tuple[str, str], ...]], Json]
    _asking: threading.Lock

    @classmethod
    def of(cls, dd: Datadog) -> Once:
        """The same connection."""
        made = cls(**_parts(dd))
        made._known, made._asking = {}, threading.Lock()
        return made

    def get(self, path: str, *, action: str, shape: Shape, query: Mapping[str, str] | None = None) -> Json:
        """As that of `Datadog`, from what is known where it was asked already."""
        if path == ACCOUNTS:
            every = self._ask(path, action, ALL_ACCOUNTS, {})
            wanted = (query or {}).get("aws_account_id")
            return {"data": [each for each in every["data"] if wanted in (None, _number(each))]}
        if not path.startswith(_INTEGRATION):
            return Datadog.get(self, path, action=action, shape=shape, query=query)
        return self._ask(path, action, shape, query or {})

    def _ask(self, path: str, action: str, shape: Shape, query: Mapping[str, str]) -> Json:
        key = (path, tuple(sorted(query.items())))
        with self._asking:
            if key not in self._known:
                self._known[key] = Datadog.get(self, path, action=action, shape=shape, query=query or None)
            return self._known[key]


class InTurn(Datadog):
    """Changes of the AWS integration a few at a time, at the pace that the answers' headers allow: all
    accounts share the limits of one organisation of Datadog's. Each has a record of its own there, so none
    is in the way of another."""

    __slots__ = ("_free", "_turns")

    _free: float
    _turns: threading.Semaphore

    @classmethod
    def of(cls, dd: Datadog) -> InTurn:
        """The same connection."""
        made = cls(**_parts(dd))
        made._free, made._turns = dd.clock.monotonic(), threading.Semaphore(_AT_ONCE)
        return made

    def call(
        self,
        method: str,
        path: str,
        *,
        action: str,
        shape: Shape,
        query: Mapping[str, str] | None = None,
        body: Json = None,
    ) -> Json:
        """As that of `Datadog`; a write waits for its turn, and for the limit to lift where it is used up."""
        ask = {"action": action, "shape": shape, "query": query, "body": body}
        if method == "GET" or not path.startswith(_INTEGRATION):
            return Datadog.call(self, method, path, **ask)
        with self._turns:
            self.clock.sleep(max(0.0, self._free - self.clock.monotonic()))
            answer = Datadog.call(self, method, path, **ask)
            limit = self.limits.get(path)
            # What is left goes to those that are under way already.
            if limit is not None and limit.remaining < min(_AT_ONCE, limit.limit):
                self._free = self.clock.monotonic() + limit.reset
            return answer


def _parts(dd: Datadog) -> dict[str, Any]:
    return {each.name: getattr(dd, each.name) for each in fields(Datadog) if each.init}


def _number(record: Json) -> Json:
    return record["attributes"].get("aws_account_id")

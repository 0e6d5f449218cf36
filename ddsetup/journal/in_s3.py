"""A memory that machines share: journals and locks in an S3 bucket, by conditional writes alone.

The lines of a journal that are written together are an object of their own, made only where there is none, so
that they are kept when `append` returns; when a run ends, all become one object. A lock is an object with an
end, which its holder puts off while it works; one whose holder died ends by itself. Who lost the lock cannot
append, and so sends nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ddsetup.gateways.aws import objects
from ddsetup.gateways.aws.session import Aws
from ddsetup.journal.memory import JournalError, held_all, stamped, unstamped
from ddsetup.model.errors import Busy, DdsetupError, GatewayError, UsageError

E = TypeVar("E", bound=DdsetupError)

_WHOLE, _BRIEF = "journal.jsonl", "brief.json"
_READ = "read what is remembered"
LEASE = timedelta(minutes=5)
"""How long a lock outlives a holder that says nothing any more. Clocks of machines may differ by less."""
RENEWED_SECONDS = 60.0
_NOTED = timedelta(seconds=2)
"""How long ends of changes may wait to be written, where no beginning takes them along."""


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, and what keys in it begin with: empty, or ending in a slash."""

    bucket: str
    prefix: str = ""

    def key(self, *parts: str) -> str:
        return self.prefix + "/".join(parts)

    def where(self, *parts: str) -> str:
        """As people write it."""
        return f"s3://{self.bucket}/{self.key(*parts)}"


def place_of(text: str) -> Place:
    """The place that `s3://BUCKET/PREFIX` names. Raises UsageError."""
    found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([\w!.*'()/-]*))?", text)
    if found is None:
        raise UsageError(f"no place for a shared state: {text!r}", fix="--state s3://BUCKET/PREFIX")
    prefix = (found.group(2) or "").strip("/")
    return Place(found.group(1), f"{prefix}/" if prefix else "")


class InS3:
    """Implements Memory in a bucket. AWS is connected to when it is first needed."""

    def __init__(self, place: Place, connect: Callable[[], Aws], now: Callable[[], datetime]) -> None:
        self.place = place
        self._connect = connect
        self._now = now
        self._aws: Aws | None = None
        self._lost = threading.Event()

    @property
    def aws(self) -> Aws:
        if self._aws is None:
            self._aws = self._connect()
        return self._aws

    def begin(self, run: str, first: bytes) -> OpenObject:
        begun = OpenObject(self, run, self._lost)
        begun.append(first)
        return begun

    def runs(self) -> Sequence[StoredObject]:
        """Raises UsageError when the bucket cannot be read."""
        prefix = self.place.key("runs", "")
        try:
            found = objects.listed(self.aws, self.place.bucket, prefix)
        except GatewayError as error:
            raise _cannot(UsageError, _READ, self.place, error) from error
        by_run: dict[str, dict[str, str]] = {}
        for key, etag in found.items():
            run, _, name = key.removeprefix(prefix).partition("/")
            by_run.setdefault(run, {})[name] = etag
        return [StoredObject(self, run, names) for run, names in sorted(by_run.items())]

    def forget(self, run: str) -> None:
        """What the lines are in goes last: without a brief they are read, without them there is no run."""
        prefix = self.place.key("runs", run, "")
        try:
            keys = sorted(objects.listed(self.aws, self.place.bucket, prefix), reverse=True)
            kept = prefix + _WHOLE if prefix + _WHOLE in keys else prefix + _name(0)
            objects.delete(self.aws, self.place.bucket, (key for key in keys if key != kept))
            objects.delete(self.aws, self.place.bucket, (kept,))
        except GatewayError as error:
            raise _cannot(DdsetupError, f"forget run {run}", self.place, error) from error

    def lock(self, accounts: Sequence[str], run: str, since: datetime) -> AbstractContextManager[None]:
        return held_all(lambda account: self._lock(account, run, since), accounts)

    @contextmanager
    def _lock(self, account: str, run: str, since: datetime) -> Iterator[None]:
        lease = _Lease(self, account, {"run": run, "who": _who(), "since": since.isoformat()})
        lease.take()
        stopped = threading.Event()
        renewing = threading.Thread(target=lease.keep, args=(stopped,), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            stopped.set()
            renewing.join()
            lease.give_back()

    def now(self) -> datetime:
        return self._now()

    def lose(self) -> None:
        """Another run has the lock: nothing is recorded any more, and so nothing sent."""
        self._lost.set()


class _Lease:
    """The lock of one account while a run holds it."""

    def __init__(self, memory: InS3, account: str, holder: dict[str, str]) -> None:
        self._memory = memory
        self._account = account
        self._at = ("locks", f"{account}.json")
        self._key = memory.place.key(*self._at)
        self._holder = holder
        self._etag = ""

    def take(self) -> None:
        """Raises Busy, DdsetupError."""
        bucket = self._memory.place.bucket
        for _ in range(2):
            try:
                self._put("")
                return
            except objects.Overtaken:
                there = objects.get(self._memory.aws, bucket, self._key)
            except GatewayError as error:
                raise _cannot(DdsetupError, "lock the account", self._memory.place, error) from error
            if there is None:
                continue
            self._over(there)
            return
        raise Busy(f"another ddsetup run is working on account {self._account}")

    def _over(self, there: objects.Held) -> None:
        """Take the lock of a holder that has been silent for too long; raises Busy while it is not."""
        who, until = _said(there.data)
        if until is None or until > self._memory.now():
            ends = f"; if it is gone, its lock ends at {until:%H:%M:%S} UTC" if until else ""
            raise Busy(
                f"another ddsetup run is working on account {self._account} ({who})",
                fix=f"wait until it has ended{ends}",
                where=self._memory.place.where(*self._at),
            )
        try:
            self._put(there.etag)
        except objects.Overtaken:
            raise Busy(f"another ddsetup run has just begun on account {self._account}") from None

    def keep(self, stopped: threading.Event) -> None:
        """Put the end off until the run has ended. A lock that somebody else has is lost; a network that
        fails for a while loses it only when its end has come."""
        until = self._memory.now() + LEASE
        while not stopped.wait(RENEWED_SECONDS):
            try:
                self._put(self._etag)
                until = self._memory.now() + LEASE
            except objects.Overtaken:
                self._memory.lose()
                return
            except GatewayError:
                if self._memory.now() >= until - timedelta(seconds=RENEWED_SECONDS):
                    self._memory.lose()
                    return

    def give_back(self) -> None:
        with suppress(GatewayError):
            there = objects.get(self._memory.aws, self._memory.place.bucket, self._key)
            if there is not None and there.etag == self._etag:
                objects.delete(self._memory.aws, self._memory.place.bucket, [self._key])

    def _put(self, etag: str) -> None:
        """Say that it is ours from now on, if the lock is still as it was; empty: if there is none."""
        until = self._memory.now().astimezone(UTC) + LEASE
        body = json.dumps({**self._holder, "until": until.isoformat()}).encode()
        self._etag = objects.put(self._memory.aws, self._memory.place.bucket, self._key, body, etag=etag)


class OpenObject:
    """Implements Begun. Not for several threads."""

    def __init__(self, memory: InS3, run: str, lost: threading.Event) -> None:
        self._memory = memory
        self._run = run
        self._lost = lost
        self._lines: list[bytes] = []
        self._kept_at = memory.now()

    @property
    def where(self) -> str:
        return self._memory.place.where("runs", self._run)

    def note(self, lines: bytes) -> bool:
        """At most one object in a few seconds for what nobody waits for."""
        if self._memory.now() - self._kept_at < _NOTED:
            return False
        self.append(lines)
        return True

    def append(self, lines: bytes) -> None:
        if self._lost.is_set():
            raise JournalError("another run has taken the lock of this account; nothing is sent any more")
        key = self._memory.place.key("runs", self._run, _name(len(self._lines)))
        try:
            objects.put(self._memory.aws, self._memory.place.bucket, key, lines, etag="")
        except GatewayError as error:
            raise JournalError(
                f"cannot write the journal {self.where}: {error.what}; what is not in it is not sent",
                fix=error.fix or "see that the bucket can be written (ddsetup policy), and run this again",
                where=self.where,
            ) from error
        self._lines.append(lines)
        self._kept_at = self._memory.now()

    def close(self, last: bytes, brief: bytes) -> None:
        """Put the lines together. Where that fails they are read one by one."""
        aws, place = self._memory.aws, self._memory.place
        with suppress(GatewayError):
            whole = b"".join((*self._lines, last))
            etag = objects.put(aws, place.bucket, place.key("runs", self._run, _WHOLE), whole)
            kept = stamped(brief, etag.encode())
            objects.put(aws, place.bucket, place.key("runs", self._run, _BRIEF), kept)
            parts = (place.key("runs", self._run, _name(number)) for number in range(len(self._lines)))
            objects.delete(aws, place.bucket, parts)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Implements Stored. `names` are the objects of a run, with their ETags."""

    memory: InS3
    run: str
    names: dict[str, str]

    @property
    def where(self) -> str:
        return self.memory.place.where("runs", self.run)

    def stamp(self) -> bytes:
        """The ETags as they were listed: of the whole, or of all that is to become it."""
        if _WHOLE in self.names:
            return self.names[_WHOLE].encode()
        return hashlib.sha256(json.dumps(sorted(self.names.items())).encode()).hexdigest().encode()

    def read(self) -> bytes:
        if _WHOLE not in self.names:
            parts = [self._get(name) for name in sorted(self.names) if name != _BRIEF]
            there = [part for part in parts if part is not None]
            if len(there) == len(parts):
                return b"".join(there)
        # Of one that has ended since it was listed, the lines are together now.
        return self._whole()

    def brief(self) -> bytes:
        if _BRIEF not in self.names or _WHOLE not in self.names:
            return b""
        brief = self._get(_BRIEF)
        return b"" if brief is None else unstamped(brief, self.stamp())

    def _whole(self) -> bytes:
        whole = self._get(_WHOLE)
        if whole is None:
            raise UsageError(f"a part of the journal {self.where} is missing", where=self.where)
        return whole

    def _get(self, name: str) -> bytes | None:
        place = self.memory.place
        try:
            held = objects.get(self.memory.aws, place.bucket, place.key("runs", self.run, name))
        except GatewayError as error:
            raise _cannot(UsageError, _READ, place, error) from error
        return None if held is None else held.data


def _name(number: int) -> str:
    return f"{number:08d}"


def _who() -> str:
    user = os.environ.get("USER") or os.environ.get("USERNAME") or "somebody"
    return f"{user} on {platform.node() or 'a machine'}, pid {os.getpid()}"


def _said(data: bytes) -> tuple[str, datetime | None]:
    try:
        document = json.loads(data[:4096])
        who = f"{document['who']}, run {document['run']}, since {document['since']}"
        return who, datetime.fromisoformat(document["until"])
    except (ValueError, KeyError, TypeError):
        return "it has not said who it is", None


def _cannot(kind: type[E], do: str, place: Place, error: GatewayError) -> E:
    return kind(
        f"cannot {do} in {place.where()}: {error.what}",
        fix=error.fix or "ddsetup state init makes the bucket; ddsetup policy --state prints the rights",
        where=place.where(),
    )

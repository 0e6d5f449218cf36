"""Calls that do not depend on each other, made side by side; the gateways keep the pace of each quota."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ddsetup.model.account import Lane

if TYPE_CHECKING:
    from ddsetup.gateways.aws.session import Aws

T = TypeVar("T")
K = TypeVar("K")
A = TypeVar("A")

AT_ONCE = 16


def each(ask: Callable[[A], T], things: Iterable[A], at_once: int = AT_ONCE) -> list[T]:
    """The answer for each thing, in their order. Raises the first exception, once all have ended."""
    every = list(things)
    if len(every) < 2:
        return [ask(thing) for thing in every]
    with ThreadPoolExecutor(min(at_once, len(every))) as pool:
        return list(pool.map(ask, every))


def all_of(jobs: Mapping[K, Callable[[], Any]], at_once: int = AT_ONCE) -> dict[K, Any]:
    """The results of all jobs. Raises the first exception, once all have ended."""
    return dict(zip(jobs, each(lambda job: job(), jobs.values(), at_once), strict=True))


def begun(job: Callable[[], T]) -> Future[T]:
    """Begin a job now, beside whatever comes next. Who asks for its result waits for it, and gets that or its
    exception; nobody waits for it at the end of the process."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(job())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)

    Thread(target=work, name="begun", daemon=True).start()
    return future


Key: TypeAlias = tuple[str, Lane | None, str]
"""What a job reads: the kind, the lane (None: the account), and which one of its kind."""
Jobs: TypeAlias = dict[Key, Callable[[], Any]]
_THREADS = 8
"""Per kind and lane; at 15 calls a second (AWS's rate for most of Lambda) that hides half a second each."""


def job(read: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    """A read that is done later, with these arguments."""
    return lambda: read(*arguments)


def side_by_side(aws: Aws, jobs: Jobs) -> dict[Key, Any]:
    """The results of all jobs, done side by side: threads of their own for each kind in each lane, as each
    has a quota of its own. The first exception, or Ctrl-C, drops what has not begun."""
    sizes = Counter(key[:2] for key in jobs)
    pools = {part: ThreadPoolExecutor(min(_THREADS, size)) for part, size in sizes.items()}
    try:
        futures = {key: pools[key[:2]].submit(job) for key, job in jobs.items()}
        done, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        return {key: future.result() for key, future in futures.items()}
    except KeyboardInterrupt:
        aws.stop()
        raise
    finally:
        for pool in pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

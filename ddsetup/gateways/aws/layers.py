"""Layer versions of other accounts: whether one exists, and which is the newest.

AWS does not list the versions of somebody else's layer, it only shows a version that is named. A missing one
answers "denied" or "not found" (public reports), so a denial that does not blame the owner's policy is told
from ours only by a version that is known to be there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ddsetup.gateways.aws.errors import NotShared, readable
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.errors import NotFound
from ddsetup.model.files import PRIVATE, write_whole

_HOLES = 3
"""Versions are nearly always consecutive; up to two may be missing in a region."""
_CACHE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class LayerCache:
    """Newest versions found within the last 24 hours, in a file. A broken file counts as empty."""

    path: Path

    def get(self, key: str, now: float) -> int | None:
        found = self._load().get(key)
        return int(found[0]) if found and 0 <= now - found[1] < _CACHE_SECONDS else None

    def put(self, key: str, version: int, now: float) -> None:
        """Remember a version; a cache that cannot be written is no reason to fail."""
        fresh = {k: v for k, v in self._load().items() if 0 <= now - v[1] < _CACHE_SECONDS}
        fresh[key] = (version, now)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, json.dumps(fresh).encode(), mode=PRIVATE)
        except OSError:
            return

    def _load(self) -> dict[str, tuple[int, float]]:
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            return {str(key): (int(value[0]), float(value[1])) for key, value in document.items()}
        except (OSError, ValueError, TypeError, AttributeError, IndexError, KeyError):
            return {}


def default_cache() -> LayerCache:
    """The cache in the user's cache directory."""
    from platformdirs import user_cache_path

    return LayerCache(user_cache_path("ddsetup") / "layers.json")


@readable
def layer_version_exists(aws: Aws, lane: Lane, arn: str) -> bool:
    """Whether this layer version (ARN with version) can be used from this region and account.

    Needs lambda:GetLayerVersion.
    """
    layer, _, version = arn.rpartition(":")
    try:
        aws.call("lambda:GetLayerVersion", lane, LayerName=layer, VersionNumber=int(version))
    except (NotFound, NotShared):
        return False
    return True


def newest_layer(
    aws: Aws, lane: Lane, name: str, account: str, baseline: int, cache: LayerCache | None = None
) -> int | Unreadable:
    """The newest version of a layer in the lane's region; about eight calls, remembered for 24 hours.

    `account` owns the layer, `baseline` is a version known to have existed. Unreadable when this identity
    may not read layers, or when nothing is found near the baseline.
    """
    cache = cache or default_cache()
    prefix = f"arn:{aws.partition_of(lane.region)}:lambda:{lane.region}:{account}:layer:{name}"
    key = f"{aws.client('lambda', lane.region).meta.endpoint_url} {prefix}"
    now = aws.clock.now().timestamp()
    known = cache.get(key, now)
    if known is not None and known >= baseline:
        return known
    found = search_newest(baseline, lambda version: layer_version_exists(aws, lane, f"{prefix}:{version}"))
    if isinstance(found, int):
        cache.put(key, found, now)
    return found


def search_newest(baseline: int, exists: Callable[[int], bool | Unreadable]) -> int | Unreadable:
    """The highest version that exists: strides of 1, 2, 4 ... from the baseline, then halving.

    Where even the baseline is missing (a region that lags behind), the few versions below it are tried.
    Denials beyond a version that could be read mean "not there"; any other failed read ends the search.
    """
    search = _Search(exists)
    try:
        return search.newest(baseline)
    except _Stopped as stop:
        return stop.reason


class _Stopped(Exception):
    def __init__(self, reason: Unreadable) -> None:
        super().__init__(reason.reason)
        self.reason = reason


class _Search:
    def __init__(self, exists: Callable[[int], bool | Unreadable]) -> None:
        self._exists = exists
        self._seen: dict[int, bool] = {}
        self._denial: Unreadable | None = None

    def newest(self, baseline: int) -> int:
        below = range(baseline, max(0, baseline - _HOLES), -1)
        low = next((version for version in below if self._there(version)), 0)
        if not low:
            nothing = f"no version of the layer near {baseline} in this region"
            raise _Stopped(self._denial or Unreadable("lambda:GetLayerVersion", nothing, denied=False))
        stride = 1
        while hit := self._from(low + stride):
            low, stride = hit, stride * 2
        high = low + stride
        while high - low > 1:
            middle = (low + high) // 2
            hit = self._from(middle)
            low, high = (hit, high) if hit else (low, middle)
        return low

    def _from(self, version: int) -> int:
        """The first version at or, across holes, just after `version`; 0 if there is none."""
        return next((v for v in range(version, version + _HOLES) if self._there(v)), 0)

    def _there(self, version: int) -> bool:
        if version not in self._seen:
            answer = self._exists(version)
            if isinstance(answer, Unreadable):
                if not answer.denied:
                    raise _Stopped(answer)
                self._denial = answer
            self._seen[version] = answer is True
        return self._seen[version]

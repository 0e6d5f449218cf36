"""The command in a sandbox that can be made to fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import pytest

from ddsetup.sandbox.faults import AwsFault, inject
from tests import nursery
from tests.e2e.conftest import Cli, OpenPlace, Place, Result, open_place
from tests.e2e.world import World
from tests.exchanges import hearing, what_is_said_to_datadog_is_as_it_says
from tests.nursery import Nursery

__all__ = ["hearing", "open_place", "what_is_said_to_datadog_is_as_it_says"]


@dataclass(frozen=True)
class Lab:
    """A place, and the means to break what it stands on."""

    place: Place
    nursery: Nursery
    """For runs that are killed."""

    @property
    def world(self) -> World:
        return self.place.world

    @property
    def cli(self) -> Cli:
        return self.place.cli

    @property
    def operator(self) -> str:
        """The access key that ddsetup uses."""
        return self.place.sandbox.operator.access_key_id

    def run(self, *arguments: str, **over: Any) -> Result:
        return self.cli(*arguments, **over)

    def aws_fails(self, *faults: AwsFault) -> None:
        """From now on; none clears them."""
        inject(self.place.sandbox, *faults)

    def datadog_fails(self, faults: Iterable[dict[str, Any]] = ()) -> None:
        """From now on, in place of what was set before."""
        url = f"{self.place.sandbox.datadog_url}/__sandbox/faults"
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"faults": list(faults)}).encode()
        for method, data in (("DELETE", None), ("POST", body)):
            urlopen(Request(url, data, headers, method=method), timeout=60).close()

    def heal(self) -> None:
        self.aws_fails()
        self.datadog_fails()


OpenLab = Callable[..., Lab]


@pytest.fixture(scope="module")
def open_lab(open_place: OpenPlace) -> OpenLab:
    """Opens labs; the arguments are those of `open_place`."""

    def opened(*scenarios: str, **options: Any) -> Lab:
        return Lab(open_place(*scenarios, **options), nursery.shared())

    return opened

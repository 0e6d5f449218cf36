"""The versions of layers that go into files: those of the bundled table, or the newest, which AWS tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ddsetup.facts import catalog
from ddsetup.flow.call import Call
from ddsetup.gateways.aws.layers import newest_layer
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.errors import CredentialsError, Denied, GatewayError, UsageError
from ddsetup.project.iac.model import Newest, Proposal, Wish

Look: TypeAlias = Callable[[str], int | Unreadable | None]
"""The newest version of a layer by its name, None if there is none; raises what credentials may."""


@dataclass(slots=True)
class LayerVersions:
    """Where the versions come from, and what to say of that once the files were looked at.

    `look` is only asked for what a file needs, once for each layer; after a refusal no more.
    """

    look: Look
    tabled: bool = False
    problem: str = ""
    _found: dict[str, int | None] = field(default_factory=dict)

    def wanted(self, wanted: Wish) -> Wish:
        """What is wanted, with the layers that `--layer-version` and `--extension-version` ask for.

        Raises UsageError.
        """
        library, extension = wanted.answers.layer_version, wanted.answers.extension_version
        check_extension(extension)
        return replace(wanted, newest_library=self._newer(library), newest_extension=self._newer(extension))

    def note(self, proposal: Proposal) -> str:
        """Where the versions in what is proposed come from; empty if there are none."""
        if not proposal.edits and not proposal.snippets:
            return ""
        table = f"the bundled table ({catalog.layers_source()})"
        if self.problem:
            return f"the newest layers cannot be told: {self.problem}; their versions are those of {table}"
        found = ["the newest, as AWS tells"] if self._found else []
        found += [f"those of {table}; --layer-version latest asks AWS for newer ones"] if self.tabled else []
        return f"the layers' versions are {' and '.join(found)}" if found else ""

    def _newer(self, setting: str) -> Newest:
        return self._newest if setting == "latest" else self._of_table

    def _of_table(self, _name: str) -> None:
        self.tabled = True

    def _newest(self, name: str) -> int | None:
        if name not in self._found and not self.problem:
            self._found[name] = self._ask(name)
        return self._found.get(name)

    def _ask(self, name: str) -> int | None:
        try:
            found = self.look(name)
        except (CredentialsError, Denied, GatewayError) as error:
            found = Unreadable("lambda:GetLayerVersion", error.what)
        if isinstance(found, Unreadable):
            self.problem = found.reason
            return None
        return found


def check_extension(setting: str) -> None:
    """Raise UsageError for what no deployment tool can be told."""
    if setting == "none":
        raise UsageError(
            "in files, the Extension is its layer: without it there is none",
            where="--extension-version none",
            fix="leave it out, or use --via forwarder",
        )


def on_aws(call: Call) -> Look:
    """Asks AWS, in the region that is meant; connects when it is first asked."""
    place: list[Look] = []

    def look(name: str) -> int | Unreadable | None:
        if not place:
            aws, lane = _place(call)
            place.append(newest_in(aws, (lane,)))
        return place[0](name)

    return look


def newest_in(aws: Aws, lanes: Sequence[Lane]) -> Look:
    """Asks AWS for the newest version that there is in each of these regions."""

    def look(name: str) -> int | Unreadable | None:
        found = []
        for lane in lanes:
            owner = catalog.LAYER_ACCOUNTS.get(catalog.partition_of(lane.region))
            baseline = catalog.baseline_version(name, lane.region)
            newest = newest_layer(aws, lane, name, owner, baseline) if owner and baseline else None
            if newest is None or isinstance(newest, Unreadable):
                return newest
            found.append(newest)
        return min(found, default=None)

    return look


def _place(call: Call) -> tuple[Aws, Lane]:
    regions = call.given.items("region")
    aws = call.aws()
    region = regions[0] if regions else aws.default_region
    if not region:
        raise CredentialsError("no region is named", fix="name it with --region")
    return aws, Lane(aws.identity().account, region)

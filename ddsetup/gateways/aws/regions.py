"""Which regions a run may be given, told without asking AWS."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from ddsetup.facts.catalog import LAYER_ACCOUNTS, partition_of
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean

_SERVED = (*LAYER_ACCOUNTS, "aws-cn")
"""Partitions that something can be done in; in China only what needs no layer and no Forwarder of Datadog."""

_NEWER = "A region newer than this installation: pip install --upgrade boto3"


def check_regions(names: Iterable[str], known: Callable[[str], Collection[str]]) -> None:
    """Raises UsageError for a region that there is not, or in which Datadog offers nothing; both are known
    before anything is asked of AWS. `known`: the regions with Lambda of a partition (`Aws.regions`).
    """
    wanted = tuple(names)
    for name in wanted:
        partition = partition_of(name)
        if partition not in _SERVED:
            raise UsageError(
                f"region {name} is in the partition {partition}, for which Datadog has no layers and no site",
                where=name,
                fix="choose regions of the partitions aws, aws-us-gov or aws-cn",
            )
        regions = known(partition)
        if name not in regions:
            raise UsageError(
                f"there is no AWS region {name}",
                where=name,
                fix=did_you_mean(name, regions, _NEWER, cutoff=0.7),
            )
    if len({partition_of(name) for name in wanted}) > 1:
        raise UsageError(
            f"regions of several partitions in one run: {', '.join(sorted(wanted))}",
            fix="credentials are of one partition; give its regions only",
        )

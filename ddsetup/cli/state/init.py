"""`ddsetup state init`: make the bucket in which runs are remembered for several machines."""

from __future__ import annotations

from ddsetup.flow.call import Call
from ddsetup.gateways.aws.objects import make_bucket
from ddsetup.journal.in_s3 import InS3
from ddsetup.model.blocks import Block
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look, line
from ddsetup.model.report import Report


def run(call: Call) -> Report:
    """Make it private, encrypted and versioned; one that is there is made so, too."""
    from ddsetup.flow import verbs

    memory = call.memory()
    if not isinstance(memory, InS3):
        raise UsageError("no place was named", fix="ddsetup state init --state s3://BUCKET/PREFIX")
    region = next(iter(call.given.items("region")), "") or memory.aws.home_region
    if not call.given.on("dry_run"):
        question = f"Make bucket {memory.place.bucket} in {region}, private and versioned?"
        verbs.confirm(call.host(), question, yes=call.given.on("yes"))
        made = make_bucket(memory.aws, memory.place.bucket, region)
    else:
        made = False
    return Report(
        command="state init",
        regions=(region,),
        data={"bucket": memory.place.bucket, "state": memory.place.where(), "made": made},
        next=(f'state = "{memory.place.where()}" in ddsetup.toml',),
    )


def blocks(report: Report, _look: Look) -> list[Block]:
    """What was made."""
    how = "made" if report.data["made"] else "ready"
    return [line(f"bucket {report.data['bucket']}: {how}; runs are remembered in {report.data['state']}")]

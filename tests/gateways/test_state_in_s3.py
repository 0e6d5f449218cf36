"""The state that machines share in S3, where two of them meet."""

from __future__ import annotations

import pytest

from ddsetup.journal.in_s3 import InS3, Place
from ddsetup.model.clock import SYSTEM_CLOCK
from ddsetup.model.errors import UsageError
from tests.gateways.bench import REGION, Bench, aws, bench, moto_url

__all__ = ["aws", "bench", "moto_url"]

PLACE = Place("shared", "shop/")


@pytest.fixture
def memory(bench: Bench) -> InS3:
    where = {"LocationConstraint": REGION}
    bench.client("s3").create_bucket(Bucket=PLACE.bucket, CreateBucketConfiguration=where)
    return InS3(PLACE, lambda: bench.aws, SYSTEM_CLOCK.now)


def test_a_run_that_ends_between_being_listed_and_being_read_is_read_whole(memory: InS3) -> None:
    begun = memory.begin("r-1", b"first\n")
    begun.append(b"second\n")
    (listed,) = memory.runs()
    begun.close(b"last\n", b"{}")
    assert listed.read() == b"first\nsecond\nlast\n"
    assert listed.brief() == b""


def test_a_journal_that_was_touched_has_another_stamp_and_one_that_was_not_has_its_own(memory: InS3) -> None:
    def stamp() -> bytes:
        (listed,) = memory.runs()
        return listed.stamp()

    begun = memory.begin("r-1", b"first\n")
    seen = [stamp()]
    begun.append(b"second\n")
    seen.append(stamp())
    begun.close(b"last\n", b"{}")
    seen += [stamp(), stamp()]
    assert len({*seen}) == 3
    assert seen[2] == seen[3]


def test_a_run_that_goes_on_is_read_as_far_as_it_has_come(memory: InS3) -> None:
    memory.begin("r-1", b"first\n").append(b"second\n")
    (listed,) = memory.runs()
    assert listed.read() == b"first\nsecond\n"


def test_a_run_of_which_a_part_is_gone_is_not_read_as_if_it_were_whole(bench: Bench, memory: InS3) -> None:
    memory.begin("r-1", b"first\n").append(b"second\n")
    (listed,) = memory.runs()
    bench.client("s3").delete_object(Bucket=PLACE.bucket, Key=PLACE.key("runs", "r-1", "00000000"))
    with pytest.raises(UsageError, match=r"a part of the journal .* is missing"):
        listed.read()

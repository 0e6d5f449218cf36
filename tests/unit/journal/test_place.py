"""Where a shared state is, as people write it."""

from __future__ import annotations

import pytest

from ddsetup.journal.in_s3 import Place, place_of
from ddsetup.model.errors import UsageError


@pytest.mark.parametrize(
    ("text", "bucket", "prefix"),
    [
        ("s3://abc", "abc", ""),
        ("s3://a.b-9/", "a.b-9", ""),
        ("s3://state/dd", "state", "dd/"),
        ("s3://state//dd/prod/", "state", "dd/prod/"),
        ("s3://state/a_b!.*'()-1", "state", "a_b!.*'()-1/"),
        (f"s3://{'ab' * 31}c/x", f"{'ab' * 31}c", "x/"),
    ],
)
def test_a_place_is_a_bucket_and_what_keys_begin_with(text: str, bucket: str, prefix: str) -> None:
    place = place_of(text)
    assert place == Place(bucket, prefix)
    assert place.key("runs", "r-1") == f"{prefix}runs/r-1"
    assert place.where("runs") == f"s3://{bucket}/{prefix}runs"


@pytest.mark.parametrize(
    "text",
    ["", "s3://", "s3://ab", "s3://Abc", "s3://-bc", "s3://ab-", f"s3://{'ab' * 32}", "s3:/abc", "state/dd",
     "s3://abc/d d", "s3://abc?x", " s3://abc", "s3://abc\n"],
)  # fmt: skip
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        place_of(text)
    assert caught.value.what == f"no place for a shared state: {text!r}"
    assert caught.value.fix == "--state s3://BUCKET/PREFIX"

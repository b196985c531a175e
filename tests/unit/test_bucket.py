"""Buckets and partitions of subjects are Kafka's, and stay what they are."""

from __future__ import annotations

import polars as pl

from schemas.bucket import BUCKETS, bucket, murmur2, partition

SUBJECTS = ["91440300708461136T", "914403001922038216", "11100000000013338W"]


def column(expr: pl.Expr, texts: list[str | None]) -> list[int | None]:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    return frame.select(expr).to_series().to_list()


def test_a_bucket_never_changes() -> None:
    assert BUCKETS == 64
    assert column(murmur2(pl.col("x")), [*SUBJECTS]) == [2780411397, 2338320204, 1787611367]
    assert column(bucket(pl.col("x")), [*SUBJECTS]) == [5, 12, 39]
    assert column(partition(pl.col("x"), 6), [*SUBJECTS]) == [1, 4, 5]


def test_what_is_no_subject_has_no_bucket() -> None:
    texts: list[str | None] = [None, "", "9144030070846113", SUBJECTS[0] + "0", "统" * 18, "😀"]
    assert column(bucket(pl.col("x")), texts) == [None] * len(texts)
    assert column(bucket(pl.col("x")), [None, SUBJECTS[0]])[1] is not None
    assert column(bucket(pl.col("x")), []) == []


def test_the_types_are_fixed() -> None:
    frame = pl.DataFrame({"x": SUBJECTS}).select(
        murmur2(pl.col("x")).alias("hash"),
        bucket(pl.col("x")).alias("bucket"),
    )
    assert dict(frame.schema) == {"hash": pl.UInt32(), "bucket": pl.Int64()}

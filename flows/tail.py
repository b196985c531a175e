"""What the log has gained since each bucket was settled: the follower's side of the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.transactions import transactions
from flows.log import ACCEPTED
from schemas.bucket import BUCKETS


def watermark_id(bucket: int) -> str:
    """Return the transaction id of a bucket's watermark: log version settled through, plus one."""
    return f"settled:{bucket}"


def watermarks(table: DeltaTable | None) -> dict[int, int]:
    """Return, by bucket, the log version (plus one) it is settled through; 0 where it never was."""
    return marks_of(transactions(table))


def marks_of(known: Mapping[str, int]) -> dict[int, int]:
    """Return the same by a table's transactions."""
    return {bucket: known.get(watermark_id(bucket), 0) for bucket in range(BUCKETS)}


def tail(
    log: DeltaTable, marks: Mapping[int, int], buckets: list[int], columns: pl.Schema
) -> pl.DataFrame:
    """Return the accepted rows of some buckets that lie beyond their watermarks."""
    return pl.concat([pl.DataFrame(schema=columns), *tail_in_pieces(log, marks, buckets, columns)])


def tail_in_pieces(
    log: DeltaTable, marks: Mapping[int, int], buckets: list[int], columns: pl.Schema
) -> Iterator[pl.DataFrame]:
    """Yield the same, some rows at a time, so that memory is bounded.

    A bucket never settled is read from the table as it stands: what its log looked like version
    by version may have been cleared away. The others cost what is new, not what is there.
    """
    never = [bucket for bucket in buckets if marks[bucket] == 0]
    since = [bucket for bucket in buckets if marks[bucket] > 0]
    if never:
        yield from lake.in_pieces(log, columns, _accepted(never))
    if since:
        yield from _since(log, marks, since, columns)


def _accepted(buckets: list[int]) -> str:
    numbers = ", ".join(str(bucket) for bucket in buckets)
    return f"verdict = '{ACCEPTED}' AND bucket IN ({numbers})"


def _since(
    log: DeltaTable, marks: Mapping[int, int], buckets: list[int], columns: pl.Schema
) -> Iterator[pl.DataFrame]:
    wanted = pl.Schema({**columns, "bucket": pl.Int64()})
    mark = pl.col("bucket").replace_strict(dict(marks), return_dtype=pl.Int64)
    for new in lake.added_since(
        log, min(marks[b] for b in buckets) - 1, wanted, _accepted(buckets)
    ):
        yield new.filter(pl.col("_commit_version") >= mark).select(columns.names())

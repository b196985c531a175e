"""Whole record batches to event columns: the fast way. What does not fit goes the plain one."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from connectors.raw_batches import RawBatch
from connectors.wire import Columns, looks_right, spread, to_columns
from flows.decode import Decoded, decode_records, nothing_refused
from schemas.avro import event_columns, schema_id
from schemas.avro_guard import Unfit


def decode_batches(batches: list[RawBatch], family: str) -> Iterator[Decoded]:
    """Decode batches of one topic: the same events and refusals as `decode_records` gives.

    Order and grouping are no one's to rely on. Raises kafka.errors.CorruptRecordError for a batch
    that is not laid out as Kafka promises.
    """
    plain: list[RawBatch] = []
    fast: list[RawBatch] = []
    for batch in batches:
        right = batch.asked_whole and looks_right(batch, family)
        (fast if right else plain).append(batch)
    if fast:
        yield from _halving(fast, family)
    if plain:
        yield _plain(plain, family)


def _halving(batches: list[RawBatch], family: str) -> Iterator[Decoded]:
    """Decode all at once; where they do not fit, find the batch that is to blame by halving."""
    try:
        yield _decoded(to_columns(batches, family), batches, family)
    except Unfit:
        if len(batches) == 1:
            yield _plain(batches, family)
            return
        half = len(batches) // 2
        yield from _halving(batches[:half], family)
        yield from _halving(batches[half:], family)


def _plain(batches: list[RawBatch], family: str) -> Decoded:
    return decode_records([one for batch in batches for one in batch.records()], family)


def _decoded(read: Columns, batches: list[RawBatch], family: str) -> Decoded:
    offset = read.rows["__offset"] + spread([batch.base for batch in batches], batches)
    events = read.rows.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("at"),
        pl.lit(batches[0].topic).alias("topic"),
        spread([batch.partition for batch in batches], batches).alias("partition"),
        offset.alias("offset"),
        pl.lit(schema_id(family), pl.Int64).alias("schema_id"),
        pl.col("__key").alias("key"),
        *event_columns(family),
    )

    def raw(at: pl.Series) -> list[bytes]:
        places = zip(read.begins[at], read.ends[at], strict=True)
        return [read.data[begin:end] for begin, end in places]

    return Decoded(events, nothing_refused(), raw)

"""Whole record batches to event columns: the fast way. What does not fit goes the plain one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import polars as pl

from connectors.raw_batches import RawBatch
from connectors.schema_ids import BUILT_IN, SchemaIds
from connectors.wire import Columns, schema_id_of, spread, to_columns
from flows.decode import Decoded, decode_records, nothing_refused
from schemas.avro import event_columns
from schemas.avro_guard import Unfit


def decode_batches(
    batches: list[RawBatch], family: str, ids: SchemaIds = BUILT_IN
) -> Iterator[Decoded]:
    """Decode batches of one topic: the same events and refusals as `decode_records` gives.

    Order and grouping are no one's to rely on. Raises kafka.errors.CorruptRecordError for a batch
    that is not laid out as Kafka promises.
    """
    alike: dict[int | None, list[RawBatch]] = defaultdict(list)
    for batch in batches:
        alike[schema_id_of(batch, family, ids) if batch.asked_whole else None].append(batch)
    for number, some in alike.items():
        if number is None:
            yield _plain(some, family, ids)
        else:
            yield from _halving(some, family, number, ids)


def _halving(
    batches: list[RawBatch], family: str, number: int, ids: SchemaIds
) -> Iterator[Decoded]:
    """Decode all at once; where they do not fit, find the batch that is to blame by halving."""
    version = ids.version(number)
    try:
        yield _decoded(to_columns(batches, number, version), batches, family, number)
    except Unfit:
        if len(batches) == 1:
            yield _plain(batches, family, ids)
            return
        half = len(batches) // 2
        yield from _halving(batches[:half], family, number, ids)
        yield from _halving(batches[half:], family, number, ids)


def _plain(batches: list[RawBatch], family: str, ids: SchemaIds) -> Decoded:
    return decode_records([one for batch in batches for one in batch.records()], family, ids)


def _decoded(read: Columns, batches: list[RawBatch], family: str, number: int) -> Decoded:
    offset = read.rows["__offset"] + spread([batch.base for batch in batches], batches)
    events = read.rows.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("at"),
        pl.lit(batches[0].topic).alias("topic"),
        spread([batch.partition for batch in batches], batches).alias("partition"),
        offset.alias("offset"),
        pl.lit(number, pl.Int64).alias("schema_id"),
        pl.col("__key").alias("key"),
        read.times.alias("kafka_time"),
        read.header_faults.alias("header_fault"),
        *event_columns(family),
    )

    def raw(at: pl.Series) -> list[bytes]:
        places = zip(read.begins[at], read.ends[at], strict=True)
        return [read.data[begin:end] for begin, end in places]

    return Decoded(events, nothing_refused(), raw)

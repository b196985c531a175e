"""Kafka's record batches as Avro blocks: many messages to columns in one reading.

Kafka's varints are Avro's longs, and its byte strings Avro's, so the records of a batch are Avro
records of the schema made here, with the event's own fields in their midst. What is read is given
out only when every row is known to come from its own message's bytes (`schemas.avro_guard`).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, Final, cast

import fastavro
import polars as pl
from arro3.core import Array

from connectors.framing import FRAME, HEADER_NAMES, LARGEST_BODY, header_values
from connectors.growing import as_written
from connectors.raw_batches import RawBatch
from connectors.schema_ids import SchemaIds, Version
from schemas.avro import (
    UnknownSchemaError,
    columnar_event_schema,
    event_columns,
    name_enums,
)
from schemas.avro_guard import Unfit, size_of_long, walk

#: A batch with other headers, or in another order, goes the plain way.
HEADERS: Final = len(HEADER_NAMES)
_BEFORE: Final = (
    ("__length", "long"),
    ("__attributes", {"type": "fixed", "name": "Attributes", "size": 1}),
    ("__time", "long"),
    ("__offset", "long"),
    ("__key", "bytes"),
    ("__value", "long"),
)
_FRAME: Final = ("__frame", {"type": "fixed", "name": "Frame", "size": FRAME.size})
_AFTER: Final = (
    ("__headers", "long"),
    *(
        (f"__{part}{number}", kind)
        for number in range(HEADERS)
        for part, kind in (("name", "string"), ("said", "bytes"))
    ),
)


@dataclass(frozen=True)
class Columns:
    """Messages read: the newest event columns, `__key` (bytes), `__offset` (from its batch's base).

    Rows are in the order of the batches, `count` of each. A row's value is `data[begin:end]`.
    `header_faults`: the name of a header that disagrees with the event, null where none does.
    `times`: Kafka's time of each message, in milliseconds since 1970.
    """

    rows: pl.DataFrame
    header_faults: pl.Series
    times: pl.Series
    begins: pl.Series
    ends: pl.Series
    data: bytes


def to_columns(batches: list[RawBatch], schema_id: int, of: Version) -> Columns:
    """Read batches of one schema in one piece. Raises Unfit when any row of them does not fit.

    `of`: what the id means.
    """
    data, start = _file(batches, of)
    family, version = of
    wanted = pl.Schema({"__key": pl.Binary(), "__offset": pl.Int64(), **event_columns(family)})
    try:
        rows = pl.read_avro(io.BytesIO(data))
        begins, ends = _walked(rows, batches, _records(rows, batches, start), data, schema_id, of)
        named = as_written(name_enums(rows, family, version), wanted)
        faults = _header_faults(rows, named, family)
        return Columns(named, faults, _times(rows, batches), begins, ends, data)
    except (Exception, pl.exceptions.PanicException) as error:  # Polars panics on much damage
        raise Unfit from error


def _header_faults(rows: pl.DataFrame, events: pl.DataFrame, family: str) -> pl.Series:
    """Return the first header of each message that disagrees with its event; null where none does."""
    stated = {name: rows[f"__said{number}"] for number, name in enumerate(HEADER_NAMES)}
    expected = events.select(header_values(family))
    faults = [
        pl.when(stated[name] != expected[name]).then(pl.lit(name)) for name in expected.columns
    ]
    return pl.select(pl.coalesce(faults).alias("fault")).to_series()


def _times(rows: pl.DataFrame, batches: list[RawBatch]) -> pl.Series:
    """Return Kafka's time of each message: the broker's, or else its client's."""
    brokers = [batch.append_time for batch in batches]
    if None not in brokers:
        return spread(brokers, batches)
    clients = spread([batch.first_time for batch in batches], batches) + rows["__time"]
    return spread(brokers, batches).fill_null(clients)


def spread(values: list[Any], batches: list[RawBatch]) -> pl.Series:
    """Return one value of each batch for each of its rows."""
    frame = pl.DataFrame({"value": values, "count": [batch.count for batch in batches]})
    return frame.select(pl.col("value").repeat_by("count").explode()).to_series()


def schema_id_of(batch: RawBatch, family: str, ids: SchemaIds) -> int | None:
    """Return the schema of a batch's first message, if that has the shape `to_columns` reads.

    Raises what `ids` raises where nothing is known of it.
    """
    section = batch.section
    try:
        at = _read_long(section, 0)[1] + 1  # length, attributes
        at = _read_long(section, _read_long(section, at)[1])[1]  # time, offset
        key, at = _read_long(section, at)
        value, at = _read_long(section, at + key)
        magic, number = FRAME.unpack(section[at : at + FRAME.size])
        right = min(key, value) >= 0 and magic == 0
        right &= _read_long(section, at + value)[0] == HEADERS
        return number if right and ids.version(number)[0] == family else None
    except (IndexError, struct.error, UnknownSchemaError):
        return None


def _file(batches: list[RawBatch], of: Version) -> tuple[bytes, int]:
    """Return an Avro file of the batches' records, in one block, and where in it they begin.

    A block for each batch would hold damage back from the next; but Polars takes 0.6 ms for a
    block, and damage is found anyway.
    """
    head, mark = _container(of)
    count = sum(batch.count for batch in batches)
    size = sum(len(batch.section) for batch in batches)
    before = head + long_bytes(count) + long_bytes(size)
    return b"".join([before, *(batch.section for batch in batches), mark]), len(before)


def _records(
    rows: pl.DataFrame, batches: list[RawBatch], start: int
) -> tuple[pl.Series, pl.Series]:
    """Return where each record begins and ends, by its own length. Raises Unfit.

    A batch's records fill it: one that claims more or less than it has is found.
    """
    sizes = list(accumulate(len(batch.section) for batch in batches))
    lasts = list(accumulate(batch.count for batch in batches))
    taken = rows["__length"] + size_of_long(rows["__length"])
    through = taken.cum_sum()
    if rows.height != lasts[-1] or through[[last - 1 for last in lasts]].to_list() != sizes:
        raise Unfit
    ends = through + start
    return ends - taken, ends


def _walked(
    rows: pl.DataFrame,
    batches: list[RawBatch],
    records: tuple[pl.Series, pl.Series],
    data: bytes,
    schema_id: int,
    of: Version,
) -> tuple[pl.Series, pl.Series]:
    """Follow every row along its bytes; return where the values begin and end. Raises Unfit."""
    source = pl.Series(Array.from_buffer(data))
    at, stops = records
    for name, kind in _BEFORE:
        at = walk(kind, rows[name], at, source)
    begins = at
    for name, kind in [_FRAME, *((f["name"], f["type"]) for f in _fields(of))]:
        at = walk(kind, rows[name], at, source)
    ends = at
    for name, kind in _AFTER:
        at = walk(kind, rows[name], at, source)
    lasts = spread([batch.last - batch.base for batch in batches], batches)
    expected = rows.select(
        pl.col("__offset").is_between(0, lasts).all(),
        (pl.col("__value") <= LARGEST_BODY).all(),
        (pl.col("__attributes") == pl.lit(bytes(1))).all(),
        (pl.col("__frame") == pl.lit(FRAME.pack(0, schema_id))).all(),
        (pl.col("__headers") == HEADERS).all(),
        *((pl.col(f"__name{at}") == name).all() for at, name in enumerate(HEADER_NAMES)),
    ).row(0)
    if not (all(expected) and (at == stops).all() and (ends - begins == rows["__value"]).all()):
        raise Unfit
    return begins, ends


@cache
def _container(of: Version) -> tuple[bytes, bytes]:
    """Return an Avro file's header for messages of a schema, and the mark that ends its blocks."""
    fields = [{"name": name, "type": kind} for name, kind in (*_BEFORE, _FRAME)]
    fields += _fields(of)
    fields += [{"name": name, "type": kind} for name, kind in _AFTER]
    out = io.BytesIO()
    fastavro.writer(out, {"type": "record", "name": "Message", "fields": fields}, [])
    return out.getvalue(), out.getvalue()[-16:]


def _fields(of: Version) -> list[dict[str, Any]]:
    schema = cast(dict[str, Any], columnar_event_schema(*of))
    return list(schema["fields"])


def long_bytes(number: int) -> bytes:
    """Return a number that is not negative as an Avro long."""
    return b"".join(_sevens(number << 1))


def _sevens(rest: int) -> Iterator[bytes]:
    while rest > 0x7F:
        yield bytes([rest & 0x7F | 0x80])
        rest >>= 7
    yield bytes([rest])


def _read_long(source: memoryview, at: int) -> tuple[int, int]:
    """Return the long at a place and the place after it. Raises IndexError."""
    number, shift = 0, 0
    while True:
        byte = source[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number >> 1 ^ -(number & 1), at

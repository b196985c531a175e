"""Landed versions as JSON texts, one each, and back: columns on the way in, one row on the way out.

Days and times are ISO 8601, decimals are texts, so that nothing is rounded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, Final

import orjson
import polars as pl

from schemas.avro import event_columns, instance

#: Not needed to answer: what a message was in, and how it was sent.
_LEFT_OUT: Final = ("subject", "landed_at", "schema_id", "event_type", "edition")
Reader = Callable[[Any], Any]


def to_json(versions: pl.DataFrame) -> pl.Series:
    """Return one JSON object for each row of landed versions.

    What is null in all of them is left out, which is most of what a layout could fill.
    """
    kept = [name for name in versions.columns if name not in _LEFT_OUT]
    filled = [_filled(versions[name]) for name in kept if not _empty(versions[name])]
    return pl.DataFrame(filled).select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _filled(held: pl.Series) -> pl.Series:
    """Return a column without the fields that no row has; null stays null."""
    if not isinstance(held.dtype, pl.Struct):
        return held
    fields = [f.name for f in held.dtype.fields if not _empty(held.struct.field(f.name))]
    told = pl.struct(pl.col(held.name).struct.field(name) for name in fields)
    there = pl.when(pl.col(held.name).is_not_null()).then(told).alias(held.name)
    return held.to_frame().select(there).to_series()


def _empty(held: pl.Series) -> bool:
    return held.null_count() == len(held)


def from_json(family: str, text: str | bytes) -> dict[str, Any]:
    """Return one row again, as Polars gives it; columns that were null may lack."""
    found: dict[str, Any] = orjson.loads(text)
    for name, read in _readers(family).items():
        if found.get(name) is not None:
            found[name] = read(found[name])
    return found


@cache
def _readers(family: str) -> dict[str, Reader]:
    made = {name: _reader(instance(dtype)) for name, dtype in event_columns(family).items()}
    return {name: read for name, read in made.items() if read is not None}


def _reader(dtype: pl.DataType) -> Reader | None:
    """Return how a value is read; None: as it stands."""
    if isinstance(dtype, pl.Date):
        return dt.date.fromisoformat
    if isinstance(dtype, pl.Datetime):
        return dt.datetime.fromisoformat
    if isinstance(dtype, pl.Decimal):
        return Decimal
    if isinstance(dtype, pl.List):
        return _list(_reader(instance(dtype.inner)))
    return _struct(dtype) if isinstance(dtype, pl.Struct) else None


def _list(read: Reader | None) -> Reader | None:
    return None if read is None else lambda values: [read(value) for value in values]


def _struct(dtype: pl.Struct) -> Reader:
    empty: dict[str, Any] = {field.name: None for field in dtype.fields}
    made = {field.name: _reader(instance(field.dtype)) for field in dtype.fields}
    readers = {name: read for name, read in made.items() if read is not None}

    def read(value: dict[str, Any]) -> dict[str, Any]:
        told = empty | value
        for name, one in readers.items():
            if told[name] is not None:
                told[name] = one(told[name])
        return told

    return read

"""Whether columns were read from their own bytes of an Avro block, and from nothing else.

Avro has no borders: a damaged body may decode into its neighbour's bytes without any error. So each
row's columns are walked along the bytes they claim to come from. What they take, written again, must
end where the message ends; and a union's index must be 0 or 1, which Polars (2.1.0) does not ask.
Canonical Avro is taken for granted: a longer spelling of a number only looks like damage. What a
damaged row then is, is for the plain way to say (`docs/decisions/0007-columns.md`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import polars as pl

#: An Avro long takes one byte more from each of these on (7 bits a byte, zigzag).
_STEPS: Final = tuple(1 << (7 * k - 1) for k in range(1, 10))
#: decimal(20,2) as two's complement: bytes beyond the first.
_DECIMAL_STEPS: Final = tuple(1 << (8 * k - 1) for k in range(1, 9))
#: Beyond these fastavro reads neither a date nor a time.
_DAYS: Final = (dt.date.min, dt.date.max)
_TIMES: Final = (
    dt.datetime.min.replace(tzinfo=dt.UTC),
    dt.datetime.max.replace(tzinfo=dt.UTC),
)


class Unfit(Exception):
    """A row was not, or not surely, read from its own bytes as fastavro reads them."""


def walk(node: Any, held: pl.Series, at: pl.Series, source: pl.Series) -> pl.Series:
    """Return where the values of one column end that begin at `at`. Raises Unfit.

    `node`: a type of `columnar_event_schema`. `held`: its column as `polars.read_avro` gives it.
    `at`: Int64, a place in `source` for each row. `source`: the bytes (UInt8).
    """
    if not isinstance(node, list):
        return at + size_of(node, held)
    inner = node[1]
    if held.null_count() == len(held):
        return at + 1  # a null was read where the index is 0, and nowhere else
    index = source.gather(at)
    if ((index != 0) & (index != 2)).any():  # 0 and 1, zigzag
        raise Unfit
    if isinstance(inner, dict) and inner["type"] == "record":
        return _record(inner, held, at, source)
    return at + 1 + size_of(inner, held).fill_null(0)


def _record(node: Any, held: pl.Series, at: pl.Series, source: pl.Series) -> pl.Series:
    """Walk a record that may be null: where it is, its parts take nothing."""
    there = held.is_not_null()
    place = at + 1
    for field in node["fields"]:
        # Where the record is null, look at its index again instead of at another's bytes.
        begin = place if there.all() else place.zip_with(there, at)
        end = walk(field["type"], held.struct.field(field["name"]), begin, source)
        place = end if there.all() else end.zip_with(there, place)
    return place


def size_of(node: Any, held: pl.Series) -> pl.Series:
    """Return the bytes (Int64) of values of a type that is no union. Raises Unfit."""
    if node == "long":
        return size_of_long(held)
    if node == "string":
        return size_of_counted(held.str.len_bytes())
    if node == "bytes":
        return size_of_counted(held.bin.size())
    if node["type"] == "fixed":
        return pl.repeat(node["size"], len(held), dtype=pl.Int64, eager=True)
    if node["type"] == "array":
        return _array(node["items"], held)
    kind = node.get("logicalType")
    if kind == "decimal":
        return _decimal(held, 10 ** node["precision"])
    if not held.is_between(*(_DAYS if kind == "date" else _TIMES)).all():
        raise Unfit
    return size_of_long(held.to_physical().cast(pl.Int64))


def size_of_long(held: pl.Series) -> pl.Series:
    """Return the bytes of each number as an Avro long."""
    return _steps(_folded(held), _STEPS)


def size_of_counted(lengths: pl.Series) -> pl.Series:
    """Return the bytes of texts or byte strings of these lengths, their length before them."""
    lengths = lengths.cast(pl.Int64)
    return lengths + _steps(lengths, _STEPS)


def _decimal(held: pl.Series, beyond: int) -> pl.Series:
    number = held.to_physical()
    # No amount is negative, so none is worth a fast way of its own.
    if (number < 0).any() or _largest(number) >= beyond:
        raise Unfit
    return size_of_counted(_steps(number, _DECIMAL_STEPS))


def _array(items: Any, held: pl.Series) -> pl.Series:
    """Return the bytes of arrays: one block with its count, then the end; an empty one its end."""
    counts = held.list.len().cast(pl.Int64)
    if not _largest(counts):
        return pl.repeat(1, len(held), dtype=pl.Int64, eager=True)
    if _holds_union(items):
        raise Unfit  # no column tells where in a list a union's index stands
    row = pl.DataFrame({"row": pl.int_range(len(held), eager=True), "one": held})
    row = row.filter(counts > 0).explode("one")
    sizes = row.select("row", size=_item(items, row["one"])).group_by("row").agg(pl.sum("size"))
    taken = pl.DataFrame({"row": pl.int_range(len(held), eager=True)}).join(
        sizes, on="row", how="left", maintain_order="left"
    )["size"]
    return pl.select(
        pl.when(counts > 0).then(taken.fill_null(0) + 1 + _steps(counts, _STEPS)).otherwise(1)
    ).to_series()


def _item(node: Any, held: pl.Series) -> pl.Series:
    if isinstance(node, str) or node["type"] != "record":
        return size_of(node, held)
    total = pl.repeat(0, len(held), dtype=pl.Int64, eager=True)
    for field in node["fields"]:
        total = total + size_of(field["type"], held.struct.field(field["name"]))
    return total


def _holds_union(node: Any) -> bool:
    if isinstance(node, str):
        return False
    return any(isinstance(field["type"], list) for field in node.get("fields", ()))


def _folded(held: pl.Series) -> pl.Series:
    """Return n, or its complement where n is negative: both take the same bytes."""
    positive = held >= 0
    return held if positive.all() else held.zip_with(positive, -1 - held)


def _steps(held: pl.Series, steps: tuple[int, ...]) -> pl.Series:
    """Return one, and one more for each step reached; steps beyond the largest cost nothing."""
    most = _largest(held)
    total = pl.repeat(1, len(held), dtype=pl.Int64, eager=True)
    for step in steps:
        if step > most:
            break
        total = total + (held >= step).cast(pl.Int64)
    return total


def _largest(held: pl.Series) -> int:
    most = held.max()
    return most if isinstance(most, int) else 0

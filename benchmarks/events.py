"""Licence events as a department sends them: some 230 bytes each, 20 fields that hold something."""

from __future__ import annotations

import datetime as dt

import polars as pl

from connectors.framing import values
from flows.check import with_digest
from flows.publish.events import identified
from schemas import contract
from schemas.avro import event_columns, instance
from schemas.identifiers import uscc

FAMILY = "licence"
PUBLISHER = "housing-demo"
TOPIC = f"mianti.{FAMILY}.{PUBLISHER}"
#: Enterprises; each has count / ENTERPRISES licences.
ENTERPRISES = 20_000


def subjects(count: int) -> list[str]:
    """Return codes of enterprises in a city that does not exist, right in their check digits."""
    first = (f"91990100MA{number:07d}" for number in range(count))
    return [code + uscc.check_character(code) for code in first]


def events(first: int, count: int) -> pl.DataFrame:
    """Return whole events with `content_digest`, numbered from `first`."""
    code = contract.publishers(None).publishers[PUBLISHER].code
    number = pl.int_range(first, first + count)
    told = {
        "event_type": pl.lit("granted"),
        "publisher": pl.lit(PUBLISHER),
        "issuer": pl.lit(code),
        "subject": pl.lit(pl.Series(subjects(ENTERPRISES))).gather(number % ENTERPRISES),
        "record_key": pl.format(f"{code}/D2026-{{}}", number.cast(pl.String).str.zfill(8)),
        "facet": pl.lit("decision"),
        "sequence": pl.lit(1),
        "effective_from": pl.lit(dt.date(2026, 1, 1)),
        "void_ab_initio": pl.lit("no"),
        "occurred_at": pl.lit(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        "edition": pl.lit(dt.datetime(2026, 5, 1, tzinfo=dt.UTC)),
        "layout": pl.lit("mianti-licence"),
        "layout_version": pl.lit("1"),
        "file_row": number + 1,
        "decision": _decision(number),
    }
    columns = event_columns(FAMILY)
    row = [told.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in columns.items()]
    frame = pl.select(pl.int_range(count).alias("n")).select(row)
    return identified(with_digest(frame, FAMILY), FAMILY)


def _decision(number: pl.Expr) -> pl.Expr:
    dtype = event_columns(FAMILY)["decision"]
    assert isinstance(dtype, pl.Struct)
    told = {
        "number": pl.format("D2026-{}", number.cast(pl.String).str.zfill(8)),
        "name": pl.lit("施工许可证"),
        "valid_to": pl.lit(dt.date(2027, 12, 31)),
        "term": pl.lit("fixed"),
        "identifier_check": pl.lit("none"),
    }
    parts = []
    for field in dtype.fields:
        empty = pl.lit([], field.dtype) if isinstance(field.dtype, pl.List) else pl.lit(None)
        value = told.get(field.name, empty)
        parts.append(value.cast(instance(field.dtype)).alias(field.name))
    return pl.struct(parts)


def average_bytes() -> float:
    """Return the size of a message's value."""
    size = values(events(0, 1000), FAMILY).bin.size().mean()
    assert isinstance(size, float)
    return size

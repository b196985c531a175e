"""Whether messages about to be sent are read again as the events they were written from.

In columns, as landing reads them (`connectors/wire.py`); what does not fit there is read the plain
way, which is slower and says more.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any, Final, cast

import fastavro
import polars as pl

from connectors.framing import FRAME, Undecodable, unframe
from connectors.growing import as_written
from connectors.wire import long_bytes
from schemas.avro import columnar_event_schema, event_columns, name_enums, parsed_event_schema

_FRAME: Final = {"type": "fixed", "name": "Frame", "size": FRAME.size}


def read_as_written(events: pl.DataFrame, values: pl.Series, family: str) -> bool:
    """Return whether Kafka values hold just these events, in their order.

    `values` (Binary): as `connectors.framing.values` gives them, in the family's newest schema.
    """
    if values.is_empty():
        return events.is_empty()
    columns = event_columns(family)
    wanted = events.select(columns.names())
    try:
        return _in_columns(values, family, columns).equals(wanted)
    except (Exception, pl.exceptions.PanicException):  # Polars panics on much that it cannot read
        return _one_by_one(values, family, columns).equals(wanted)


def _in_columns(values: pl.Series, family: str, columns: pl.Schema) -> pl.DataFrame:
    """Read all values as one Avro file. Raises where a frame is not in its place."""
    head, mark = _container(family)
    size, frame = int(values.bin.size().sum()), values[0][: FRAME.size]
    data = b"".join([head, long_bytes(len(values)), long_bytes(size), *values, mark])
    rows = pl.read_avro(io.BytesIO(data))
    framed = rows.select((pl.col("__frame") == pl.lit(frame)).all()).item()
    if rows.height != len(values) or not framed or not values.bin.starts_with(frame).all():
        raise ValueError("a value does not end where its event does")
    return as_written(name_enums(rows, family), columns)


def _one_by_one(values: pl.Series, family: str, columns: pl.Schema) -> pl.DataFrame:
    try:
        return pl.DataFrame([_event(value, family) for value in values], schema=columns)
    except (Exception, pl.exceptions.PanicException):
        return pl.DataFrame(schema=columns)


def _event(value: bytes, family: str) -> dict[str, Any]:
    source = io.BytesIO(unframe(value)[1])
    event = fastavro.schemaless_reader(source, parsed_event_schema(family), None)
    if source.read(1):
        raise Undecodable("trailing_bytes")
    return cast(dict[str, Any], event)


@cache
def _container(family: str) -> tuple[bytes, bytes]:
    """Return an Avro file's header for values of a family, and the mark that ends its blocks."""
    schema = cast(dict[str, Any], columnar_event_schema(family))
    fields = [{"name": "__frame", "type": _FRAME}, *schema["fields"]]
    out = io.BytesIO()
    fastavro.writer(out, {"type": "record", "name": "Value", "fields": fields}, [])
    return out.getvalue(), out.getvalue()[-16:]

"""Events as Kafka values: Confluent framing round one Avro body, CloudEvents headers beside it."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import fastavro
import polars as pl

from connectors.schema_ids import ForeignSchemaError, SchemaIds
from schemas.avro import UnknownSchemaError, parsed_event_schema
from schemas.avro import schema_id as built_in_id
from schemas.avro_write import bodies

FRAME: Final = struct.Struct(">bI")
#: A body larger than this is no event of ours; Kafka's own default limit is 1 MiB a message.
LARGEST_BODY: Final = 1 << 20
#: CloudEvents' required attributes, in the order in which they are sent.
HEADER_NAMES: Final = ("ce_specversion", "ce_id", "ce_source", "ce_type")
_SPECVERSION: Final = b"1.0"


class Undecodable(Exception):
    """A Kafka value that is no event of the family: `code` says why, never what it holds."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def values(events: pl.DataFrame, family: str, schema_id: int | None = None) -> pl.Series:
    """Return events as Kafka values: magic byte 0, the schema id (big-endian), the Avro body.

    The id is that of `schemas/ids.yaml` unless a registry gives another.
    """
    number = built_in_id(family) if schema_id is None else schema_id
    return bodies(events, family, before=FRAME.pack(0, number))


def decode(value: bytes | None, family: str, ids: SchemaIds) -> tuple[int, dict[str, Any]]:
    """Return the schema id and the event of a Kafka value, as it was written.

    Raises Undecodable, and what `ids` raises where going on would read it wrongly.
    """
    number, body = unframe(value)
    try:
        known, version = ids.version(number)
    except ForeignSchemaError:
        raise Undecodable("foreign_schema") from None
    except UnknownSchemaError:
        raise Undecodable("unknown_schema") from None
    if known != family:
        raise Undecodable("schema_of_other_family")
    return number, _body(body, family, version)


def unframe(value: bytes | None) -> tuple[int, bytes]:
    """Return the schema id and the Avro body of a Kafka value. Raises Undecodable."""
    if value is None:
        raise Undecodable("tombstone")
    if len(value) > LARGEST_BODY:
        raise Undecodable("too_large")
    number = framed_id(value)
    if number is None:
        raise Undecodable("bad_frame")
    return number, value[FRAME.size :]


def framed_id(value: bytes | None) -> int | None:
    """Return the schema id that a Kafka value begins with; None where it begins otherwise."""
    if value is None or len(value) < FRAME.size or value[0] != 0:
        return None
    number: int = FRAME.unpack_from(value)[1]
    return number


def headers(events: pl.DataFrame, family: str) -> Iterator[list[tuple[str, bytes]]]:
    """Yield CloudEvents 1.0's four required attributes (Kafka binding), always in one order."""
    for stated in events.select(header_values(family)).iter_rows():
        yield [*zip(HEADER_NAMES, (_SPECVERSION, *stated), strict=True)]


def header_values(family: str) -> list[pl.Expr]:
    """Return what an event's own headers state, by their names (Binary)."""
    source = pl.lit("/mianti/publishers/") + pl.col("publisher")
    kind = pl.lit(f"mianti.{family}.") + pl.col("facet").cast(pl.String)
    named = dict(zip(HEADER_NAMES[1:], (pl.col("event_id"), source, kind), strict=True))
    return [value.cast(pl.Binary).alias(name) for name, value in named.items()]


def header_fault(
    stated: Iterable[tuple[str, bytes | None]], event: Mapping[str, Any], family: str
) -> str | None:
    """Return the name of a header that disagrees with its event, None where none does.

    A message may have further headers, or none.
    """
    expected = {
        "ce_id": event["event_id"],
        "ce_source": f"/mianti/publishers/{event['publisher']}",
        "ce_type": f"mianti.{family}.{event['facet']}",
    }
    wrong = {n for n, value in stated if n in expected and value != expected[n].encode()}
    return min(wrong, key=HEADER_NAMES.index, default=None)


def _body(body: bytes, family: str, version: int) -> dict[str, Any]:
    source = io.BytesIO(body)
    try:
        event = fastavro.schemaless_reader(source, parsed_event_schema(family, version), None)
    except Exception as error:
        # fastavro raises whatever its parts do (EOFError, IndexError, UnicodeDecodeError,
        # OverflowError, decimal.InvalidOperation, …); each means the same: no event of ours.
        raise Undecodable("bad_body") from error
    if source.tell() != len(body):
        raise Undecodable("trailing_bytes")
    if not isinstance(event, dict):
        raise Undecodable("bad_body")
    return event

"""Events as Kafka values: Confluent framing round one Avro body, CloudEvents headers beside it."""

from __future__ import annotations

import io
import struct
from functools import cache
from typing import Any, Final, cast

import fastavro

from schemas.avro import (
    UnknownSchemaError,
    facets,
    family_of,
    parsed_event_schema,
    schema_id,
)

FRAME: Final = struct.Struct(">bI")
#: A body larger than this is no event of ours; Kafka's own default limit is 1 MiB a message.
LARGEST_BODY: Final = 1 << 20


class Undecodable(Exception):
    """A Kafka value that is no event of the family: `code` says why, never what it holds."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def encode(event: dict[str, Any], family: str) -> bytes:
    """Return magic byte 0, the schema id (big-endian) and the Avro body of one event."""
    out = io.BytesIO()
    out.write(FRAME.pack(0, schema_id(family)))
    # Told which branch of the union it is, fastavro need not try the value against both.
    facet = event["facet"]
    told = event | {facet: (_record_names(family)[facet], event[facet])}
    fastavro.schemaless_writer(out, parsed_event_schema(family), told)
    return out.getvalue()


@cache
def _record_names(family: str) -> dict[str, str]:
    schema = cast(dict[str, Any], parsed_event_schema(family))
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    return {facet: fields[facet][1]["name"] for facet in facets(family)}


def decode(value: bytes | None, family: str) -> tuple[int, dict[str, Any]]:
    """Return the schema id and the event of a Kafka value. Raises Undecodable."""
    number, body = unframe(value)
    try:
        if family_of(number) != family:
            raise Undecodable("schema_of_other_family")
    except UnknownSchemaError:
        raise Undecodable("unknown_schema") from None
    return number, _body(body, family)


def unframe(value: bytes | None) -> tuple[int, bytes]:
    """Return the schema id and the Avro body of a Kafka value. Raises Undecodable."""
    if value is None:
        raise Undecodable("tombstone")
    if len(value) > LARGEST_BODY:
        raise Undecodable("too_large")
    if len(value) < FRAME.size or value[0] != 0:
        raise Undecodable("bad_frame")
    return FRAME.unpack_from(value)[1], value[FRAME.size :]


def headers(event: dict[str, Any], family: str) -> list[tuple[str, bytes]]:
    """Return CloudEvents 1.0's four required attributes (Kafka binding), always in one order."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event["event_id"].encode()),
        ("ce_source", f"/mianti/publishers/{event['publisher']}".encode()),
        ("ce_type", f"mianti.{family}.{event['facet']}".encode()),
    ]


def _body(body: bytes, family: str) -> dict[str, Any]:
    source = io.BytesIO(body)
    try:
        event = fastavro.schemaless_reader(source, parsed_event_schema(family), None)
    except Exception as error:
        # fastavro raises whatever its parts do (EOFError, IndexError, UnicodeDecodeError,
        # OverflowError, decimal.InvalidOperation, …); each means the same: no event of ours.
        raise Undecodable("bad_body") from error
    if source.tell() != len(body):
        raise Undecodable("trailing_bytes")
    if not isinstance(event, dict):
        raise Undecodable("bad_body")
    return event

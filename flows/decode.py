"""Kafka messages to event columns, one by one: the plain way, which explains what it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from connectors.framing import Undecodable, decode, framed_id, header_fault
from connectors.raw_batches import Unread
from connectors.schema_ids import BUILT_IN, SchemaIds
from schemas.avro import event_columns

_PLACE: Final = {
    "topic": pl.String(),
    "partition": pl.Int64(),
    "offset": pl.Int64(),
    "schema_id": pl.Int64(),
}
#: What Kafka says beside the event: `key`; the message's time in milliseconds since 1970, -1 where
#: there is none; the name of a header that disagrees with the event, null where none does.
BESIDE: Final = {"key": pl.Binary(), "kafka_time": pl.Int64(), "header_fault": pl.String()}
_REFUSED: Final = {
    **_PLACE,
    "key": pl.Binary(),
    "raw": pl.Binary(),
    "raw_digest": pl.String(),
    "__why": pl.String(),
}


@dataclass(frozen=True)
class Decoded:
    """Messages of one family, read. Every message is in one of the two frames.

    `events`: event columns, position, `BESIDE` and `at`; `raw` gives their values by `at`.
    `refused`: position, `key`, `raw`, `raw_digest` (SHA-256, hex) and `__why`, a reason code.
    """

    events: pl.DataFrame
    refused: pl.DataFrame
    raw: Callable[[pl.Series], list[bytes]]


def decode_records(records: Iterable[Any], family: str, ids: SchemaIds = BUILT_IN) -> Decoded:
    """Decode consumer records of one family; whatever is no event is refused with its reason."""
    held = list(records)
    events: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for at, record in enumerate(held):
        try:
            number, event = decode(record.value, family, ids)
        except Undecodable as why:
            refused.append(_refused(record, why.code))
            continue
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        fault = header_fault(record.headers, event, family)
        beside = {"key": record.key, "kafka_time": record.timestamp, "header_fault": fault}
        events.append({"at": at, **place, "schema_id": number} | beside | event)
    columns = {"at": pl.UInt32(), **_PLACE, **BESIDE, **event_columns(family)}
    frames, beyond = _framed(events, pl.Schema(columns))
    refused += [_refused(held[event["at"]], "bad_body") for event in beyond]
    return Decoded(
        pl.concat([pl.DataFrame(schema=columns), *frames]),
        pl.DataFrame(refused, schema=_REFUSED),
        lambda at: [held[number].value for number in at],
    )


def nothing_refused() -> pl.DataFrame:
    """Return the `refused` of a Decoded whose messages are all events."""
    return pl.DataFrame(schema=_REFUSED)


def refuse_unread(unread: Unread) -> pl.DataFrame:
    """Return the `refused` of offsets that were not read, as much as is known of them."""
    offsets = pl.int_range(unread.first, unread.end, eager=True).alias("offset").to_frame()
    known = {
        "topic": unread.topic,
        "partition": unread.partition,
        "raw_digest": unread.digest,
        "__why": "batch_too_large",
    }
    named = offsets.with_columns(**{name: pl.lit(value) for name, value in known.items()})
    missing = {name: pl.lit(None, kind) for name, kind in _REFUSED.items() if name not in named}
    columns = pl.Schema(_REFUSED)
    return (
        named.with_columns(**missing)
        .select(columns.names())
        .match_to_schema(columns, integer_cast="upcast")
    )


def digest(value: bytes) -> str:
    """Return the SHA-256 of a message's value in hex."""
    return hashlib.sha256(value).hexdigest()


def _framed(
    events: list[dict[str, Any]], columns: pl.Schema
) -> tuple[list[pl.DataFrame], list[dict[str, Any]]]:
    """Return frames of the events, and those with a value no column holds, found by halving.

    Avro bounds neither the digits of a decimal nor the year of a time.
    """
    try:
        return [pl.DataFrame(events, schema=columns)], []
    except (Exception, pl.exceptions.PanicException):
        if len(events) == 1:
            return [], events
    half = len(events) // 2
    left, right = _framed(events[:half], columns), _framed(events[half:], columns)
    return left[0] + right[0], left[1] + right[1]


def _refused(record: Any, why: str) -> dict[str, Any]:
    """Return a refused message; of one that is too large, no byte is kept or looked at."""
    value = record.value
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "schema_id": framed_id(value),
        "key": record.key,
        "raw": None if why == "too_large" else value,
        "raw_digest": None if value is None else digest(value),
        "__why": why,
    }

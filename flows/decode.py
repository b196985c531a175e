"""Kafka messages to event columns, one by one: the plain way, which explains what it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from connectors.framing import Undecodable, decode, framed_id
from connectors.schema_ids import BUILT_IN, SchemaIds
from schemas.avro import event_columns

_PLACE: Final = {
    "topic": pl.String(),
    "partition": pl.Int64(),
    "offset": pl.Int64(),
    "schema_id": pl.Int64(),
}
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

    `events`: event columns, position, `key` (bytes) and `at`; `raw` gives their values by `at`.
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
        events.append({"at": at, **place, "schema_id": number, "key": record.key} | event)
    columns = {"at": pl.UInt32(), **_PLACE, "key": pl.Binary(), **event_columns(family)}
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
    value = record.value
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "schema_id": framed_id(value),
        "key": record.key,
        "raw": value,
        "raw_digest": None if value is None else digest(value),
        "__why": why,
    }

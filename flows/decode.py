"""Kafka messages to event columns, one by one: the plain way, which explains what it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from connectors.framing import Undecodable, decode
from schemas.avro import event_columns

_FOUND: Final = {
    "topic": pl.String(),
    "partition": pl.Int64(),
    "offset": pl.Int64(),
    "schema_id": pl.Int64(),
    "raw": pl.Binary(),
    "raw_digest": pl.String(),
}


@dataclass(frozen=True)
class Decoded:
    """`events`: event columns, position, raw and `key`. `refused`: position, raw and `__why`."""

    events: pl.DataFrame
    refused: pl.DataFrame


def decode_records(records: Iterable[Any], family: str) -> Decoded:
    """Decode consumer records of one family; whatever is no event is refused with its reason."""
    events: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for record in records:
        found = _found(record)
        try:
            number, event = decode(record.value, family)
        except Undecodable as why:
            refused.append(found | {"__why": why.code})
            continue
        events.append(found | {"schema_id": number, "key": record.key} | event)
    columns = {**_FOUND, "key": pl.Binary(), **event_columns(family)}
    frames, beyond = _framed(events, pl.Schema(columns))
    refused += [{name: event[name] for name in _FOUND} | {"__why": "bad_body"} for event in beyond]
    return Decoded(
        pl.concat([pl.DataFrame(schema=columns), *frames]),
        pl.DataFrame(refused, schema={**_FOUND, "__why": pl.String()}),
    )


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


def _found(record: Any) -> dict[str, Any]:
    value = record.value
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "schema_id": None,
        "raw": value,
        "raw_digest": None if value is None else hashlib.sha256(value).hexdigest(),
    }

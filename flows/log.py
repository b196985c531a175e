"""The log's columns, and the names under which it remembers what it has taken in. Pure."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from schemas.avro import event_columns

ACCEPTED: Final = "accepted"
QUARANTINED: Final = "quarantined"

#: Where a message was, beside what it said.
POSITION: Final = pl.Schema(
    {
        "topic": pl.String(),
        "partition": pl.Int64(),
        "offset": pl.Int64(),
        "schema_id": pl.Int64(),
        "landed_at": pl.Datetime("us", "UTC"),
        "bucket": pl.Int64(),
    }
)
#: Why a message was not accepted. `raw` is null where it holds personal data: then only its
#: digest (SHA-256) is kept.
QUARANTINE: Final = pl.Schema(
    {
        "verdict": pl.String(),
        "reason": pl.String(),
        "reason_where": pl.String(),
        "raw": pl.Binary(),
        "raw_digest": pl.String(),
    }
)


@cache
def log_columns(family: str) -> pl.Schema:
    """Return the columns of `log/<family>`; a quarantined row has null in the event's own."""
    return pl.Schema({**event_columns(family), **POSITION, **QUARANTINE})


@cache
def history_columns(family: str) -> pl.Schema:
    """Return the columns of `history/<family>`: accepted versions and where they came from."""
    return pl.Schema({**event_columns(family), **POSITION})


def offset_id(topic: str, partition: int) -> str:
    """Return the transaction id that holds the next offset to read of a topic partition."""
    return f"offset:{topic}:{partition}"


def skipped_id(topic: str, partition: int) -> str:
    """Return the id that counts offsets passed that held no committed message."""
    return f"skipped:{topic}:{partition}"


def gap_id(topic: str, partition: int) -> str:
    """Return the id that counts offsets an operator accepted as gone."""
    return f"gap:{topic}:{partition}"


#: The newest `landed_at` of the log, in microseconds since 1970: it never falls.
LANDED: Final = "landed_at"

"""The log's columns, and the names under which it remembers what it has taken in. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Final

import polars as pl

from schemas.avro import event_columns

ACCEPTED: Final = "accepted"
QUARANTINED: Final = "quarantined"
#: Of a quarantined message: it was redriven or discarded, a row of its own. Nothing is changed.
CLOSED: Final = "closed"
REDRIVEN: Final = "redriven"
DISCARDED: Final = "discarded"
#: Where a message is.
PLACE: Final = ("topic", "partition", "offset")

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
#: digest (SHA-256) is kept. `about`: the enterprise by its key, null where that is no unified social
#: credit code, or not its subject. Of what was discarded, who did it (`closed_by`) and why.
QUARANTINE: Final = pl.Schema(
    {
        "verdict": pl.String(),
        "reason": pl.String(),
        "reason_where": pl.String(),
        "raw": pl.Binary(),
        "raw_digest": pl.String(),
        "about": pl.String(),
        "closed_by": pl.String(),
        "closed_why": pl.String(),
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
    """Return the id that counts offsets passed that held transaction markers or aborted messages.

    Earlier releases counted those of compacted messages here, too.
    """
    return f"skipped:{topic}:{partition}"


COMPACTED: Final = "compacted:"


def compacted_id(topic: str, partition: int) -> str:
    """Return the id that counts offsets whose messages were gone, though they lie between others."""
    return f"{COMPACTED}{topic}:{partition}"


def mark_id(topic: str, partition: int) -> str:
    """Return the id that holds the mark (`connectors.reading.mark`) of the next offset to read."""
    return f"mark:{topic}:{partition}"


def partitions_id(topic: str) -> str:
    """Return the id that holds how many partitions a topic had."""
    return f"partitions:{topic}"


def gap_id(topic: str, partition: int) -> str:
    """Return the id that counts offsets an operator accepted as gone."""
    return f"gap:{topic}:{partition}"


def topic_id(topic: str) -> str:
    """Return the id that holds which topic of that name the offsets are of."""
    return f"topic:{topic}"


#: The newest `landed_at` of the log, in microseconds since 1970: it never falls.
LANDED: Final = "landed_at"
#: Counts the commits that closed quarantined messages.
CLOSINGS: Final = "closings"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


def next_landed_at(known: Mapping[str, int], now: dt.datetime) -> dt.datetime:
    """Return the time (UTC) of a commit, later than that of every commit before it.

    `known`: the log's transactions.
    """
    last = known.get(LANDED)
    return now if last is None else max(now, _EPOCH + (last + 1) * _MICROSECOND)


def landed_number(at: dt.datetime) -> int:
    """Return a time of landing (UTC) as the id `LANDED` holds it."""
    return (at - _EPOCH) // _MICROSECOND

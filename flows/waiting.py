"""What waits in quarantine: messages not accepted, and neither redriven nor discarded since.

Each may be the end of a record that the fold still holds in force, so that its publisher's data are
not complete for its enterprise, whatever is stated.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.settings import Settings
from connectors.topic_names import publisher_of
from flows.log import (
    ACCEPTED,
    CLOSED,
    PLACE,
    POSITION,
    QUARANTINE,
    QUARANTINED,
    REDRIVEN,
)

_COLUMNS: Final = pl.Schema({**POSITION, **QUARANTINE})
_LOOKED_AT: Final = pl.Schema({n: _COLUMNS[n] for n in (*PLACE, "verdict", "landed_at", "about")})
_STANDING: Final = pl.Schema({n: _COLUMNS[n] for n in (*PLACE, "verdict", "reason")})


def waiting(
    log: DeltaTable, columns: pl.Schema, known_at: dt.datetime | None = None
) -> pl.LazyFrame:
    """Return the quarantined rows of a log that are not closed, by what was landed by a time (UTC).

    `columns`: those wanted; the place, the verdict and `landed_at` among them.
    """
    rows = lake.scan(log, columns)
    known = rows if known_at is None else rows.filter(pl.col("landed_at") <= known_at)
    closed = known.filter(pl.col("verdict") == CLOSED).select(PLACE)
    return known.filter(pl.col("verdict") == QUARANTINED).join(closed, on=PLACE, how="anti")


def discarded(log: DeltaTable, columns: pl.Schema) -> pl.LazyFrame:
    """Return the quarantined rows of a log that were given up, and not redriven since."""
    rows = lake.scan(log, columns)
    closed = lake.scan(log, _STANDING).filter(pl.col("verdict") == CLOSED)
    redriven = closed.filter(pl.col("reason") == REDRIVEN).select(PLACE)
    given_up = closed.select(PLACE).join(redriven, on=PLACE, how="anti")
    return rows.filter(pl.col("verdict") == QUARANTINED).join(given_up, on=PLACE, how="semi")


def standing(log: DeltaTable) -> pl.LazyFrame:
    """Return the place and verdict of each message of a log once: what was redriven is accepted."""
    rows = lake.scan(log, _STANDING)
    redriven = rows.filter((pl.col("verdict") == CLOSED) & (pl.col("reason") == REDRIVEN))
    held = rows.filter(pl.col("verdict") == QUARANTINED)
    still = held.join(redriven.select(PLACE), on=PLACE, how="anti")
    return pl.concat([rows.filter(pl.col("verdict") == ACCEPTED), still])


def held_back(
    settings: Settings, family: str, known_at: dt.datetime | None
) -> list[tuple[str, str | None]]:
    """Return (publisher, enterprise) of the messages that wait, as known at a time (UTC; None: now).

    The enterprise is None where a message names none.
    """
    log = lake.open_table(settings, "log", family)
    if log is None:
        return []
    rows = waiting(log, _LOOKED_AT, known_at).select("topic", "about")
    found = rows.unique().collect()
    return [(publisher_of(topic), subject) for topic, subject in found.iter_rows()]

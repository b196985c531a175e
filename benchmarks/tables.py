"""Logs of any size, made of events as landing writes them, without a Kafka."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from benchmarks.events import FAMILY, events
from connectors import lake
from connectors.settings import Settings
from flows.log import ACCEPTED, log_columns
from schemas.bucket import bucket

_COMMIT = 100_000


def grow(home: Path, first: int, count: int) -> None:
    """Append events, numbered from `first`, to the log below a home, some at a time."""
    settings = Settings(mianti_home=home)
    columns = log_columns(FAMILY)
    log = lake.ensure_table(settings, "log", FAMILY, columns, ["verdict"])
    for start in range(first, first + count, _COMMIT):
        made = events(start, min(_COMMIT, first + count - start))
        told = {
            "topic": pl.lit("mianti.licence.elsewhere"),
            "partition": pl.lit(0),
            "offset": pl.int_range(start, start + pl.len()),
            "schema_id": pl.lit(1),
            "landed_at": pl.lit(dt.datetime.now(dt.UTC)),
            "bucket": bucket(pl.col("subject")),
            "verdict": pl.lit(ACCEPTED),
        }
        known = {name: pl.col(name) for name in made.columns} | told
        rows = made.select(
            known.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in columns.items()
        )
        lake.append(log, rows, {"elsewhere": start})
        log.update_incremental()

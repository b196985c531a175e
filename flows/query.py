"""Asking for records: on any day, as known at any time, the unsettled tail included."""

from __future__ import annotations

import datetime as dt

import polars as pl

from connectors import lake
from connectors.settings import Settings
from connectors.transactions import transactions
from flows.clock import china_today
from flows.fold import fold, union
from flows.log import history_columns
from flows.origin import is_own
from flows.tail import marks_of, tail
from schemas.avro import dataset_columns
from schemas.bucket import BUCKETS, bucket

#: Buckets read at a time when every record is asked for.
_TOGETHER = 8


def query(
    settings: Settings,
    family: str,
    subject: str | None = None,
    on: dt.date | None = None,
    known_at: dt.datetime | None = None,
) -> pl.DataFrame:
    """Return the dataset rows of a family, or of one subject, as `flows.fold.fold` gives them.

    `on` is a day in China, today unless given; `known_at` (UTC) leaves out what was landed later.
    """
    day = on or china_today()
    if subject is not None:
        number = pl.select(bucket(pl.lit(subject))).item()
        groups = [[number]] if number is not None else []
    else:
        groups = [list(range(b, b + _TOGETHER)) for b in range(0, BUCKETS, _TOGETHER)]
    rows = [pl.DataFrame(schema=dataset_columns(family))]
    for group in groups:
        found = versions(settings, family, group)
        chosen = found.filter(pl.col("subject") == subject) if subject is not None else found
        rows.append(fold(chosen, family, day, known_at))
    return pl.concat(rows)


def versions(settings: Settings, family: str, buckets: list[int]) -> pl.DataFrame:
    """Return every accepted version of some buckets: the history and the log's tail after it.

    A history that was settled from another log counts for nothing: the log alone does.
    """
    columns = history_columns(family)
    history = lake.open_table(settings, "history", family)
    log = lake.open_table(settings, "log", family)
    if log is None:
        return pl.DataFrame(schema=columns)
    known = transactions(history)
    marks = marks_of(known if is_own(log, known) else {})
    frames = [tail(log, marks, buckets, columns)]
    settled = [bucket for bucket in buckets if marks[bucket] > 0]
    if history is not None and settled:
        rows = lake.scan(history, columns, buckets=settled)
        frames.append(rows.collect())
    return union(pl.concat(frames))

"""Settling: new versions folded into the datasets, some buckets of subjects at a time.

Only compaction: a reader that folds the log's tail itself sees the same. Crashing, repeating or
delaying it loses nothing. For each group of buckets: read their history, unite it with what the
log has gained, put it in the old one's place; then fold it into the dataset, in the same way.
Each bucket carries its own watermark: the log's version it is settled through.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.settings import Settings
from flows.clock import china_today
from flows.fold import fold, union
from flows.log import history_columns
from flows.tail import tail, watermark_id, watermarks, where_buckets
from schemas.avro import dataset_columns
from schemas.bucket import BUCKETS
from schemas.facets import STOPPING

#: A bucket smaller than this is cheap to write again, so it never waits.
SMALL_BUCKET: Final = 20_000
#: Beyond it, a bucket waits until this part of it is new …
FAIR_PART: Final = 0.05
#: … or what is new has waited this long.
OLDEST_WAIT: Final = dt.timedelta(minutes=10)
#: Versions of the log that quiet buckets may stand behind: reading the tail costs what lies there.
FAR_BEHIND: Final = 20
#: Versions held in memory at a time.
GROUP_ROWS: Final = 400_000


@dataclass(frozen=True)
class Settled:
    """What one settling did: buckets written, versions taken in, rows in the whole dataset."""

    family: str
    buckets: int
    versions: int
    rows: int


def day_id(bucket: int) -> str:
    """Return the id of the day (days since 1970) a dataset bucket was folded for."""
    return f"day:{bucket}"


def settle(
    settings: Settings, family: str, *, on: dt.date | None = None, everything: bool = False
) -> Settled:
    """Settle the buckets of a family that are due; return what was done.

    `on` (a day in China) is the day the dataset is folded for; `everything` settles each bucket
    that lacks a version or a day, due or not. Raises connectors.lake.Lost when another settling
    was first: nothing is lost, the next run goes on.
    """
    log = lake.open_table(settings, "log", family)
    if log is None:
        return Settled(family, 0, 0, 0)
    day = on or china_today()
    history = lake.ensure_table(settings, "history", family, history_columns(family), ["bucket"])
    dataset = lake.ensure_table(settings, "datasets", family, dataset_columns(family), ["bucket"])
    marks = watermarks(history)
    waiting = _waiting(log, marks)
    due = _due(waiting, sizes(history))
    if everything:
        due = sorted({*waiting, *sizes(history), *sizes(dataset)})
    busy = {*due, *waiting}
    quiet = [b for b in range(BUCKETS) if b not in busy and marks[b] <= log.version()]
    level = [b for b, mark in watermarks(dataset).items() if b in quiet and mark == marks[b]]
    taken = 0
    for group in _groups(due, waiting, sizes(history)):
        taken += _unite(log, history, family, group)
    if due or log.version() - min(marks.values()) > FAR_BEHIND:
        _pass_over(history, quiet, log.version())
        _pass_over(dataset, level, log.version())
    lagging = _lagging(history, dataset, day)
    for group in _groups(lagging, {}, sizes(history)):
        _fold(history, dataset, family, group, day)
    rows = sum(sizes(dataset).values())
    return Settled(family, len(set(due) | set(lagging)), taken, rows)


def forget(table: DeltaTable) -> None:
    """Set every bucket's watermark back to the start: the next settling makes it again."""
    lake.append(table, lake.empty(table), {watermark_id(b): 0 for b in range(BUCKETS)})


def sizes(table: DeltaTable) -> dict[int, int]:
    """Return rows by bucket, from the table's own statistics."""
    actions = pl.DataFrame(table.get_add_actions(flatten=True))
    if actions.is_empty():
        return {}
    counts = actions.group_by(pl.col("partition.bucket").cast(pl.Int64)).agg(
        pl.col("num_records").sum()
    )
    return dict(counts.iter_rows())


@dataclass(frozen=True)
class Waiting:
    """What of one bucket the log has and the history lacks."""

    versions: int
    oldest: dt.datetime
    stops: bool


def _waiting(log: DeltaTable, marks: dict[int, int]) -> dict[int, Waiting]:
    new = tail(log, marks, list(range(BUCKETS)), ["bucket", "facet", "landed_at"])
    counts = new.group_by("bucket").agg(
        pl.len(), pl.col("landed_at").min(), pl.col("facet").is_in(STOPPING).any()
    )
    return {bucket: Waiting(*rest) for bucket, *rest in counts.iter_rows()}


def _due(waiting: dict[int, Waiting], size: dict[int, int]) -> list[int]:
    now = dt.datetime.now(dt.UTC)
    return sorted(
        bucket
        for bucket, new in waiting.items()
        if new.stops
        or size.get(bucket, 0) < SMALL_BUCKET
        or new.versions >= FAIR_PART * size[bucket]
        or now - new.oldest > OLDEST_WAIT
    )


def _groups(
    buckets: list[int], waiting: dict[int, Waiting], size: dict[int, int]
) -> list[list[int]]:
    """Put buckets together as long as their versions fit into memory at once."""
    groups: list[list[int]] = []
    held = GROUP_ROWS
    for bucket in buckets:
        more = size.get(bucket, 0) + (waiting[bucket].versions if bucket in waiting else 0)
        if held + more > GROUP_ROWS:
            groups.append([])
            held = 0
        groups[-1].append(bucket)
        held += more
    return groups


def _unite(log: DeltaTable, history: DeltaTable, family: str, group: list[int]) -> int:
    """Take what the log has gained into some buckets of the history; return how many rows.

    A bucket whose watermark is at the start is made again, whatever it holds.
    """
    history.update_incremental()
    marks = watermarks(history)
    columns = list(history_columns(family))
    fresh = tail(log, marks, group, columns)
    kept = [bucket for bucket in group if marks[bucket] > 0]
    old = lake.scan(history).filter(pl.col("bucket").is_in(kept)).select(columns).collect()
    ids = {watermark_id(bucket): log.version() + 1 for bucket in group}
    lake.replace(history, union(pl.concat([old, fresh])), ids, where_buckets(group))
    return fresh.height


def _pass_over(table: DeltaTable, buckets: list[int], version: int) -> None:
    """Move the watermarks of buckets that the log had nothing for, so that its tail stays short."""
    if buckets:
        table.update_incremental()
        lake.append(table, lake.empty(table), {watermark_id(b): version + 1 for b in buckets})


def _lagging(history: DeltaTable, dataset: DeltaTable, day: dt.date) -> list[int]:
    """Return the buckets whose dataset is behind their history, or behind the calendar."""
    history.update_incremental()
    dataset.update_incremental()
    ahead, done = watermarks(history), watermarks(dataset)
    behind = {bucket for bucket in range(BUCKETS) if ahead[bucket] > done[bucket]}
    rows = lake.scan(dataset)
    turned = rows.filter(pl.col("usable_until") < day).select("bucket").unique().collect()
    return sorted(behind | set(turned["bucket"]))


def _fold(
    history: DeltaTable, dataset: DeltaTable, family: str, group: list[int], day: dt.date
) -> None:
    """Fold some buckets of the history into the dataset."""
    versions = lake.scan(history).filter(pl.col("bucket").is_in(group)).collect()
    rows = fold(versions, family, day)
    marks = watermarks(history)
    number = (day - dt.date(1970, 1, 1)).days
    ids = {watermark_id(b): marks[b] for b in group} | {day_id(b): number for b in group}
    lake.replace(dataset, rows, ids, where_buckets(group))

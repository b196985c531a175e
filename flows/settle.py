"""Settling: new versions folded into the datasets, some buckets of subjects at a time.

Only compaction: a reader that folds the log's tail itself sees the same. Crashing, repeating or
delaying it loses nothing. For each group of buckets: read their history, unite it with what the
log has gained, put it in the old one's place; then fold it into the dataset, in the same way.
Each bucket carries its own watermark: the log's version it is settled through.
"""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.ahead import ahead
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
#: Versions in one piece; two are held at a time: one is made while the last one is written.
GROUP_ROWS: Final = 300_000
_EPOCH: Final = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Settled:
    """What one settling did: buckets written, versions taken in, rows in the whole dataset."""

    family: str
    buckets: int
    versions: int
    rows: int


@dataclass(frozen=True)
class Group:
    """Buckets settled in one piece, and the watermark each then has."""

    buckets: list[int]
    marks: dict[int, int]


#: Versions of a group, their dataset rows, and how many of the versions are new.
Made = tuple[pl.DataFrame, pl.DataFrame, int]


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
    day, last = on or china_today(), log.version() + 1
    history = lake.ensure_table(settings, "history", family, history_columns(family), ["bucket"])
    dataset = lake.ensure_table(settings, "datasets", family, dataset_columns(family), ["bucket"])
    marks, folded = watermarks(history), watermarks(dataset)
    size = sizes(history)
    waiting = _waiting(log, marks)
    due = _due(waiting, size)
    every = {*waiting, *size, *sizes(dataset)} if everything else set[int]()
    if everything:
        due = sorted(b for b in every if marks[b] < last)
    if due or last - 1 - min(marks.values()) > FAR_BEHIND:
        quiet = [b for b in range(BUCKETS) if b not in {*due, *waiting} and marks[b] < last]
        level = [b for b in quiet if folded[b] == marks[b]]
        _pass_over(history, quiet, last)
        _pass_over(dataset, level, last)
        marks |= dict.fromkeys(quiet, last)
        folded |= dict.fromkeys(level, last)
    behind = {b for b in range(BUCKETS) if marks[b] > folded[b]}
    lagging = sorted((every | behind | _turned(dataset, day)) - set(due))
    groups = [Group(g, dict.fromkeys(g, last)) for g in _groups(due, waiting, size)]
    groups += [Group(g, {b: marks[b] for b in g}) for g in _groups(lagging, {}, size)]

    def made(group: Group) -> Made:
        return _made(log, history, family, group, marks, day)

    taken = 0
    writer = lake.open_table(settings, "history", family) if due else None
    with closing(ahead(iter(groups), made, 1)) as done:
        for group, (versions, rows, fresh) in done:
            taken += fresh
            if writer is not None and group.marks != {b: marks[b] for b in group.buckets}:
                _put(writer, versions, group, marks, {})
            days = {day_id(bucket): (day - _EPOCH).days for bucket in group.buckets}
            _put(dataset, rows, group, folded, days)
    return Settled(family, len(due) + len(lagging), taken, sum(sizes(dataset).values()))


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


def _made(
    log: DeltaTable,
    history: DeltaTable,
    family: str,
    group: Group,
    marks: dict[int, int],
    day: dt.date,
) -> Made:
    """Return the versions of some buckets, the log's new ones included, and their dataset rows.

    A bucket whose watermark is at the start is made again, whatever the history holds of it.
    """
    columns = list(history_columns(family))
    new = [bucket for bucket in group.buckets if marks[bucket] < group.marks[bucket]]
    kept = [bucket for bucket in group.buckets if marks[bucket] > 0]
    fresh = tail(log, marks, new, columns)
    old = lake.scan(history).filter(pl.col("bucket").is_in(kept)).select(columns).collect()
    versions = union(pl.concat([old, fresh]))
    return versions, fold(versions, family, day), fresh.height


def _put(
    table: DeltaTable,
    rows: pl.DataFrame,
    group: Group,
    marks: dict[int, int],
    more: dict[str, int],
) -> None:
    """Put rows in the place of a group's, whose watermarks must be as they were. Raises Lost."""
    table.update_incremental()
    now = watermarks(table)
    if any(now[bucket] != marks[bucket] for bucket in group.buckets):
        raise lake.Lost
    ids = {watermark_id(bucket): mark for bucket, mark in group.marks.items()}
    lake.replace(table, rows, ids | more, where_buckets(group.buckets))


def _pass_over(table: DeltaTable, buckets: list[int], mark: int) -> None:
    """Move the watermarks of buckets that the log had nothing for, so that its tail stays short."""
    table.update_incremental()
    now = watermarks(table) if buckets else {}
    ids = {watermark_id(b): mark for b in buckets if now[b] < mark}
    if ids:
        lake.append(table, lake.empty(table), ids)


def _turned(dataset: DeltaTable, day: dt.date) -> set[int]:
    """Return the buckets with a row that holds no longer, from the table's own statistics."""
    actions = pl.DataFrame(dataset.get_add_actions(flatten=True))
    if actions.is_empty():
        return set()
    turned = actions.filter(pl.col("min.usable_until") < day)
    return set(turned["partition.bucket"].cast(pl.Int64))

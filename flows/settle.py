"""Settling: new versions folded into the datasets, some buckets of subjects at a time.

Only compaction: a reader that folds the log's tail itself sees the same. Crashing, repeating or
delaying it loses nothing. For each group of buckets: read their history, unite it with what the
log has gained, put it in the old one's place; then fold it into the dataset, in the same way.
Each bucket carries its own watermark: the log's version it is settled through.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.ahead import ahead
from connectors.aside import aside
from connectors.settings import Settings
from connectors.transactions import transactions
from flows.clock import china_today
from flows.due import Group, Marks, Stand, Waiting, plan
from flows.fold import fold, union
from flows.log import history_columns
from flows.origin import FORGOTTEN, Origin, is_own, origin, require_own
from flows.tail import marks_of, tail, tail_in_pieces, watermark_id
from schemas.avro import dataset_columns
from schemas.bucket import BUCKETS
from schemas.facets import STOPPING

_log = logging.getLogger(__name__)
_TRIES: Final = 5
_EPOCH: Final = dt.date(1970, 1, 1)
#: What is looked at of each version that waits.
_COUNTED: Final = pl.Schema(
    {"bucket": pl.Int64(), "facet": pl.String(), "landed_at": pl.Datetime("us", "UTC")}
)


@dataclass(frozen=True)
class Settled:
    """What one settling did: buckets written, versions taken in, rows in the whole dataset.

    `rows_before`: those it had; None where there was no log to settle from.
    """

    family: str
    buckets: int
    versions: int
    rows: int
    rows_before: int | None = None


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
    that lacks a version or a day, due or not. Where another settling was first it begins again with
    what that one has left; raises connectors.lake.Lost when others were always first: nothing is
    lost, the next run goes on. Raises flows.origin.OtherLog, having settled nothing, where history
    or dataset are not of the log that is there.
    """
    for _ in range(_TRIES - 1):
        try:
            return _settle(settings, family, on or china_today(), everything=everything)
        except lake.Lost:
            _log.info("%s: another settling was first; looking again", family)
    return _settle(settings, family, on or china_today(), everything=everything)


def _settle(settings: Settings, family: str, day: dt.date, *, everything: bool) -> Settled:
    log = lake.open_table(settings, "log", family)
    if log is None:
        return Settled(family, 0, 0, 0)
    history = lake.ensure_table(settings, "history", family, history_columns(family), ["bucket"])
    dataset = lake.ensure_table(settings, "datasets", family, dataset_columns(family), ["bucket"])
    log.update_incremental()  # after the others were opened: it has all that they have seen
    marks, folded = (marks_of(require_own(log, one, family)) for one in (history, dataset))
    rows, held = sizes(history), sizes(dataset)
    turned = {*rows, *held} if everything else _turned(dataset, day)
    stand = Stand(log.version() + 1, marks, folded, rows, _waiting(log, marks), turned)
    to_do = plan(stand, dt.datetime.now(dt.UTC), everything=everything)
    seen = origin(log)
    _pass_over(history, to_do.quiet, seen)
    _pass_over(dataset, to_do.level, seen)
    groups = to_do.groups
    taken = _carry_out(log, history, dataset, groups, family, day, seen) if groups else 0
    done = sum(len(group.buckets) for group in groups)
    dataset.update_incremental()
    return Settled(family, done, taken, sum(sizes(dataset).values()), sum(held.values()))


def is_settled(settings: Settings, family: str) -> bool:
    """Return whether a dataset is there and holds every version that its log has now."""
    dataset = lake.open_table(settings, "datasets", family)
    log = lake.open_table(settings, "log", family)
    known = transactions(dataset)
    if dataset is None or log is None or not is_own(log, known):
        return False
    return tail(log, marks_of(known), list(range(BUCKETS)), _COUNTED).is_empty()


def forget(table: DeltaTable) -> None:
    """Set every bucket's watermark back to the start: the next settling makes it again."""
    marks = {watermark_id(bucket): 0 for bucket in range(BUCKETS)}
    lake.append(table, lake.empty(table), marks | FORGOTTEN)


def sizes(table: DeltaTable) -> dict[int, int]:
    """Return rows by bucket, from the table's own statistics."""
    return {int(bucket): rows for bucket, rows in lake.rows_by(table, "bucket").items()}


def _waiting(log: DeltaTable, marks: dict[int, int]) -> dict[int, Waiting]:
    new = tail(log, marks, list(range(BUCKETS)), _COUNTED)
    counts = new.group_by("bucket").agg(
        pl.len(), pl.col("landed_at").min(), pl.col("facet").is_in(STOPPING).any()
    )
    return {bucket: Waiting(*rest) for bucket, *rest in counts.iter_rows()}


def _carry_out(
    log: DeltaTable,
    history: DeltaTable,
    dataset: DeltaTable,
    groups: list[Group],
    family: str,
    day: dt.date,
    seen: Origin,
) -> int:
    """Write each group, the next one being made meanwhile; return how many versions are new."""
    before = lake.reopened(history)  # read as it stands, while the other goes from write to write
    taken = 0
    with _gained(log, groups, history_columns(family)) as gained:

        def made(group: Group) -> Made:
            return _made(gained(group), before, family, group, day)

        with closing(ahead(iter(groups), made, 1)) as done:
            for group, (versions, rows, fresh) in done:
                if group.gaining:
                    _put(history, versions, group.history, group.after, seen, {})
                days = {day_id(bucket): (day - _EPOCH).days for bucket in group.buckets}
                _put(dataset, rows, group.dataset, group.after, seen, days)
                taken += fresh
    return taken


@contextmanager
def _gained(
    log: DeltaTable, groups: list[Group], columns: pl.Schema
) -> Iterator[Callable[[Group], pl.DataFrame]]:
    """Give what the log has gained for each group; it is read once for all of them."""
    marks = {bucket: group.history[bucket] for group in groups for bucket in group.gaining}
    part = {bucket: group.buckets[0] for group in groups for bucket in group.buckets}
    with aside() as place:
        for rows in tail_in_pieces(log, marks, list(marks), columns):
            place.add(rows, pl.col("bucket").replace_strict(part))
        empty = pl.DataFrame(schema=columns)
        yield lambda group: pl.concat([empty, *place.part(group.buckets[0])])


def _made(
    fresh: pl.DataFrame, history: DeltaTable, family: str, group: Group, day: dt.date
) -> Made:
    """Return the versions of some buckets, the log's new ones included, and their dataset rows.

    A bucket whose watermark is at the start is made again, whatever the history holds of it.
    """
    kept = [bucket for bucket, mark in group.history.items() if mark > 0]
    old = lake.scan(history, history_columns(family), buckets=kept).collect()
    versions = union(pl.concat([old, fresh]))
    return versions, fold(versions, family, day), fresh.height


def _put(
    table: DeltaTable,
    rows: pl.DataFrame,
    before: Marks,
    after: Marks,
    seen: Origin,
    more: Mapping[str, int],
) -> None:
    """Put rows in the place of a group's, whose watermarks must be as they were. Raises Lost."""
    table.update_incremental()
    known = transactions(table)
    now = marks_of(known)
    if any(now[bucket] != mark for bucket, mark in before.items()):
        raise lake.Lost
    ids = {watermark_id(bucket): mark for bucket, mark in after.items()}
    lake.replace(table, rows, {**ids, **seen.ids(known), **more}, list(after))


def _pass_over(table: DeltaTable, buckets: list[int], seen: Origin) -> None:
    """Move the watermarks of buckets that the log had nothing for, so that its tail stays short."""
    table.update_incremental()
    known = transactions(table) if buckets else {}
    now = marks_of(known)
    ids = {watermark_id(b): seen.through for b in buckets if now[b] < seen.through}
    if ids:
        lake.append(table, lake.empty(table), ids | seen.ids(known))


def _turned(dataset: DeltaTable, day: dt.date) -> set[int]:
    """Return the buckets with a row that holds no longer, from the table's own statistics."""
    files = lake.file_statistics(dataset)
    if files is None:
        return set()
    turned = files.filter(pl.col("min.usable_until") < day)
    return set(turned["partition.bucket"].cast(pl.Int64))

"""Recounting everything, from Kafka's offsets to the dataset's rows.

The account: offsets advanced = accepted + quarantined + skipped (transaction markers, aborted
messages) + compacted + gaps an operator accepted; what was redriven is accepted, and what was compacted
away is a difference. Then the log
is folded again and compared with what was settled, bucket by bucket, for the version and the day
each bucket names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
from deltalake import DeltaTable
from kafka import TopicPartition

from connectors import lake
from connectors.raw_batches import RawBatch, Unread
from connectors.reading import Item, bounds, consumer, read
from connectors.settings import Settings
from connectors.topics import family_topics, partitions
from connectors.transactions import transactions
from flows.check import identity, with_digest
from flows.compare import differences
from flows.fold import fold, union
from flows.ground import positions
from flows.log import (
    ACCEPTED,
    CLOSED,
    PLACE,
    QUARANTINED,
    REDRIVEN,
    compacted_id,
    gap_id,
    history_columns,
    skipped_id,
)
from flows.origin import is_own
from flows.settle import day_id, sizes
from flows.tail import tail, watermarks
from flows.waiting import standing
from schemas.avro import dataset_columns
from schemas.bucket import BUCKETS

_EPOCH: Final = dt.date(1970, 1, 1)
#: Buckets folded together, so that memory is bounded.
_TOGETHER: Final = 8


@dataclass
class Verified:
    """The account of one family; `offsets`: advanced in all partitions together.

    `duplicates`: accepted messages that repeat an event. `differences`: sentences, none when all
    is well.
    """

    family: str
    offsets: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicates: int = 0
    dataset_rows: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Return whether nothing is missing, doubled or different."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """Return the object `mianti verify --json` prints for a family."""
        names = ("offsets", "accepted", "quarantined", "duplicates", "dataset_rows", "differences")
        return {name: getattr(self, name) for name in names}


def verify(settings: Settings, family: str) -> Verified:
    """Recount one family. Reads Kafka from its first offset: it takes as long as landing did."""
    found = Verified(family)
    # Each as it was opened, before what it was made from: beside running flows it has no more.
    dataset = lake.open_table(settings, "datasets", family)
    history = lake.open_table(settings, "history", family)
    log = lake.open_table(settings, "log", family)
    if log is None:
        return found
    counts = dict(standing(log).group_by("verdict").len().collect().iter_rows())
    found.accepted = counts.get(ACCEPTED, 0)
    found.quarantined = counts.get(QUARANTINED, 0)
    found.duplicates = found.accepted - _distinct(log)
    found.differences += _kafka_against_log(settings, family, log, found)
    found.differences += _closed(log)
    found.differences += _log_against_itself(log, family)
    found.differences += _watermarks_fit(log, history, dataset)
    found.differences += _of_this_log(log, history, dataset)
    found.dataset_rows = sum(sizes(dataset).values()) if dataset is not None else 0
    for first in range(0, BUCKETS, _TOGETHER):
        buckets = list(range(first, first + _TOGETHER))
        if history is not None:
            found.differences += _history(log, history, family, buckets)
        if dataset is not None:
            found.differences += _dataset(log, dataset, family, buckets)
    return found


def _distinct(log: DeltaTable) -> int:
    accepted = lake.scan(log).filter(pl.col("verdict") == ACCEPTED)
    return int(accepted.select(pl.col("event_id").n_unique()).collect().item())


def _kafka_against_log(
    settings: Settings, family: str, log: DeltaTable, found: Verified
) -> Iterator[str]:
    with consumer(settings) as client:
        parts = [p for topic in family_topics(settings, family) for p in partitions(client, topic)]
        first, ends = bounds(client, parts)
        known = transactions(log)
        at = positions(known, parts)
        through = {part: min(at[part], ends[part]) for part in parts}
        start = {part: min(first[part], through[part]) for part in parts}
        committed: dict[TopicPartition, dict[int, str | None]] = {part: {} for part in parts}
        passed = dict.fromkeys(parts, 0)
        for batch in read(client, start, through):
            for record in batch.records:
                part = TopicPartition(record.topic, record.partition)
                committed[part] |= _stated_ids(record)
            for part, count in batch.passed.items():
                passed[part] += count
    yield from _unknown_places(log, parts)
    for part in parts:
        found.offsets += at[part]
        rows = _offsets(log, part)
        yield from _account(known, part, at[part], rows)
        if at[part] > ends[part]:
            yield f"{_place(part)}: the log stands at {at[part]}, beyond Kafka's end {ends[part]}"
        held = rows.filter(rows >= first[part])
        yield from _offsets_compared(part, set(committed[part]), set(held))
        there = {*committed[part], *held.filter(held < through[part])}
        gone = through[part] - start[part] - len(there) - passed[part]
        gone = max(gone, known.get(compacted_id(part.topic, part.partition), 0))
        if gone:
            yield (
                f"{_place(part)}: {gone} messages are in neither the log nor Kafka, which holds "
                "later and earlier ones: the topic was compacted before they were landed"
            )
        yield from _ids_compared(log, part, committed[part])


def _offsets(log: DeltaTable, part: TopicPartition) -> pl.Series:
    mine = (pl.col("topic") == part.topic) & (pl.col("partition") == part.partition)
    return standing(log).filter(mine).select("offset").collect()["offset"]


def _closed(log: DeltaTable) -> Iterator[str]:
    """What was closed had been quarantined, once; what was redriven was accepted by that commit."""
    rows = lake.scan(log).select(*PLACE, "verdict", "reason", "landed_at")
    closed = rows.filter(pl.col("verdict") == CLOSED).collect()
    held = rows.filter(pl.col("verdict") == QUARANTINED)
    taken = rows.filter(pl.col("verdict") == ACCEPTED)
    redriven = closed.lazy().filter(pl.col("reason") == REDRIVEN)
    wrong = {
        "was redriven or discarded twice": closed.lazy().filter(
            pl.struct(*PLACE, "reason").is_duplicated()
        ),
        "was closed, but never quarantined": closed.lazy().join(held, on=PLACE, how="anti"),
        "was redriven, but not accepted": redriven.join(
            taken, on=[*PLACE, "landed_at"], how="anti"
        ),
    }
    for what, found in wrong.items():
        places = found.select(PLACE).unique().sort(PLACE).head(20).collect()
        for topic, number, offset in places.iter_rows():
            yield f"{topic}/{number}: offset {offset} {what}"


def _account(
    known: Mapping[str, int], part: TopicPartition, at: int, rows: pl.Series
) -> Iterator[str]:
    doubled = rows.filter(rows.is_duplicated()).unique().sort()
    for offset in doubled.head(20):
        yield f"{_place(part)}: offset {offset} was landed twice"
    names = (skipped_id, compacted_id, gap_id)
    passed = sum(known.get(name(part.topic, part.partition), 0) for name in names)
    if at != rows.n_unique() + passed:
        yield (
            f"{_place(part)}: the account does not balance: {at} offsets advanced, but "
            f"{rows.n_unique()} landed and {passed} skipped or given up"
        )
    for offset in rows.filter(rows >= at).unique().sort().head(20):
        yield f"{_place(part)}: offset {offset} is in the log, which stands at {at}"


def _offsets_compared(part: TopicPartition, committed: set[int], landed: set[int]) -> Iterator[str]:
    for offset in sorted(committed - landed)[:20]:
        yield f"{_place(part)}: the message at offset {offset} is missing from the log"
    for offset in sorted(landed - committed)[:20]:
        yield f"{_place(part)}: the log holds offset {offset}, where Kafka has no message"


def _stated_ids(record: Item) -> dict[int, str | None]:
    """Return, by offset, the event id that a message states in its CloudEvents header."""
    if isinstance(record, Unread):
        return dict.fromkeys(range(record.first, record.end))
    if isinstance(record, RawBatch):
        raise TypeError("verify reads message by message")
    stated = dict(record.headers).get("ce_id")
    return {record.offset: stated.decode("ascii", "replace") if stated is not None else None}


def _ids_compared(
    log: DeltaTable, part: TopicPartition, stated: dict[int, str | None]
) -> Iterator[str]:
    """An accepted row must be the event that Kafka holds at its offset."""
    mine = (pl.col("topic") == part.topic) & (pl.col("partition") == part.partition)
    accepted = lake.scan(log).filter(mine & (pl.col("verdict") == ACCEPTED))
    for offset, event in accepted.select("offset", "event_id").collect().iter_rows():
        if stated.get(offset) not in (None, event):
            yield f"{_place(part)}: the log holds event {event} at offset {offset}, Kafka another"


def _unknown_places(log: DeltaTable, parts: list[TopicPartition]) -> Iterator[str]:
    places = lake.scan(log).select("topic", "partition").unique().collect()
    known = {(part.topic, part.partition) for part in parts}
    for topic, number in places.sort("topic", "partition").iter_rows():
        if (topic, number) not in known:
            yield f"{topic}/{number}: the log holds messages of it, and Kafka does not have it"


def _watermarks_fit(
    log: DeltaTable, history: DeltaTable | None, dataset: DeltaTable | None
) -> Iterator[str]:
    """A watermark beyond what it follows would hide what is landed next."""
    settled, folded = watermarks(history), watermarks(dataset)
    for bucket in range(BUCKETS):
        if settled[bucket] > log.version() + 1:
            yield f"history: the watermark of bucket {bucket} is beyond the log's end"
        if folded[bucket] > settled[bucket]:
            yield f"dataset: the watermark of bucket {bucket} is beyond the history's"


def _of_this_log(
    log: DeltaTable, history: DeltaTable | None, dataset: DeltaTable | None
) -> Iterator[str]:
    for name, table in (("history", history), ("dataset", dataset)):
        if not is_own(log, transactions(table)):
            yield f"{name}: it was settled from another log, or from a later state of this one"


def _place(part: TopicPartition) -> str:
    return f"{part.topic}/{part.partition}"


def _log_against_itself(log: DeltaTable, family: str) -> Iterator[str]:
    """Content that was changed after it was landed no longer gives its event's id."""
    for first in range(0, BUCKETS, _TOGETHER):
        rows = _accepted(log, family, list(range(first, first + _TOGETHER)))
        wrong = with_digest(rows, family).filter(identity(rows, family)[0])
        for event, key in wrong.select("event_id", "record_key").head(20).iter_rows():
            yield f"log: the content of event {event} ({key}) was changed after it was landed"


def _accepted(log: DeltaTable, family: str, buckets: list[int]) -> pl.DataFrame:
    chosen = (pl.col("verdict") == ACCEPTED) & pl.col("bucket").is_in(buckets)
    columns = pl.Schema({**history_columns(family), "verdict": pl.String()})
    rows = lake.scan(log, columns).filter(chosen)
    return rows.select(history_columns(family).names()).collect()


def _settled(
    log: DeltaTable, family: str, buckets: list[int], marks: dict[int, int]
) -> pl.DataFrame:
    """Return what the buckets' watermarks say is settled: the log without its tail."""
    places = pl.Schema({name: history_columns(family)[name] for name in PLACE})
    later = tail(log, marks, buckets, places)
    return union(_accepted(log, family, buckets).join(later, on=PLACE, how="anti"))


def _history(
    log: DeltaTable, history: DeltaTable, family: str, buckets: list[int]
) -> Iterator[str]:
    expected = _settled(log, family, buckets, watermarks(history))
    found = lake.scan(history, history_columns(family), buckets=buckets).collect()
    yield from differences(expected, found, ["event_id"], lambda kind: f"history: event {kind}")


def _dataset(
    log: DeltaTable, dataset: DeltaTable, family: str, buckets: list[int]
) -> Iterator[str]:
    settled = _settled(log, family, buckets, watermarks(dataset))
    days = transactions(dataset)
    frames = [pl.DataFrame(schema=dataset_columns(family))]
    for bucket in buckets:
        if day_id(bucket) in days:
            day = _EPOCH + dt.timedelta(days=days[day_id(bucket)])
            frames.append(fold(settled.filter(pl.col("bucket") == bucket), family, day))
    expected = pl.concat(frames)
    found = lake.scan(dataset, dataset_columns(family), buckets=buckets).collect()
    yield from _still_in_use(expected, found)
    key = ["subject", "record_key"]
    yield from differences(expected, found, key, lambda kind: f"dataset: row {kind}")


def _still_in_use(expected: pl.DataFrame, found: pl.DataFrame) -> Iterator[str]:
    key = ["subject", "record_key"]
    stopped = expected.filter(pl.col("usable") == "no").select(*key, "unusable_reason")
    used = found.filter(pl.col("usable") == "yes").select(key).unique()
    for subject, record, why in stopped.join(used, on=key).head(20).iter_rows():
        yield f"dataset: a record that may not be used ({why}) is still in it: {subject} {record}"

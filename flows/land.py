"""Landing: from Kafka to the log, each batch and its offsets in one commit.

The only place that knows Kafka's offsets. A batch is judged by itself alone: duplicates and
conflicts are the fold's affair, so a batch costs the same however long the log is.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

import polars as pl
from deltalake import DeltaTable
from kafka import TopicPartition

from connectors import lake
from connectors.ahead import ahead
from connectors.heartbeat import Commit, Heartbeat, newest_commit, write_heartbeat
from connectors.reading import Batch, bounds, check_bounds, consumer, made_anew, read
from connectors.schema_ids import SchemaIds
from connectors.settings import Settings
from connectors.topics import (
    ends_written,
    family_topics,
    partitions,
    topic_name,
    topic_numbers,
)
from connectors.transactions import transactions
from flows.judge import judge
from flows.log import (
    ACCEPTED,
    LANDED,
    QUARANTINED,
    gap_id,
    landed_number,
    log_columns,
    next_landed_at,
    offset_id,
    skipped_id,
    topic_id,
)
from flows.remembered import remembered, to_remember
from schemas import contract
from schemas.publishers import PublishersTable

_log = logging.getLogger(__name__)
#: Batches judged at a time: reading Avro and writing Parquet keep one core busy each.
_JUDGES: Final = 2
#: Another writer may be first now and then; being last this often means something is wrong.
_TRIES: Final = 5


@dataclass
class Part:
    """What landing did to one topic partition: offsets from (inclusive) to (exclusive)."""

    topic: str
    partition: int
    start: int
    end: int
    accepted: int = 0
    quarantined: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Written:
    """What was in a family's topics at a time (UTC): the end offset of each partition.

    Messages of open transactions are included, as those behind them are held back with them.
    """

    at: dt.datetime
    ends: Mapping[TopicPartition, int]

    def is_landed(self, landed: Mapping[TopicPartition, int]) -> bool:
        """Return whether all of it is below the next offsets to land."""
        return all(landed.get(part, 0) >= end for part, end in self.ends.items())


@dataclass
class Landed:
    """What one landing of a family did.

    `commit`: the log's newest commit when all that Kafka had committed was landed; None when the
    rest was left to the next landing, or a topic is missing. `through` (UTC): the heartbeat that
    this landing has written; None also when an open transaction held messages back.
    """

    family: str
    parts: list[Part] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    commits: int = 0
    commit: Commit | None = None
    through: dt.datetime | None = None

    @property
    def accepted(self) -> int:
        """Return how many messages were accepted."""
        return sum(part.accepted for part in self.parts)

    @property
    def quarantined(self) -> int:
        """Return how many messages were quarantined."""
        return sum(part.quarantined for part in self.parts)


def land(
    settings: Settings,
    family: str,
    *,
    accept_gap: bool = False,
    plain: bool = False,
    enough: Callable[[], bool] = lambda: False,
) -> Landed:
    """Land a family up to the end offsets its topics have now; return what was done.

    `plain`: read record by record, as is done anyway with what does not fit whole batches.
    `enough` is asked after each batch whether to leave the rest to the next landing. Raises
    OffsetGone when Kafka no longer has what the log goes on from, or has another topic of that name
    (unless `accept_gap`, by which an operator takes the loss, and the log remembers its size),
    SchemaChanged, RegistryUnreachable, Stalled: what was committed before goes for good. At the end
    it writes the family's heartbeat (`connectors.heartbeat`).
    """
    landed = Landed(family)
    for attempt in range(_TRIES):
        try:
            _land(settings, family, landed, accept_gap=accept_gap, plain=plain, enough=enough)
            return landed
        except lake.Lost:
            # Whoever was first has moved the log on: drop the batch, begin where the log stands.
            _log.info("%s: another landing was first; reading again", family)
            if attempt == _TRIES - 1:
                raise
    return landed


def _land(
    settings: Settings,
    family: str,
    landed: Landed,
    *,
    accept_gap: bool,
    plain: bool,
    enough: Callable[[], bool],
) -> None:
    table = lake.ensure_table(settings, "log", family, log_columns(family), ["verdict"])
    publishers = contract.publishers(settings.mianti_publishers)
    with consumer(settings, whole=not plain) as client:
        at = dt.datetime.now(dt.UTC)
        topics = family_topics(settings, family)
        numbers = topic_numbers(settings, topics)
        parts = [p for topic in topics for p in partitions(client, topic)]
        written = Written(at, ends_written(settings, parts))
        known = transactions(table)
        start = positions(known, parts)
        first, ends = bounds(client, parts)
        for part in parts:
            if accept_gap and start[part] < first[part]:
                start[part] = _jump(table, part, start[part], first[part])
            check_bounds(part, start[part], first[part], ends[part])
        _require_same(table, known, numbers, accept=accept_gap)
        batches, ids = (
            read(client, dict(start), ends),
            SchemaIds(settings, family, remembered(known)),
        )

        def judged(batch: Batch) -> pl.DataFrame:
            return judge(batch.records, family, publishers.publishers, ids)

        with closing(ahead(batches, judged, _JUDGES)) as done:
            for batch, rows in done:
                counts = _counts(rows)
                parts_done = _commit(table, rows, counts, batch, start, numbers, ids)
                start |= batch.positions
                _note(landed, counts, parts_done)
                if enough():
                    return
        missing = _missing(known, topics, publishers, family)
        if missing:
            _log.warning("%s: not in Kafka, so no heartbeat: %s", family, ", ".join(missing))
            return
        _tell_through(settings, table, landed, written, start)


def _missing(
    known: Mapping[str, int], topics: list[str], table: PublishersTable, family: str
) -> list[str]:
    """Return the topics landed before that Kafka does not have, of publishers that still publish.

    A Kafka without them may be another one: nothing is known of what these publishers have sent.
    """
    due = {
        topic_name(family, id_) for id_, one in table.publishers.items() if family in one.families
    }
    landed = {id_.split(":")[1] for id_ in known if id_.startswith("offset:")}
    return sorted((due & landed).difference(topics))


def _tell_through(
    settings: Settings,
    table: DeltaTable,
    landed: Landed,
    written: Written,
    reached: Mapping[TopicPartition, int],
) -> None:
    """Write the heartbeat: all that was written by a time is in the log."""
    table.update_incremental()
    landed.commit = newest_commit(table)
    if written.is_landed(reached):
        beat = Heartbeat(through=written.at, commit=landed.commit)
        write_heartbeat(settings, landed.family, beat, dt.datetime.now(dt.UTC))
        landed.through = written.at


def positions(known: Mapping[str, int], parts: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the next offset of each partition by the log's transactions; 0 where it has none."""
    return {part: known.get(offset_id(part.topic, part.partition), 0) for part in parts}


def _require_same(
    table: DeltaTable, known: Mapping[str, int], numbers: Mapping[str, int], *, accept: bool
) -> None:
    """Raise OffsetGone where a topic is not the one that was landed: its offsets mean other things.

    What an operator accepts is remembered at once, though the topic may have nothing new.
    """
    other = {t: number for t, number in numbers.items() if known.get(topic_id(t), number) != number}
    if other and not accept:
        raise made_anew(min(other))
    if other:
        lake.append(table, lake.empty(table), {topic_id(t): n for t, n in other.items()})
        table.update_incremental()


def _commit(
    table: DeltaTable,
    rows: pl.DataFrame,
    counts: pl.DataFrame,
    batch: Batch,
    start: dict[TopicPartition, int],
    numbers: Mapping[str, int],
    meant: SchemaIds,
) -> list[Part]:
    """Write one batch; the offsets it was read from must still be the log's. Raises Lost."""
    table.update_incremental()
    known = transactions(table)
    moved = [part for part, end in batch.positions.items() if end > start[part]]
    if positions(known, moved) != {part: start[part] for part in moved}:
        raise lake.Lost
    done = [_part(counts, part, start[part], batch.positions[part]) for part in moved]
    ids = {offset_id(p.topic, p.partition): p.end for p in done} | _skips(known, done)
    ids |= {topic_id(p.topic): numbers[p.topic] for p in done if p.topic in numbers}
    ids |= to_remember(known, meant.learnt())
    landed_at = next_landed_at(known, dt.datetime.now(dt.UTC))
    ids[LANDED] = landed_number(landed_at)
    stamped = rows.with_columns(landed_at=pl.lit(landed_at, pl.Datetime("us", "UTC")))
    lake.append(table, stamped, ids)
    return done


def _counts(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("topic", "partition", "verdict", "reason").len()


def _part(counts: pl.DataFrame, part: TopicPartition, start: int, end: int) -> Part:
    mine = counts.filter(topic=part.topic, partition=part.partition)
    accepted, quarantined = (
        sum(mine.filter(verdict=verdict)["len"].to_list()) for verdict in (ACCEPTED, QUARANTINED)
    )
    skipped = end - start - accepted - quarantined
    return Part(part.topic, part.partition, start, end, accepted, quarantined, skipped)


def _skips(known: Mapping[str, int], done: list[Part]) -> dict[str, int]:
    """Count on: offsets that held no committed message (transaction markers, aborted ones)."""
    counted = [part for part in done if part.skipped]
    names = {skipped_id(p.topic, p.partition): p.skipped for p in counted}
    return {name: known.get(name, 0) + more for name, more in names.items()}


def _jump(table: DeltaTable, part: TopicPartition, at: int, first: int) -> int:
    """Remember a gap an operator accepts, and go on behind it."""
    name = gap_id(part.topic, part.partition)
    before = transactions(table).get(name, 0)
    ids = {name: before + first - at, offset_id(part.topic, part.partition): first}
    lake.append(table, lake.empty(table), ids)
    table.update_incremental()
    _log.warning("%s/%s: %s offsets accepted as gone", part.topic, part.partition, first - at)
    return first


def _note(landed: Landed, counts: pl.DataFrame, done: list[Part]) -> None:
    landed.commits += 1
    known = {(p.topic, p.partition): p for p in landed.parts}
    for part in done:
        whole = known.get((part.topic, part.partition))
        if whole is None:
            landed.parts.append(part)
            continue
        whole.end = part.end
        whole.accepted += part.accepted
        whole.quarantined += part.quarantined
        whole.skipped += part.skipped
    for reason, count in _reasons(counts):
        landed.reasons[reason] = landed.reasons.get(reason, 0) + count


def _reasons(counts: pl.DataFrame) -> Iterator[tuple[str, int]]:
    bad = counts.filter(verdict=QUARANTINED)
    yield from bad.group_by("reason").agg(pl.col("len").sum()).sort("reason").iter_rows()

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
from connectors.reading import Batch, consumer, read
from connectors.schema_ids import SchemaIds
from connectors.settings import Settings
from connectors.topics import ends_written, topic_name
from connectors.transactions import transactions
from flows.ground import Ground, note_compared, positions, require_sound, stand, survey
from flows.judge import judge
from flows.log import (
    ACCEPTED,
    LANDED,
    QUARANTINED,
    compacted_id,
    gap_id,
    landed_number,
    log_columns,
    mark_id,
    next_landed_at,
    offset_id,
    partitions_id,
    skipped_id,
    topic_id,
)
from flows.remembered import remembered, to_remember
from schemas import contract
from schemas.facets import STATEMENT
from schemas.publishers import PublishersTable

_log = logging.getLogger(__name__)
#: Batches judged at a time: reading Avro and writing Parquet keep one core busy each.
_JUDGES: Final = 2
#: Another writer may be first now and then; being last this often means something is wrong.
_TRIES: Final = 5


@dataclass
class Part:
    """What landing did to one topic partition: offsets from (inclusive) to (exclusive).

    `skipped`: transaction markers and aborted messages. `compacted`: messages that Kafka no longer
    had, between others that it has.
    """

    topic: str
    partition: int
    start: int
    end: int
    accepted: int = 0
    quarantined: int = 0
    skipped: int = 0
    compacted: int = 0

    def add(self, later: Part) -> None:
        """Take in what a later landing did to the same partition."""
        self.end = later.end
        self.accepted += later.accepted
        self.quarantined += later.quarantined
        self.skipped += later.skipped
        self.compacted += later.compacted


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
    """What one landing of a family did; `unlisted`: topics of no known publisher, not read.

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
    unlisted: list[str] = field(default_factory=list)

    @property
    def compacted(self) -> int:
        """Return how many messages Kafka no longer had, between others."""
        return sum(part.compacted for part in self.parts)

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
    OffsetGone when Kafka no longer has what the log goes on from, or has another topic or other
    messages there (unless `accept_gap`, by which an operator takes the loss, and the log remembers
    its size), TopicCompacts, SchemaChanged, RegistryUnreachable, Stalled: what was committed before
    then stays landed. At the end it writes the family's heartbeat (`connectors.heartbeat`).
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
    listed = contract.publishers(settings.mianti_publishers)
    publishers = listed.publishers
    with consumer(settings) as client:
        at = dt.datetime.now(dt.UTC)
        topics = survey(settings, family, client, publishers)
        written = Written(at, ends_written(settings, topics.parts))
        table.update_incremental()
        known = transactions(table)
        ground = stand(topics, client, known)
        landed.unlisted = ground.unlisted
        start, first = ground.start, ground.first
        for part in ground.parts:
            if accept_gap and start[part] < first[part]:
                start[part] = _jump(table, part, start[part], first[part])
        learnt = require_sound(ground, client, known, accept=accept_gap)
        if learnt:
            lake.append(table, lake.empty(table), learnt)
            table.update_incremental()
        batches, ids = (
            read(client, dict(start), ground.ends, whole=not plain),
            SchemaIds(settings, family, remembered(known)),
        )

        def judged(batch: Batch) -> pl.DataFrame:
            return judge(batch.records, family, publishers, ids, ground.counts)

        with closing(ahead(batches, judged, _JUDGES)) as done:
            for batch, rows in done:
                counts = _counts(rows)
                parts_done = _commit(table, rows, counts, batch, ground, ids)
                start |= batch.positions
                note_compared(client, batch.positions)
                _note(landed, counts, parts_done)
                if enough():
                    return
        missing = _missing(known, ground.topics, listed, family)
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


def _commit(
    table: DeltaTable,
    rows: pl.DataFrame,
    counts: pl.DataFrame,
    batch: Batch,
    ground: Ground,
    meant: SchemaIds,
) -> list[Part]:
    """Write one batch; the offsets it was read from must still be the log's. Raises Lost."""
    table.update_incremental()
    known, start = transactions(table), ground.start
    moved = [part for part, end in batch.positions.items() if end > start[part]]
    if positions(known, moved) != {part: start[part] for part in moved}:
        raise lake.Lost
    done = [_part(counts, part, start[part], batch) for part in moved]
    ids = {offset_id(p.topic, p.partition): p.end for p in done} | _passed(known, done)
    topics = {part.topic for part in done}
    ids |= {topic_id(t): ground.numbers[t] for t in topics if t in ground.numbers}
    ids |= _partitions(known, rows, topics, ground)
    ids |= {mark_id(*part): mark for part, mark in batch.marks.items() if part in moved}
    ids |= to_remember(known, meant.learnt())
    landed_at = next_landed_at(known, dt.datetime.now(dt.UTC))
    ids[LANDED] = landed_number(landed_at)
    stamped = rows.with_columns(landed_at=pl.lit(landed_at, pl.Datetime("us", "UTC")))
    lake.append(table, stamped, ids)
    return done


def _counts(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("topic", "partition", "verdict", "reason").len()


def _part(counts: pl.DataFrame, part: TopicPartition, start: int, batch: Batch) -> Part:
    end = batch.positions[part]
    mine = counts.filter(topic=part.topic, partition=part.partition)
    accepted, quarantined = (
        sum(mine.filter(verdict=verdict)["len"].to_list()) for verdict in (ACCEPTED, QUARANTINED)
    )
    skipped = batch.passed.get(part, 0)
    compacted = end - start - accepted - quarantined - skipped
    place = (part.topic, part.partition, start, end)
    return Part(*place, accepted, quarantined, skipped, compacted)


def _partitions(
    known: Mapping[str, int], rows: pl.DataFrame, topics: set[str], ground: Ground
) -> dict[str, int]:
    """Remember how many partitions a topic has: when it is first landed, then as statements say."""
    names = {topic: partitions_id(topic) for topic in topics}
    ids = {name: ground.counts[t][1] for t, name in names.items() if name not in known}
    if rows[STATEMENT].null_count() < rows.height:
        count = pl.col(STATEMENT).struct.field("partitions")
        stated = rows.filter(verdict=ACCEPTED).group_by("topic").agg(count.max()).drop_nulls()
        ids |= {
            names[t]: max(n, known.get(names[t], 0), ids.get(names[t], 0))
            for t, n in stated.iter_rows()
        }
    return ids


def _passed(known: Mapping[str, int], done: list[Part]) -> dict[str, int]:
    """Count on: offsets that held no message to be landed."""
    more = {skipped_id(p.topic, p.partition): p.skipped for p in done}
    more |= {compacted_id(p.topic, p.partition): p.compacted for p in done}
    return {name: known.get(name, 0) + count for name, count in more.items() if count}


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
        whole.add(part)
    for reason, count in _reasons(counts):
        landed.reasons[reason] = landed.reasons.get(reason, 0) + count


def _reasons(counts: pl.DataFrame) -> Iterator[tuple[str, int]]:
    bad = counts.filter(verdict=QUARANTINED)
    yield from bad.group_by("reason").agg(pl.col("len").sum()).sort("reason").iter_rows()

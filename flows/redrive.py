"""Redriving: what waits in quarantine is judged by the rules of today, and accepted once.

The accepted row and the row that closes the message are one commit: `landed_at` is its time, so
that answers of before stay explained.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import polars as pl
from deltalake import DeltaTable
from kafka import TopicPartition

from connectors import lake
from connectors.raw_batches import NO_TIME, Record
from connectors.reading import bounds, consumer, read
from connectors.schema_ids import SchemaIds
from connectors.settings import Settings
from connectors.topics import family_topics, partitions
from connectors.transactions import transactions
from flows.closing import Closings, Overtaken, closing
from flows.decode import digest
from flows.ground import partitions_known
from flows.judge import judge
from flows.log import ACCEPTED, PLACE, QUARANTINED, REDRIVEN, log_columns
from flows.quarantine import Chosen
from flows.remembered import remembered
from schemas import contract

_log = logging.getLogger(__name__)
#: Messages judged and committed together.
_TOGETHER: Final = 5_000
_WAITING: Final = (*PLACE, "landed_at", "verdict", "reason", "raw_digest")
_KEPT: Final = (*PLACE, "verdict", "reason", "about", "raw", "raw_digest")


@dataclass
class Redriven:
    """What redriving did: messages accepted by now, and those refused still, by today's reason.

    `without_bytes`: neither the log nor Kafka has what they said.
    """

    family: str
    accepted: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    without_bytes: int = 0

    @property
    def waiting(self) -> int:
        """Return how many messages wait on."""
        return sum(self.reasons.values()) + self.without_bytes


def redrive(settings: Settings, family: str, chosen: Chosen) -> Redriven:
    """Judge again what waits, by the rules of today, and accept what they accept, once.

    What they refuse waits on; what was discarded is taken back if it is chosen. Raises
    SchemaChanged, RegistryUnreachable, and connectors.lake.Lost when landings were always first; what
    was accepted until then stays so.
    """
    done = Redriven(family)
    if lake.open_table(settings, "log", family) is None:
        return done
    while True:  # whoever was first has left less to do
        try:
            _redrive(settings, family, chosen, done)
            return done
        except Overtaken:
            _log.info("%s: another closed messages; reading again", family)


def _redrive(settings: Settings, family: str, chosen: Chosen, done: Redriven) -> None:
    log = lake.ensure_table(settings, "log", family, log_columns(family), ["verdict"])
    closings = Closings(log)
    known = transactions(log)
    ids, counts = SchemaIds(settings, family, remembered(known)), partitions_known(known)
    publishers = contract.publishers(settings.mianti_publishers).publishers
    meant = chosen.among(log, family, _columns(family, _WAITING))
    places = meant.select(*PLACE, "raw_digest").collect()
    reasons: Counter[str] = Counter()

    def take(messages: list[Record]) -> pl.DataFrame:
        rows = judge([*messages], family, publishers, ids, counts)
        good = rows.filter(verdict=ACCEPTED)
        if not good.is_empty():
            closed = closing(good, REDRIVEN, by=None, why=None)
            closings.write(pl.concat([good, closed], how="diagonal"), ids.learnt())
        done.accepted += good.height
        reasons.update(rows.filter(verdict=QUARANTINED)["reason"])
        return rows.select(PLACE)

    left = _without(places, [take(messages) for messages in _kept(log, family, places, keyed=True)])
    # The log keeps no key of a statement, only Kafka does.
    left = _without(left, [take(messages) for messages in _elsewhere(settings, family, left)])
    left = _without(left, [take(messages) for messages in _kept(log, family, left, keyed=False)])
    done.reasons, done.without_bytes = dict(reasons), left.height


def _kept(
    log: DeltaTable, family: str, places: pl.DataFrame, *, keyed: bool
) -> Iterator[list[Record]]:
    """Yield the messages whose bytes the log has, or that had none, file by file.

    The log keeps no headers; what was refused for them is read again from Kafka. `keyed`: only
    messages whose key the log has too.
    """
    has_bytes = pl.col("raw").is_not_null() | pl.col("raw_digest").is_null()
    has_bytes &= pl.col("reason") != "header_mismatch"
    if keyed:
        has_bytes &= pl.col("about").is_not_null()
    wanted = places.select(PLACE).lazy()
    for file in lake.scan_files(log, _columns(family, _KEPT), ("verdict", QUARANTINED)):
        rows = file.join(wanted, on=PLACE, how="semi").filter(has_bytes)
        told = rows.select(*PLACE, pl.col("about").cast(pl.Binary), "raw").collect()
        for some in told.iter_slices(_TOGETHER):
            yield [
                Record(topic, partition, offset, about, raw, [], NO_TIME)
                for topic, partition, offset, about, raw in some.iter_rows()
            ]


def _elsewhere(settings: Settings, family: str, places: pl.DataFrame) -> Iterator[list[Record]]:
    """Yield messages of which the log lacks a part, if Kafka still has the same."""
    digests = {
        (TopicPartition(topic, number), offset): told
        for topic, number, offset, told in places.iter_rows()
    }
    if not digests:
        return
    with consumer(settings) as client:
        there = {p for topic in family_topics(settings, family) for p in partitions(client, topic)}
        parts = sorted({part for part, _ in digests} & there)
        first, ends = bounds(client, parts)
        offsets = {part: [offset for of, offset in digests if of == part] for part in parts}
        start = {part: max(first[part], min(offsets[part])) for part in parts}
        until = {part: min(ends[part], max(offsets[part]) + 1) for part in parts}
        for batch in read(client, start, until):
            found = [one for one in batch.records if isinstance(one, Record)]
            same = [one for one in found if _same(one, digests)]
            if same:
                yield same


def _without(places: pl.DataFrame, taken: list[pl.DataFrame]) -> pl.DataFrame:
    return places.join(pl.concat([places.select(PLACE).clear(), *taken]), on=PLACE, how="anti")


def _same(message: Record, digests: dict[tuple[TopicPartition, int], str]) -> bool:
    place = TopicPartition(message.topic, message.partition), message.offset
    return message.value is not None and digests.get(place) == digest(message.value)


def _columns(family: str, names: tuple[str, ...]) -> pl.Schema:
    return pl.Schema({name: log_columns(family)[name] for name in names})

"""Reading topics from stated offsets to the end they had when reading began.

`assign` and `seek`, never a consumer group: where to go on is the log's own knowledge. Only
committed messages are given (read_committed). Memory is bounded whatever a batch unpacks to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from kafka import KafkaConsumer, TopicPartition

from connectors.clients import client
from connectors.errors import MiantiError
from connectors.raw_batches import RawBatch, Record, Unread, hand_over_whole
from connectors.settings import Settings, kafka_options

#: A batch (where whole ones are asked for), a message, or offsets that were not read.
Item: TypeAlias = RawBatch | Record | Unread

#: No message and no movement for this long, though more is there: the client is stuck
#: (dpkp/kafka-python#3106 and #3131 were such bugs), and a new run will do better than waiting.
STALL_SECONDS: Final = 60.0
_POLL_MS: Final = 500
#: Batches of one poll, of 20 messages or of thousands; they are unpacked one by one.
_AT_A_TIME: Final = 2_000
_FETCH_BYTES: Final = 512 << 10
#: What a message costs at least, however short: a batch of many tiny ones is a large one.
_MESSAGE_BYTES: Final = 64
#: Offsets of an unread batch handed over together.
_UNREAD_AT_A_TIME: Final = 100_000


class OtherClient(MiantiError):
    """The installed kafka-python does not hand over whole batches."""


class Stalled(MiantiError):
    """Kafka answered no more though messages are there."""


class OffsetGone(MiantiError):
    """The log goes on at an offset the topic no longer has (retention), or never had."""


@dataclass(frozen=True)
class Batch:
    """Messages (or whole batches) of some partitions, and where each of these goes on after them.

    `passed`: offsets before these positions that hold transaction markers or aborted messages.
    `marks`: the mark of the record batch just before each position (see `mark`).
    """

    records: list[Item]
    positions: dict[TopicPartition, int]
    passed: dict[TopicPartition, int] = field(default_factory=dict)
    marks: dict[TopicPartition, int] = field(default_factory=dict)


@contextmanager
def consumer(settings: Settings) -> Iterator[KafkaConsumer]:
    """Give a consumer without a group, for `read`, and close it. Raises OtherClient."""

    def made() -> KafkaConsumer:
        one = KafkaConsumer(
            **kafka_options(settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_min_bytes=1,
            max_partition_fetch_bytes=_FETCH_BYTES,
            max_poll_records=_AT_A_TIME,
        )
        if not hand_over_whole(one):
            raise OtherClient(
                "This version of kafka-python hands over no whole batches, so that their size "
                "cannot be bounded. Install the version of requirements.lock.",
                "当前 kafka-python 版本不能整批读取消息，无法限制解压大小。请安装 requirements.lock 指定的版本。",
            )
        return one

    with client(("consumer", settings), made, KafkaConsumer.close) as one:
        yield one


def bounds(
    client: KafkaConsumer, parts: list[TopicPartition]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Return the first offset held and the end offset of each partition.

    With read_committed the end is the last stable offset: what an open transaction holds back is
    left for the next run.
    """
    return client.beginning_offsets(parts), client.end_offsets(parts)


def read(
    client: KafkaConsumer,
    start: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    batch_bytes: int = 8 << 20,
    *,
    whole: bool = False,
) -> Iterator[Batch]:
    """Yield the committed messages from `start` up to `ends`, some `batch_bytes` at a time.

    `whole`: as RawBatch, not message by message. A batch beyond the bounds of
    `connectors.raw_batches` comes as Unread either way. Raises Stalled when the client makes no
    progress.
    """
    waiting = {part for part, end in ends.items() if start[part] < end}
    _assign(client, {part: start[part] for part in waiting})
    gathered = _Gathered({part: start[part] for part in waiting})
    moved = time.monotonic()
    while waiting:
        before = dict(gathered.positions)
        for part, found in client.poll(timeout_ms=_POLL_MS).items():
            found.reverse()
            while found:  # what was read is let go: its unpacked bytes too
                for item in gathered.take(found.pop(), ends[part], whole=whole):
                    gathered.add(item)
                    if gathered.size >= batch_bytes:
                        yield gathered.give()
        for part in waiting:
            at = min(client.position(part), ends[part])
            gathered.positions[part] = max(gathered.positions[part], at)
        moved = time.monotonic() if gathered.positions != before else moved
        waiting = {part for part in waiting if gathered.positions[part] < ends[part]}
        if time.monotonic() - moved > STALL_SECONDS:
            raise _stalled()
    if gathered.positions:
        yield gathered.give()


class _Gathered:
    """What was read since a Batch was last given."""

    def __init__(self, positions: dict[TopicPartition, int]) -> None:
        self.positions, self.size = positions, 0
        self._records: list[Item] = []
        self._passed: dict[TopicPartition, int] = {}
        self._marks: dict[TopicPartition, int] = {}

    def take(self, record: Any, end: int, *, whole: bool) -> Iterator[Item]:
        """Note what the client gave; yield what it holds before an end, `positions` behind each."""
        part, batch = TopicPartition(record.topic, record.partition), record.value
        if not isinstance(batch, RawBatch):  # the formats before Kafka 0.11
            if record.offset < end:
                self.positions[part] = record.offset + 1
                place = (record.topic, record.partition, record.offset)
                yield Record(*place, record.key, batch, record.headers, record.timestamp)
            return
        batch.high = end
        if batch.base >= end:
            return
        if batch.empty:
            self._passed[part] = self._passed.get(part, 0) + batch.span
        elif batch.count and not batch.within_bounds:
            for piece in _pieces(batch.unread()):
                self._reach(part, piece.end, batch.crc)
                yield piece
        elif batch.count and whole:
            self._reach(part, min(batch.last + 1, end), batch.crc)
            yield batch
        elif batch.count:
            for message in batch.records():
                self._reach(part, message.offset + 1, batch.crc)
                yield message
        self._reach(part, min(batch.last + 1, end), batch.crc)

    def _reach(self, part: TopicPartition, position: int, crc: int) -> None:
        self.positions[part] = position
        self._marks[part] = mark(position, crc)

    def add(self, item: Item) -> None:
        """Take in what was yielded."""
        self._records.append(item)
        self.size += _size(item)

    def give(self) -> Batch:
        """Return what was gathered, and begin anew."""
        given = Batch(self._records, dict(self.positions), self._passed, self._marks)
        self._records, self.size, self._passed, self._marks = [], 0, {}, {}
        return given


def marks_at(
    client: KafkaConsumer, positions: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Return the mark of each position; none where no record batch reaches up to it.

    The offset before each position must be one that Kafka still holds. Raises Stalled.
    """
    _assign(client, {part: at - 1 for part, at in positions.items()})
    found: dict[TopicPartition, int] = {}
    waiting, begun = set(positions), time.monotonic()
    while waiting:
        for part, records in client.poll(timeout_ms=_POLL_MS).items():
            for batch in (record.value for record in records):
                at = positions[part]
                if isinstance(batch, RawBatch) and batch.base < at <= batch.last + 1:
                    found[part] = mark(at, batch.crc)
        waiting = {part for part in waiting if client.position(part) < positions[part]}
        if time.monotonic() - begun > STALL_SECONDS:
            raise _stalled()
    return found


def mark(position: int, crc: int) -> int:
    """Return 63 bits that name a position and the record batch that holds the offset before it.

    A batch at the same offsets with other messages, or of another time, has another CRC.
    """
    return (position & 0x7FFFFFFF) << 32 | crc


def _pieces(unread: Unread) -> Iterator[Unread]:
    for first in range(unread.first, unread.end, _UNREAD_AT_A_TIME):
        end = min(first + _UNREAD_AT_A_TIME, unread.end)
        yield replace(unread, first=first, end=end)


def _assign(client: KafkaConsumer, start: Mapping[TopicPartition, int]) -> None:
    client.assign(sorted(start))
    for part, offset in start.items():
        client.seek(part, offset)


def _size(item: Item) -> int:
    if isinstance(item, Unread):
        return (item.end - item.first) * _MESSAGE_BYTES
    if isinstance(item, RawBatch):
        return max(len(item.section), item.count * _MESSAGE_BYTES)
    return max(len(item.value or b""), _MESSAGE_BYTES)


def check_bounds(part: TopicPartition, at: int, first: int, end: int) -> None:
    """Raise OffsetGone when a partition no longer holds, or never held, the offset to go on at."""
    if at < first:
        raise OffsetGone(
            f"{part.topic}/{part.partition}: {first - at} messages from offset {at} on are gone "
            "(retention). Nothing was landed; restore them or ask the publisher to send again.",
            f"{part.topic}/{part.partition}：自位点 {at} 起的 {first - at} 条消息已被清除（保留期已过）。"
            "本次未写入任何数据；请恢复消息或请发布部门重新报送。",
        )
    if at > end:
        raise OffsetGone(
            f"{part.topic}/{part.partition}: the log stands at offset {at}, the topic ends at "
            f"{end}: the topic was made anew or another Kafka answers. Nothing was landed.",
            f"{part.topic}/{part.partition}：已入库位点为 {at}，而主题末端仅为 {end}："
            "主题已被重建或连接了另一套 Kafka。本次未写入任何数据。",
        )


def made_anew(topic: str) -> OffsetGone:
    """Return what is raised where a topic is another than the one whose offsets are known."""
    return OffsetGone(
        f"{topic}: this is not the topic that was landed so far: it was made anew, or another Kafka "
        "answers. Nothing was landed. Where its offsets go on as they were (a mirrored cluster), "
        "`mianti ingest --accept-gap` goes on; else restore it, or ask the publisher to send again.",
        f"{topic}：与此前入库的不是同一主题：主题已被重建，或连接了另一套 Kafka。本次未写入任何数据。"
        "若位点与原来一致（镜像集群），可用 `mianti ingest --accept-gap` 继续；否则请恢复主题或请发布部门重新报送。",
    )


def overwritten(part: TopicPartition, at: int) -> OffsetGone:
    """Return what is raised where other messages now lie below the offset a log stands at."""
    return OffsetGone(
        f"{part.topic}/{part.partition}: the message before offset {at} is another than the one that "
        "was landed: Kafka was restored from a backup, or its topic was written anew. Nothing was "
        "landed. Restore the lake from a copy that is no newer than Kafka's (see the backup "
        "runbook), or land everything into a new lake. `mianti ingest --accept-gap` would go on from "
        f"offset {at} and never land what was published below it.",
        f"{part.topic}/{part.partition}：位点 {at} 之前的消息与已入库的消息不同：Kafka 由备份恢复，或主题被重新写入。"
        "本次未写入任何数据。请用不晚于 Kafka 备份的副本恢复数据湖（见备份手册），或重新入库到新的数据湖。"
        f"`mianti ingest --accept-gap` 将从位点 {at} 继续，之前发布的消息不会入库。",
    )


def _stalled() -> Stalled:
    return Stalled(
        f"Kafka sent nothing for {STALL_SECONDS:.0f} s though messages are there; run it again, "
        "and look at the broker's log when it happens twice.",
        f"Kafka 在 {STALL_SECONDS:.0f} 秒内没有返回任何消息，但仍有未读消息；请重试，若再次发生请查看 Kafka 日志。",
    )

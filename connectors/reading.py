"""Reading topics from stated offsets to the end they had when reading began.

`assign` and `seek`, never a consumer group: where to go on is the log's own knowledge. Only
committed messages are given (read_committed).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from connectors.clients import client
from connectors.errors import MiantiError
from connectors.raw_batches import RawBatch, hand_over_whole
from connectors.settings import Settings, kafka_options

_log = logging.getLogger(__name__)
#: No message and no movement for this long, though more is there: the client is stuck
#: (dpkp/kafka-python#3106 and #3131 were such bugs), and a new run will do better than waiting.
STALL_SECONDS: Final = 60.0
_POLL_MS: Final = 500
_AT_A_TIME: Final = 5_000
#: Batches, of 20 messages or of thousands; what bounds memory is the bytes of one fetch, which are
#: several times that when decompressed.
_WHOLE_AT_A_TIME: Final = 2_000
_WHOLE_BYTES: Final = 512 << 10


class Stalled(MiantiError):
    """Kafka answered no more though messages are there."""


class OffsetGone(MiantiError):
    """The log goes on at an offset the topic no longer has (retention), or never had."""


@dataclass(frozen=True)
class Batch:
    """Messages (or whole batches) of some partitions, and where each of these goes on after them."""

    records: list[Any]
    positions: dict[TopicPartition, int]


@contextmanager
def consumer(
    settings: Settings, *, committed: bool = True, whole: bool = False
) -> Iterator[KafkaConsumer]:
    """Give a consumer without a group and close it.

    `whole`: its records are whole batches (`connectors.raw_batches`) where the client can.
    """

    def made() -> KafkaConsumer:
        one = KafkaConsumer(
            **kafka_options(settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed" if committed else "read_uncommitted",
            fetch_min_bytes=1,
            max_partition_fetch_bytes=_WHOLE_BYTES if whole else 8 << 20,
            max_poll_records=_WHOLE_AT_A_TIME if whole else _AT_A_TIME,
        )
        if whole and not hand_over_whole(one):
            _log.warning("this kafka-python hands over no whole batches: reading record by record")
        return one

    with client(("consumer", committed, whole, settings), made, KafkaConsumer.close) as one:
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
) -> Iterator[Batch]:
    """Yield the committed messages from `start` up to `ends`, some `batch_bytes` at a time.

    Raises Stalled when the client makes no progress, OffsetGone from `check_bounds`.
    """
    waiting = {part for part, end in ends.items() if start[part] < end}
    client.assign(sorted(waiting))
    for part in waiting:
        client.seek(part, start[part])
    positions = {part: start[part] for part in waiting}
    records: list[Any] = []
    size, moved = 0, time.monotonic()
    while waiting:
        for part, found in client.poll(timeout_ms=_POLL_MS).items():
            kept = [*_below(found, ends[part])]
            records += kept
            size += sum(map(_size, kept))
        now = {part: min(client.position(part), ends[part]) for part in waiting}
        moved = time.monotonic() if any(now[p] != positions[p] for p in now) else moved
        positions |= now
        waiting = {part for part in waiting if positions[part] < ends[part]}
        if time.monotonic() - moved > STALL_SECONDS:
            raise _stalled()
        if records and size >= batch_bytes:
            yield Batch(records, dict(positions))
            records, size = [], 0
    if positions:
        yield Batch(records, dict(positions))


def _below(found: list[Any], end: int) -> Iterator[Any]:
    """Give the records before an offset, and the batches that begin before it."""
    for record in found:
        if isinstance(record.value, RawBatch):
            record.value.high = end
            if record.value.base < end:
                yield record.value
        elif record.offset < end:
            yield record


def _size(record: Any) -> int:
    return len(record if isinstance(record, RawBatch) else record.value or b"")


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


def _stalled() -> Stalled:
    return Stalled(
        f"Kafka sent nothing for {STALL_SECONDS:.0f} s though messages are there; run it again, "
        "and look at the broker's log when it happens twice.",
        f"Kafka 在 {STALL_SECONDS:.0f} 秒内没有返回任何消息，但仍有未读消息；请重试，若再次发生请查看 Kafka 日志。",
    )

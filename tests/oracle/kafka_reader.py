"""What Kafka holds: a simple reader of its own, from the first offset to the end, committed only."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from kafka import KafkaConsumer, TopicPartition

Place = tuple[str, int, int]
_PATIENCE = 60.0
#: `message.timestamp.type=LogAppendTime`.
_BY_BROKER = 1


@dataclass(frozen=True)
class Message:
    """One committed message, where it lies and what it holds.

    `time`: what Kafka gives for it, in milliseconds since 1970; -1: nothing. `of`: how many
    partitions its topic has now; 0: not asked. `appended_at` (UTC): when the broker took it, by the
    broker's clock; None where a publisher's clock says so.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    time: int = -1
    of: int = 0
    appended_at: dt.datetime | None = None

    @property
    def place(self) -> Place:
        """Return where it is."""
        return self.topic, self.partition, self.offset

    @property
    def family(self) -> str:
        """Return the family of its topic, `mianti.<family>.<publisher>`."""
        return self.topic.split(".")[1]

    @property
    def publisher(self) -> str:
        """Return the publisher whose topic it is in."""
        return self.topic.split(".", 2)[2]


@dataclass
class Kafka:
    """The messages of some topics, and each partition's first offset and end."""

    messages: list[Message] = field(default_factory=list)
    bounds: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)

    def of(self, family: str) -> list[Message]:
        """Return the messages of a family."""
        return [one for one in self.messages if one.family == family]


def read(address: str, topics: Iterable[str]) -> Kafka:
    """Read the committed messages of some topics, one after the other."""
    found = Kafka()
    client = KafkaConsumer(
        bootstrap_servers=address,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
    )
    try:
        for topic in sorted(topics):
            numbers = client.partitions_for_topic(topic) or set()
            for part in sorted(TopicPartition(topic, number) for number in numbers):
                _read_part(client, part, len(numbers), found)
    finally:
        client.close()
    return found


def _read_part(client: KafkaConsumer, part: TopicPartition, of: int, found: Kafka) -> None:
    first, end = client.beginning_offsets([part])[part], client.end_offsets([part])[part]
    found.bounds[part.topic, part.partition] = first, end
    client.assign([part])
    client.seek(part, first)
    give_up = time.monotonic() + _PATIENCE
    while client.position(part) < end:
        if time.monotonic() > give_up:
            raise TimeoutError(f"{part} gives no more messages before its end {end}")
        for one in client.poll(timeout_ms=200).get(part, []):
            if one.offset < end:
                place = (part.topic, part.partition, one.offset)
                came = dt.datetime.fromtimestamp(one.timestamp / 1000, dt.UTC)
                at = came if one.timestamp_type == _BY_BROKER else None
                headers = tuple(one.headers)
                message = Message(*place, one.key, one.value, headers, one.timestamp, of, at)
                found.messages.append(message)

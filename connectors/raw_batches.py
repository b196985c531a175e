"""Kafka's record batches as they were fetched: the one file that relies on kafka-python's inside.

kafka-python checks each batch (CRC) and finds out which are aborted; then the batch is handed over
in one piece instead of record by record: reading 1 M messages of 240 bytes takes a seventh of the
time (`docs/performance.md`). Transaction markers, aborted and emptied batches are handed over too,
so that every offset is accounted for. A batch is unpacked when its records are asked for, and only
up to a bound.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import dropwhile
from typing import Any, Final, NamedTuple

from kafka import KafkaConsumer

from connectors.unpacking import TooLarge, unpack

#: Bytes of an unpacked batch, and messages in one. Producers make batches of 16 KiB to 1 MiB,
#: packed; beyond these bounds a batch serves no purpose but to exhaust its reader.
LARGEST_BATCH: Final = 32 << 20
MOST_MESSAGES: Final = 1 << 17
#: Time of a message whose client stated none.
NO_TIME: Final = -1
_NO_END: Final = (1 << 63) - 1


class Record(NamedTuple):
    """One message of a batch, under the names of kafka-python's ConsumerRecord."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp: int


@dataclass(frozen=True)
class Unread:
    """The offsets from `first` to `end` (exclusive) of a batch that exceeds the bounds.

    `digest`: SHA-256 (hex) of the batch's records as they were fetched.
    """

    topic: str
    partition: int
    first: int
    end: int
    digest: str


@dataclass
class RawBatch:
    """One record batch; its messages below `low`, and those from `high` on, are not asked for.

    `base`, `last`: its first and last offset. `count`: its messages, as its header says. `crc`: of
    its content and times, so that another batch at the same offsets has another. `empty`: it holds
    no message to be read (a transaction marker, an aborted batch). `append_time`: when the broker
    took it in (ms since 1970); None where each message has its client's own time, which is
    `first_time` and the message's difference to it.
    """

    topic: str
    partition: int
    base: int
    last: int
    count: int
    crc: int
    empty: bool
    append_time: int | None
    first_time: int
    low: int
    _batch: Any = field(repr=False)
    high: int = _NO_END

    @property
    def asked_whole(self) -> bool:
        """Return whether all of it is asked for."""
        return self.low <= self.base and self.last < self.high

    @property
    def span(self) -> int:
        """Return how many offsets of it are asked for."""
        return max(min(self.high, self.last + 1) - max(self.low, self.base), 0)

    @property
    def within_bounds(self) -> bool:
        """Return whether it may be read. Unpacks it, unless its header shows that it may not be."""
        if self.count > MOST_MESSAGES:
            return False
        try:
            return len(self.section) <= LARGEST_BATCH
        except TooLarge:
            return False

    @cached_property
    def section(self) -> memoryview:
        """The records, unpacked, `count` of them, as KIP-98 lays them out. Raises TooLarge."""
        batch = self._batch
        if batch.compression_type and not batch._decompressed:  # noqa: SLF001
            packed = memoryview(batch._buffer)[batch.HEADER_STRUCT.size :]  # noqa: SLF001
            unpacked = unpack(batch.compression_type, packed.tobytes(), LARGEST_BATCH)
            batch._buffer, batch._pos, batch._decompressed = bytearray(unpacked), 0, True  # noqa: SLF001
        begin = 0 if batch._decompressed and batch.compression_type else batch.HEADER_STRUCT.size  # noqa: SLF001
        return memoryview(batch._buffer)[begin:]  # noqa: SLF001

    def __len__(self) -> int:
        """Return its bytes as they were fetched: the fetcher asks for them."""
        return len(self._batch._buffer)  # noqa: SLF001

    def unread(self) -> Unread:
        """Return the offsets asked for, none of which was read."""
        packed = memoryview(self._batch._buffer)[self._batch.HEADER_STRUCT.size :]  # noqa: SLF001
        digest = hashlib.sha256(packed).hexdigest()
        first, end = max(self.low, self.base), min(self.high, self.last + 1)
        return Unread(self.topic, self.partition, first, end, digest)

    def records(self) -> Iterator[Record]:
        """Yield the messages one by one, as kafka-python reads them.

        Raises kafka.errors.CorruptRecordError for records that are not laid out as promised.
        """
        size = len(self.section)
        self._batch._pos = len(self._batch._buffer) - size  # noqa: SLF001
        self._batch._next_record_index = 0  # noqa: SLF001
        for one in dropwhile(lambda one: one.offset < self.low, self._batch):
            if one.offset < self.high:
                place = (self.topic, self.partition, one.offset)
                yield Record(*place, one.key, one.value, one.headers, one.timestamp)


def hand_over_whole(client: KafkaConsumer) -> bool:
    """Make a consumer give each batch as one record, whose value is a RawBatch; or return False."""
    fetcher = getattr(client, "_fetcher", None)
    records = getattr(fetcher, "PartitionRecords", None)
    if fetcher is None or records is None:
        return False

    class Whole(records):  # type: ignore[misc, valid-type]
        """kafka-python's own reader of a fetched partition, over whole batches."""

        def __init__(self, offset: int, part: Any, found: Any, *rest: Any, **named: Any) -> None:
            super().__init__(offset, part, _Batches(found, part, offset), *rest, **named)

        def _is_batch_aborted(self, batch: Any) -> bool:
            batch.aborted = super()._is_batch_aborted(batch)
            return False  # it is handed over all the same

        def _contains_abort_marker(self, batch: Any) -> bool:
            return bool(super()._contains_abort_marker(batch.inner))

    fetcher.PartitionRecords = Whole
    return True


class _Batches:
    """The batches of one fetch, each in a wrapper."""

    def __init__(self, found: Any, part: Any, low: int) -> None:
        self._found, self._part, self._low = found, part, low

    def next_batch(self) -> Any:
        batch = self._found.next_batch()
        if batch is None or batch.magic != 2:
            return batch
        whole = _OneRecord(batch, self._part, self._low)
        if batch.last_offset >= self._low:
            self._low = 0  # the first that reaches the offset asked for is the last to be cut
        return whole


class _OneRecord:
    """A batch that says it holds one record and no marker, and is as it was in everything else."""

    is_control_batch = False

    def __init__(self, batch: Any, part: Any, low: int) -> None:
        self.inner, self._part, self._low = batch, part, low
        self.aborted = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __iter__(self) -> Iterator[_Whole]:
        yield _Whole(self._raw(), self.inner.last_offset, self.inner.max_timestamp)

    def _raw(self) -> RawBatch:
        batch, (topic, partition) = self.inner, self._part
        return RawBatch(
            topic,
            partition,
            batch.base_offset,
            batch.last_offset,
            batch.records_count,
            batch.crc,
            bool(batch.is_control_batch or self.aborted),
            batch.max_timestamp if batch.timestamp_type else None,
            batch.first_timestamp,
            self._low,
            batch,
        )


class _Whole(NamedTuple):
    """What the fetcher asks of a record."""

    value: RawBatch
    offset: int
    timestamp: int
    timestamp_type: int = 1
    key: None = None
    headers: tuple[()] = ()
    checksum: None = None
    size_in_bytes: int = 0

    def validate_crc(self) -> bool:
        """Return true: the batch's CRC has been checked, and it covers every record."""
        return True

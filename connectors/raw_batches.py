"""Kafka's record batches whole, as they came: the one file that leans on kafka-python's inside.

A fetched batch is checked (CRC), taken apart from aborted and control batches and decompressed by
kafka-python itself, and then handed over in one piece instead of record by record: reading 1 M
messages of 240 bytes so takes a seventh of the time (`docs/performance.md`). Where the client no
longer has the places used here, `hand_over_whole` says no, and records come one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any, Final, NamedTuple

from kafka import KafkaConsumer


class Record(NamedTuple):
    """One message of a batch, under the names of kafka-python's ConsumerRecord."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass
class RawBatch:
    """The messages of one record batch; its first below `low`, and those from `high` on, are not
    asked for.

    `base`, `last`: its first and last offset. `section`: the records, decompressed, `count` of
    them, as KIP-98 lays them out.
    """

    topic: str
    partition: int
    base: int
    last: int
    count: int
    section: memoryview
    low: int
    high: int
    _batch: Any

    @property
    def asked_whole(self) -> bool:
        """Return whether all of it is asked for."""
        return self.low <= self.base and self.last < self.high

    def __len__(self) -> int:
        """Return the bytes of all its records."""
        return len(self.section)

    def records(self) -> Iterator[Record]:
        """Yield the messages one by one, as kafka-python reads them.

        Raises kafka.errors.CorruptRecordError for records that are not laid out as promised.
        """
        self._batch._pos = 0 if self._batch.compression_type else self._batch.HEADER_STRUCT.size  # noqa: SLF001
        self._batch._next_record_index = 0  # noqa: SLF001
        for one in dropwhile(lambda one: one.offset < self.low, self._batch):
            if one.offset < self.high:
                place = (self.topic, self.partition, one.offset)
                yield Record(*place, one.key, one.value, one.headers)


_NO_END: Final = (1 << 63) - 1


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
    """A batch that says it holds one record, and is as it was in everything else."""

    def __init__(self, batch: Any, part: Any, low: int) -> None:
        self._inner, self._part, self._low = batch, part, low

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __next__(self) -> Any:  # a control batch is asked for its marker
        return next(self._inner)

    def __iter__(self) -> Iterator[_Whole]:
        batch = self._inner
        if batch.records_count > 0:  # compaction leaves empty ones
            yield _Whole(self._raw(), batch.last_offset, batch.max_timestamp)

    def _raw(self) -> RawBatch:
        batch, (topic, partition) = self._inner, self._part
        iter(batch)  # decompresses
        section = memoryview(batch._buffer)[batch._pos :]  # noqa: SLF001
        first, last, count = batch.base_offset, batch.last_offset, batch.records_count
        return RawBatch(topic, partition, first, last, count, section, self._low, _NO_END, batch)


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

"""Batches that unpack to far more than they are: bounded, and each offset accounted for."""

from __future__ import annotations

import struct
import tracemalloc
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition, codec
from kafka.protocol.consumer import IsolationLevel
from kafka.record.memory_records import MemoryRecordsBuilder

from connectors import raw_batches
from connectors.raw_batches import LARGEST_BATCH, MOST_MESSAGES, RawBatch, Record
from connectors.reading import marks_at, read
from connectors.unpacking import TooLarge, unpack
from flows.judge import judge
from tests.support import batches as b

PACK = {
    b.GZIP: codec.gzip_encode,
    b.SNAPPY: codec.snappy_encode,
    b.LZ4: codec.lz4_encode,
    b.ZSTD: codec.zstd_encode,
}
LIMIT = 4 << 20


@pytest.mark.parametrize("number", list(PACK))
@pytest.mark.parametrize("size", [0, 1, 100_000, LIMIT])
def test_bytes_within_the_bound_are_unpacked(number: int, size: int) -> None:
    data = (b"some text, " * (size // 11 + 1))[:size]
    assert unpack(number, PACK[number](data), LIMIT) == data


def test_snappy_without_the_framing_of_java_is_unpacked() -> None:
    packed = codec.snappy_encode(b"text" * 1000, xerial_compatible=False)
    assert unpack(b.SNAPPY, packed, LIMIT) == b"text" * 1000
    with pytest.raises(TooLarge):
        unpack(b.SNAPPY, packed, 3999)


@pytest.mark.parametrize("number", list(PACK))
def test_no_more_than_the_bound_is_ever_unpacked(number: int) -> None:
    packed = PACK[number](bytes(20 * LIMIT))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            unpack(number, packed, LIMIT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * LIMIT + len(packed)


def test_members_after_the_first_count_as_well() -> None:
    half = bytes(LIMIT // 2 + 1)
    for pack in (PACK[b.GZIP], PACK[b.ZSTD]):
        number = next(n for n, p in PACK.items() if p is pack)
        with pytest.raises(TooLarge):
            unpack(number, pack(half) + pack(half), LIMIT)


class Client:
    """A consumer whose one poll gives some batches of a topic, as the real one's fetcher does."""

    def __init__(self, fetched: bytes, **options: Any) -> None:
        options |= {"isolation_level": IsolationLevel.READ_COMMITTED}
        self._batches = b.read(fetched, whole=True, **options)
        self._at = 0

    def assign(self, parts: list[TopicPartition]) -> None:
        assert parts == [b.PART]

    def seek(self, part: TopicPartition, offset: int) -> None:
        self._at = offset

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[object]]:
        taken, self._batches = self._batches, []
        self._at = max([self._at, *(batch.last + 1 for batch in taken)])
        return {b.PART: [_Polled(batch) for batch in taken]}

    def position(self, part: TopicPartition) -> int:
        return self._at


class _Polled:
    topic, partition = b.PART

    def __init__(self, batch: RawBatch) -> None:
        self.value = batch


def at(base: int, whole: bytes) -> bytes:
    """Return a batch where the broker puts it: its messages count from its base offset."""
    return struct.pack(">q", base) + whole[8:]


def messages(count: int, base: int, value: bytes | None) -> bytes:
    """Return one zstd batch of messages alike."""
    builder = MemoryRecordsBuilder(2, b.ZSTD, 1 << 40)
    for _ in range(count):
        builder.append(1_700_000_000_000, None, value, [])
    builder.close()
    return at(base, bytes(builder.buffer()))


@pytest.mark.parametrize("whole", [True, False])
def test_a_batch_beyond_the_bound_is_refused_offset_by_offset(whole: bool) -> None:
    good = [b.message(b.licence(number)) for number in range(3)]
    fetched = b.batch(good) + messages(5, 3, bytes(LARGEST_BATCH // 5)) + at(8, b.batch(good))
    found = [*read(Client(fetched), {b.PART: 0}, {b.PART: 11}, whole=whole)]
    rows = judge([item for one in found for item in one.records], "licence", b.PUBLISHERS)
    rows = rows.sort("offset")
    assert rows["offset"].to_list() == [*range(11)]
    assert rows["reason"].to_list() == [None] * 3 + ["batch_too_large"] * 5 + [None] * 3
    refused = rows.filter(verdict="quarantined")
    assert refused["raw"].null_count() == refused["about"].null_count() == 5
    assert refused["raw_digest"].n_unique() == 1
    assert found[-1].positions == {b.PART: 11}


def test_a_batch_of_very_many_messages_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_batches, "MOST_MESSAGES", 1000)
    assert MOST_MESSAGES > 100_000, "batches of real producers hold fewer"
    (batch,) = b.read(messages(1001, 0, None), whole=True)
    assert not batch.within_bounds
    (batch,) = b.read(messages(1000, 0, None), whole=True)
    assert batch.within_bounds


def test_many_batches_are_unpacked_one_by_one() -> None:
    """A fetch of 100 kB may hold a hundred batches that are each just within the bound."""
    fetched = b"".join(messages(1, at, bytes(LARGEST_BATCH - 100)) for at in range(12))
    tracemalloc.start()
    try:
        sizes = [
            sum(len(item.value or b"") for item in one.records if isinstance(item, Record))
            for one in read(Client(fetched), {b.PART: 0}, {b.PART: 12})
        ]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(sizes) == 13, "each is given by itself, and the end at last"
    assert peak < 6 * LARGEST_BATCH


def test_aborted_messages_are_told_from_messages_that_are_gone() -> None:
    good = [b.message(b.licence(number)) for number in range(4)]
    state = {"producer_id": 7, "producer_epoch": 0, "base_sequence": 0, "transactional": True}
    aborted = at(4, b.batch(good[:2], **state))
    fetched = b.batch([good[0], None, None, good[1]]) + aborted + at(9, b.batch(good))
    client = Client(fetched, aborted_transactions=[SimpleNamespace(producer_id=7, first_offset=4)])
    (found,) = read(client, {b.PART: 0}, {b.PART: 13})
    assert [one.offset for one in found.records] == [0, 3, 9, 10, 11, 12]  # type: ignore[union-attr]
    assert found.passed == {b.PART: 2}, "two aborted; offsets 1, 2 and 6 to 8 are gone"


def test_a_mark_names_the_batch_before_a_position_wherever_reading_ends() -> None:
    good = [b.message(b.licence(number)) for number in range(4)]
    fetched = b.batch(good) + at(4, b.batch(good[:3]))
    other = b.batch(good) + at(4, b.batch(good[1:]))
    for end in range(1, 8):
        (found,) = read(Client(fetched), {b.PART: 0}, {b.PART: end})
        assert found.marks == marks_at(Client(fetched), {b.PART: end})
        same = found.marks == marks_at(Client(other), {b.PART: end})
        assert same == (end <= 4)

"""Kafka record batches made by hand, and both ways of reading them."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder
from kafka.record.util import calc_crc32c

from connectors.raw_batches import hand_over_whole
from flows.publish.events import single
from schemas import contract
from tests.support import kafka as raw
from tests.support.codes import uscc

PUBLISHERS = contract.publishers(None).publishers
PART = TopicPartition("mianti.licence.housing-demo", 1)
CREDIT = TopicPartition("mianti.credit.credit-demo", 0)
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4

Message = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]


@cache
def _owner(name: str) -> Any:
    return PUBLISHERS[name]


def licence(number: int, occurred_at: dt.datetime | None = None, **content: Any) -> dict[str, Any]:
    """Return a licence event of the housing department, right in every part."""
    code = _owner("housing-demo").code
    decision = {
        "number": f"D{number}",
        "name": "建筑工程施工许可证",
        "valid_from": dt.date(2026, 1, 1),
        "valid_to": dt.date(2029, 12, 31),
        "term": "fixed",
        "identifier_check": "none",
        "previous_identifiers": [],
        "addresses": [],
        "permits": [],
    }
    return _event(
        "licence",
        publisher="housing-demo",
        issuer=code,
        subject=uscc(number % 50),
        record_key=f"{code}/D{number}",
        event_type="granted",
        sequence=1 + number % 3,
        layout="mianti-licence",
        occurred_at=occurred_at or dt.datetime(2026, 1, 1, 3, 4, 5, 678, dt.UTC),
        decision=decision | content,
    )


def penalty(number: int, **content: Any) -> dict[str, Any]:
    """Return a penalty event of the credit office, right in every part."""
    code = _owner("credit-demo").code
    decision = {
        "kind": "penalty",
        "categories": ["fine"],
        "document_number": f"罚{number}",
        "fine_yuan": Decimal("1234.56"),
    }
    return _event(
        "credit",
        publisher="credit-demo",
        issuer=code,
        subject=uscc(number % 50),
        record_key=f"{code}/罚{number}",
        event_type="penalised",
        sequence=1,
        layout="mianti-credit",
        decision=decision | content,
    )


def _event(family: str, **fields: Any) -> dict[str, Any]:
    envelope = {
        "facet": "decision",
        "layout_version": "1",
        "effective_from": dt.date(2026, 1, 1),
        "edition": dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
        "file_digest": "ab" * 32,
        "file_row": 7,
    }
    return dict(single(family, envelope | fields).drop("content_digest").row(0, named=True))


def message(event: dict[str, Any], family: str = "licence") -> Message:
    """Return an event as its publisher sends it."""
    said = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event["event_id"].encode()),
        ("ce_source", f"/mianti/publishers/{event['publisher']}".encode()),
        ("ce_type", f"mianti.{family}.{event['facet']}".encode()),
    ]
    return event["subject"].encode(), raw.encode(event, family), list(said)


def batch(messages: Iterable[Message | None], base: int = 0, codec: int = 0, **state: Any) -> bytes:
    """Return the bytes of one record batch; where a message is None, compaction took it away."""
    builder = MemoryRecordsBuilder(2, codec, 1 << 30, offset=base, **state)
    for number, one in enumerate(messages):
        if one is None:
            builder.skip(1)
            continue
        key, value, said = one
        builder.append(1_700_000_000_000 + 7 * number, key, value, said)
    builder.close()
    return bytes(builder.buffer())


def forged(whole: bytes, section: bytes, count: int | None = None) -> bytes:
    """Return an uncompressed batch with other bytes for its records, and the CRC of those."""
    size = DefaultRecordBatch.HEADER_STRUCT.size
    head = bytearray(whole[:size])
    if count is not None:
        struct.pack_into(">i", head, size - 4, count)
    struct.pack_into(">i", head, 8, size - 12 + len(section))
    body = bytes(head[21:]) + section
    struct.pack_into(">I", head, 17, calc_crc32c(body))
    return bytes(head) + section


def section_of(whole: bytes) -> bytes:
    """Return the records of an uncompressed batch."""
    return whole[DefaultRecordBatch.HEADER_STRUCT.size :]


def read(
    fetched: bytes, *, whole: bool, start: int = 0, part: TopicPartition = PART, **options: Any
) -> list[Any]:
    """Return what the client's own reader of a fetch gives, record by record or in whole batches."""
    fetcher = SimpleNamespace(PartitionRecords=Fetcher.PartitionRecords)
    if whole:
        assert hand_over_whole(SimpleNamespace(_fetcher=fetcher))
    found = fetcher.PartitionRecords(start, part, MemoryRecords(fetched), **options)
    taken: list[Any] = []
    while found and (more := found.take(5)):  # an error comes with the next call
        taken += more
    return [record.value for record in taken] if whole else taken

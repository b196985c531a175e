"""What whole batches may hold: each case is read in both ways, and the fast one where it can be."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from kafka.record.memory_records import MemoryRecords

from connectors import raw_batches
from flows import decode_columns
from flows.check import check, with_digest
from flows.decode import decode_records
from flows.judge import judge
from schemas.avro import event_columns
from tests.support import batches as b

Message = b.Message


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give how many messages each call of the plain way got from the fast one."""
    calls: list[int] = []
    plain = decode_records

    def counted(records: Any, *rest: Any) -> Any:
        held = list(records)
        calls.append(len(held))
        return plain(held, *rest)

    monkeypatch.setattr(decode_columns, "decode_records", counted)
    return calls


def both(fetched: bytes, family: str = "licence", **options: Any) -> pl.DataFrame:
    """Read a fetch in both ways, which must agree; return the rows."""
    options = {"part": b.PART if family == "licence" else b.CREDIT} | options
    fast, plain = (
        judge(b.read(fetched, whole=whole, **options), family, b.PUBLISHERS).sort("offset")
        for whole in (True, False)
    )
    assert fast.to_dicts() == plain.to_dicts()
    return fast


def verdicts(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    return rows.select("offset", "verdict", "reason").rows()


def good(count: int) -> list[Message]:
    return [b.message(b.licence(number)) for number in range(count)]


def accepted(*offsets: int) -> list[tuple[Any, ...]]:
    return [(offset, "accepted", None) for offset in offsets]


@pytest.mark.parametrize("codec", [0, b.GZIP, b.SNAPPY, b.LZ4, b.ZSTD])
def test_a_batch_of_any_codec_is_read_in_columns(codec: int, plainly: list[int]) -> None:
    assert verdicts(both(b.batch(good(50), base=7, codec=codec))) == accepted(*range(7, 57))
    assert plainly == []


def test_every_kind_of_value_comes_through(plainly: list[int]) -> None:
    addresses = [
        {"kind": "production", "text": "示范市东区一号" * n, "postcode": None} for n in (1, 30)
    ]
    events = [
        b.licence(1, addresses=[{k: a[k] for k in ("kind", "text")} for a in addresses]),
        b.licence(2, previous_identifiers=["甲", "乙" * 100], remarks="长" * 6000),
        b.licence(3, valid_from=dt.date(1950, 1, 1), valid_to=None, term="open_ended"),
        b.licence(4, dt.datetime(1960, 1, 1, tzinfo=dt.UTC)) | {"file_row": 2**40},
    ]
    rows = both(b.batch(b.message(event) for event in events))
    assert rows["decision"][0]["addresses"][1]["text"] == "示范市东区一号" * 30
    assert rows["file_row"][3] == 2**40
    assert plainly == []


@pytest.mark.parametrize("fine", ["0.01", "1.27", "1.28", "1234.56", "327.68", "999999999999.99"])
def test_money_comes_through(fine: str, plainly: list[int]) -> None:
    event = b.penalty(1, fine_yuan=Decimal(fine))
    rows = both(b.batch([b.message(event, "credit")]), "credit")
    assert rows["decision"][0]["fine_yuan"] == Decimal(fine)
    assert plainly == []


def test_money_below_nought_is_found_in_both_ways() -> None:
    event = b.penalty(1, fine_yuan=Decimal("-5.00"))
    rows = both(b.batch([b.message(event, "credit")]), "credit")
    assert rows["reason"].to_list() == ["amount_out_of_range"]


def test_a_permit_inside_a_licence_is_read_plainly(plainly: list[int]) -> None:
    permit = {
        "name": "食品经营",
        "code": None,
        "scope": "热食",
        "valid_from": None,
        "valid_to": None,
    }
    rows = both(b.batch([b.message(b.licence(1, permits=[permit])), *good(2)]))
    assert rows["decision"][0]["permits"] == [permit]
    assert plainly == [3]


def test_an_event_that_fails_a_check_keeps_its_bytes(plainly: list[int]) -> None:
    wrong = b.message(b.licence(1) | {"publisher": "nobody"})
    rows = both(b.batch([*good(3), wrong, *good(3)], codec=b.LZ4))
    assert rows["raw"].to_list() == [None] * 3 + [wrong[1]] + [None] * 3
    assert rows["reason"][3] == "wrong_publisher"
    assert plainly == []


def respelled(find: bytes, put: bytes) -> Callable[[], Message]:
    """Return a message with some of its bytes written differently."""

    def make() -> Message:
        key, value, said = b.message(b.licence(1))
        assert value is not None
        assert value.count(find) == 1
        return key, value.replace(find, put), said

    return make


NAME = b"\x026" + "建筑工程施工许可证".encode()
DATES = bytes.fromhex("02ccbf02") + b"\x02\xb4\xd6\x02"
DAMAGED: dict[str, Callable[[], Any]] = {
    "a union's index that is neither": respelled(NAME, b"\x0a" + NAME[1:]),
    "a text longer than its message": respelled(NAME, b"\x02\x80\x80\x01" + NAME[2:]),
    "a text of no UTF-8": respelled(NAME, b"\x026\xff" + NAME[3:]),
    "a date beyond 32 bits": respelled(DATES, b"\x02\x80\x80\x80\x80\x80\x01" + DATES[4:]),
    "a date in the year 12000": respelled(DATES, b"\x02\xa0\xc4\xff\x03" + DATES[4:]),
    "bytes behind the body": lambda: spoiled(lambda body: body + b"\x00"),
    "a body cut short": lambda: spoiled(lambda body: body[:-3]),
    "two bodies in one message": lambda: spoiled(lambda body: body * 2),
    "an empty value": lambda: spoiled(lambda _: b""),
    "a tombstone": lambda: (b"k", None, b.message(b.licence(1))[2]),
    "another schema id": lambda: spoiled(lambda body: b"\0\0\0\0\x63" + body[5:]),
    "another family's id": lambda: spoiled(lambda body: b"\0\0\0\0\x03" + body[5:]),
    "a wrong magic byte": lambda: spoiled(lambda body: b"\1" + body[1:]),
    "more than a message may hold": lambda: spoiled(lambda body: body + bytes(1 << 20)),
}


#: What fastavro reads although no writer known to us writes it so.
ODD = {
    "a union's index below nought": respelled(NAME, b"\x01" + NAME[1:]),
    "a union's index spelled in two bytes": respelled(NAME, b"\x82\x00" + NAME[1:]),
    "a length spelled in too many bytes": respelled(NAME, b"\x02\xb6\x00" + NAME[2:]),
}


def spoiled(change: Callable[[bytes], bytes]) -> Message:
    key, value, said = b.message(b.licence(1))
    assert value is not None
    return key, change(value), said


@pytest.mark.parametrize("what", list(DAMAGED))
@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_damaged_message_is_quarantined_and_its_neighbours_are_not(what: str, at: int) -> None:
    messages = good(5)
    messages[at] = DAMAGED[what]()
    rows = both(b.batch(messages) + b.batch(good(5), base=5))
    quarantined = rows.filter(pl.col("verdict") == "quarantined")["offset"].to_list()
    assert quarantined == [at]
    assert rows.height == 10


@pytest.mark.parametrize("what", list(ODD))
def test_an_odd_spelling_is_read_all_the_same(what: str, plainly: list[int]) -> None:
    rows = both(b.batch([*good(2), ODD[what]()]))
    assert verdicts(rows) == accepted(0, 1, 2)
    assert plainly == [3]


def test_only_a_batch_that_holds_damage_is_read_plainly(plainly: list[int]) -> None:
    messages = [b.batch(good(4), base=4 * number) for number in range(8)]
    spoilt = [*good(3), spoiled(lambda body: body[:-1])]
    messages[5] = b.batch(spoilt, base=20)
    rows = both(b"".join(messages))
    assert plainly == [4]
    assert rows["offset"].to_list() == list(range(32))
    assert rows.filter(pl.col("verdict") == "quarantined")["offset"].to_list() == [23]


HEADERS: dict[str, list[tuple[str, bytes | None]]] = {
    "none": [],
    "one more": [*b.message(b.licence(1))[2], ("traceparent", b"00-1-2-3")],
    "one less": b.message(b.licence(1))[2][:3],
    "another order": b.message(b.licence(1))[2][::-1],
    "four others": [("a", b""), ("", b"1"), ("甲", b"2" * 300), ("b", b"\xff")],
}


@pytest.mark.parametrize("said", list(HEADERS))
@pytest.mark.parametrize("mixed", [False, True])
def test_any_headers_will_do(said: str, mixed: bool) -> None:
    key, value, _ = b.message(b.licence(1))
    messages = [(key, value, HEADERS[said])] * 3 + (good(3) if mixed else [])
    rows = both(b.batch(messages))
    assert rows["verdict"].to_list() == ["accepted"] * len(messages)


OTHER_HEADERS: dict[str, tuple[str, bytes | None]] = {
    "another id": ("ce_id", b"0" * 32),
    "another publisher": ("ce_source", b"/mianti/publishers/credit-demo"),
    "another facet": ("ce_type", b"mianti.licence.standing"),
    "another family": ("ce_type", b"mianti.credit.decision"),
    "no value": ("ce_type", None),
    "no text": ("ce_id", b"\xff\xfe"),
}


@pytest.mark.parametrize("other", list(OTHER_HEADERS))
@pytest.mark.parametrize("way", ["in place", "alone", "besides"])
def test_headers_that_disagree_with_the_event_are_found_in_both_ways(other: str, way: str) -> None:
    name, value = OTHER_HEADERS[other]
    key, event, right = b.message(b.licence(1))
    said: list[tuple[str, bytes | None]] = {
        "in place": [(n, value if n == name else v) for n, v in right],
        "alone": [(name, value)],
        "besides": [*right, (name, value)],
    }[way]
    rows = both(b.batch([*good(2), (key, event, said), *good(1)]))
    assert rows["verdict"].to_list() == ["accepted", "accepted", "quarantined", "accepted"]
    assert rows.row(2, named=True)["reason"] == "header_mismatch"
    assert rows.row(2, named=True)["reason_where"] == name


@pytest.mark.parametrize("key", [None, b"", b"other", b"\xff"])
def test_a_wrong_key_is_found_in_both_ways(key: bytes | None) -> None:
    _, value, said = b.message(b.licence(1))
    rows = both(b.batch([*good(2), (key, value, said)]))
    assert rows["reason"].to_list() == [None, None, "key_mismatch"]


def test_what_compaction_took_away_leaves_a_gap() -> None:
    first, second, third = good(3)
    rows = both(b.batch([first, None, None, second, None, third, None], base=100))
    assert verdicts(rows) == accepted(100, 103, 105)


def test_a_batch_that_compaction_emptied_is_passed_over() -> None:
    empty = b.forged(b.batch(good(3)), b"", count=0)
    assert verdicts(both(empty + b.batch(good(2), base=3))) == accepted(3, 4)


@pytest.mark.parametrize("start", [0, 1, 4, 5, 6])
def test_a_seek_into_a_batch_begins_where_it_was_asked_to(start: int) -> None:
    fetched = b.batch(good(5)) + b.batch(good(2), base=5)
    assert verdicts(both(fetched, start=start)) == accepted(*range(start, 7))


def test_reading_ends_where_it_was_asked_to() -> None:
    (batch,) = b.read(b.batch(good(5)), whole=True)
    batch.high = 3
    rows = judge([batch], "licence", b.PUBLISHERS)
    assert sorted(rows["offset"]) == [0, 1, 2]
    assert [record.offset for record in batch.records()] == [0, 1, 2]


def test_records_of_another_shape_than_kafka_promises_stop_both_ways() -> None:
    whole = b.batch(good(2))
    fetched = b.forged(whole, b.section_of(whole) + b"\0")
    for way in (True, False):
        with pytest.raises(Exception, match="unconsumed bytes"):
            judge(b.read(fetched, whole=way), "licence", b.PUBLISHERS)


def test_a_wrong_checksum_stops_both_ways() -> None:
    fetched = bytearray(b.batch(good(2)))
    fetched[-1] ^= 1
    for way in (True, False):
        with pytest.raises(Exception, match="failed crc check"):
            b.read(bytes(fetched), whole=way)


def test_a_client_without_the_place_is_not_used() -> None:
    assert not raw_batches.hand_over_whole(SimpleNamespace())
    assert not raw_batches.hand_over_whole(SimpleNamespace(_fetcher=object()))


def test_batches_can_be_read_again_record_by_record() -> None:
    for codec in (0, b.ZSTD):
        (batch,) = b.read(b.batch(good(4), codec=codec), whole=True)
        assert list(batch.records()) == list(batch.records())
        (plain,) = [MemoryRecords(b.batch(good(4), codec=codec)).next_batch()]
        assert [r.value for r in batch.records()] == [r.value for r in plain]


def test_nothing_is_said_of_damage_on_the_way(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        both(b.batch([spoiled(lambda body: body[:-3])]))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_no_events_have_nothing_against_them() -> None:
    events = with_digest(pl.DataFrame(schema=event_columns("licence")), "licence")
    judged = check(events, "licence", b.PUBLISHERS["housing-demo"], "housing-demo")
    assert judged["__why"].to_list() == []

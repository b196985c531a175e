"""What is sent is read again first: no event leaves, or is held for sent, that says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from kafka import KafkaProducer

from connectors import read_back, sending
from connectors.framing import values
from connectors.ledger import open_ledger
from connectors.read_back import read_as_written
from connectors.sending import NotReadable, written
from flows.check import with_digest
from flows.publish import deliver
from flows.publish.deliver import Delivery
from schemas.avro import event_columns
from schemas.avro_write import NotWritable
from tests.support import batches as b

COUNT = 40


def licences(**changes: Any) -> pl.DataFrame:
    """Whole licence events; `changes`: expressions for columns of them."""
    made = [b.licence(n, scope="面粉" * (n % 3)) for n in range(COUNT)]
    frame = pl.DataFrame(made, schema=event_columns("licence"))
    return with_digest(frame.with_columns(**changes), "licence")


def with_decision(**fields: pl.Expr) -> pl.DataFrame:
    """Licence events with fields of some decisions changed."""
    return licences(decision=pl.col("decision").struct.with_fields(**fields))


def spoilt(field: str, value: Any) -> pl.Expr:
    return pl.when(pl.int_range(pl.len()) == 3).then(pl.lit(value)).otherwise(pl.field(field))


@pytest.mark.parametrize(
    ("field", "events"),
    [
        ("decision.term", with_decision(term=spoilt("term", None))),
        ("decision.term", with_decision(term=pl.lit(None, pl.String))),
        ("decision.term", with_decision(term=spoilt("term", "for ever"))),
        (
            "decision.identifier_check",
            with_decision(identifier_check=spoilt("identifier_check", None)),
        ),
        ("decision.addresses", with_decision(addresses=pl.lit(None))),
        ("issuer", licences(issuer=pl.lit(None, pl.String))),
        ("event_type", licences(event_type=pl.lit("penalised"))),
        ("sequence", licences(sequence=pl.lit(None, pl.Int64))),
    ],
)
def test_what_the_schema_has_no_room_for_never_becomes_bytes(
    field: str, events: pl.DataFrame
) -> None:
    with pytest.raises(NotWritable) as told:
        values(events.cast(dict(event_columns("licence"))), "licence")  # type: ignore[arg-type]
    assert told.value.field == field
    assert field in told.value.message_en
    assert field in told.value.message_zh


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("decision.addresses.kind", {"kind": None, "text": "一号"}),
        ("decision.addresses.kind", {"kind": "shop", "text": "一号"}),
        ("decision.addresses.text", {"kind": "business", "text": None}),
        ("decision.addresses", None),
    ],
)
def test_nor_does_it_within_a_list(field: str, address: dict[str, Any] | None) -> None:
    whole = {"kind": "business", "text": "二号"}
    made = [b.licence(n, addresses=[whole, address] if n == 5 else []) for n in range(9)]
    events = pl.DataFrame(made, schema=event_columns("licence"))
    with pytest.raises(NotWritable) as told:
        values(events, "licence")
    assert told.value.field == field


def test_a_record_that_is_not_there_lacks_nothing() -> None:
    gone = pl.int_range(pl.len()) % 3 == 0
    frame = licences(decision=pl.when(~gone).then("decision"))
    assert read_as_written(frame, values(frame, "licence"), "licence")


def test_events_are_read_as_they_were_written() -> None:
    frame = licences()
    assert read_as_written(frame, values(frame, "licence", 7), "licence")
    nothing = frame.clear()
    assert read_as_written(nothing, values(nothing, "licence"), "licence")


def test_they_are_read_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(*_: Any) -> Any:
        raise AssertionError("one by one")

    monkeypatch.setattr(read_back, "_one_by_one", slowly)
    frame = licences()
    assert read_as_written(frame, values(frame, "licence"), "licence")


def test_what_columns_cannot_read_is_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def panicking(*_: Any) -> Any:
        raise pl.exceptions.PanicException

    monkeypatch.setattr(pl, "read_avro", panicking)
    frame = licences()
    made = values(frame, "licence")
    assert read_as_written(frame, made, "licence")
    assert not read_as_written(frame, made.reverse(), "licence")


def damaged(made: pl.Series, how: str) -> pl.Series:
    held = made.to_list()
    if how == "a byte changed":
        held[7] = held[7][:60] + bytes([held[7][60] ^ 1]) + held[7][61:]
    elif how == "a byte less":
        held[7] = held[7][:-1]
    elif how == "a byte more":
        held[7] += b"\0"
    elif how == "a byte in the next":
        held[7], held[8] = held[7] + held[8][:1], held[8][1:]
    elif how == "exchanged":
        held[7], held[8] = held[8], held[7]
    elif how == "one less":
        held = held[:-1]
    else:
        held[7] = held[7].replace(b"D7", b"D8")
    return pl.Series(held, dtype=pl.Binary)


@pytest.mark.parametrize(
    "how",
    [
        *("a byte changed", "a byte less", "a byte more", "a byte in the next", "exchanged"),
        *("one less", "another number"),
    ],
)
def test_any_damage_is_found(how: str) -> None:
    frame = licences()
    assert not read_as_written(frame, damaged(values(frame, "licence"), how), "licence")


# The ledger


class Told:
    """A producer that must not be asked for anything."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def nothing_in_the_ledger(folder: Path, events: pl.DataFrame, error: type[Exception]) -> None:
    folder.mkdir(exist_ok=True)
    with open_ledger(folder, "housing-demo", "licence") as ledger:
        way = Delivery(ledger, cast(KafkaProducer, Told()), "mianti.licence.x", "licence", 2)
        with pytest.raises(error):
            way.deliver(events)
        assert ledger.exact(events["record_key"]).is_empty()
        assert ledger.position("mianti.licence.x") == {}


def test_what_cannot_be_written_leaves_nothing_in_the_ledger(tmp_path: Path) -> None:
    events = with_decision(term=spoilt("term", None))
    nothing_in_the_ledger(tmp_path / "ledger", events, NotWritable)


def test_what_is_not_read_again_leaves_nothing_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = values

    def wrongly(*arguments: Any) -> pl.Series:
        return damaged(writing(*arguments), "a byte changed")

    monkeypatch.setattr(sending, "values", wrongly)
    nothing_in_the_ledger(tmp_path / "ledger", licences(), NotReadable)
    with pytest.raises(NotReadable) as told:
        written(licences(), "licence", 2)
    assert told.value.message_zh


def test_what_was_sent_before_it_stays_and_what_comes_after_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = with_decision(
        term=pl.when(pl.int_range(pl.len()) == 25).then(None).otherwise(pl.field("term"))
    )
    monkeypatch.setattr(deliver, "_SLICE", 10)
    monkeypatch.setattr(deliver, "send_all", lambda *_: {})
    with open_ledger(tmp_path, "housing-demo", "licence") as ledger:
        way = Delivery(ledger, cast(KafkaProducer, Told()), "mianti.licence.x", "licence", 2)
        with pytest.raises(NotWritable):
            way.deliver(events)
        noted = ledger.exact(events["record_key"])
        assert set(noted["record_key"]) == set(events["record_key"].head(20))
        assert noted["sent"].all()

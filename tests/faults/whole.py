"""What must hold after every fault: everything that was published is there, once, as it was said.

Read as a stranger would: Kafka by a reader of the tests' own, the tables as open Delta, the rows
of the CSV files as they were written. The product's own recount must agree, but is never asked
alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import polars as pl

from tests.oracle.spelling import key_part
from tests.support import kafka as raw
from tests.support import lake
from tests.support.exchange import Exchange

Row = Mapping[str, Any]
#: Topic, partition, offset.
Place = tuple[str, int, int]
Messages = dict[Place, Any]
_STATES: Final = {"1": "in_force", "2": "suspended", "3": "revoked", "4": "cancelled"}
_ONCE: Final = (["accepted"], ["quarantined"])
_REDRIVEN: Final = ["accepted", "closed", "quarantined"]
_SAID: Final = ("event_id", "publisher", "subject", "record_key", "facet", "sequence")


def whole(
    exchange: Exchange,
    rows: Iterable[Row],
    family: str = "licence",
    *,
    bad: Collection[Place] = (),
    gone: Mapping[Place, Any] | None = None,
) -> int:
    """Assert that a family is whole; return how many messages flowed.

    `rows`: every CSV row published, in order, the last of a record counts. `bad`: where messages
    lie that may not be accepted. `gone`: messages landed that Kafka has deleted since.
    """
    held = published(exchange, family)
    flowed = {**held, **(gone or {})}
    log = exchange.log(family).filter(pl.col("topic").is_in(_topics(exchange, family)))
    accepted = _every_message_is_there_once(flowed, log, bad)
    _each_is_what_was_sent(flowed, log, family)
    _history_has_each_event_once(exchange, family, log)
    _dataset_says_what_the_files_say(exchange, family, rows)
    _log_stands_at_the_end(exchange, family)
    found = exchange.verified(family)
    assert found.accepted == accepted
    assert found.quarantined == len(flowed) - accepted
    return len(flowed)


def published(exchange: Exchange, family: str = "licence") -> Messages:
    """Return every committed message of an exchange's topics, by place."""
    there = raw.topics(exchange.address)
    return {
        (one.topic, one.partition, one.offset): one
        for topic in _topics(exchange, family)
        if topic in there
        for one in raw.messages(exchange.address, topic, "read_committed")
    }


def _topics(exchange: Exchange, family: str) -> list[str]:
    return [department.topic(family) for department in exchange.departments]


def _every_message_is_there_once(
    flowed: Messages, log: pl.DataFrame, bad: Collection[Place]
) -> int:
    """Return how many were accepted."""
    verdicts: dict[Place, list[str]] = {}
    for *place, verdict in log.select("topic", "partition", "offset", "verdict").iter_rows():
        verdicts.setdefault((place[0], place[1], place[2]), []).append(verdict)
    assert verdicts.keys() == flowed.keys(), "the log holds other places than Kafka"
    wrong = {p: v for p, v in verdicts.items() if sorted(v) not in (*_ONCE, _REDRIVEN)}
    assert wrong == {}, "landed more than once"
    assert {place for place, found in verdicts.items() if "accepted" not in found} == {*bad}
    return len(flowed) - len(bad)


def _each_is_what_was_sent(flowed: Messages, log: pl.DataFrame, family: str) -> None:
    for row in log.iter_rows(named=True):
        value = flowed[row["topic"], row["partition"], row["offset"]].value
        if row["verdict"] == "accepted":
            event = raw.decode(value, family, row["schema_id"])
            assert {name: row[name] for name in _SAID} == {name: event[name] for name in _SAID}
        elif row["verdict"] == "quarantined":
            assert row["reason"]
            digest = None if value is None else hashlib.sha256(value).hexdigest()
            assert row["raw_digest"] == digest


def _history_has_each_event_once(exchange: Exchange, family: str, log: pl.DataFrame) -> None:
    landed = {*log.filter(verdict="accepted")["event_id"]}
    history = lake.read(f"{exchange.lake}/history/{family}")
    assert Counter(history["event_id"]) == Counter(landed)


def _dataset_says_what_the_files_say(exchange: Exchange, family: str, rows: Iterable[Row]) -> None:
    dataset = exchange.dataset(family)
    found = dict(map(_FOUND[family], dataset.iter_rows(named=True)))
    assert len(found) == dataset.height, "a record is in the dataset twice"
    assert found == dict(map(_TOLD[family], rows))


def _log_stands_at_the_end(exchange: Exchange, family: str) -> None:
    """The log's own ids say how far it has read: to the end, and so the next run lands nothing."""
    table = lake.delta(f"{exchange.lake}/log/{family}")
    for topic in _topics(exchange, family):
        for number, end in raw.ends(exchange.address, topic).items():
            assert (table.transaction_version(f"offset:{topic}:{number}") or 0) == end


# What a CSV row says of a record, and what a dataset's row says: (whose which record, content).


def _identity(issuer: str, number: str, subject: str) -> str:
    """Return what a record is, however its key is written: releases have folded them, or not."""
    return "/".join([key_part(issuer), key_part(number), subject])


def _found(row: Row) -> str:
    issuer, number, *_ = (part.replace("%2F", "/") for part in row["record_key"].split("/"))
    return _identity(issuer, number, row["subject"])


def _licence_told(row: Row) -> tuple[str, tuple[Any, ...]]:
    key = _identity(row["XK_XKJGDM"], row["XK_WSH"], row["XK_XDR_SHXYM"])
    day = dt.date.fromisoformat(row["XK_YXQZI"])
    words = (row["XK_XDR_MC"], row["XK_XKBH"], row["XK_XKZS"], row["XK_NR"])
    return key, (row["XK_XDR_SHXYM"], _STATES[row["XK_ZT"]], *words, day)


def _licence_found(row: Row) -> tuple[str, tuple[Any, ...]]:
    names = ("subject", "state", "subject_name", "number", "name", "scope", "valid_to")
    return _found(row), tuple(row[name] for name in names)


def _credit_told(row: Row) -> tuple[str, tuple[Any, ...]]:
    key = _identity(row["CF_CFJGDM"], row["CF_WSH"], row["CF_XDR_SHXYM"])
    yuan = Decimal(row["CF_NR_FK"]) * 10_000
    return key, (row["CF_XDR_SHXYM"], row["CF_WSH"], yuan)


def _credit_found(row: Row) -> tuple[str, tuple[Any, ...]]:
    return _found(row), (row["subject"], row["document_number"], row["fine_yuan"])


def _registration_told(row: Row) -> tuple[str, tuple[Any, ...]]:
    return row["record_key"], (row["subject"], row["decision"]["name"])


def _registration_found(row: Row) -> tuple[str, tuple[Any, ...]]:
    return row["record_key"], (row["subject"], row["name"])


_TOLD: Final[dict[str, Callable[[Row], tuple[str, tuple[Any, ...]]]]] = {
    "licence": _licence_told,
    "credit": _credit_told,
    "registration": _registration_told,
}
_FOUND: Final = {
    "licence": _licence_found,
    "credit": _credit_found,
    "registration": _registration_found,
}

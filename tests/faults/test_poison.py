"""Poison in a batch: each is put aside with its reason, what is good beside it is accepted."""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Callable
from typing import Any, Final

import pytest
from kafka.errors import MessageSizeTooLargeError

from tests.faults.processes import again, mianti
from tests.faults.reliability import Fault
from tests.faults.scene import Scene
from tests.faults.whole import Place, whole
from tests.support import kafka as raw
from tests.support.exchange import Exchange
from tests.support.window import penalty

Event = dict[str, Any]
_LIMIT: Final = 1_048_588
_FIVE: Final = 5 << 20
#: A program's refused row: a statement to each partition says for whom nothing is complete.
_STATED: Final = 4
#: A day that no calendar has, as Avro writes it: the greatest int.
_NO_DAY: Final = b"\xfe\xff\xff\xff\x0f"


def bytes_of(event: Event) -> bytes:
    return raw.encode(event, "licence")


def no_such_day(event: Event) -> bytes:
    """Put a day beyond all calendars in the place of the day of effect."""
    days = (event["effective_from"] - dt.date(1970, 1, 1)).days
    value, written = bytes_of(event), b"\x02" + avro_long(days)
    assert value.count(written) >= 1
    return value.replace(written, b"\x02" + _NO_DAY, 1)


def avro_long(number: int) -> bytes:
    rest, out = number << 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


POISON: Final[dict[str, tuple[Callable[[Event], bytes | None], str]]] = {
    "wrong magic byte": (lambda e: b"\x01" + bytes_of(e)[1:], "bad_frame"),
    "cut body": (lambda e: bytes_of(e)[:-3], "bad_body"),
    "frame alone": (lambda e: bytes_of(e)[:5], "bad_body"),
    "trailing bytes": (lambda e: bytes_of(e) + b"\x00", "trailing_bytes"),
    "two bodies": (lambda e: bytes_of(e) + bytes_of(e)[5:], "trailing_bytes"),
    "two messages": (lambda e: bytes_of(e) + bytes_of(e), "trailing_bytes"),
    "empty": (lambda _: b"", "bad_frame"),
    "tombstone": (lambda _: None, "tombstone"),
    "broken UTF-8": (lambda e: bytes_of(e).replace("食品".encode(), b"\xff" * 6), "bad_body"),
    "date out of range": (
        lambda e: bytes_of(e | {"effective_from": dt.date(2999, 1, 1)}),
        "date_out_of_range",
    ),
    "day of no calendar": (no_such_day, "bad_body"),
    "unknown schema": (lambda e: b"\x00\x00\x00\x03\xe7" + bytes_of(e)[5:], "unknown_schema"),
}


@pytest.mark.fault(
    "poison of every kind among good messages", how="sent to the topic, one batch, good ones round"
)
def test_among_good_messages(exchange: Exchange, fault: Fault) -> None:
    scene, event = begun(exchange)
    topic = scene.department.topic()
    key, good = event["subject"].encode(), bytes_of(event)
    values = [spoil(event) for spoil, _ in POISON.values()]
    spread = [(key, value) for value in values for value in (good, value)]
    places = raw.send(exchange.address, topic, spread, partition=2, linger_ms=200)
    scene.bad += [(topic, *place) for place in places[1::2]]
    scene.bad.append(largest(exchange, topic))
    fines, bad = fined(scene)

    again(exchange.environment, "ingest", "licence", "credit")
    fault.flowed = scene.whole() + whole(exchange, fines, "credit", bad=bad)
    assert fault.flowed == 30 + 2 * len(POISON) + 1 + 5 + 1
    log = exchange.log().filter(verdict="quarantined", partition=2).sort("offset")
    assert dict(zip(POISON, log["reason"], strict=True)) == {
        name: reason for name, (_, reason) in POISON.items()
    }
    assert exchange.verified().duplicates == len(POISON)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(
            first,
            id=name,
            marks=pytest.mark.fault(f"a batch of nothing but poison, {when}", how="sent alone"),
        )
        for first, when, name in [
            (True, "at the first landing", "at-first"),
            (False, "at a later one", "later"),
        ]
    ],
)
def test_nothing_but_poison(exchange: Exchange, fault: Fault, first: bool) -> None:
    scene, event = begun(exchange)
    if not first:
        exchange.ingest()
    topic = scene.department.topic()
    sent = [(b"key", spoil(event)) for spoil, _ in POISON.values()]
    for partition in range(4):
        places = raw.send(exchange.address, topic, sent, partition=partition)
        scene.bad += [(topic, *place) for place in places]
    again(exchange.environment, "ingest", "licence")
    assert scene.whole() == 30 + 4 * len(POISON)
    scene.publish(*range(31, 41))
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == 30 + 4 * len(POISON) + 10


@pytest.mark.fault(
    "values of 5 MB, of rubbish and of a whole event",
    how="`max.message.bytes` of the topic made larger, sent with good messages round them",
)
def test_values_of_five_megabytes(exchange: Exchange, fault: Fault) -> None:
    scene, event = begun(exchange, 8 << 20)
    topic = scene.department.topic()
    wide = {"decision": event["decision"] | {"scope": "食" * (_FIVE // 3)}}
    key, good = event["subject"].encode(), bytes_of(event)
    large = [b"\x00" + bytes(_FIVE), bytes_of(event | wide), good[:5] + b"\xff" * _FIVE]
    spread = [(key, value) for value in large for value in (good, value, good)]
    places = raw.send(exchange.address, topic, spread, partition=2)
    scene.bad += [(topic, *place) for place in places[1::3]]

    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    assert fault.flowed == 30 + 3 * len(large)
    log = exchange.log().filter(verdict="quarantined").sort("offset")
    assert log["reason"].to_list() == ["too_large"] * len(large)


@pytest.mark.fault(
    "a publisher's own row of 5 MB", how="published in a file among good rows, and by a program"
)
def test_a_publishers_own_row_of_five_megabytes(exchange: Exchange, fault: Fault) -> None:
    scene, _ = begun(exchange)
    department = scene.department
    rows = [department.licence(number) for number in range(31, 41)]
    wide = department.licence(41, XK_NR="食" * (_FIVE // 3))
    path = department.file([*rows[:5], wide, *rows[5:]], "wide.csv")
    ended = mianti(exchange.environment, "publish", str(path), "--publisher", department.id)
    assert ended.returncode == 3, ended.stderr
    assert "The row is far too long" in ended.stdout
    assert "食" * 100 not in ended.stdout + ended.stderr
    program = department.native(42, decision={"name": "食" * (_FIVE // 3)})
    outcome = department.publisher.publish_rows("mianti-licence", [program])
    assert outcome.published == 0
    assert outcome.reasons == {"too_large": 1, "too_long": 1}, "all that is wrong, at once"
    assert "larger than 1 MiB" in outcome.examples[0]["sentence_en"]
    scene.rows += rows
    again(exchange.environment, "ingest", "licence")
    fault.flowed = scene.whole()
    # Both layouts hold whom their refused row is about: each states it.
    assert fault.flowed == 30 + 10 + 2 * _STATED


def begun(exchange: Exchange, most: int | None = None) -> tuple[Scene, Event]:
    """Return an exchange with thirty licences published, and one of the events.

    `most`: its topic takes messages of so many bytes.
    """
    scene = Scene(exchange, exchange.department())
    if most is not None:
        raw.wide_topic(exchange.address, scene.department.topic(), most)
    scene.publish(*range(1, 31))
    found = scene.department.events()
    return scene, found[0]


def largest(exchange: Exchange, topic: str) -> Place:
    """Send the largest value that the broker takes."""
    for size in range(_LIMIT - 61 - 8, 0, -1):  # what a batch and a record take themselves
        try:
            [place] = raw.send(exchange.address, topic, [(b"k", bytes(size))], partition=3)
        except MessageSizeTooLargeError:
            continue
        assert size > 1_048_000
        return (topic, *place)
    raise AssertionError("no size is taken")


def fined(scene: Scene) -> tuple[list[dict[str, Any]], list[Place]]:
    """Publish fines, and send one whose amount is the eight bytes of a NaN."""
    department = scene.department
    rows = [penalty(department, number) for number in range(1, 6)]
    department.publish(rows, "fines.csv")
    event = next(e for e in department.events("credit") if e["facet"] == "decision")
    fine = int(event["decision"]["fine_yuan"] * 100)
    amount = fine.to_bytes(fine.bit_length() // 8 + 1, "big", signed=True)
    value, written = raw.encode(event, "credit"), bytes([2 * len(amount)]) + amount
    assert value.count(written) == 1
    spoiled = value.replace(written, bytes([2 * 8]) + struct.pack(">d", math.nan))
    topic = department.topic("credit")
    sent = [(event["subject"].encode(), spoiled)]
    return rows, [(topic, *p) for p in raw.send(scene.exchange.address, topic, sent, partition=0)]

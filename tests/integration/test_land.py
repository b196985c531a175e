"""Landing on a real Kafka: poison, rivals, lost answers, and what Kafka no longer has."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import re
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from kafka import TopicPartition

from connectors import lake
from connectors.reading import OffsetGone
from connectors.topics import ensure_topic
from flows import due
from flows import land as landing
from flows.land import Landed, land
from tests.support import kafka as raw
from tests.support import lake as tables
from tests.support.batches import message
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange


def good(department: Department, number: int = 1, **content: Any) -> dict[str, Any]:
    """Publish a record and return its event."""
    row = department.native(number, **content)
    department.publisher.publish_rows("mianti-licence", [row])
    key = row["record_key"]
    return next(e for e in department.events() if e["record_key"] == key)


def mine(exchange: Exchange, department: Department) -> pl.DataFrame:
    """Return the log's rows of one department."""
    return exchange.log().filter(topic=department.topic())


def of(landed: Landed, department: Department) -> dict[int, tuple[int, int]]:
    """Return accepted and quarantined by partition of one department's topic."""
    parts = [part for part in landed.parts if part.topic == department.topic()]
    return {part.partition: (part.accepted, part.quarantined) for part in parts}


# Poison


Make = Callable[[Exchange, Department, dict[str, Any]], tuple[bytes | None, bytes | None]]


def changed(**fields: Any) -> Make:
    """Make an event with some fields changed, keyed as its subject."""

    def make(_: Exchange, __: Department, event: dict[str, Any]) -> tuple[bytes, bytes]:
        other = event | fields
        return other["subject"].encode(), raw.encode(other, "licence")

    return make


def spoiled(spoil: Callable[[bytes], bytes | None]) -> Make:
    """Make a message whose bytes are no event."""

    def make(
        _: Exchange, __: Department, event: dict[str, Any]
    ) -> tuple[bytes | None, bytes | None]:
        return event["subject"].encode(), spoil(raw.encode(event, "licence"))

    return make


def keyed(key: bytes | None) -> Make:
    """Make a good event under another key."""
    return lambda _, __, event: (key, raw.encode(event, "licence"))


def of_other_department(exchange: Exchange, department: Department, event: Any) -> Any:
    return changed(publisher=exchange.departments[1].id)(exchange, department, event)


def foreign(_: Exchange, department: Department, event: dict[str, Any]) -> tuple[bytes, bytes]:
    """Make an event of another family."""
    own = {"kind": "penalty", "categories": []}
    other = event | {"event_type": "penalised", "decision": own}
    return event["subject"].encode(), raw.encode(other, "credit")


def with_decision(**fields: Any) -> Make:
    def make(
        exchange: Exchange, department: Department, event: dict[str, Any]
    ) -> tuple[bytes | None, bytes | None]:
        decision = event["decision"] | fields
        return changed(decision=decision)(exchange, department, event)

    return make


POISON: dict[str, tuple[Make, str]] = {
    "wrong magic byte": (spoiled(lambda v: b"\x01" + v[1:]), "bad_frame"),
    "four bytes": (spoiled(lambda v: v[:4]), "bad_frame"),
    "frame alone": (spoiled(lambda v: v[:5]), "bad_body"),
    "empty value": (spoiled(lambda _: b""), "bad_frame"),
    "tombstone": (spoiled(lambda _: None), "tombstone"),
    "plain JSON": (spoiled(lambda _: b'{"subject": 1}'), "bad_frame"),
    "unknown schema": (spoiled(lambda v: b"\x00\x00\x00\x03\xe7" + v[5:]), "unknown_schema"),
    "another family's schema": (foreign, "schema_of_other_family"),
    "cut off": (spoiled(lambda v: v[:-3]), "bad_body"),
    "bytes too many": (spoiled(lambda v: v + b"\x00"), "trailing_bytes"),
    "two events in one": (spoiled(lambda v: v + v[5:]), "trailing_bytes"),
    "no UTF-8": (spoiled(lambda v: v.replace("食品".encode(), b"\xff" * 6)), "bad_body"),
    "huge length": (spoiled(lambda v: v[:5] + b"\xfe\xff\xff\xff\x7f" + v[5:]), "bad_body"),
    "just under Kafka's limit": (spoiled(lambda _: b"\xaa" * 1_000_000), "bad_frame"),
    "another department's": (of_other_department, "wrong_publisher"),
    "a facet not its own": (
        changed(facet="decision", event_type="objection_stated", objection={"state": "raised"}),
        "content_mismatch",
    ),
    "an organ not its own": (
        changed(issuer=uscc(99, kind="11"), record_key=f"{uscc(99, kind='11')}/1"),
        "issuer_not_owned",
    ),
    "a layout not its own": (changed(layout="cn-tax-a-list"), "layout_not_owned"),
    "a key of another organ": (changed(record_key="somebody/1"), "key_without_issuer"),
    "a wrong check digit": (changed(subject=uscc(1)[:17] + "Y"), "code_check_digit"),
    "no code": (changed(subject=""), "code_missing"),
    "sequence nought": (changed(sequence=0), "sequence_range"),
    "dates reversed": (
        changed(effective_from=dt.date(2026, 2, 1), effective_to=dt.date(2026, 1, 1)),
        "dates_reversed",
    ),
    "a date far off": (changed(effective_from=dt.date(2999, 1, 1)), "date_out_of_range"),
    "an invented id": (changed(event_id="0" * 32), "bad_event_id"),
    "a changed content": (with_decision(number="another"), "bad_event_id"),
    "a control character": (with_decision(name="食品\x1f许可"), "control_character"),
    "too long a text": (with_decision(name="长" * 20_001), "too_long"),
    "a number of a person": (with_decision(name="13800138000"), "personal_data"),
    "another key": (keyed(uscc(2).encode()), "key_mismatch"),
    "no key": (keyed(None), "key_mismatch"),
    "a key that is no text": (keyed(b"\xff\xfe"), "key_mismatch"),
}


UNREAD = (
    "bad_frame",
    "bad_body",
    "trailing_bytes",
    "unknown_schema",
    "schema_of_other_family",
)


def test_poison_of_every_kind_is_put_aside_with_its_reason(exchange: Exchange) -> None:
    department = exchange.department()
    exchange.department("other")
    event = good(department)
    sent = {name: make(exchange, department, event) for name, (make, _) in POISON.items()}
    places = raw.send(exchange.address, department.topic(), list(sent.values()), partition=1)
    good(department, 2)

    exchange.ingest()
    log = mine(exchange, department)
    bad = log.filter(verdict="quarantined", partition=1).sort("offset")
    assert bad["offset"].to_list() == [offset for _, offset in places]
    found = dict(zip(sent, bad["reason"], strict=True))
    assert found == {name: reason for name, (_, reason) in POISON.items()}
    for (_, value), row in zip(sent.values(), bad.iter_rows(named=True), strict=True):
        digest = None if value is None else hashlib.sha256(value).hexdigest()
        assert row["raw_digest"] == digest
        # Bytes nobody could read keep no long run of digits: it may be anyone's number.
        unread = row["reason"] in UNREAD and re.search(rb"\d{15}", value or b"")
        secret = unread or row["reason"] == "personal_data"
        assert row["raw"] == (None if secret else value)
        assert (row["event_id"], row["subject"], row["decision"]) == (None, None, None)
    assert log.filter(verdict="accepted")["subject"].sort().to_list() == [uscc(1), uscc(2)]
    assert exchange.dataset().height == 2
    exchange.verified()


def test_a_message_beyond_any_event_is_put_aside(exchange: Exchange) -> None:
    """A cluster may allow larger messages than this project's own topics."""
    department = exchange.department()
    raw.wide_topic(exchange.address, department.topic(), 4 << 20)
    large = b"\x00\x00\x00\x00\x02" + bytes(2 << 20)
    raw.send(exchange.address, department.topic(), [(b"k", large)], partition=0)
    done = land(exchange.settings, "licence")
    assert of(done, department) == {0: (0, 1)}
    assert mine(exchange, department)["reason"].to_list() == ["too_large"]


def test_a_topic_of_no_known_publisher_is_named_and_read_once_it_is_known(
    exchange: Exchange,
) -> None:
    department = exchange.department()
    good(department)
    others = Exchange(exchange.home / "elsewhere", exchange.address, f"{exchange.lake}-other")
    others.department("unrelated")
    done = others.ingest()
    assert department.topic() in done.landed.unlisted
    assert others.log().is_empty()
    others.departments.append(department)
    done = others.ingest()
    assert department.topic() not in done.landed.unlisted
    assert others.log()["verdict"].to_list() == ["accepted"]
    others.verified()


def test_bytes_damaged_at_random_never_stop_landing(exchange: Exchange) -> None:
    department = exchange.department()
    value = raw.encode(good(department), "licence")
    chance = random.Random(20260501)
    damaged: list[bytes] = []
    for _ in range(400):
        data = bytearray(value)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data))
            kind = chance.randrange(3)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                del data[at : at + chance.randint(1, 4)]
            else:
                data[at:at] = chance.randbytes(chance.randint(1, 4))
        damaged.append(bytes(data))
    raw.send(
        exchange.address, department.topic(), [(uscc(1).encode(), v) for v in damaged], partition=0
    )
    exchange.ingest()
    log = mine(exchange, department)
    assert log.height == len(damaged) + 1
    whole = [v for v in damaged if v == value]
    # An id is a digest of the content: damage that still reads as an event does not pass for one.
    touched = log.filter(verdict="accepted").unique("event_id").height
    assert touched == 1
    assert log.filter(verdict="accepted").height >= 1 + len(whole)
    exchange.verified()


def test_amounts_and_times_beyond_the_schema_are_put_aside(exchange: Exchange) -> None:
    department = exchange.department()
    rows = [
        department.native(1, facet="decision", event_type="penalised")
        | {"decision": {"kind": "penalty", "fine_yuan": "12.30"}}
    ]
    department.publisher.publish_rows("mianti-credit", rows)
    event = department.events("credit")[0]
    value = raw.encode(event, "credit")
    fine = b"\x04" + (1230).to_bytes(2, "big")
    assert value.count(fine) == 1
    sizes = [9, 13, 16, 17, 40]
    large = [value.replace(fine, bytes([2 * n]) + b"\x7f" + b"\xff" * (n - 1)) for n in sizes]
    negative = value.replace(fine, b"\x02\xff")
    far = [
        raw.encode(event | {"occurred_at": dt.datetime.max.replace(tzinfo=dt.UTC)}, "credit"),
        raw.encode(event | {"effective_from": dt.date.min}, "credit"),
        raw.encode(event | {"sequence": 2**63 - 1}, "credit"),
    ]
    key = event["subject"].encode()
    values = [*large, negative, *far]
    raw.send(exchange.address, department.topic("credit"), [(key, v) for v in values], partition=0)
    exchange.ingest("credit")
    log = exchange.log("credit").filter(topic=department.topic("credit"))
    assert log.filter(verdict="accepted").height == 1
    assert log.filter(verdict="quarantined").height == len(values)
    exchange.verified("credit")


def test_a_batch_of_nothing_but_poison_advances(exchange: Exchange) -> None:
    department = exchange.department()
    ensure_topic(exchange.settings, department.topic())
    raw.send(exchange.address, department.topic(), [(b"k", b"poison")] * 5, partition=2)
    assert of(land(exchange.settings, "licence"), department) == {2: (0, 5)}
    assert of(land(exchange.settings, "licence"), department) == {}
    good(department)
    exchange.ingest()
    assert exchange.dataset().height == 1


def test_messages_of_transactions_count_once_they_are_committed(exchange: Exchange) -> None:
    department = exchange.department()
    event = good(department)
    key, value = event["subject"].encode(), raw.encode(event, "licence")
    with raw.producer(exchange.address, transactional_id=department.id) as client:
        client.init_transactions()
        client.begin_transaction()
        for _ in range(3):
            client.send(department.topic(), key=key, value=value, partition=3)
        client.commit_transaction()
        raw.transactions_end(exchange.address, department.topic())
        client.begin_transaction()
        for _ in range(4):
            client.send(department.topic(), key=key, value=b"aborted", partition=3)
        client.flush()
        # The open transaction holds its own messages back, not those before it.
        before = land(exchange.settings, "licence")
        client.abort_transaction()
        raw.transactions_end(exchange.address, department.topic())
    after = land(exchange.settings, "licence")
    accepted = of(before, department).get(3, (0, 0))
    assert accepted == (3, 0)
    skipped = [p.skipped for p in [*before.parts, *after.parts]
               if (p.topic, p.partition) == (department.topic(), 3)]  # fmt: skip
    assert sum(skipped) == 1 + 4 + 1
    exchange.ingest()
    found = exchange.verified()
    assert (found.accepted, found.duplicates) == (4, 3)


# Rivals and lost answers


@pytest.mark.parametrize("first", [False, True], ids=["again", "for the first time"])
def test_landings_at_once_double_nothing(exchange: Exchange, first: bool) -> None:
    department = exchange.department()
    if not first:
        department.publish([department.licence(1000, XK_ZT="2")], "before.csv")
        land(exchange.settings, "licence")
    department.publish([department.licence(n, XK_ZT="2") for n in range(1, 200)])
    settings = exchange.settings
    ready = threading.Barrier(4)

    def run(_: int) -> Landed:
        ready.wait()
        return land(settings, "licence")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    log = mine(exchange, department)
    assert log.height == log["event_id"].n_unique() == 2 * (199 if first else 200)
    exchange.ingest()
    exchange.verified()


@pytest.mark.parametrize("where", ["judge", "append"])
def test_a_landing_overtaken_before_its_commit_drops_its_batch(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    department = exchange.department()
    department.publish([department.licence(n) for n in range(1, 20)])
    settings = exchange.settings
    place: Any = {"judge": landing, "append": lake}[where]
    step = getattr(place, where)
    overtaken: list[Landed] = []

    def slow(*arguments: Any) -> Any:
        if not overtaken:
            overtaken.append(Landed("licence"))
            overtaken[0] = land(settings, "licence")
            department.publish([department.licence(30)], "later.csv")
        return step(*arguments)

    with monkeypatch.context() as slowed:
        slowed.setattr(place, where, slow)
        land(settings, "licence")
    assert overtaken[0].accepted == 19
    exchange.ingest()
    log = mine(exchange, department)
    assert log.height == log["event_id"].n_unique() == 20
    exchange.verified()


def test_a_landing_that_loses_time_and_again_says_so_and_doubles_nothing(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    calls = []

    def losing(*arguments: Any) -> None:
        calls.append(arguments)
        raise lake.Lost

    with monkeypatch.context() as broken:
        broken.setattr(lake, "append", losing)
        with pytest.raises(lake.Lost):
            land(exchange.settings, "licence")
    assert len(calls) > 1
    exchange.ingest()
    assert mine(exchange, department).height == 1


@pytest.mark.parametrize("answer", [OSError("connection reset"), "conflict"])
def test_a_commit_that_is_in_although_its_answer_is_an_error_is_recognised(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    from deltalake.exceptions import CommitFailedError

    department = exchange.department()
    department.publish([department.licence(n) for n in range(1, 20)])
    land(exchange.settings, "licence")  # the table is there
    department.publish([department.licence(n) for n in range(20, 30)], "more.csv")
    write = DeltaTable.create_write_transaction
    written = []

    def lossy(*arguments: Any, **options: Any) -> None:
        write(*arguments, **options)
        written.append(1)
        raise CommitFailedError("Concurrent transaction") if answer == "conflict" else answer

    with monkeypatch.context() as broken:
        broken.setattr(DeltaTable, "create_write_transaction", lossy)
        done = land(exchange.settings, "licence")
    assert written == [1]
    assert sum(a for a, _ in of(done, department).values()) == 10
    assert mine(exchange, department).height == 29
    exchange.ingest()
    exchange.verified()


def test_a_commit_that_is_not_in_is_written_again(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    department.publish([department.licence(n) for n in range(1, 20)])
    land(exchange.settings, "licence")
    department.publish([department.licence(n) for n in range(20, 30)], "more.csv")
    write = DeltaTable.create_write_transaction
    failures = [OSError("connection reset")]

    def failing(*arguments: Any, **options: Any) -> None:
        if failures:
            raise failures.pop()
        write(*arguments, **options)

    with monkeypatch.context() as broken:
        broken.setattr(DeltaTable, "create_write_transaction", failing)
        land(exchange.settings, "licence")
    assert mine(exchange, department).height == 29
    exchange.ingest()


@pytest.mark.parametrize("kind", ["history", "datasets"])
def test_a_settling_whose_answer_is_an_error_has_settled(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    exchange.ingest()
    department.publish([department.licence(1, XK_ZT="2")], "more.csv")
    land(exchange.settings, "licence")
    write = DeltaTable.create_write_transaction

    def lossy(table: Any, *arguments: Any, **options: Any) -> None:
        write(table, *arguments, **options)
        if isinstance(table, DeltaTable) and f"/{kind}/" in table.table_uri:
            raise OSError("connection reset")

    with monkeypatch.context() as broken:
        broken.setattr(DeltaTable, "create_write_transaction", lossy)
        exchange.ingest()
    assert exchange.dataset()["state"].to_list() == ["suspended"]


# Time


def test_landed_at_never_falls_when_the_clock_does(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(hours=3)
    department.publish([department.licence(1)])
    clock = SimpleNamespace(
        datetime=SimpleNamespace(now=lambda _: ahead), UTC=dt.UTC, timedelta=dt.timedelta
    )
    with monkeypatch.context() as fast:
        fast.setattr(landing, "dt", clock)
        land(exchange.settings, "licence")
    times = [mine(exchange, department)["landed_at"].sort()[-1]]
    for number in (2, 3):
        department.publish([department.licence(number)], f"{number}.csv")
        land(exchange.settings, "licence")
        times.append(mine(exchange, department)["landed_at"].sort()[-1])
    assert times[0] == ahead
    assert times == sorted(set(times))
    exchange.ingest()


def test_a_landing_with_nothing_new_commits_nothing(exchange: Exchange) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    exchange.ingest()
    versions = {k: version(exchange, k) for k in ("log", "history", "datasets")}
    again = exchange.ingest()
    assert (again.landed.commits, again.landed.parts, again.settled.buckets) == (0, [], 0)
    assert {k: version(exchange, k) for k in versions} == versions


def version(exchange: Exchange, kind: str) -> int:
    return tables.delta(f"{exchange.lake}/{kind}/licence").version()


# What Kafka no longer has


def test_a_topic_made_anew_is_not_landed_over_the_old_one(exchange: Exchange) -> None:
    department = exchange.department()
    department.publish([department.licence(n) for n in range(1, 40)])
    exchange.ingest()
    raw.delete_topics(exchange.address, lambda topic: topic == department.topic())
    ensure_topic(exchange.settings, department.topic())
    before = version(exchange, "log")
    with pytest.raises(OffsetGone, match="made anew or another Kafka"):
        land(exchange.settings, "licence")
    assert version(exchange, "log") == before


def test_messages_that_retention_took_are_told_and_given_up_only_when_asked(
    exchange: Exchange,
) -> None:
    department = exchange.department()
    event = good(department)
    key, value = event["subject"].encode(), raw.encode(event, "licence")
    raw.send(exchange.address, department.topic(), [(key, value)] * 10, partition=2)
    exchange.ingest()
    raw.send(exchange.address, department.topic(), [(key, value)] * 20, partition=2)
    with raw.admin(exchange.address) as client:
        client.delete_records({TopicPartition(department.topic(), 2): 17})
    before = version(exchange, "log")
    with pytest.raises(OffsetGone, match="7 messages from offset 10 on are gone"):
        land(exchange.settings, "licence")
    assert version(exchange, "log") == before

    done = land(exchange.settings, "licence", accept_gap=True)
    assert of(done, department)[2] == (13, 0)
    exchange.ingest()
    found = exchange.verified()
    assert found.accepted == 1 + 10 + 13
    # Once given up, it is not asked for again.
    assert of(land(exchange.settings, "licence"), department) == {}


def test_a_topic_made_anew_that_has_grown_beyond_the_old_one_is_not_gone_on_with(
    exchange: Exchange,
) -> None:
    department = exchange.department()
    event = good(department)
    key, value = event["subject"].encode(), raw.encode(event, "licence")
    raw.send(exchange.address, department.topic(), [(key, value)] * 10, partition=2)
    exchange.ingest()
    topic = department.topic()
    raw.delete_topics(exchange.address, lambda name: name == topic)
    ensure_topic(exchange.settings, topic)
    for number in range(4):
        raw.send(exchange.address, topic, [(key, value)] * 30, partition=number)
    before = version(exchange, "log")
    with pytest.raises(OffsetGone, match="not the topic that was landed"):
        land(exchange.settings, "licence")
    assert version(exchange, "log") == before
    done = land(exchange.settings, "licence", accept_gap=True)
    assert of(done, department)[2] == (20, 0)
    assert of(land(exchange.settings, "licence"), department) == {}


def test_a_mirrored_topic_is_accepted_once_though_it_has_nothing_new(exchange: Exchange) -> None:
    department = exchange.department()
    event = good(department)
    exchange.ingest()
    topic, ends = department.topic(), raw.ends(exchange.address, department.topic())
    sound = (event["subject"].encode(), raw.encode(event, "licence"))
    raw.delete_topics(exchange.address, lambda name: name == topic)
    ensure_topic(exchange.settings, topic)
    for number, end in ends.items():
        raw.send(exchange.address, topic, [sound] * end, partition=number)
    with pytest.raises(OffsetGone, match="not the topic that was landed"):
        land(exchange.settings, "licence")
    assert of(land(exchange.settings, "licence", accept_gap=True), department) == {}
    assert of(land(exchange.settings, "licence"), department) == {}


def test_a_lake_begun_after_retention_says_what_it_never_saw(exchange: Exchange) -> None:
    department = exchange.department()
    event = good(department)
    key, value = event["subject"].encode(), raw.encode(event, "licence")
    raw.send(exchange.address, department.topic(), [(key, value)] * 6, partition=2)
    with raw.admin(exchange.address) as client:
        client.delete_records({TopicPartition(department.topic(), 2): 4})
    with pytest.raises(OffsetGone, match="4 messages from offset 0"):
        land(exchange.settings, "licence")
    land(exchange.settings, "licence", accept_gap=True)
    exchange.ingest()
    exchange.verified()


# Whole batches and record by record


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
def test_both_ways_of_reading_land_the_same_log(exchange: Exchange, codec: str | None) -> None:
    department = exchange.department()
    exchange.department("other")
    event = good(department)
    said = message(event)[2]
    sound = [(*keyed(event["subject"].encode())(exchange, department, event), said)] * 7
    poison = [(*make(exchange, department, event), said) for make, _ in POISON.values()]
    options = {"compression_type": codec, "linger_ms": 50, "transactional_id": department.id}
    with raw.producer(exchange.address, **options) as client:
        client.init_transactions()
        for messages, end in ((sound, client.commit_transaction), (sound, client.abort_transaction),
                              (sound + poison + sound, client.commit_transaction)):  # fmt: skip
            client.begin_transaction()
            for key, value, headers in messages:
                topic = department.topic()
                client.send(topic, key=key, value=value, headers=headers, partition=2)
            client.flush()  # what was not sent by then, an abort drops on this side
            end()
    raw.transactions_end(exchange.address, department.topic())
    plain = exchange.settings_with(mianti_lake=f"{exchange.lake}-plain")

    both = land(exchange.settings, "licence"), land(plain, "licence", plain=True)

    logs = [
        tables.read(f"{place}/log/licence")
        .filter(topic=department.topic())
        .drop("landed_at")
        .sort("partition", "offset")
        for place in (exchange.lake, plain.mianti_lake)
    ]
    assert logs[0].equals(logs[1])
    assert logs[0].height >= 3 * 7 + len(poison)
    parts = [[p for p in landed.parts if p.topic == department.topic()] for landed in both]
    assert parts[0] == parts[1]
    assert sum(part.skipped for part in parts[0]) >= 7 + 3


# Settling in pieces


def test_settling_in_many_pieces_gives_what_one_piece_gives(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(due, "GROUP_ROWS", 3)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    put = []
    replace = lake.replace

    def counting(*arguments: Any) -> None:
        put.append(1)
        replace(*arguments)

    monkeypatch.setattr(lake, "replace", counting)
    department = exchange.department()
    department.publish([department.licence(n) for n in range(1, 30)])
    exchange.ingest()
    assert len(put) > 10
    department.publish([department.licence(n, XK_ZT="2") for n in range(1, 60)], "more.csv")
    assert exchange.ingest().settled.rows == 59
    exchange.verified()
    found = exchange.dataset()
    assert found.filter(pl.col("state") == "suspended").height == 59 == found.height
    assert [*tmp_path.glob("mianti-*")] == []  # what was set aside is gone

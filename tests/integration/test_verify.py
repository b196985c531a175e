"""`verify` on a real state, right at first, and then spoiled in one place after another."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from flows.land import land
from flows.publish.events import single
from flows.query import query
from flows.rebuild import rebuild
from flows.verify import Verified, verify
from tests.support import kafka as raw
from tests.support import lake
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange

FLIPPED, STOPPED, PLAIN = 1, 2, 3  # numbers of licences


@dataclass
class State:
    """A small history of three departments, settled; the third's layout moves its records."""

    exchange: Exchange
    one: Department
    two: Department
    moving: Department


@pytest.fixture(scope="module")
def state(make_exchange: Callable[[], Exchange]) -> State:
    exchange = make_exchange()
    one, two = exchange.department("one"), exchange.department("two")
    for number, code in enumerate("12121", start=1):
        # Numbered, so that no two files have the same bytes: those would be one file again.
        one.publish([one.licence(FLIPPED, XK_ZT=code) | {"序号": number}], f"flips-{number}.csv")
    rows = [one.licence(n) for n in range(STOPPED, 12)]
    one.publish([*rows, one.licence(12, XK_ZT="3")])
    two.publish([two.licence(n, XK_NR="散装") for n in range(1, 8)])
    moving = exchange.moving()
    moving.publish([moving.licence(4)])
    exchange.ingest()
    one.publisher.withdraw(one.key(STOPPED), "公示有误")
    moving.publish([moving.licence(4, XK_XDR_SHXYM=uscc(50))], "corrected.csv")
    event = next(e for e in one.events() if e["record_key"] == one.key(PLAIN))
    key, value = event["subject"].encode(), raw.encode(event, "licence")
    bad = raw.encode(event | {"publisher": two.id}, "licence")
    messages = [(key, value), (key, b"poison"), (key, None), (key, bad)]
    raw.send(exchange.address, one.topic(), messages, partition=1)
    with raw.producer(exchange.address, transactional_id=one.id) as client:
        client.init_transactions()
        for committed in (True, False, True):
            client.begin_transaction()
            for _ in range(2):
                client.send(one.topic(), key=key, value=value, partition=2)
            client.flush()
            (client.commit_transaction if committed else client.abort_transaction)()
    raw.transactions_end(exchange.address, one.topic())
    two.publish([two.licence(n, XK_NR="散装", XK_ZT="2") for n in (1, 2)], "later.csv")
    exchange.ingest()
    return State(exchange, one, two, moving)


class Copy:
    """A lake of its own to spoil, over the same Kafka."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.lake = f"{state.exchange.lake}-{uuid4().hex}"
        lake.copy(state.exchange.lake, self.lake)
        self.settings = state.exchange.settings_with(mianti_lake=self.lake)

    def table(self, kind: str) -> DeltaTable:
        return lake.delta(f"{self.lake}/{kind}/licence")

    def rows(self, kind: str, **where: Any) -> pl.DataFrame:
        return lake.read(f"{self.lake}/{kind}/licence").filter(**where)

    def append(self, kind: str, rows: pl.DataFrame, ids: dict[str, int] | None = None) -> None:
        table = self.table(kind)
        named = [Transaction(name, number) for name, number in (ids or {}).items()]
        ordered = rows.select([field.name for field in table.schema().fields])
        write_deltalake(
            table,
            ordered,
            mode="append",
            commit_properties=CommitProperties(app_transactions=named),
        )

    def delete(self, kind: str, where: str) -> None:
        done = self.table(kind).delete(where)
        assert done["num_deleted_rows"]

    def replace(self, kind: str, where: str, rows: pl.DataFrame) -> None:
        self.delete(kind, where)
        self.append(kind, rows)

    def number(self, kind: str, name: str) -> int:
        found = self.table(kind).transaction_version(name)
        assert found is not None
        return found

    def verify(self) -> Verified:
        return verify(self.settings, "licence")


@pytest.fixture
def copy(state: State) -> Copy:
    return Copy(state)


def key_is(key: str) -> str:
    return f"record_key = '{key}'"


def at(row: dict[str, Any]) -> str:
    return (
        f"topic = '{row['topic']}' AND partition = {row['partition']} AND offset = {row['offset']}"
    )


def one_event(copy: Copy, facet: str = "decision", key: str | None = None) -> pl.DataFrame:
    """Return one row of the accepted log."""
    wanted = key or copy.state.one.key(PLAIN)
    found = copy.rows("log", record_key=wanted, facet=facet, verdict="accepted")
    return found.sort("sequence", "topic", "partition", "offset").tail(1)


# First, all is well


def test_the_account_of_a_sound_state(state: State) -> None:
    found = state.exchange.verified()
    log = state.exchange.log()
    ours = log.filter(pl.col("topic").is_in([state.one.topic(), state.two.topic()]))
    assert found.accepted == log.filter(verdict="accepted").height == 36
    assert ours.filter(verdict="quarantined")["reason"].sort().to_list() == [
        "bad_frame",
        "tombstone",
        "wrong_publisher",
    ]
    assert found.duplicates == 5  # one sent plainly, four in committed transactions
    # Three markers and two aborted messages hold no row.
    assert found.offsets - found.accepted - found.quarantined == 5
    assert found.dataset_rows == state.exchange.dataset().height == 21


def test_a_copy_is_as_sound_as_the_state(copy: Copy) -> None:
    assert copy.verify().differences == []


def test_the_command_says_ok_or_not_ok(state: State, copy: Copy) -> None:
    from click.testing import CliRunner

    from deploy.cli.main import cli

    runner = CliRunner(env=state.exchange.environment)
    sound = runner.invoke(cli, ["verify", "--json"])
    assert sound.exit_code == 0
    told = json.loads(sound.stdout)
    assert list(told) == ["ok", "families"]
    assert told["ok"] is True
    assert list(told["families"]) == ["registration", "licence", "credit"]
    names = ["offsets", "accepted", "quarantined", "duplicates", "dataset_rows", "differences"]
    assert list(told["families"]["licence"]) == names

    copy.delete("datasets", key_is(state.one.key(PLAIN)))
    spoiled = runner.invoke(cli, ["verify", "--json"], env={"MIANTI_LAKE": str(copy.lake)})
    assert spoiled.exit_code == 1
    told = json.loads(spoiled.stdout)
    assert told["ok"] is False
    assert len(told["families"]["licence"]["differences"]) == 1
    people = runner.invoke(cli, ["verify"], env={"MIANTI_LAKE": str(copy.lake)})
    assert people.exit_code == 1
    assert "NOT ok" in people.stdout
    assert state.one.key(PLAIN) in people.stdout


# Corruptions: what is done, and the words that must be said


def drop_dataset_row(copy: Copy) -> list[str]:
    copy.delete("datasets", key_is(copy.state.one.key(PLAIN)))
    return ["dataset: row missing", copy.state.one.key(PLAIN)]


def double_dataset_row(copy: Copy) -> list[str]:
    copy.append("datasets", copy.rows("datasets", record_key=copy.state.one.key(PLAIN)))
    return ["dataset: row doubled", copy.state.one.key(PLAIN)]


def invent_dataset_row(copy: Copy) -> list[str]:
    row = copy.rows("datasets", record_key=copy.state.one.key(PLAIN))
    copy.append("datasets", row.with_columns(record_key=pl.lit("nobody/1")))
    return ["dataset: row extra", "nobody/1"]


def set_a_facet_back_in_the_dataset(copy: Copy) -> list[str]:
    """An older version's row in the place of the present one."""
    key = copy.state.two.key(1)
    first = copy.rows("history", record_key=key, facet="decision")["landed_at"].sort()[-1]
    older = query(copy.settings, "licence", uscc(1), known_at=first).filter(record_key=key)
    assert older["state"].to_list() == ["in_force"]
    copy.replace("datasets", key_is(key), older)
    return ["dataset: row different", key]


def leave_a_stopped_record_in(copy: Copy) -> list[str]:
    key = copy.state.one.key(STOPPED)
    stop = copy.rows("history", record_key=key, facet="withdrawal")["landed_at"].sort()[0]
    before = stop - dt.timedelta(microseconds=1)
    used = query(copy.settings, "licence", uscc(STOPPED), known_at=before).filter(record_key=key)
    assert used["usable"].to_list() == ["yes"]
    copy.replace("datasets", key_is(key), used)
    return ["may not be used (withdrawn)", "still in it", key]


def leave_a_corrected_subjects_record_in(copy: Copy) -> list[str]:
    key, first = f"{copy.state.moving.code}/示许(2026)4号", uscc(4)
    rows = copy.rows("datasets", record_key=key)
    present = rows.filter(subject=uscc(50))
    number = rows.filter(subject=first)["bucket"].item()
    wrong = present.with_columns(subject=pl.lit(first), bucket=pl.lit(number, pl.Int64))
    copy.replace("datasets", f"{key_is(key)} AND subject = '{first}'", wrong)
    return ["may not be used (withdrawn)", first]


def advance_an_offset(copy: Copy) -> list[str]:
    topic = copy.state.two.topic()
    part = copy.rows("log", topic=topic)["partition"].sort()[0]
    name = f"offset:{topic}:{part}"
    copy.append("log", copy.rows("log").clear(), {name: copy.number("log", name) + 1})
    return [f"{topic}/{part}", "does not balance", "beyond Kafka's end"]


def set_an_offset_back(copy: Copy) -> list[str]:
    topic = copy.state.two.topic()
    part = copy.rows("log", topic=topic)["partition"].sort()[0]
    name = f"offset:{topic}:{part}"
    copy.append("log", copy.rows("log").clear(), {name: copy.number("log", name) - 1})
    return [f"{topic}/{part}", "does not balance", "which stands at"]


def count_a_message_as_skipped(copy: Copy) -> list[str]:
    """A row dropped from the log, and the books cooked to balance."""
    event = one_event(copy).row(0, named=True)
    copy.delete("log", at(event))
    name = f"skipped:{event['topic']}:{event['partition']}"
    before = copy.table("log").transaction_version(name) or 0
    copy.append("log", copy.rows("log").clear(), {name: before + 1})
    return [f"message at offset {event['offset']} is missing"]


def drop_a_log_row(copy: Copy) -> list[str]:
    event = one_event(copy, key=copy.state.two.key(7)).row(0, named=True)
    copy.delete("log", at(event))
    return [f"message at offset {event['offset']} is missing", "history: event extra"]


def drop_a_quarantined_row(copy: Copy) -> list[str]:
    row = copy.rows("log", reason="tombstone").row(0, named=True)
    copy.delete("log", at(row))
    return [f"message at offset {row['offset']} is missing"]


def double_a_log_row(copy: Copy) -> list[str]:
    event = one_event(copy)
    copy.append("log", event)
    return [f"offset {event['offset'].item()} was landed twice"]


def change_a_log_row(copy: Copy) -> list[str]:
    event = one_event(copy)
    other = event.with_columns(pl.col("decision").struct.with_fields(scope=pl.lit("全部")))
    copy.replace("log", at(event.row(0, named=True)), other)
    return ["was changed after it was landed", event["event_id"].item()]


def change_a_log_row_everywhere(copy: Copy) -> list[str]:
    told = change_a_log_row(copy)
    rebuild(copy.settings, "licence")
    return told


def say_an_event_was_landed_earlier(copy: Copy) -> list[str]:
    event = one_event(copy, key=copy.state.two.key(7))
    early = event.with_columns(landed_at=pl.col("landed_at") - pl.duration(days=9))
    copy.replace("log", at(event.row(0, named=True)), early)
    return ["history: event", event["event_id"].item()]


def invent_an_event(copy: Copy) -> list[str]:
    """An event of the right form at an offset where Kafka has none: a transaction's marker."""
    topic = copy.state.one.topic()
    held = copy.rows("log", topic=topic, partition=2)["offset"].to_list()
    end = copy.number("log", f"offset:{topic}:2")
    free = next(offset for offset in range(end) if offset not in held)
    copy.append("log", forged(copy, topic, 2, free))
    return [f"the log holds offset {free}, where Kafka has no message", "does not balance"]


def invent_an_event_beyond_the_end(copy: Copy) -> list[str]:
    topic = copy.state.one.topic()
    end = copy.number("log", f"offset:{topic}:2")
    copy.append("log", forged(copy, topic, 2, end + 100))
    return [f"offset {end + 100}"]


def invent_a_topic(copy: Copy) -> list[str]:
    """An event of a topic Kafka never had."""
    copy.append("log", forged(copy, "mianti.licence.ghost", 0, 0))
    return ["mianti.licence.ghost"]


def invent_a_partition(copy: Copy) -> list[str]:
    copy.append("log", forged(copy, copy.state.one.topic(), 77, 0))
    return [f"{copy.state.one.topic()}/77"]


def put_a_forged_event_in_the_place_of_a_real_one(copy: Copy) -> list[str]:
    """Right in form, at an offset Kafka has, and in history and dataset too."""
    event = one_event(copy, key=copy.state.two.key(7)).row(0, named=True)
    copy.replace(
        "log", at(event), forged(copy, event["topic"], event["partition"], event["offset"])
    )
    rebuild(copy.settings, "licence")
    return [f"offset {event['offset']}"]


def forged(copy: Copy, topic: str, partition: int, offset: int) -> pl.DataFrame:
    """Return a log row of an event that nobody published, right in itself."""
    one = copy.state.one
    event = single(
        "licence",
        {
            "publisher": one.id,
            "issuer": one.code,
            "subject": uscc(PLAIN),
            "record_key": f"{one.code}/forged",
            "facet": "decision",
            "event_type": "granted",
            "sequence": 1,
            "layout": "mianti-licence",
            "layout_version": "1",
            "decision": {"number": "F", "term": "not_stated", "identifier_check": "none",
                         "previous_identifiers": [], "addresses": [], "permits": []},
        },
    ).drop("content_digest")  # fmt: skip
    like = one_event(copy).with_columns(
        topic=pl.lit(topic),
        partition=pl.lit(partition, pl.Int64),
        offset=pl.lit(offset, pl.Int64),
    )
    rest = [name for name in like.columns if name not in event.columns]
    return pl.concat([event, like.select(rest)], how="horizontal")


def drop_a_history_event(copy: Copy) -> list[str]:
    event = one_event(copy)["event_id"].item()
    copy.delete("history", f"event_id = '{event}'")
    return ["history: event missing", event]


def double_a_history_event(copy: Copy) -> list[str]:
    event = one_event(copy)["event_id"].item()
    copy.append("history", copy.rows("history", event_id=event))
    return ["history: event doubled", event]


def set_a_facet_back_in_history(copy: Copy) -> list[str]:
    """The content of an older version under the newer one's id."""
    versions = copy.rows("history", record_key=copy.state.one.key(FLIPPED), facet="standing")
    older, newer = versions.sort("sequence").tail(2).iter_slices(1)
    event = newer["event_id"].item()
    set_back = newer.with_columns(standing=older["standing"])
    copy.replace("history", f"event_id = '{event}'", set_back)
    return ["history: event different", event]


def lose_the_newest_version_from_history_and_dataset(copy: Copy) -> list[str]:
    """History and dataset agree with each other, not with the log."""
    key = copy.state.one.key(FLIPPED)
    versions = copy.rows("history", record_key=key, facet="standing").sort("sequence")
    copy.delete("history", f"event_id = '{versions['event_id'][-1]}'")
    before = versions["landed_at"].sort()[-1] - dt.timedelta(microseconds=1)
    older = query(copy.state.exchange.settings, "licence", uscc(FLIPPED), known_at=before)
    copy.replace("datasets", key_is(key), older.filter(record_key=key))
    return ["history: event missing", "dataset: row", key]


def watermark_past_what_history_holds(copy: Copy) -> list[str]:
    """An event is landed, and its bucket says it was settled already."""
    one = copy.state.one
    one.publish([one.licence(60)], "sixty.csv")
    land(copy.settings, "licence")
    event = one_event(copy, key=one.key(60)).row(0, named=True)
    mark = {f"settled:{event['bucket']}": copy.table("log").version() + 1}
    copy.append("history", copy.rows("history").clear(), mark)
    return ["history: event missing", event["event_id"]]


def watermark_in_the_future(copy: Copy) -> list[str]:
    """What is landed next would never be settled."""
    number = one_event(copy)["bucket"].item()
    mark = {f"settled:{number}": copy.table("log").version() + 1000}
    copy.append("history", copy.rows("history").clear(), mark)
    copy.append("datasets", copy.rows("datasets").clear(), mark)
    return [f"bucket {number}"]


def a_dataset_watermark_ahead_of_history(copy: Copy) -> list[str]:
    """What history takes in next would not be folded into the dataset."""
    number = one_event(copy)["bucket"].item()
    mark = {f"settled:{number}": copy.table("log").version() + 1000}
    copy.append("datasets", copy.rows("datasets").clear(), mark)
    return [f"bucket {number}"]


def the_day_of_a_bucket_wrong(copy: Copy) -> list[str]:
    number = one_event(copy)["bucket"].item()
    yesterday = copy.number("datasets", f"day:{number}") - 1
    copy.append("datasets", copy.rows("datasets").clear(), {f"day:{number}": yesterday})
    return ["dataset: row different"]


CORRUPTIONS: tuple[Callable[[Copy], list[str]], ...] = (
    drop_dataset_row,
    double_dataset_row,
    invent_dataset_row,
    set_a_facet_back_in_the_dataset,
    leave_a_stopped_record_in,
    leave_a_corrected_subjects_record_in,
    advance_an_offset,
    set_an_offset_back,
    count_a_message_as_skipped,
    drop_a_log_row,
    drop_a_quarantined_row,
    double_a_log_row,
    change_a_log_row_everywhere,
    say_an_event_was_landed_earlier,
    invent_an_event,
    invent_an_event_beyond_the_end,
    invent_a_topic,
    invent_a_partition,
    put_a_forged_event_in_the_place_of_a_real_one,
    drop_a_history_event,
    double_a_history_event,
    set_a_facet_back_in_history,
    lose_the_newest_version_from_history_and_dataset,
    watermark_past_what_history_holds,
    watermark_in_the_future,
    a_dataset_watermark_ahead_of_history,
    the_day_of_a_bucket_wrong,
)


@pytest.mark.parametrize("spoil", CORRUPTIONS, ids=lambda spoil: spoil.__name__)
def test_a_spoiled_state_is_told_in_the_right_words(
    copy: Copy, spoil: Callable[[Copy], list[str]]
) -> None:
    words = spoil(copy)
    found = copy.verify()
    assert not found.ok
    told = "\n".join(found.differences)
    assert [word for word in words if word not in told] == []


def test_rebuilding_mends_what_the_log_still_knows(copy: Copy) -> None:
    for spoil in (
        double_dataset_row,
        invent_dataset_row,
        leave_a_stopped_record_in,
        drop_a_history_event,
        set_a_facet_back_in_history,
        watermark_in_the_future,
        the_day_of_a_bucket_wrong,
    ):
        spoil(copy)
    assert not copy.verify().ok
    rebuild(copy.settings, "licence")
    assert copy.verify().differences == []


def test_rebuilding_removes_a_row_of_an_enterprise_nobody_ever_published_about(copy: Copy) -> None:
    """Its bucket has no event at all, so nothing but the spoiled row itself points to it."""
    taken = set(copy.rows("log")["bucket"].drop_nulls())
    free = next(number for number in range(64) if number not in taken)
    row = copy.rows("datasets", record_key=copy.state.one.key(PLAIN))
    copy.append("datasets", row.with_columns(bucket=pl.lit(free, pl.Int64)))
    assert not copy.verify().ok
    rebuild(copy.settings, "licence")
    assert copy.verify().differences == []

"""Publishing on a real Kafka: what each row comes to, and what the dataset then says."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from connectors.errors import MiantiError
from connectors.files.unreadable import Unreadable
from connectors.framing import values
from connectors.ledger import Ledger, LedgerUnusable
from connectors.sending import send_all
from connectors.topics import ensure_topic
from flows.publish import Outcome
from flows.publish.edition import BadTime, parse_time
from flows.publish.job import UnknownPublisher
from flows.publish.recognise import NotRecognised
from schemas.contract import BadContract
from schemas.reasons import sentence
from tests.support import kafka as raw
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange, read_csv, write_csv

Row = Mapping[str, Any]
MAY = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def day(number: int) -> dt.datetime:
    """Return an edition of a day in May 2026."""
    return MAY.replace(day=number)


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.read, outcome.published, outcome.unchanged, outcome.refused


def states(exchange: Exchange, family: str = "licence") -> list[tuple[str, str | None]]:
    """Ingest and return (subject, state or why it may not be used) of each row."""
    exchange.ingest(family)
    rows = exchange.dataset(family)
    return list(rows.select("subject", pl.coalesce("unusable_reason", "state")).iter_rows())


def sequences(department: Department, facet: str) -> list[int]:
    return [e["sequence"] for e in department.events() if e["facet"] == facet]


# Flips, corrections, editions


def test_a_state_that_flips_back_is_a_version_each_time(exchange: Exchange) -> None:
    dept = exchange.department()
    flips = [("1", "in_force"), ("2", "suspended"), ("1", "in_force")] * 2
    for number, (code, state) in enumerate(flips, start=1):
        done = dept.publish([dept.licence(1, XK_ZT=code)], f"l-2026050{number}.csv")
        # 有效 after 有效 says nothing new.
        assert counts(done) == ((1, 0, 1, 0) if number == 4 else (1, 1, 0, 0))
        assert states(exchange) == [(uscc(1), state)]
    # Nor does the first 有效.
    said = [e["standing"]["state"] for e in dept.events() if e["facet"] == "standing"]
    assert said == ["suspended", "in_force", "suspended", "in_force"]
    assert sequences(dept, "standing") == [1, 2, 3, 4]
    assert sequences(dept, "decision") == [1]


def test_a_revoked_licence_valid_again_and_revoked_again_has_three_states(
    exchange: Exchange,
) -> None:
    dept = exchange.department()
    for number, code in enumerate("313", start=1):
        done = dept.publish([dept.licence(1, XK_ZT=code)], edition=day(number))
        assert counts(done) == (1, 1, 0, 0)
    assert sequences(dept, "standing") == [1, 2, 3]
    assert states(exchange) == [(uscc(1), "revoked")]


def test_the_very_bytes_of_an_old_file_need_an_edition_to_be_news(exchange: Exchange) -> None:
    dept = exchange.department()
    for code in "12":
        dept.publish([dept.licence(1, XK_ZT=code)])
    again = dept.publish([dept.licence(1, XK_ZT="1")])
    assert again.reasons == {"older_edition": 1}
    later = dt.datetime.now(dt.UTC)
    assert counts(dept.publish([dept.licence(1, XK_ZT="1")], edition=later)) == (1, 1, 0, 0)
    assert states(exchange) == [(uscc(1), "in_force")]


def test_a_mended_row_is_a_new_version_and_the_others_are_unchanged(exchange: Exchange) -> None:
    dept = exchange.department()
    assert counts(dept.publish([dept.licence(n) for n in (1, 2, 3)])) == (3, 3, 0, 0)
    rows = [dept.licence(1), dept.licence(2, XK_NR="散装食品销售"), dept.licence(3)]
    assert counts(dept.publish(rows)) == (3, 1, 2, 0)
    assert [e["sequence"] for e in dept.events() if e["record_key"] == dept.key(2)] == [1, 2]
    exchange.ingest()
    assert exchange.query(subject=uscc(2))["scope"].to_list() == ["散装食品销售"]


def test_a_refused_row_mended_in_the_file_that_came_back_is_published(exchange: Exchange) -> None:
    dept = exchange.department()
    rows = [dept.licence(1), dept.licence(2, XK_XDR_SHXYM="91990100000000020X"[::-1])]
    first = dept.publish(rows, "licences.csv")
    assert counts(first) == (2, 1, 0, 1)
    assert first.refused_file == str(dept.folder / "licences.refused.csv")
    [back] = read_csv(Path(first.refused_file))
    assert back["原行号 row"] == "2"
    assert back["退回原因代码 reason_code"] == next(iter(first.reasons))
    again = dept.publisher.publish_file(Path(first.refused_file))
    assert counts(again) == (1, 0, 0, 1)
    write_csv(Path(first.refused_file), [{**back, "XK_XDR_SHXYM": uscc(2)}])
    assert counts(dept.publisher.publish_file(Path(first.refused_file))) == (1, 1, 0, 0)
    assert [code for code, _ in states(exchange)] == sorted([uscc(1), uscc(2)])


def test_an_old_file_sent_again_sets_nothing_back(exchange: Exchange) -> None:
    dept = exchange.department()
    old = [dept.licence(1), dept.licence(2, XK_ZT="2")]
    new = [dept.licence(1), dept.licence(2, XK_ZT="1")]
    dept.publish(old, "a.csv")
    dept.publish(new, "b.csv")
    before = len(dept.messages())
    again = dept.publish(old, "a.csv")
    assert counts(again) == (2, 0, 1, 1)
    assert again.reasons == {"older_edition": 1}
    assert len(dept.messages()) == before
    assert states(exchange) == sorted([(uscc(1), "in_force"), (uscc(2), "in_force")])


def test_editions_out_of_order_leave_the_newest_in_the_dataset(exchange: Exchange) -> None:
    dept = exchange.department()
    for number, scope in [(2, "二"), (1, "一"), (4, "四"), (3, "三")]:
        rows = [dept.licence(1, XK_NR=scope), dept.licence(number * 10, XK_NR=scope)]
        done = dept.publish(rows, f"licences-2026050{number}.csv")
        # A record that only the older file has is not older than anything.
        assert counts(done) == ((2, 2, 0, 0) if number % 2 == 0 else (2, 1, 0, 1))
    exchange.ingest()
    assert exchange.query(subject=uscc(1))["scope"].to_list() == ["四"]
    assert exchange.dataset().height == 5


def test_two_files_of_one_day_without_an_edition_count_in_the_order_sent(
    exchange: Exchange,
) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(1, XK_NR="上午")], "a.csv")
    assert counts(dept.publish([dept.licence(1, XK_NR="下午")], "b.csv")) == (1, 1, 0, 0)
    exchange.ingest()
    assert exchange.query()["scope"].to_list() == ["下午"]


def test_two_files_named_for_one_day_may_not_contradict_each_other(exchange: Exchange) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(1, XK_NR="上午"), dept.licence(2)], "a-20260501.csv")
    rows = [dept.licence(1, XK_NR="下午"), dept.licence(2), dept.licence(3)]
    done = dept.publish(rows, "b-20260501.csv")
    assert counts(done) == (3, 1, 1, 1)
    assert done.reasons == {"contradictory_published": 1}
    # As the sentence says: with a later edition it goes.
    later = dept.publish(rows, "b-20260501.csv", edition=day(2))
    assert counts(later) == (3, 1, 2, 0)
    exchange.ingest()
    assert exchange.query(subject=uscc(1))["scope"].to_list() == ["下午"]


def test_two_files_named_for_two_hours_of_one_day_follow_each_other(exchange: Exchange) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(1, XK_NR="下午")], "l-20260501-1800.csv")
    assert dept.publish([dept.licence(1, XK_NR="上午")], "l-20260501-0900.csv").reasons == {
        "older_edition": 1
    }
    exchange.ingest()
    assert exchange.query()["scope"].to_list() == ["下午"]


def old_layout(dept: Department, number: int, stamp: str, **changes: Any) -> dict[str, Any]:
    """Return a row of the 2015/16 licence layout, which has an edition column."""
    row = {
        "XK_WSH": f"示许〔2016〕{number}号",
        "XK_XMMC": "食品经营许可",
        "XK_SPLB": "0",
        "XK_NR": "食品销售",
        "XK_XDR": f"示范企业{number}",
        "XK_XDR_SHXYM": uscc(number),
        "XK_JDRQ": "2016/03/01",
        "XK_JZQ": "2099/12/31",
        "XK_XZJG": dept.name,
        "XK_ZT": "0",
        "SJC": stamp,
    }
    return row | changes


def test_several_editions_of_a_record_in_one_file_are_put_in_order(exchange: Exchange) -> None:
    dept = exchange.department()
    rows = [
        old_layout(dept, 1, "2016-06-03 10:00:00", XK_NR="三"),
        old_layout(dept, 1, "2016-06-01 10:00:00", XK_NR="一"),
        old_layout(dept, 1, "2016-06-02 10:00:00", XK_NR="二"),
    ]
    assert counts(dept.publish(rows)) == (3, 3, 0, 0)
    ordered = sorted(dept.events(), key=lambda event: event["sequence"])
    assert [e["decision"]["scope"] for e in ordered] == ["一", "二", "三"]
    exchange.ingest()
    row = exchange.query().row(0, named=True)
    assert (row["scope"], row["valid_to"], row["term"]) == ("三", None, "open_ended")
    again = dept.publish(rows)
    assert (counts(again), again.reasons) == ((3, 0, 1, 2), {"older_edition": 2})


def test_rows_that_contradict_each_other_are_all_refused_naming_the_other(
    exchange: Exchange,
) -> None:
    dept = exchange.department()
    rows = [dept.licence(1, XK_NR="甲"), dept.licence(2), dept.licence(1, XK_NR="乙")]
    done = dept.publish(rows)
    assert counts(done) == (3, 1, 0, 2)
    assert done.reasons == {"contradictory": 2}
    told = {e["__row"]: e["sentence_en"] for e in done.examples}
    assert "row 3" in told[1]
    assert "row 1" in told[3]
    assert counts(dept.publish(rows)) == (3, 0, 1, 2)


def test_rows_that_repeat_one_content_count_once(exchange: Exchange) -> None:
    dept = exchange.department()
    assert counts(dept.publish([dept.licence(1)] * 3)) == (3, 1, 2, 0)
    assert len(dept.events()) == 1


# A record that turns out to be another enterprise's, in a layout that lets it

MOVES = {"subjects": True}


def moving(exchange: Exchange) -> Department:
    """Register a department whose layouts have no enterprise in their keys, and may move records."""
    key = {"columns": ["XK_WSH"], "says": {"en": "the number", "zh": "文号"}}
    layouts = exchange.like("cn-sgs-2018-licence", "moving", record_key=key, moves=MOVES)
    layouts |= exchange.like("cn-sgs-2016-licence", "moving-2016", record_key=key, moves=MOVES)
    layouts |= exchange.like("mianti-licence", "moving-events", moves=MOVES)
    return exchange.department(layouts=layouts)


def test_a_subject_corrected_and_corrected_back(exchange: Exchange) -> None:
    dept = moving(exchange)
    one, two = sorted([uscc(1), uscc(2)])
    turns = [(one, two), (two, one), (one, two), (two, one)]
    for number, (code, other) in enumerate(turns, start=1):
        done = dept.publish(
            [dept.licence(1, XK_XDR_SHXYM=code)], layout="moving", edition=day(number)
        )
        assert counts(done) == (1, 1, 0, 0)
        moved = int(number > 1)
        assert (done.moved, done.withdrawn_elsewhere) == (moved, moved)
        held = dict(states(exchange))
        assert held[code] == "in_force"
        assert held.get(other, "withdrawn") == "withdrawn"
        assert exchange.query(subject=code)["usable"].to_list() == ["yes"]
    exchange.verified()


def test_a_subject_corrected_within_one_file_leaves_the_first_nothing(exchange: Exchange) -> None:
    dept = moving(exchange)
    rows = [
        old_layout(dept, 1, "2016-06-01 10:00:00", XK_XDR_SHXYM=uscc(1)),
        old_layout(dept, 1, "2016-06-02 10:00:00", XK_XDR_SHXYM=uscc(2)),
    ]
    dept.publish(rows, layout="moving-2016")
    assert dict(states(exchange)).get(uscc(2)) == "in_force"
    assert dict(states(exchange)).get(uscc(1), "withdrawn") == "withdrawn"


def test_two_corrections_in_one_file_leave_the_licence_with_the_last_alone(
    exchange: Exchange,
) -> None:
    dept = moving(exchange)
    dept.publish(
        [old_layout(dept, 1, "2016-06-01 10:00:00", XK_XDR_SHXYM=uscc(1))], layout="moving-2016"
    )
    rows = [
        old_layout(dept, 1, "2016-06-02 10:00:00", XK_XDR_SHXYM=uscc(2)),
        old_layout(dept, 1, "2016-06-03 10:00:00", XK_XDR_SHXYM=uscc(3)),
    ]
    dept.publish(rows, layout="moving-2016")
    usable = [code for code, state in states(exchange) if state == "in_force"]
    assert usable == [uscc(3)]


def test_a_subject_corrected_by_a_program_that_numbers_its_events(exchange: Exchange) -> None:
    dept = moving(exchange)
    for sequence, number in [("1", 1), ("2", 2)]:
        row = dept.native(number, record_key=f"{dept.code}/X7", sequence=sequence)
        assert counts(dept.publisher.publish_rows("moving-events", [row])) == (1, 1, 0, 0)
    usable = [code for code, state in states(exchange) if state == "in_force"]
    assert usable == [uscc(2)]


# The ledger: lost, or left behind by a crash


def test_a_lost_ledger_is_read_again_from_the_topic(exchange: Exchange) -> None:
    dept = exchange.department()
    one = [dept.licence(n) for n in (1, 2)]
    two = [dept.licence(1, XK_ZT="2"), dept.licence(2, XK_NR="新")]
    dept.publish(one, "one.csv")
    dept.publish(two, "two.csv")
    dept.lose_ledger()
    before = len(dept.messages())

    assert counts(dept.publish(two, "two.csv")) == (2, 0, 2, 0)
    assert len(dept.messages()) == before

    three = [dept.licence(1, XK_ZT="1"), dept.licence(2, XK_NR="更新")]
    assert counts(dept.publish(three, "three.csv")) == (2, 2, 0, 0)
    assert sequences(dept, "standing") == [1, 2]
    assert sorted(sequences(dept, "decision")) == [1, 1, 2, 3]
    assert states(exchange) == sorted([(uscc(1), "in_force"), (uscc(2), "in_force")])
    exchange.verified()


def test_what_landing_refuses_does_not_count_as_published(exchange: Exchange) -> None:
    """Somebody's message with the publisher's name on it hides none of what it says itself."""
    department = exchange.department()
    department.publish([department.licence(1)])
    exchange.ingest()
    [event] = department.events()
    later = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    forged = event | {"sequence": 2, "decision": event["decision"] | {"scope": "散装食品销售"}}
    forged |= {"edition": later, "file_digest": "0" * 64}
    beyond = event | {"edition": dt.datetime.max.replace(tzinfo=dt.UTC), "record_key": "x" * 9}
    said = (forged, beyond, event | {"subject": "nobody"})
    sent = [(event["subject"].encode(), raw.encode(one, "licence")) for one in said]
    raw.send(exchange.address, department.topic(), sent, partition=0)
    true = department.licence(1, XK_NR="散装食品销售")
    outcome = department.publish([true], "true.csv")
    assert (outcome.published, outcome.refused) == (1, 0)
    exchange.ingest()
    assert exchange.dataset()["scope"].to_list() == ["散装食品销售"]
    assert [event["sequence"] for event in department.events()][-1] == 3
    department.lose_ledger()
    assert department.publish([true], "true.csv").published == 0
    exchange.verified()


def test_after_a_lost_ledger_an_older_file_is_not_taken_for_a_newer_one(
    exchange: Exchange,
) -> None:
    dept = exchange.department()
    old = [dept.licence(1, XK_ZT="2"), dept.licence(2)]
    dept.publish(old, "old.csv")
    dept.publish([dept.licence(1, XK_ZT="1"), dept.licence(2)], "new.csv")
    dept.lose_ledger()
    again = dept.publish(old, "old.csv")
    assert counts(again) == (2, 0, 1, 1)
    assert again.reasons == {"older_edition": 1}
    never_sent = [dept.licence(1, XK_ZT="3"), dept.licence(9)]
    stated = dept.publish(never_sent, "never.csv", edition=day(1))
    assert counts(stated) == (2, 1, 0, 1)
    assert states(exchange) == sorted([(uscc(n), "in_force") for n in (1, 2, 9)])


def test_a_rebuilt_ledger_refuses_what_is_older_than_the_newest_it_finds(
    exchange: Exchange,
) -> None:
    """That a record was unchanged in a newer file is nowhere in Kafka."""
    dept = exchange.department()
    dept.publish([dept.licence(1)], edition=day(1))
    dept.publish([dept.licence(1), dept.licence(2)], "newer.csv", edition=day(5))
    between = [dept.licence(1, XK_ZT="3"), dept.licence(2), dept.licence(3)]
    assert counts(dept.publish(between, "between.csv", edition=day(3), dry_run=True)) == (
        3,
        1,
        1,
        1,
    )
    dept.lose_ledger()
    done = dept.publish(between, "between.csv", edition=day(3))
    assert (counts(done), done.reasons) == ((3, 1, 1, 1), {"older_edition": 1})
    later = dept.publish([dept.licence(1, XK_ZT="3")], "later.csv", edition=day(6))
    assert counts(later) == (1, 1, 0, 0)


def test_a_ledger_put_back_from_a_backup_refuses_what_is_older_than_it_finds(
    exchange: Exchange,
) -> None:
    """It has lost that a record was unchanged in a newer file, as one that was rebuilt."""
    dept = exchange.department()
    dept.publish([dept.licence(1)], edition=day(1))
    ledger = exchange.home / "ledger" / f"{dept.id}.licence.sqlite"
    backup = ledger.read_bytes()
    dept.publish([dept.licence(1), dept.licence(2)], "newer.csv", edition=day(5))
    ledger.write_bytes(backup)
    done = dept.publish([dept.licence(1, XK_ZT="3")], "between.csv", edition=day(3))
    assert (counts(done), done.reasons) == ((1, 0, 0, 1), {"older_edition": 1})
    later = dept.publish([dept.licence(1, XK_ZT="3")], "later.csv", edition=day(6))
    assert counts(later) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    "last", ["note_lost", "write", "note_file", "note_edition", "set_positions", "raise_floors"]
)
def test_a_ledger_whose_rebuilding_crashed_still_refuses_what_is_older(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(1)], edition=day(1))
    dept.publish([dept.licence(1), dept.licence(2)], "newer.csv", edition=day(5))
    dept.lose_ledger()
    between = [dept.licence(1, XK_ZT="3")]
    doing = getattr(Ledger, last)

    def crashing(ledger: Ledger, *given: Any) -> None:
        doing(ledger, *given)
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, last, crashing)
        with pytest.raises(Crash):
            dept.publish(between, "between.csv", edition=day(3))
    done = dept.publish(between, "between.csv", edition=day(3))
    assert (counts(done), done.reasons) == ((1, 0, 0, 1), {"older_edition": 1})


def test_a_crash_loses_nothing_that_could_make_older_files_unsafe(exchange: Exchange) -> None:
    """The ledger had written down what it finds in its topic: no file is refused for that."""
    dept = exchange.department()
    dept.publish([dept.licence(1)], edition=day(1))
    dept.publish([dept.licence(2)], "newer.csv", edition=day(5))
    with closing(sqlite3.connect(exchange.home / "ledger" / f"{dept.id}.licence.sqlite")) as ledger:
        ledger.execute("UPDATE positions SET next = 0")  # sent, and the position not moved
        ledger.commit()
    between = dept.publish([dept.licence(1, XK_ZT="3")], "between.csv", edition=day(3))
    assert counts(between) == (1, 1, 0, 0)


def test_a_damaged_ledger_is_told_and_read_again_once_it_is_moved_away(exchange: Exchange) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(1)])
    ledger = exchange.home / "ledger" / f"{dept.id}.licence.sqlite"
    ledger.write_bytes(b"no database at all" * 1_000)
    with pytest.raises(LedgerUnusable, match="move it away"):
        dept.publish([dept.licence(1)])
    ledger.unlink()
    assert counts(dept.publish([dept.licence(1)])) == (1, 0, 1, 0)


def test_a_lost_ledger_knows_what_was_withdrawn_and_corrected(exchange: Exchange) -> None:
    dept = moving(exchange)
    dept.publish([dept.licence(1), dept.licence(2)], layout="moving")
    dept.publisher.withdraw(f"{dept.code}/示许〔2026〕1号", "公示有误")
    dept.publish([dept.licence(2, XK_XDR_SHXYM=uscc(3))], "corrected.csv", layout="moving")
    dept.lose_ledger()
    rows = [dept.licence(1, XK_NR="新"), dept.licence(2, XK_XDR_SHXYM=uscc(2))]
    done = dept.publish(rows, "back.csv", layout="moving")
    assert counts(done) == (2, 1, 0, 1)
    assert done.reasons == {"withdrawn": 1}
    assert dict(states(exchange)) == {
        uscc(1): "withdrawn",
        uscc(2): "in_force",
        uscc(3): "withdrawn",
    }


class Crash(BaseException):
    """The process ends here: nothing may catch it."""


@pytest.mark.parametrize("when", ["before the first is sent", "before it is confirmed"])
def test_a_publish_that_crashed_is_made_good_by_the_next(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    from flows.publish import deliver

    dept = exchange.department()
    rows = [dept.licence(n, XK_ZT="2") for n in range(1, 21)]
    sending = send_all

    def crashing(*arguments: Any) -> Any:
        if when == "before it is confirmed":
            sending(*arguments)
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(deliver, "send_all", crashing)
        with pytest.raises(Crash):
            dept.publish(rows)

    left = {e["event_id"] for e in dept.events()}
    dept.publish(rows)
    found = dept.events()
    assert len({e["event_id"] for e in found}) == 40
    assert {e["sequence"] for e in found} == {1}
    assert left <= {e["event_id"] for e in found}
    assert states(exchange) == sorted((uscc(n), "suspended") for n in range(1, 21))
    exchange.verified()
    assert counts(dept.publish(rows)) == (20, 0, 20, 0)


def test_a_crash_in_the_middle_of_a_correction_leaves_one_owner(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.publish import deliver

    dept = moving(exchange)
    dept.publish([dept.licence(1)], layout="moving")
    sending = send_all
    calls: list[Any] = []

    def crashing(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise Crash
        return sending(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(deliver, "send_all", crashing)
        with pytest.raises(Crash):
            dept.publish([dept.licence(1, XK_XDR_SHXYM=uscc(2))], layout="moving")
    dept.publish([dept.licence(1, XK_XDR_SHXYM=uscc(2))], layout="moving")
    assert dict(states(exchange)) == {uscc(1): "withdrawn", uscc(2): "in_force"}


def test_a_ledger_written_down_but_never_sent_is_sent_with_the_same_ids(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.publish import deliver

    dept = exchange.department()
    written: list[str] = []

    def crashing(client: Any, topic: str, family: str, records: Any, *_: Any) -> Any:
        written.extend(records["event_id"])
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(deliver, "send_all", crashing)
        with pytest.raises(Crash):
            dept.publish([dept.licence(1)])
    assert dept.events() == []
    assert counts(dept.publish([dept.licence(1)])) == (1, 1, 0, 0)
    assert [e["event_id"] for e in dept.events()] == written


def test_a_crash_loses_no_state_that_a_later_row_of_the_file_replaces(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.publish import deliver

    dept = exchange.department()
    rows = [
        old_layout(dept, 1, f"2016-06-0{day} 10:00:00", XK_NR=text)
        for day, text in enumerate("一二三三", start=1)
    ]

    def crashing(*_: Any) -> Any:
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(deliver, "send_all", crashing)
        with pytest.raises(Crash):
            dept.publish(rows)
    assert counts(dept.publish(rows)) == (4, 3, 1, 0)
    ordered = sorted(dept.events(), key=lambda event: event["sequence"])
    assert [(e["sequence"], e["decision"]["scope"]) for e in ordered] == [
        *((1, "一"), (2, "二"), (3, "三"))
    ]
    again = dept.publish(rows)
    assert (counts(again), again.reasons) == ((4, 0, 2, 2), {"older_edition": 2})


@pytest.mark.parametrize("undo", [False, True])
def test_a_withdrawal_that_crashed_is_sent_by_the_next(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, undo: bool
) -> None:
    from flows.publish import deliver

    dept = exchange.department()
    dept.publish([dept.licence(1)])
    if undo:
        assert dept.publisher.withdraw(dept.key(1), "公示有误")

    def crashing(*_: Any) -> Any:
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(deliver, "send_all", crashing)
        with pytest.raises(Crash):
            dept.publisher.withdraw(dept.key(1), "公示有误", undo=undo)
    assert dept.publisher.withdraw(dept.key(1), "公示有误", undo=undo)
    assert states(exchange) == [(uscc(1), "in_force" if undo else "withdrawn")]
    assert not dept.publisher.withdraw(dept.key(1), "公示有误", undo=undo)


def test_two_publishes_at_once_do_not_mix(exchange: Exchange) -> None:
    from connectors.ledger import LedgerBusy, open_ledger

    dept = exchange.department()
    with (
        open_ledger(exchange.settings.mianti_ledger, dept.id, "licence"),
        pytest.raises(LedgerBusy),
    ):
        dept.publish([dept.licence(1)])


# What is not sent


def test_events_that_are_not_read_as_written_are_not_sent_and_can_be_published_again(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors import sending

    dept = exchange.department()
    rows = [dept.licence(n) for n in range(1, 6)]
    writing = values

    def wrongly(*arguments: Any) -> Any:
        return writing(*arguments).reverse()

    with monkeypatch.context() as broken:
        broken.setattr(sending, "values", wrongly)
        with pytest.raises(sending.NotReadable):
            dept.publish(rows)
    assert dept.events() == []
    assert counts(dept.publish(rows)) == (5, 5, 0, 0)
    assert {event["sequence"] for event in dept.events()} == {1}
    exchange.ingest()
    exchange.verified()


def test_a_dialect_that_cannot_work_sends_nothing_and_mended_it_takes_the_same_file(
    exchange: Exchange,
) -> None:
    shipped = (raw.SCHEMAS / "dialects" / "cn-sgs-2018-licence.yaml").read_text("utf-8")
    term = "      term: {term: XK_YXQZI}\n"
    assert term in shipped
    dept = exchange.department()
    rows = [dept.licence(n) for n in range(1, 6)]
    for name, text in (("faulty", shipped.replace(term, "")), ("mended", shipped)):
        exchange.dialects = exchange.home / name
        exchange.dialects.mkdir()
        (exchange.dialects / "own.yaml").write_text(text, "utf-8")
        if name == "faulty":
            with pytest.raises(BadContract, match=r"own\.yaml: decision\.term: is required"):
                dept.publish(rows)
            assert dept.topic() not in raw.topics(exchange.address)
    assert counts(dept.publish(rows)) == (5, 5, 0, 0)
    exchange.ingest()
    exchange.verified()


def test_a_dry_run_sends_nothing_and_says_what_would_be(exchange: Exchange) -> None:
    dept = exchange.department()
    rows = [dept.licence(1), dept.licence(2, XK_JDRQ="昨天"), dept.licence(1)]
    dry = dept.publish(rows, dry_run=True)
    assert not raw.topics(exchange.address) & {dept.topic(), dept.topic("credit")}
    done = dept.publish(rows)
    assert counts(dry) == counts(done) == (3, 1, 1, 1)
    assert dry.reasons == done.reasons == {"bad_time": 1}
    assert dry.events == 0
    after = dept.publish([*rows, dept.licence(1, XK_NR="新")], dry_run=True)
    assert counts(after) == (4, 0, 0, 4)
    assert len(dept.events()) == 1


def test_a_dry_run_counts_what_the_real_run_counts(exchange: Exchange) -> None:
    dept = exchange.department()
    state = {"facet": "standing", "event_type": "revoked", "standing": {"state": "revoked"}}
    rows = [
        dept.native(1),
        # Of nobody, but for its record, which this very file brings.
        dept.native(1, subject="x", decision=None, **state),
        dept.native(2, subject="x"),
        dept.native(3),
        dept.native(3, decision={"valid_to": "never"}),
    ]
    for name in ("first.json", "again.json"):
        path = dept.folder / name
        path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
        dry = dept.publisher.publish_file(path, layout="mianti-licence", dry_run=True)
        done = dept.publisher.publish_file(path, layout="mianti-licence")
        assert counts(dry) == counts(done)
        assert (dry.excepted, dry.unreadable) == (done.excepted, done.unreadable) == (2, 1)
        assert dry.reasons == done.reasons


def test_a_dry_run_shows_rows_as_events_and_changes_no_file(exchange: Exchange) -> None:
    dept = exchange.department()
    rows = [dept.licence(1, XK_JDRQ="昨天"), dept.licence(2), dept.licence(3, XK_ZT="2")]
    first = dept.publish(rows)
    assert first.refused_file is not None
    mending = Path(first.refused_file)
    mending.write_text(mending.read_text("utf-8-sig").replace("昨天", "2026-01-05"), "utf-8")
    before = {path: path.read_bytes() for path in dept.folder.iterdir()}
    dry = dept.publish(rows, dry_run=True, show=2)
    assert {path: path.read_bytes() for path in dept.folder.iterdir()} == before
    assert dry.refused_file is None
    assert [one["row"] for one in dry.shown] == [2, 3]
    decision, standing = dry.shown[1]["events"]
    assert (decision["subject"], decision["decision"]["number"]) == (uscc(3), "JY000003")
    assert (decision["effective_from"], standing["standing"]) == (
        "2026-01-06",
        {"state": "suspended"},
    )
    assert json.dumps(dry.as_json(), ensure_ascii=False)
    path = dept.folder / "file.csv"
    shown = run(exchange, "publish", str(path), "--publisher", dept.id, "--dry-run", "--show", "2")
    assert "decision.number: JY000003" in shown.stdout
    alone = run(exchange, "publish", str(path), "--publisher", dept.id, "--show", "2")
    assert alone.exit_code == 2


def test_a_refused_file_that_is_being_mended_is_not_written_over(exchange: Exchange) -> None:
    dept = exchange.department()
    rows = [dept.licence(1, XK_JDRQ="昨天"), dept.licence(2)]
    first = dept.publish(rows)
    again = dept.publish(rows)
    assert again.refused_file == first.refused_file
    assert first.refused_file is not None
    mending = Path(first.refused_file)
    mending.write_text(mending.read_text("utf-8-sig").replace("昨天", "2026-01-05"), "utf-8")
    mended = mending.read_bytes()
    third = dept.publish(rows)
    assert mending.read_bytes() == mended
    assert third.refused_file == str(dept.folder / "file.refused.2.csv")
    assert dept.publish(rows).refused_file == third.refused_file


# What the file says beside what is read


def test_all_that_is_wrong_with_a_row_is_told_at_once(exchange: Exchange) -> None:
    dept = exchange.department()
    wrong = dept.licence(
        1, XK_XDR_SHXYM="x", XK_JDRQ="昨天", XK_ZT="77", XK_NR="电话13812345678", XK_XKJGDM=uscc(99)
    )
    outcome = dept.publish([wrong, dept.licence(2)])
    expected = {"code_length", "bad_time", "unknown_code", "personal_data", "issuer_not_owned"}
    assert outcome.reasons == dict.fromkeys(expected, 1)
    assert (outcome.refused, outcome.published) == (1, 1)
    assert {one["code"] for one in outcome.examples} == expected
    assert {one["code"] for one in outcome.as_json()["examples"]} == expected
    assert outcome.refused_file is not None
    [row] = read_csv(Path(outcome.refused_file))
    assert set(row["退回原因代码 reason_code"].split("; ")) == expected
    assert "13812345678" not in row["退回原因 reason"]


def test_an_event_without_the_content_of_its_facet_is_refused(exchange: Exchange) -> None:
    dept = exchange.department()
    event = dept.native(1) | {"facet": "standing", "event_type": "revoked", "decision": None}
    outcome = dept.publisher.publish_rows("mianti-licence", [event])
    assert (outcome.published, outcome.unchanged, outcome.refused) == (0, 0, 1)
    assert outcome.reasons == {"content_mismatch": 1}
    assert outcome.excepted == 1


def test_all_that_is_wrong_with_a_programs_event_is_told_at_once(exchange: Exchange) -> None:
    dept = exchange.department()
    event = dept.native(1, facet="decisive", effective_from="1.2.2026", subject="x")
    event["decision"] |= {"valid_to": "never", "number": "1.10108E+14"}
    outcome = dept.publisher.publish_rows("mianti-licence", [event])
    assert outcome.reasons["bad_value"] == 1
    assert {"code_length", "unknown_code", "number_lost_digits"} <= set(outcome.reasons)
    places = [one["sentence_en"] for one in outcome.examples if one["code"] == "bad_value"]
    assert len(places) == 2


def test_columns_that_are_not_read_are_named(exchange: Exchange) -> None:
    dept = exchange.department()
    row = dept.licence(1) | {"抽查结果": "合格", "许可内容补": "x", "序号": "1"}
    outcome = dept.publish([row], "list.csv")
    assert outcome.published == 1
    assert [(u.column, u.may_mean) for u in outcome.unread_columns] == [
        ("许可内容补", ("XK_NR",)),
        ("抽查结果", ()),
    ]
    path = str(dept.folder / "list.csv")
    done = run(exchange, "publish", path, "--publisher", dept.id)
    assert done.exit_code == 0
    assert "抽查结果" in done.stdout
    told = run(exchange, "publish", path, "--publisher", dept.id, "--json")
    assert json.loads(told.stdout)["unread_columns"][1] == {"column": "抽查结果", "may_mean": []}


def test_a_column_misspelt_refuses_the_file(exchange: Exchange) -> None:
    dept = exchange.department()
    row = dept.licence(1)
    row["有效期起"] = row.pop("XK_YXQZ")
    path = dept.file([row])
    done = run(exchange, "publish", str(path), "--publisher", dept.id)
    assert done.exit_code == 2
    assert "有效期起" in done.stderr
    assert "XK_YXQZ" in done.stderr
    assert "Traceback" not in done.stderr
    row["有效期自 *（必填）"] = row.pop("有效期起")
    assert dept.publish([row]).published == 1
    assert dept.events()[0]["effective_from"] == dt.date(2026, 1, 6)


def test_a_state_that_other_rows_state_is_not_taken_for_granted(exchange: Exchange) -> None:
    dept = exchange.department()
    old = {n: v for n, v in dept.licence(1).items() if n in {"XK_XDR_SHXYM", "XK_WSH", "XK_NR"}} | {
        "XK_XDR": "甲",
        "XK_XMMC": "许可",
        "XK_JZQ": "2031-01-05",
        "XK_XZJG": dept.name,
    }
    rows = [old | {"XK_WSH": f"示许〔2026〕{n}号"} for n in range(1, 5)]
    # The first rows are empty when nobody knows yet that others are not.
    states = ["", "", "0", ""]
    outcome = dept.publish([r | {"XK_ZT": s} for r, s in zip(rows, states, strict=True)], "a.csv")
    assert outcome.reasons == {"state_not_stated": 3}
    assert outcome.published == 1
    assert outcome.excepted == 1
    whole = dept.publish([row | {"XK_ZT": ""} for row in rows], "b.csv")
    assert (whole.refused, whole.published + whole.unchanged) == (0, 4)
    worse = [rows[0] | {"XK_ZT": "", "XK_XDR_SHXYM": "x"}, rows[1] | {"XK_ZT": "0"}]
    assert dept.publish(worse, "c.csv").reasons == {"code_length": 1, "state_not_stated": 1}


def test_a_day_typed_in_a_far_year_is_refused(exchange: Exchange) -> None:
    dept = exchange.department()
    police = exchange.department("police")
    penalty = penalty_row(police)
    assert police.publish([penalty | {"CF_JDRQ": "2062-02-01"}], "p.csv").reasons == {
        "date_in_future": 1
    }
    assert police.publish([penalty], "q.csv").published == 1
    standing = {"facet": "standing", "decision": None, "standing": {"state": "revoked"}}
    event = dept.native(1, event_type="revoked", **standing)
    later = dept.publisher.publish_rows(
        "mianti-licence", [event | {"effective_from": "2062-11-01"}]
    )
    assert later.reasons == {"date_in_future": 1}
    now = dept.publisher.publish_rows("mianti-licence", [event | {"effective_from": "2026-11-01"}])
    assert now.published == 1
    for number, day in enumerate(("1900-01-01", "1899-12-30", "1900-01-00", "1926-02-01")):
        early = police.publish([penalty | {"CF_JDRQ": day}], f"early{number}.csv")
        assert (early.refused, early.excepted) == (1, 1)
    old = dept.licence(4, XK_JDRQ="1899-12-30", XK_ZT="4")
    assert dept.publish([old], "old.csv").reasons == {"date_too_early": 1}
    next_year = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=300)
    begins = dept.licence(2, XK_YXQZ=str(next_year), XK_YXQZI="2099-12-31")
    assert dept.publish([begins], "begins.csv").published == 1
    typed = dept.licence(3, XK_YXQZ="2062-01-06", XK_YXQZI="2099-12-31")
    assert dept.publish([typed], "typed.csv").reasons == {"date_in_future": 1}


def test_permits_numbered_by_their_division_are_published_and_landed(exchange: Exchange) -> None:
    dept = exchange.department()
    numbers = ["农药经许（蒙）15000020001", "13000000527", "C1400002009112120020007"]
    rows = [dept.licence(n, XK_WSH=x, XK_XKBH=x) for n, x in enumerate(numbers, start=1)]
    rows.append(dept.licence(9, XK_XKBH="13812345678"))
    outcome = dept.publish(rows)
    assert (outcome.published, outcome.reasons) == (3, {"personal_data": 1})
    landed = exchange.ingest().landed
    assert landed.reasons == {}
    sent = [event["decision"]["number"] for event in dept.events() if event["decision"]]
    assert sorted(sent) == sorted(numbers)


def test_a_dry_run_with_a_lost_ledger_says_what_would_be(exchange: Exchange) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(1)])
    dept.lose_ledger()
    rows = [dept.licence(1), dept.licence(2)]
    dry = dept.publish(rows, dry_run=True)
    assert counts(dry) == counts(dept.publish(rows))


def test_an_unknown_publisher_is_named_with_those_known(exchange: Exchange) -> None:
    dept = exchange.department()
    from flows.publish import Publisher

    stranger = Publisher("nobody", exchange.settings)
    with pytest.raises(UnknownPublisher, match=dept.id):
        stranger.publish_file(dept.file([dept.licence(1)]))


def test_a_layout_not_recognised_says_what_was_seen_and_what_comes_near(
    exchange: Exchange,
) -> None:
    dept = exchange.department()
    row = dept.licence(1)
    del row["XK_YXQZI"]
    with pytest.raises(NotRecognised) as told:
        dept.publish([row | {"备用": "x"}])
    for text in ("XK_WSH", "备用", "cn-sgs-2018-licence", "XK_YXQZI", "--layout"):
        assert text in told.value.message_en
        assert text in told.value.message_zh
    with pytest.raises(NotRecognised, match="cn-sgs-2018-licence"):
        dept.publish([dept.licence(1)], layout="cn-tax-a-list")


def test_a_file_without_a_header_is_not_repeated_in_the_message(exchange: Exchange) -> None:
    dept = exchange.department()
    path = dept.folder / "headless.csv"
    path.write_text("示范企业,13800138000,110105194912310021\n" * 3, "utf-8")
    with pytest.raises(MiantiError) as told:
        dept.publisher.publish_file(path)
    assert "13800138000" not in str(told.value)


def test_a_header_that_fits_two_layouts_asks_which(exchange: Exchange) -> None:
    shipped = (raw.SCHEMAS / "dialects" / "cn-sgs-2018-licence.yaml").read_text("utf-8")
    exchange.dialects = exchange.home / "dialects"
    exchange.dialects.mkdir()
    twin = shipped.replace("id: cn-sgs-2018-licence", "id: twin")
    (exchange.dialects / "twin.yaml").write_text(twin, "utf-8")
    dept = exchange.department()
    codes = dept.line["layouts"]["cn-sgs-2018-licence"]
    dept.line["layouts"] = {"cn-sgs-2018-licence": codes, "twin": codes}
    with pytest.raises(NotRecognised, match="cn-sgs-2018-licence, twin"):
        dept.publish([dept.licence(1)])
    assert counts(dept.publish([dept.licence(1)], layout="twin")) == (1, 1, 0, 0)


def test_a_code_list_that_is_not_named_is_asked_for(exchange: Exchange) -> None:
    dept = exchange.department()
    dept.line["layouts"] = {"cn-sgs-2018-licence": {}}
    with pytest.raises(BadContract, match=r"(?s)category, which.*state, which"):
        dept.publish([dept.licence(1)])


def test_an_unknown_code_refuses_the_row(exchange: Exchange) -> None:
    dept = exchange.department()
    done = dept.publish([dept.licence(1, XK_ZT="7"), dept.licence(2)])
    assert counts(done) == (2, 1, 0, 1)
    assert done.reasons == {"unknown_code": 1}


def test_a_row_too_large_for_kafka_does_not_stop_the_others(exchange: Exchange) -> None:
    dept = exchange.department()
    long = "\U00020000" * 19_000  # a rare character has four bytes
    fields = ("number", "document_number", "document_name", "name", "type_code", "category",
              "subject_name", "subject_category", "scope", "identifier", "data_source",
              "data_source_code", "remarks")  # fmt: skip
    extra = {"addresses": [{"kind": "other", "text": long}], "previous_identifiers": [long]}
    large = dept.native(1, decision=dict.fromkeys(fields, long) | extra)
    done = dept.publisher.publish_rows("mianti-licence", [large, dept.native(2)])
    assert counts(done) == (2, 1, 0, 1)


def test_a_file_that_cannot_be_read_is_refused_whole(exchange: Exchange) -> None:
    dept = exchange.department()
    path = dept.folder / "broken.xlsx"
    path.write_bytes(b"PK\x03\x04" + bytes(200))
    with pytest.raises(Unreadable):
        dept.publisher.publish_file(path)
    # The topic has only the statements that nobody is exempted until the file is published.
    assert dept.events() == []
    held = raw.events(exchange.address, dept.topic())
    assert {one["statement"]["unnamed"] for one in held} == {1}


def test_a_kafka_that_does_not_answer_is_told_in_a_sentence(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.publish import Publisher

    monkeypatch.setitem(KafkaAdminClient.DEFAULT_CONFIG, "bootstrap_timeout_ms", 500)
    dept = exchange.department()
    settings = exchange.settings_with(kafka_bootstrap_servers="127.0.0.1:1")
    with pytest.raises(MiantiError):
        Publisher(dept.id, settings).publish_file(dept.file([dept.licence(1)]))


def test_times_that_are_none_are_told() -> None:
    assert parse_time("2026-05-01", "--edition") == dt.datetime(2026, 4, 30, 16, tzinfo=dt.UTC)
    with pytest.raises(BadTime, match="--edition"):
        parse_time("yesterday", "--edition")


# Completeness


def complete(exchange: Exchange, dept: Department, family: str = "licence") -> Any:
    from flows.status import status

    told = status(exchange.settings, family).complete_through
    return told.get(dept.id, {}).get("cn-sgs-2018-licence")


def test_an_empty_file_may_say_that_nothing_is_missing(exchange: Exchange) -> None:
    dept = exchange.department()
    path = dept.file([dept.licence(1)])
    path.write_text(path.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    done = dept.publisher.publish_file(path, complete_through=day(1))
    assert counts(done) == (0, 0, 0, 0)
    assert complete(exchange, dept) is None
    exchange.ingest()
    assert complete(exchange, dept) == day(1).isoformat()
    assert exchange.dataset().height == 0


def test_completeness_holds_only_once_landed_from_every_partition(exchange: Exchange) -> None:
    dept = exchange.department()
    ensure_topic(exchange.settings, dept.topic())
    rows = [dept.licence(n) for n in range(1, 30)]
    # An open transaction holds one partition back: what follows it is not given to readers.
    with raw.producer(exchange.address, transactional_id=f"{dept.id}-holds") as holding:
        holding.init_transactions()
        for number, before in [(1, None), (2, day(1).isoformat())]:
            holding.begin_transaction()
            holding.send(dept.topic(), key=b"k", value=b"held", partition=2).get(timeout=30)
            dept.publish(rows[number:], f"{number}.csv", complete_through=day(number))
            exchange.ingest()
            assert complete(exchange, dept) == before
            holding.abort_transaction()
            exchange.ingest()
            assert complete(exchange, dept) == day(number).isoformat()


def test_a_file_that_states_nothing_leaves_completeness_alone(exchange: Exchange) -> None:
    dept = exchange.department()
    rows = [dept.licence(1)]
    dept.publish(rows, complete_through=day(1))
    dept.publish(rows, complete_through=day(2))
    dept.publish(rows, complete_through=day(2))
    dept.publish(rows)
    exchange.ingest()
    assert complete(exchange, dept) == day(2).isoformat()


# Withdrawing


def test_a_withdrawn_record_leaves_its_key_and_the_reason_and_comes_back(
    exchange: Exchange,
) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(1), dept.licence(2)])
    exchange.ingest()
    assert dept.publisher.withdraw(dept.key(1), "公示有误")
    assert not dept.publisher.withdraw(dept.key(1), "公示有误")
    assert dict(states(exchange)) == {uscc(1): "withdrawn", uscc(2): "in_force"}
    [row] = exchange.query(subject=uscc(1)).iter_rows(named=True)
    assert (row["record_key"], row["number"], row["scope"]) == (dept.key(1), None, None)
    blocked = dept.publish([dept.licence(1, XK_NR="新"), dept.licence(2)])
    assert counts(blocked) == (2, 0, 1, 1)
    assert blocked.reasons == {"withdrawn": 1}
    assert dept.publisher.withdraw(dept.key(1), "原公示正确", undo=True)
    assert not dept.publisher.withdraw(dept.key(1), "原公示正确", undo=True)
    assert dict(states(exchange)) == {uscc(1): "in_force", uscc(2): "in_force"}


def test_what_is_withdrawn_after_a_correction_is_the_present_owners(exchange: Exchange) -> None:
    dept = moving(exchange)
    key = f"{dept.code}/X7"

    def say(number: int, facet: str, event_type: str, content: Row) -> None:
        row = dept.native(number, record_key=key, facet=facet, event_type=event_type)
        row.pop("decision")
        dept.publisher.publish_rows("moving-events", [row | {facet: content}])

    say(1, "decision", "granted", {"number": "X7"})
    for state in ("suspended", "in_force", "suspended", "in_force"):
        say(1, "standing", "status_stated", {"state": state})
    say(2, "decision", "changed", {"number": "X7"})
    assert dict(states(exchange)) == {uscc(1): "withdrawn", uscc(2): "in_force"}
    dept.publisher.withdraw(key, "公示有误")
    assert dict(states(exchange)) == {uscc(1): "withdrawn", uscc(2): "withdrawn"}


def test_a_mistyped_key_is_answered_with_like_ones(exchange: Exchange) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(17)])
    with pytest.raises(MiantiError) as told:
        dept.publisher.withdraw("示许〔2026〕17", "x")
    assert dept.key(17) in told.value.message_en
    with pytest.raises(MiantiError):
        dept.publisher.withdraw(dept.key(17), "打电话 13800138000")


# What reaches Kafka


def test_the_shape_of_the_messages(exchange: Exchange) -> None:
    dept = exchange.department()
    path = dept.file([dept.licence(n, XK_ZT="2") for n in range(1, 9)])
    dept.publisher.publish_file(path)
    found = dept.messages()
    assert len(found) == 16
    for message in found:
        event = raw.decode(message.value, "licence")
        assert message.value[:5] == b"\x00\x00\x00\x00\x05"
        assert message.key == event["subject"].encode()
        assert message.headers == [
            ("ce_specversion", b"1.0"),
            ("ce_id", event["event_id"].encode()),
            ("ce_source", f"/mianti/publishers/{dept.id}".encode()),
            ("ce_type", f"mianti.licence.{event['facet']}".encode()),
        ]
        assert message.timestamp_type == 1  # LogAppendTime
        assert event["publisher"] == dept.id
        assert event["layout"] == "cn-sgs-2018-licence"
        assert event["layout_version"] == "2018"
        assert event["file_digest"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert event["file_row"] in range(1, 9)
        assert event["edition"] is not None
    assert len({e["event_id"] for e in dept.events()}) == 16
    parts = {message.partition: message for message in found}
    assert len(parts) > 1


def test_the_topic_is_made_as_stated(exchange: Exchange) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(1)])
    with raw.admin(exchange.address) as client:
        [topic] = client.describe_topics([dept.topic()])
        resource = ConfigResource(ConfigResourceType.TOPIC, dept.topic())
        settings = client.describe_configs([resource])
    assert len(topic["partitions"]) == 4
    text = json.dumps(settings, default=str)
    for name, value in [
        ("message.timestamp.type", "LogAppendTime"),
        ("cleanup.policy", "delete"),
        ("retention.ms", "-1"),
    ]:
        assert name in text
        assert value in text


def test_messages_come_from_an_idempotent_producer(exchange: Exchange) -> None:
    dept = exchange.department()
    dept.publish([dept.licence(n) for n in range(1, 30)])
    parts = [TopicPartition(dept.topic(), number) for number in range(4)]
    with raw.admin(exchange.address) as client:
        told = str(client.describe_producers(parts))
    assert "producer_id" in told


# From a program


def test_a_program_publishes_mianti_events(exchange: Exchange) -> None:
    dept = exchange.department()
    rows = [
        dept.native(1),
        dept.native(2, decision={"number": "2", "category": 5}),
        dept.native(3, decision={"unknown": "x"}),
        dept.native(4, event_type="invented"),
        dept.native(5, record_key="other/5"),
        dept.native(6, subject=uscc(6).lower(), effective_from="2026-01-01", sequence=7),
    ]
    done = dept.publisher.publish_rows("mianti-licence", rows)
    assert counts(done) == (6, 2, 0, 4)
    assert done.reasons == {"bad_value": 2, "unknown_code": 1, "key_without_issuer": 1}
    assert {e["sequence"] for e in dept.events()} == {1, 7}
    assert states(exchange) == sorted([(uscc(1), "in_force"), (uscc(6), "in_force")])
    assert counts(dept.publisher.publish_rows("mianti-licence", rows)) == (6, 0, 2, 4)


def test_a_sequence_used_for_two_contents_is_refused(exchange: Exchange) -> None:
    dept = exchange.department()
    dept.publisher.publish_rows("mianti-licence", [dept.native(1, sequence=3)])
    other = dept.native(1, sequence=3, decision={"number": "other"})
    done = dept.publisher.publish_rows("mianti-licence", [other])
    assert done.reasons == {"contradictory_published": 1}


def test_the_program_publishes_a_department_layout_too(exchange: Exchange) -> None:
    dept = exchange.department()
    done = dept.publisher.publish_rows(
        "cn-sgs-2018-licence", [dept.licence(1), dept.licence(2, XK_YXQZI=dt.date(2030, 1, 1))]
    )
    assert counts(done) == (2, 2, 0, 0)
    # The same rows as a file: the same events.
    rows = [dept.licence(1), dept.licence(2, XK_YXQZI="2030/1/1")]
    assert counts(dept.publish(rows)) == (2, 0, 2, 0)


# Files


def test_one_content_in_five_kinds_of_file_is_published_once(exchange: Exchange) -> None:
    dept = exchange.department()
    rows = [dept.licence(1), dept.licence(2, XK_NR='第一行\n第二行,"引号"', XK_YXQZI="2099/12/31")]
    paths = [
        dept.file(rows, "utf8.csv"),
        write_csv(dept.folder / "bom.csv", rows, "utf-8-sig"),
        write_csv(dept.folder / "gb.csv", rows, "gb18030"),
        write_xlsx(dept.folder / "book.xlsx", rows),
        dept.folder / "array.json",
        dept.folder / "lines.jsonl",
    ]
    paths[4].write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    paths[5].write_text("\n".join(lines) + "\n", "utf-8")
    outcomes = [counts(dept.publisher.publish_file(path)) for path in paths]
    assert outcomes == [(2, 2, 0, 0)] + [(2, 0, 2, 0)] * 5
    exchange.ingest()
    assert exchange.query(subject=uscc(2))["term"].to_list() == ["open_ended"]


def write_xlsx(path: Path, rows: Sequence[Row]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    book.save(path)
    return path


def test_a_wrong_character_refuses_its_row_alone(exchange: Exchange) -> None:
    dept = exchange.department()
    path = dept.file([dept.licence(n) for n in (1, 2, 3)])
    data = path.read_bytes()
    path.write_bytes(data.replace("示范企业2有限公司".encode(), b"\xff\xfe\xff"))
    done = dept.publisher.publish_file(path)
    assert counts(done) == (3, 2, 0, 1)
    assert done.reasons == {"bad_character": 1}


def test_a_large_file_goes_through_in_parts(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.publish import spill

    dept = exchange.department()
    parts: list[int] = []
    counted = spill.Spill.parts

    def counting(self: spill.Spill) -> Any:
        for frame in counted(self):
            parts.append(frame.height)
            yield frame

    monkeypatch.setattr(spill, "PART_BYTES", 2 << 20)
    monkeypatch.setattr(spill.Spill, "parts", counting)
    columns = ("XK_XDR_MC", "XK_XDR_SHXYM", "XK_WSH", "XK_YXQZI", "XK_XKJGDM", "XK_ZT", "XK_NR")
    rows = [{c: dept.licence(n % 3000)[c] for c in columns} for n in range(60_000)]
    # 3,000 records repeated twenty times; three contradict themselves at the far ends.
    for first, last in [(0, 57_000), (1, 57_001), (2, 57_002)]:
        rows[last] = rows[first] | {"XK_NR": "另一种内容"}
    done = dept.publish(rows)
    assert len(parts) > 1
    assert done.read == 60_000
    assert done.reasons == {"contradictory": 60}
    assert (done.published, done.unchanged) == (2997, 60_000 - 60 - 2997)
    assert done.events == 2997
    exchange.ingest()
    assert exchange.dataset().height == 2997


# The command


def penalty_row(police: Department) -> dict[str, str]:
    return {
        "CF_XDR_MC": "示范企业1有限公司",
        "CF_XDR_SHXYM": uscc(1),
        "CF_WSH": "示罚〔2026〕1号",
        "CF_CFLB": "责令停产停业",
        "CF_JDRQ": "2026-02-01",
        "CF_GSJZQ": "2029-02-01",
        "CF_CFJG": police.name,
        "CF_CFJGDM": police.code,
    }


def run(exchange: Exchange, *words: str) -> Any:
    from click.testing import CliRunner

    from deploy.cli.main import cli

    return CliRunner(env=exchange.environment).invoke(cli, list(words), prog_name="mianti")


def test_the_command_tells_its_outcome_by_its_exit_code(exchange: Exchange) -> None:
    dept = exchange.department()
    good = dept.file([dept.licence(1)], "good.csv")
    bad = dept.file([dept.licence(2), dept.licence(3, XK_XDR_SHXYM="x")], "bad.csv")
    unreadable = dept.folder / "old.xls"
    unreadable.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    told = {}
    for name, path in [("good", good), ("bad", bad), ("none", unreadable), ("again", good)]:
        told[name] = run(exchange, "publish", str(path), "--publisher", dept.id, "--json")
    assert {name: one.exit_code for name, one in told.items()} == {
        "good": 0,
        "bad": 3,
        "none": 2,
        "again": 3,  # the others wait to be mended
    }
    shown = json.loads(told["bad"].stdout)
    assert shown["reasons"] == {"code_length": 1}
    assert Path(shown["refused_file"]).exists()
    assert shown["edition"] is not None
    words = sentence("code_length", "XK_XDR_SHXYM")
    refusal = {
        "place": "2",
        "code": "code_length",
        "sentence_en": words.en,
        "sentence_zh": words.zh,
    }
    assert shown | {"seconds": 0, "edition": None} == {
        "edition": None,
        "skipped": 0,
        "left_sheets": [],
        "hidden_sheets": [],
        "not_complete": [],
        "notes": [],
        "complete_through": None,
        "complete_before": None,
        "read": 2,
        "published": 1,
        "unchanged": 0,
        "refused": 1,
        "reasons": {"code_length": 1},
        "excepted": 1,
        "unreadable": 1,
        "moved": 0,
        "withdrawn_elsewhere": 0,
        "merged": 0,
        "corrected": 0,
        "everyone": 0,
        "held": {"code_length": 1},
        "refused_file": str(dept.folder / "bad.refused.csv"),
        "seconds": 0,
        "unread_columns": [],
        "examples": [{"row": 2, "place": "2", **refusal}],
    }
    assert json.loads(told["good"].stdout)["refused_file"] is None
    assert set(json.loads(told["again"].stdout)["held"]) == {"code_length", "Unreadable"}
    assert told["none"].stdout == ""
    assert ".xls" in told["none"].stderr
    assert "Traceback" not in told["none"].stderr


def test_the_command_takes_several_files_and_one_bad_one_does_not_stop_them(
    exchange: Exchange,
) -> None:
    dept = exchange.department()
    one = dept.file([dept.licence(1)], "one.csv")
    two = dept.file([dept.licence(1), dept.licence(2)], "two.csv")
    words = ["publish", str(one), str(dept.folder / "gone.csv"), str(two)]
    done = run(exchange, *words, "--publisher", dept.id, "--json")
    assert done.exit_code == 3
    shown = json.loads(done.stdout)
    assert [shown[n] for n in ("read", "published", "unchanged", "refused")] == [3, 2, 1, 0]
    assert "gone.csv" in done.stderr
    none = run(exchange, "publish", str(dept.folder / "x"), str(dept.folder / "y"),
               "--publisher", dept.id)  # fmt: skip
    assert none.exit_code == 2


def test_the_command_speaks_to_people(exchange: Exchange) -> None:
    dept = exchange.department()
    path = dept.file([dept.licence(1), dept.licence(2, XK_JDRQ="昨天")])
    dry = run(exchange, "publish", str(path), "--publisher", dept.id, "--dry-run")
    assert dry.exit_code == 3
    done = run(exchange, "publish", str(path), "--publisher", dept.id)
    assert done.exit_code == 3
    for text in ("读取 2", "发布 1", "退回 1", "bad_time", "XK_JDRQ", "file.refused.csv"):
        assert text in done.stdout
    wrong = run(exchange, "publish", str(path), "--publisher", dept.id, "--edition", "gestern")
    assert wrong.exit_code == 2
    nobody = run(exchange, "publish", str(path), "--publisher", "nobody")
    assert nobody.exit_code == 2
    assert dept.id in nobody.stderr


def test_the_commands_of_a_day(exchange: Exchange) -> None:
    dept = exchange.department()
    path = dept.file([dept.licence(1), dept.licence(2)])
    assert run(exchange, "publish", str(path), "--publisher", dept.id).exit_code == 0
    landed = run(exchange, "ingest", "licence", "--json")
    assert landed.exit_code == 0
    assert json.loads(landed.stdout)["licence"]["accepted"] == 2
    gone = run(exchange, "withdraw", dept.key(1), "--publisher", dept.id, "--reason", "公示有误")
    assert gone.exit_code == 0
    again = run(exchange, "withdraw", dept.key(1), "--publisher", dept.id, "--reason", "公示有误")
    assert (again.exit_code, "无需更改" in again.stdout) == (0, True)
    unknown = run(exchange, "withdraw", "no/such", "--publisher", dept.id, "--reason", "x")
    assert unknown.exit_code == 2
    # Not ingested yet: the question includes the unsettled tail.
    asked = run(exchange, "query", "licence", "--subject", uscc(1).lower(), "--json")
    assert asked.exit_code == 0
    landed = run(exchange, "ingest", "--json")
    assert list(json.loads(landed.stdout)) == ["registration", "licence", "credit"]
    asked = run(exchange, "query", "licence", "--subject", uscc(1), "--json")
    [row] = [json.loads(line) for line in asked.stdout.splitlines()]
    assert (row["usable"], row["unusable_reason"], row["number"]) == ("no", "withdrawn", None)
    undone = run(exchange, "withdraw", dept.key(1), "--undo", "--publisher", dept.id,
                 "--reason", "原公示正确")  # fmt: skip
    assert undone.exit_code == 0
    run(exchange, "ingest", "licence")
    rebuilt = run(exchange, "rebuild", "licence")
    assert rebuilt.exit_code == 0
    assert exchange.dataset()["usable"].to_list() == ["yes", "yes"]
    status = run(exchange, "status", "--json")
    shown = json.loads(status.stdout)["licence"]
    assert (shown["lag"], shown["accepted"], shown["dataset_rows"]) == (0, 4, 2)
    verified = run(exchange, "verify", "--json")
    assert verified.exit_code == 0
    assert json.loads(verified.stdout)["ok"] is True

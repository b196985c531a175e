"""The window's replica: what followed equals what was built anew, and both equal the lake."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors import lake
from connectors.replica import NoReplica, Replica, ReplicaBusy
from connectors.topics import PARTITIONS
from flows.fold import whole
from flows.fold_rows import whole_rows
from flows.query import versions
from flows.replica import AWAY, Followed, Follower, LogGone, place, rebuild
from schemas.avro import FAMILIES
from schemas.bucket import BUCKETS
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.window import Window, penalty

ON = dt.date(2026, 6, 1)
HELD = pl.Schema(
    {
        "publisher": pl.String(),
        "topic": pl.String(),
        "partition": pl.Int64(),
        "offset": pl.Int64(),
        "closed": pl.Boolean(),
        "landed_at": pl.Datetime("us", "UTC"),
        "subject": pl.String(),
    }
)


@pytest.fixture
def window(exchange: Exchange) -> Window:
    return Window(exchange)


@contextmanager
def opened(window: Window) -> Iterator[Replica]:
    replica = place(window.settings).open()
    try:
        yield replica
    finally:
        replica.close()


def step(window: Window) -> Followed:
    with place(window.settings).alone(), closing(Follower(window.settings)) as follower:
        return follower.step()


def contents(window: Window) -> dict[str, list[Any]]:
    """Return every row of the tables that followers fill."""
    database = sqlite3.connect(place(window.settings).path())
    try:
        tables = ("versions", "statements", "names")
        columns = {"statements": "family, landed_at, body"}
        return {
            table: sorted(database.execute(f"SELECT {columns.get(table, '*')} FROM {table}"))
            for table in tables
        }
    finally:
        database.close()


def test_what_followed_equals_what_was_built_anew_and_the_lake(window: Window) -> None:
    window.publish(window.food.licence(1), window.food.licence(2))
    assert step(window).rebuilt
    window.publish(window.food.licence(1, XK_ZT="3"), window.food.licence(3))
    window.punish(penalty(window.police))
    done = step(window)  # credit is new: it has no position to follow from
    window.publish(window.food.licence(1))
    window.punish(penalty(window.police, 2))
    done = step(window)
    assert not done.rebuilt
    assert done.versions == 2 + 2 * PARTITIONS, "two events, and the word of two departments"
    followed = contents(window)
    assert len(followed["versions"]) == 7
    with place(window.settings).alone():
        assert rebuild(window.settings) == sum(
            map(len, (followed[t] for t in ("versions", "statements")))
        )
    assert [len(rows) for rows in contents(window).values()] == [len(r) for r in followed.values()]
    for family in FAMILIES:
        landed = versions(window.settings, family, list(range(BUCKETS)))
        expected = whole(landed, family, ON).to_dicts()
        assert (family == "registration") == (expected == [])
        with opened(window) as replica:
            told = [
                row
                for subject in sorted(landed["subject"].unique())
                for row in whole_rows(replica.versions(subject).get(family, []), family, ON)
            ]
        assert told == expected


def test_nothing_is_taken_in_twice(window: Window) -> None:
    window.publish(window.food.licence(1))
    step(window)
    before = contents(window)
    assert step(window).versions == 0
    window.publish(window.food.licence(1))  # unchanged: but the department's word is new
    assert step(window).versions == PARTITIONS
    assert contents(window)["versions"] == before["versions"]


def test_position_and_data_are_written_together_or_not_at_all(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.publish(window.food.licence(1))
    step(window)
    with opened(window) as replica:
        before = replica.positions()["licence"].version, contents(window)
    window.publish(window.food.licence(2))
    for broken in ("add", "move"):
        with monkeypatch.context() as crash:
            kept = getattr(Replica, broken)

            def fail(self: Replica, *given: Any, kept: Any = kept) -> None:
                kept(self, *given)
                raise KeyboardInterrupt

            crash.setattr(Replica, broken, fail)
            with pytest.raises(KeyboardInterrupt):
                step(window)
        with opened(window) as replica:
            assert (replica.positions()["licence"].version, contents(window)) == before
    assert step(window).versions == 1 + PARTITIONS
    assert len(contents(window)["versions"]) == 2


def test_a_lake_made_anew_is_not_followed_from_the_old_position(window: Window) -> None:
    window.publish(window.food.licence(1))
    step(window)
    if window.settings.mianti_lake.startswith("s3://"):
        window.exchange.lake += "-again"
    else:
        shutil.rmtree(window.settings.mianti_lake)
    window.exchange.ingest()
    done = step(window)
    assert done.rebuilt
    assert len(contents(window)["versions"]) == 1


def test_what_is_landed_while_the_log_is_read_waits_for_its_position(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.publish(window.food.licence(1))
    step(window)
    read = lake.added_since

    def late(*given: Any) -> Any:
        monkeypatch.undo()  # publishing reads the log in the same way
        window.publish(window.food.licence(3))
        return read(*given)

    window.publish(window.food.licence(2))
    monkeypatch.setattr(lake, "added_since", late)
    assert step(window).versions == 1 + PARTITIONS
    with opened(window) as replica:
        position = replica.positions()["licence"]
        newest = [
            version["landed_at"]
            for subject in (uscc(1), uscc(2), uscc(3))
            for version in replica.versions(subject).get("licence", [])
        ]
        assert len(newest) == 2
        assert max(newest) <= position.landed_at
    assert step(window).versions == 1 + PARTITIONS


def test_a_lake_that_is_gone_is_not_a_lake_without_news(window: Window) -> None:
    if window.settings.mianti_lake.startswith("s3://"):
        pytest.xfail("a bucket is not moved")
    window.publish(window.food.licence(1))
    lake = Path(window.settings.mianti_lake)
    with place(window.settings).alone(), closing(Follower(window.settings)) as follower:
        follower.step()
        follower.step()
        with opened(window) as replica:
            before = replica.positions()["licence"].seen_at
        lake.rename(lake.with_name("away"))
        with pytest.raises(LogGone, match="MIANTI_LAKE"):
            follower.step()
        follower.step()  # opened anew, there is none: nothing is seen
        with opened(window) as replica:
            assert replica.positions()["licence"].seen_at == before
        lake.with_name("away").rename(lake)
        follower.step()
        with opened(window) as replica:
            assert replica.positions()["licence"].seen_at > before


def test_who_was_away_beyond_its_lease_builds_anew(window: Window) -> None:
    window.publish(window.food.licence(1))
    step(window)
    with opened(window) as replica:
        replica.seen("licence", dt.datetime.now(dt.UTC) - AWAY - dt.timedelta(minutes=1))
    assert step(window).rebuilt
    assert not step(window).rebuilt


def test_a_replica_of_another_release_is_told_and_built_anew(window: Window) -> None:
    window.publish(window.food.licence(1))
    step(window)
    database = sqlite3.connect(place(window.settings).path())
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(NoReplica, match="mianti window rebuild"):
        place(window.settings).open()
    assert step(window).rebuilt


def test_one_process_follows_at_a_time(window: Window) -> None:
    with place(window.settings).alone(), pytest.raises(ReplicaBusy):
        step(window)


def test_a_rebuild_that_breaks_leaves_the_old_one(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.publish(window.food.licence(1))
    step(window)
    before = contents(window)

    def fail(_: Replica) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Replica, "finish", fail)
    with place(window.settings).alone(), pytest.raises(OSError, match="no space"):
        rebuild(window.settings)
    assert contents(window) == before
    assert len([*place(window.settings).folder.glob("*.db")]) == 1


def test_a_name_is_found_by_any_part_of_it(tmp_path: Any) -> None:
    from connectors.replica import Place, prepared
    from flows.log import history_columns

    rows = [
        {
            "event_id": str(number),
            "subject": uscc(number),
            "facet": "decision",
            "landed_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            "decision": {"name": name},
        }
        for number, name in enumerate(
            ["示范市恒远物业服务有限公司", "恒远_100%建筑公司", 'ACME "x" 公司']
        )
    ]
    frame = pl.DataFrame(rows, schema=history_columns("registration"))
    where = Place(tmp_path)
    with where.alone(), where.built() as new:
        new.add(prepared("registration", frame, pl.DataFrame(schema=HELD)))
    with closing(where.open()) as replica:

        def found(text: str) -> list[str]:
            return [subject for subject, _ in replica.named(text, 20)]

        assert found("恒远物业") == [uscc(0)]
        assert found("建筑公") == [uscc(1)]
        assert uscc(1) in found("100%建")
        assert found('"x"') == [uscc(2)]
        assert found("acme") == [uscc(2)]
        assert found(uscc(1)[:12].lower()) == [
            uscc(n) for n in range(3) if uscc(n)[:12] == uscc(1)[:12]
        ]
        assert found("没有的名") == []
        assert found("'; DROP TABLE names; --") == []

"""The heartbeat of landing: when it is written, when it holds, and what a replica takes from it."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from kafka import TopicPartition

from connectors import lake
from connectors.heartbeat import (
    Commit,
    Heartbeat,
    held_through,
    is_in_log,
    newest_commit,
    read_heartbeat,
    write_heartbeat,
)
from connectors.replica import Position
from connectors.settings import Settings
from flows.land import Written
from flows.replica import heard

NOW = dt.datetime(2026, 6, 1, 4, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)
FAMILY = "licence"
COMMIT = Commit(version=3, digest="0" * 64)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(mianti_home=tmp_path)


def log_of(settings: Settings, rows: int = 1) -> DeltaTable:
    """Return a log to which something was appended."""
    columns = pl.Schema({"number": pl.Int64(), "verdict": pl.String()})
    table = lake.ensure_table(settings, "log", FAMILY, columns, ["verdict"])
    frame = pl.DataFrame({"number": range(rows), "verdict": "accepted"}, schema=columns)
    lake.append(table, frame, {"offset:t:0": table.version() + 1})
    table.update_incremental()
    return table


def beat(settings: Settings, through: dt.datetime, now: dt.datetime = NOW) -> None:
    table = lake.open_table(settings, "log", FAMILY)
    assert table is not None
    write_heartbeat(settings, FAMILY, Heartbeat(through=through, commit=newest_commit(table)), now)


def through(settings: Settings) -> dt.datetime | None:
    found = read_heartbeat(settings, FAMILY)
    return found.through if found is not None else None


def test_it_is_one_small_file_and_no_commit(settings: Settings) -> None:
    before = log_of(settings).version()
    for second in range(200):
        beat(settings, NOW + second * SECOND, NOW + HOUR)
    assert log_of(settings).version() == before + 1
    [file] = (Path(settings.mianti_lake) / "heartbeat").iterdir()
    assert file.stat().st_size < 300
    assert through(settings) == NOW + 199 * SECOND


def test_it_never_goes_back(settings: Settings) -> None:
    log_of(settings)
    beat(settings, NOW)
    beat(settings, NOW - SECOND)
    assert through(settings) == NOW


def test_one_of_a_clock_that_was_ahead_is_replaced(settings: Settings) -> None:
    log_of(settings)
    beat(settings, NOW + HOUR, NOW + HOUR)
    beat(settings, NOW, NOW)
    assert through(settings) == NOW


def test_one_of_another_log_is_replaced(settings: Settings) -> None:
    log_of(settings)
    beat(settings, NOW)
    shutil.rmtree(Path(settings.mianti_lake) / "log")
    log_of(settings, 2)
    assert held_through(settings, FAMILY) is None
    beat(settings, NOW - MINUTE)
    assert held_through(settings, FAMILY) == NOW - MINUTE


@pytest.mark.parametrize("more", [0, 1, 3])
def test_it_does_not_hold_for_a_log_from_a_backup_however_far_that_goes_on(
    settings: Settings, more: int
) -> None:
    log_of(settings)
    place = Path(settings.mianti_lake) / "log"
    backup = shutil.copytree(place, place.with_name("backup"))
    log_of(settings)
    beat(settings, NOW)
    assert held_through(settings, FAMILY) == NOW
    shutil.rmtree(place)
    shutil.copytree(backup, place)
    for number in range(more):
        log_of(settings, 7 + number)  # the same version as before, and further
    assert held_through(settings, FAMILY) is None
    found = read_heartbeat(settings, FAMILY)
    assert found is not None
    assert not is_in_log(settings, FAMILY, found.commit)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"through": "2026-06-01T00:00:00"}', "\x00" * 99])
def test_one_that_cannot_be_read_is_none(settings: Settings, text: str) -> None:
    log_of(settings)
    beat(settings, NOW)
    (Path(settings.mianti_lake) / "heartbeat" / f"{FAMILY}.json").write_text(text)
    assert read_heartbeat(settings, FAMILY) is None
    beat(settings, NOW)
    assert through(settings) == NOW


def test_it_is_never_told_as_later_than_now(settings: Settings) -> None:
    log_of(settings)
    ahead = dt.datetime.now(dt.UTC) + HOUR
    beat(settings, ahead, ahead)
    told = held_through(settings, FAMILY)
    assert told is not None
    assert told <= dt.datetime.now(dt.UTC)


def test_all_that_was_written_must_be_landed() -> None:
    one, two = TopicPartition("t", 0), TopicPartition("t", 1)
    written = Written(NOW, {one: 5, two: 0})
    assert written.is_landed({one: 5, two: 0})
    assert written.is_landed({one: 9})
    assert not written.is_landed({one: 4, two: 7})
    assert not written.is_landed({})
    assert Written(NOW, {}).is_landed({})


class Replica:
    """What a replica knows after each heartbeat it reads, and how far behind it then is."""

    def __init__(self) -> None:
        self.position = Position("log", 3, NOW, NOW)

    def reads(self, through: dt.datetime | None, now: dt.datetime) -> dt.timedelta | None:
        read = None if through is None else Heartbeat(through=through, commit=COMMIT)
        self.position = heard(self.position, read, now)
        return None if self.position.through is None else now - self.position.through


def test_a_landing_that_has_stopped_falls_behind_by_the_second() -> None:
    replica = Replica()
    assert replica.reads(None, NOW) is None
    assert replica.reads(NOW - SECOND, NOW) == SECOND
    assert replica.reads(NOW - SECOND, NOW + MINUTE) == MINUTE + SECOND
    assert replica.reads(None, NOW + HOUR) == HOUR + SECOND
    assert replica.reads(NOW + HOUR, NOW + HOUR) == dt.timedelta(0)


@pytest.mark.parametrize("ahead", [SECOND, MINUTE, HOUR])
def test_a_clock_that_is_ahead_hides_nothing(ahead: dt.timedelta) -> None:
    replica = Replica()
    assert replica.reads(NOW + ahead, NOW) is None, "it may have been written long ago"
    assert replica.reads(NOW + ahead + SECOND, NOW + SECOND) == dt.timedelta(0)
    for seconds in (1, 30, 3600):  # the landing has stopped: its last one is read again and again
        later = NOW + SECOND + seconds * SECOND
        assert replica.reads(NOW + ahead + SECOND, later) == seconds * SECOND


def test_a_clock_that_is_late_is_counted_as_late() -> None:
    replica = Replica()
    assert replica.reads(NOW - MINUTE, NOW) == MINUTE
    assert replica.reads(NOW - MINUTE + SECOND, NOW + SECOND) == MINUTE


def test_an_older_one_takes_nothing_back() -> None:
    replica = Replica()
    replica.reads(NOW, NOW)
    assert replica.reads(NOW - MINUTE, NOW + SECOND) == SECOND


def test_a_clock_that_is_set_back_is_followed_at_once() -> None:
    replica = Replica()
    replica.reads(NOW, NOW)
    assert replica.reads(NOW - HOUR, NOW - HOUR) == dt.timedelta(0)
    assert replica.reads(NOW - HOUR, NOW - HOUR + MINUTE) == MINUTE

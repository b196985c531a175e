"""`kill -9` of what keeps a window's replica: its position and its data are of one moment, always."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from deltalake import DeltaTable

from flows.maintain import maintain
from tests.faults.city import EVENTS, FAMILIES, POISON, City, founded, with_news
from tests.faults.processes import again, killed
from tests.faults.reliability import Fault
from tests.support.exchange import Exchange
from tests.support.window import follow

#: Every table; row numbers, and when a log was last looked at, are no data.
TABLES: Final = {
    "versions": "*",
    "statements": "family, landed_at, body",
    "positions": "family, log, version, landed_at",
    "quarantine": 'family, publisher, topic, partition, "offset", closed, landed_at, subject',
    "names": "*",
    "periods": "*",
    "heartbeats": "family",
}


def at(point: str, what: str, name: str) -> Any:
    """Return a parameter: where the process dies, in the code's words and in a reader's."""
    marked = pytest.mark.fault(f"the replica's follower killed {what}", how=f"SIGKILL, `{point}`")
    return pytest.param(point, id=name, marks=marked)


FOLLOWING = [
    at("flows.replica:_take:before:2", "between two families", "between-families"),
    at("connectors.replica:Replica.add:before:1", "before it adds", "before-add"),
    at("connectors.replica:Replica.add:after:1", "after it added", "after-add"),
    at("connectors.replica:Replica.move:after:2", "before it commits its position", "after-move"),
    at("flows.replica:Follower.step:after:1", "between two steps", "between-steps"),
]


@pytest.mark.parametrize("point", FOLLOWING)
def test_following(exchange: Exchange, fault: Fault, point: str) -> None:
    city = founded(exchange)
    follow(exchange.settings)
    with_news(city)
    killed(exchange.environment, point, "window", "follow")
    of_one_moment(city)
    follow(exchange.settings)
    as_built_anew(city, fault)


BUILDING = [
    at("connectors.replica:Replica.add:after:2", "while it builds the replica", "building"),
    at("connectors.replica:Replica.finish:after:1", "with the replica built", "built"),
    at("connectors.replica:_flush:after:2", "before the new replica is named", "before-naming"),
    at("connectors.replica:_flush:after:3", "with the new one named, the old there", "named"),
]


@pytest.mark.parametrize("point", BUILDING)
def test_building(exchange: Exchange, fault: Fault, point: str) -> None:
    city = founded(exchange)
    follow(exchange.settings)
    before = contents(city)
    with_news(city)
    killed(exchange.environment, point, "window", "rebuild")
    if not point.endswith("_flush:after:3"):
        assert contents(city) == before, "the old one answers until the new one is whole"
    of_one_moment(city)
    follow(exchange.settings)
    as_built_anew(city, fault)


@pytest.mark.fault(
    "a follower away beyond its lease, then killed as it builds anew",
    how="last seen 7 days ago, logs compacted and vacuumed, SIGKILL, "
    "`connectors.replica:Replica.add:after:2`",
)
def test_away_beyond_its_lease(exchange: Exchange, fault: Fault) -> None:
    city = founded(exchange)
    follow(exchange.settings)
    with_news(city)
    for family in FAMILIES:
        maintain(exchange.settings, family, retain=dt.timedelta(0))
    file = (replicas(city) / "current").read_text()
    with closing(sqlite3.connect(replicas(city) / file)) as database:
        week = dt.timedelta(days=7) // dt.timedelta(microseconds=1)
        database.execute("UPDATE positions SET seen_at = seen_at - ?", (week,))
        database.commit()
    before = contents(city)
    killed(exchange.environment, "connectors.replica:Replica.add:after:2", "window", "follow")
    assert contents(city) == before, "the old one answers until the new one is whole"
    follow(exchange.settings)
    assert (replicas(city) / "current").read_text() != file
    as_built_anew(city, fault)


def as_built_anew(city: City, fault: Fault) -> None:
    """Assert that what followed is what a new replica holds, and all of the logs."""
    of_one_moment(city)
    followed = contents(city)
    again(city.exchange.environment, "window", "rebuild")
    assert contents(city) == followed
    of_one_moment(city)
    assert len([*replicas(city).glob("*.db")]) == 1
    assert len(followed["versions"]) == EVENTS
    assert len(followed["quarantine"]) == POISON
    assert len(followed["names"]) == 15
    assert {family: version for family, _, version, _ in followed["positions"]} == {
        family: table(city, family).version() for family in FAMILIES
    }
    fault.flowed = city.whole()
    assert fault.flowed == EVENTS + POISON


def of_one_moment(city: City) -> None:
    """Assert that for each family the replica holds exactly the log up to its position."""
    held = contents(city)
    for family, log, version, _ in held["positions"]:
        then = table(city, family, version)
        assert log == then.metadata().id
        rows = pl.read_delta(then).with_columns(pl.col("landed_at").dt.epoch("us"))
        accepted = rows.filter(verdict="accepted").select("subject", "landed_at")
        found = [(subject, at) for subject, of, at, _ in held["versions"] if of == family]
        assert Counter(found) == Counter(accepted.iter_rows())
        aside = rows.filter(verdict="quarantined").select("topic", "partition", "offset")
        waiting = [row[2:5] for row in held["quarantine"] if row[0] == family]
        assert Counter(waiting) == Counter(aside.iter_rows())


def contents(city: City) -> dict[str, list[Any]]:
    """Return every table of the replica in use, read as plain SQLite."""
    folder = replicas(city)
    with closing(sqlite3.connect(folder / (folder / "current").read_text())) as database:
        there = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        assert {name for (name,) in there if not name.startswith("sqlite_")} == TABLES.keys()
        found = {
            name: [*database.execute(f"SELECT {columns} FROM {name}")]
            for name, columns in TABLES.items()
        }
    for name in ("versions", "statements"):
        found[name] = [(*row[:-1], said(json.loads(row[-1]))) for row in found[name]]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def said(value: Any) -> Any:
    """Return what a body says: a field that is null says what a field that is left out says."""
    if isinstance(value, list):
        return [said(one) for one in value]
    if isinstance(value, dict):
        return {name: said(one) for name, one in value.items() if one is not None}
    return value


def replicas(city: City) -> Path:
    return city.exchange.home / "window" / "replica"


def table(city: City, family: str, version: int | None = None) -> DeltaTable:
    return DeltaTable(f"{city.exchange.lake}/log/{family}", version=version)

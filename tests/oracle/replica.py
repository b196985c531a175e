"""The window's replica against the logs: every row up to its position, once, and nothing beyond."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.oracle.delta import Row
from tests.oracle.log_account import Log, at, micros, place_of
from tests.oracle.report import Report

#: Not needed to answer, or in columns of their own.
_LEFT_OUT = ("subject", "landed_at", "schema_id", "event_type", "edition")
_OF_QUARANTINE = (
    *("verdict", "reason", "reason_where", "raw", "raw_digest"),
    *("about", "closed_by", "closed_why"),
)


def examine_replica(folder: Path, logs: list[Log], report: Report) -> None:
    """Compare the replica in use with the logs; note what is wrong."""
    name = (folder / "current").read_text().strip()
    with closing(sqlite3.connect(folder / name)) as database:
        positions = {row[0]: row[1:] for row in database.execute("SELECT * FROM positions")}
        for log in logs:
            report.fault(*_family(database, log, positions.pop(log.family, None), report))
    report.fault(*(f"replica: a position in {family}, which has no log" for family in positions))


def _family(database: sqlite3.Connection, log: Log, position: Any, report: Report) -> Iterator[str]:
    if position is None:
        yield f"replica: has no position in {log.family}"
        return
    table, version, landed_at, _ = position
    newest = log.table.newest
    if table != newest.table or version > newest.version:
        yield f"replica: its position in {log.family} ({version}) is not one of this log"
        return
    there = log.table.at(version)
    if landed_at != there.ids.get("landed_at", 0):
        yield f"replica: its position in {log.family} has another time of landing than the log"
    rows = log.table.rows(there)
    accepted = {place_of(row): row for row in rows if row["verdict"] == "accepted"}
    found = [*_versions(database, log.family)]
    report.replica_rows += len(found)
    times = Counter(place for place, *_ in found)
    yield from (
        f"replica: {at(p)} is there {count} times" for p, count in times.items() if count > 1
    )
    yield from (f"replica: {at(place)} is missing" for place in accepted.keys() - times.keys())
    for place, subject, landed, body in found:
        wanted = accepted.get(place)
        if wanted is None:
            yield f"replica: {at(place)} is there, and not accepted by log version {version}"
            continue
        statement = wanted["facet"] == "statement"
        if landed != micros(wanted["landed_at"]) or subject != (
            None if statement else wanted["subject"]
        ):
            yield f"replica: {at(place)} has another subject or time of landing than the log"
        yield from _content(place, body, wanted)
    yield from _quarantine(database, log.family, rows)


def _versions(database: sqlite3.Connection, family: str) -> Iterator[tuple[Any, ...]]:
    queries = (
        "SELECT subject, landed_at, body FROM versions WHERE family = ?",
        "SELECT NULL, landed_at, body FROM statements WHERE family = ?",
    )
    for query in queries:
        for subject, landed, text in database.execute(query, (family,)):
            body = json.loads(text)
            yield place_of(body), subject, landed, body


def _content(place: Any, body: Row, wanted: Row) -> Iterator[str]:
    for name, value in wanted.items():
        if name not in (*_LEFT_OUT, *_OF_QUARANTINE) and not _same(body.get(name), value):
            yield f"replica: {at(place)} has another {name} than the log"


def _same(told: Any, value: Any) -> bool:
    """Return whether what JSON tells is a value; what is null may lack."""
    if isinstance(value, dict):
        return isinstance(told, dict) and all(_same(told.get(n), v) for n, v in value.items())
    if isinstance(value, list):
        if not value:
            return told in (None, [])
        return len(told or []) == len(value) and all(map(_same, told, value))
    if told is None or value is None:
        return told is None and value is None
    if isinstance(value, dt.datetime):
        return dt.datetime.fromisoformat(told) == value
    if isinstance(value, dt.date):
        return bool(told == value.isoformat())
    return Decimal(told) == value if isinstance(value, Decimal) else bool(told == value)


def _quarantine(database: sqlite3.Connection, family: str, rows: list[Row]) -> Iterator[str]:
    wanted = Counter(
        (
            row["topic"].split(".", 2)[2],
            *place_of(row),
            int(row["verdict"] == "closed"),
            micros(row["landed_at"]),
            row["about"],
        )
        for row in rows
        if row["verdict"] != "accepted"
    )
    query = (
        'SELECT publisher, topic, partition, "offset", closed, landed_at, subject '
        "FROM quarantine WHERE family = ?"
    )
    found = Counter(database.execute(query, (family,)).fetchall())
    for row, count in ((wanted - found) | (found - wanted)).items():
        more = "lacks" if wanted[row] > found[row] else "has more than the log"
        yield f"replica: its quarantine {more}: {at(row[1:4])} ({count})"

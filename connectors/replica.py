"""The window's replica: one SQLite file with every version landed, found by its subject.

A file is built whole and then named in `current`; a rebuild makes another and names that one, so
that a reader has the old one or the new one and never half of either. The position up to which
each family's log was read lies in the same transaction as what was read.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from connectors.alone import alone
from connectors.errors import MiantiError
from connectors.private import private
from connectors.version_json import from_json, to_json
from schemas.facets import STATEMENT

_TABLES: Final = """
CREATE TABLE versions (
  subject TEXT NOT NULL, family TEXT NOT NULL, landed_at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE statements (
  number INTEGER PRIMARY KEY, family TEXT NOT NULL, landed_at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE positions (
  family TEXT PRIMARY KEY, log TEXT NOT NULL, version INTEGER NOT NULL,
  landed_at INTEGER NOT NULL, seen_at INTEGER NOT NULL);
CREATE TABLE heartbeats (family TEXT PRIMARY KEY, beat INTEGER, through INTEGER);
CREATE TABLE quarantine (
  number INTEGER PRIMARY KEY, family TEXT NOT NULL, publisher TEXT NOT NULL,
  topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  closed INTEGER NOT NULL, landed_at INTEGER NOT NULL, subject TEXT);
CREATE TABLE names (subject TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE periods (
  publisher TEXT NOT NULL, layout TEXT NOT NULL, period TEXT NOT NULL, landed_at INTEGER NOT NULL);
"""
_ADD: Final = "INSERT INTO versions VALUES (?, ?, ?, ?)"
_STATE: Final = "INSERT INTO statements (family, landed_at, body) VALUES (?, ?, ?)"
_HOLD: Final = """
INSERT INTO quarantine (family, publisher, topic, partition, "offset", closed, landed_at, subject)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_WAITING: Final = """
SELECT DISTINCT publisher, subject FROM quarantine AS held
WHERE family = ?1 AND NOT closed AND landed_at <= ?2 AND NOT EXISTS (
  SELECT 1 FROM quarantine WHERE topic = held.topic AND partition = held.partition
  AND "offset" = held."offset" AND closed AND landed_at <= ?2)"""
_POSITIONS: Final = """
SELECT family, log, version, landed_at, seen_at, beat, through
FROM positions LEFT JOIN heartbeats USING (family)"""
_MOVE: Final = "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?)"
_HEAR: Final = "INSERT OR REPLACE INTO heartbeats VALUES (?, ?, ?)"
_NAME: Final = "INSERT INTO names VALUES (?, ?)"
_LIST: Final = "INSERT INTO periods VALUES (?, ?, ?, ?)"
#: The family whose lists of grades have a period each.
_GRADING: Final = "credit"
#: The family in whose register an enterprise has its name.
_NAMING: Final = "registration"
#: Made when all rows are there: sorting once is cheaper than finding each one's place.
_INDEXES: Final = """
CREATE INDEX by_subject ON versions (subject);
CREATE INDEX names_by_subject ON names (subject);
CREATE INDEX by_place ON quarantine (topic, partition, "offset");
"""
#: What LIKE takes for more than itself.
_WILD: Final = re.compile(r"[%_\\]")
#: A name stands there once for each version of its register entry.
_AGAIN: Final = 5
_FORMAT: Final = 4
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_EVER: Final = (1 << 63) - 1


class NoReplica(MiantiError):
    """The window has no replica yet, or one of another release."""


class ReplicaBusy(MiantiError):
    """Another process follows the log for this replica."""


@dataclass(frozen=True)
class Position:
    """How far one family's log was read: `log`, the table's own id; `version`, its last version.

    `landed_at` (UTC) is the newest time of landing in it; `seen_at` (UTC): when the log was last
    seen to hold nothing more. `beat` (UTC, the landing machine's clock): the heartbeat read last.
    `through` (UTC): everything sent to the family's topics before it is in the replica; None where
    that is not known. It is never later than the replica's clock when the heartbeat was first read.
    """

    log: str
    version: int
    landed_at: dt.datetime
    seen_at: dt.datetime
    beat: dt.datetime | None = None
    through: dt.datetime | None = None


@dataclass(frozen=True)
class Ready:
    """Landed versions as the file takes them: rows of its tables."""

    versions: list[tuple[str, str, int, str]]
    statements: list[tuple[str, int, str]]
    names: list[tuple[str, str]]
    quarantine: list[tuple[str, str, str, int, int, bool, int, str | None]]
    periods: list[tuple[str, str, str, int]]

    @property
    def count(self) -> int:
        """Return how many versions there are."""
        return len(self.versions) + len(self.statements)


def prepared(family: str, versions: pl.DataFrame, held: pl.DataFrame) -> Ready:
    """Return landed versions (`flows.log.history_columns`) as the file takes them.

    `held`: what was quarantined, or `closed` since: `publisher`, `topic`, `partition`, `offset`,
    `closed`, `landed_at`, `subject` (null where a message does not say).
    """
    back = held.select(
        pl.lit(family),
        *("publisher", "topic", "partition", "offset", "closed"),
        pl.col("landed_at").dt.epoch("us"),
        "subject",
    )
    if versions.is_empty():
        return Ready([], [], [], back.rows(), [])
    told = versions.select(
        "subject", pl.lit(family), pl.col("landed_at").dt.epoch("us"), to_json(versions)
    )
    said = versions["facet"] == STATEMENT
    named = pl.DataFrame(schema=["subject", "name"])
    if family == _NAMING:
        named = versions.select("subject", pl.col("decision").struct.field("name")).drop_nulls()
    return Ready(
        _tuples(told.filter(~said)),
        _tuples(told.filter(said).select(pl.exclude("subject"))),
        _tuples(named.unique()),
        back.rows(),
        _periods(versions).rows() if family == _GRADING else [],
    )


def _periods(versions: pl.DataFrame) -> pl.DataFrame:
    """Return of which periods grades were landed, and since when, by publisher and layout."""
    decision = pl.col("decision").struct
    graded = versions.filter(decision.field("kind") == "grade").select(
        "publisher", "layout", decision.field("period"), pl.col("landed_at").dt.epoch("us")
    )
    by = ["publisher", "layout", "period"]
    return graded.drop_nulls("period").group_by(by).agg(pl.col("landed_at").min()).sort(by)


def _tuples(frame: pl.DataFrame) -> list[Any]:
    return [*zip(*(column.to_list() for column in frame), strict=True)]


class Replica:
    """One open file; a thread has its own."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        self._said: tuple[int, list[tuple[str, dict[str, Any]]]] = (0, [])

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """Let everything read in the block be of one moment."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    def versions(self, subject: str) -> dict[str, list[dict[str, Any]]]:
        """Return every version of a subject by family, as rows of `flows.log.history_columns`."""
        found: dict[str, list[dict[str, Any]]] = {}
        for family, landed_at, body in self.bodies(subject):
            version = from_json(family, body)
            version |= {"subject": subject, "landed_at": _time(landed_at)}
            found.setdefault(family, []).append(version)
        return found

    def bodies(self, subject: str) -> list[tuple[str, int, str]]:
        """Return the same as they are kept: family, time of landing, JSON."""
        query = "SELECT family, landed_at, body FROM versions WHERE subject = ?"
        return self._db.execute(query, (subject,)).fetchall()

    def statements(self) -> tuple[int, list[tuple[str, dict[str, Any]]]]:
        """Return how many there are, and every (family, statement) on completeness."""
        last, said = self._said
        rows = self._db.execute(
            "SELECT number, family, landed_at, body FROM statements WHERE number > ?", (last,)
        ).fetchall()
        if rows:
            new = [(f, from_json(f, body) | {"landed_at": _time(at)}) for _, f, at, body in rows]
            self._said = (rows[-1][0], said + new)
        return self._said

    def quarantine(self) -> int:
        """Return a number that is another whenever something was quarantined, or closed."""
        found = self._db.execute("SELECT max(number) FROM quarantine").fetchone()[0]
        return int(found or 0)

    def waiting(self, family: str, known_at: dt.datetime | None) -> list[tuple[str, str | None]]:
        """Return (publisher, subject) of what waits in quarantine, as known at a time (UTC)."""
        at = _EVER if known_at is None else _micro(known_at)
        return self._db.execute(_WAITING, (family, at)).fetchall()

    def periods(self, known_at: dt.datetime | None) -> list[tuple[str, str, str]]:
        """Return (publisher, layout, period) of the grades landed by a time (UTC; None: all)."""
        at = _EVER if known_at is None else _micro(known_at)
        query = "SELECT DISTINCT publisher, layout, period FROM periods WHERE landed_at <= ?"
        return self._db.execute(query, (at,)).fetchall()

    def positions(self) -> dict[str, Position]:
        """Return the position in each family's log that has one."""
        rows = self._db.execute(_POSITIONS)
        return {
            family: Position(
                *(log, version, _time(landed_at), _time(seen_at)),
                *(None if time is None else _time(time) for time in heard),
            )
            for family, log, version, landed_at, seen_at, *heard in rows
        }

    def named(self, text: str, limit: int) -> list[tuple[str, str]]:
        """Return (subject, name) whose name holds a text, or whose code begins with it.

        A name that nobody has costs a look at all of them: for a thread of its own. FTS5's trigrams
        would find it at once, and took more of a rebuild's time than all the rest.
        """
        code, literal = text.upper(), _WILD.sub(r"\\\g<0>", text)
        query = "SELECT subject, name FROM names WHERE subject >= ? AND subject < ? LIMIT ?"
        found = self._db.execute(query, (code, f"{code}~", _AGAIN * limit)).fetchall()
        if not found:
            query = (
                "SELECT subject, name FROM names NOT INDEXED WHERE name LIKE ? ESCAPE '\\' LIMIT ?"
            )
            found = self._db.execute(query, (f"%{literal}%", _AGAIN * limit)).fetchall()
        return [*dict.fromkeys(found)][:limit]

    def add(self, ready: Ready) -> None:
        """Add landed versions; the caller's transaction holds them with their position."""
        self._db.executemany(_ADD, ready.versions)
        self._db.executemany(_STATE, ready.statements)
        self._db.executemany(_NAME, ready.names)
        self._db.executemany(_HOLD, ready.quarantine)
        self._db.executemany(_LIST, ready.periods)

    def move(self, family: str, position: Position) -> None:
        """Set the position in a family's log; its heartbeat stays."""
        times = (_micro(position.landed_at), _micro(position.seen_at))
        self._db.execute(_MOVE, (family, position.log, position.version, *times))

    def seen(self, family: str, at: dt.datetime) -> None:
        """Note that a family's log held nothing more at a time (UTC)."""
        with self.transaction():
            self._db.execute(
                "UPDATE positions SET seen_at = ? WHERE family = ?", (_micro(at), family)
            )

    def hear(self, family: str, position: Position) -> None:
        """Set the heartbeat of a family's position; what it speaks of must be in the replica."""
        times = (position.beat, position.through)
        self._db.execute(
            _HEAR, (family, *(None if time is None else _micro(time) for time in times))
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all of a block or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def finish(self) -> None:
        """Index what was added to a new file."""
        self._db.executescript(_INDEXES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class Place:
    """The directory of a replica: its files, the name of the one in use, and its one follower."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def _current(self) -> Path:
        return self.folder / "current"

    def path(self) -> Path:
        """Return the file in use. Raises NoReplica."""
        name = self._current.read_text().strip() if self._current.exists() else ""
        if not name or not (self.folder / name).exists():
            raise NoReplica(
                "The window has no replica yet: run `mianti window rebuild`, or let its follower "
                "run (`mianti up`).",
                "窗口尚无本地副本：请执行 `mianti window rebuild`，或启动跟随进程（`mianti up`）。",
            )
        return self.folder / name

    def mark(self) -> tuple[int, int] | None:
        """Return what is another whenever another file is in use; None where there is none."""
        try:
            told = self._current.stat()
        except FileNotFoundError:
            return None
        return told.st_ino, told.st_mtime_ns

    def open(self) -> Replica:
        """Open the file in use. Raises NoReplica."""
        path = self.path()
        # Whoever stops the window closes what its threads have opened.
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        if database.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
            database.close()
            raise NoReplica(
                "The replica is of another release: run `mianti window rebuild`.",
                "本地副本由其他版本创建：请执行 `mianti window rebuild`。",
            )
        database.execute("PRAGMA busy_timeout = 10000")
        # What a power cut takes back, it takes back together with the position.
        database.execute("PRAGMA synchronous = NORMAL")
        return Replica(database)

    def alone(self) -> AbstractContextManager[None]:
        """Hold the place of the one who writes. Raises ReplicaBusy."""
        busy = ReplicaBusy(
            "Another process follows the log for this replica; stop it first (`mianti down`), or "
            "let it do the work.",
            "另一进程正在更新本地副本；请先停止它（`mianti down`），或由它继续。",
        )
        private(self.folder.parent)  # the window's: it may be the first to be made there
        return alone(self.folder / "lock", busy)

    @contextmanager
    def built(self) -> Iterator[Replica]:
        """Give a new, empty replica, and put it in the place of the one in use when all went well."""
        path = self.folder / f"{uuid.uuid4().hex}.db"
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                database.execute("PRAGMA page_size = 16384")  # half the time of 4096 to fill
                database.execute("PRAGMA journal_mode = OFF")  # a crash leaves a file nobody names
                database.execute("PRAGMA synchronous = OFF")
                database.executescript(_TABLES)
                new = Replica(database)
                with new.transaction():
                    yield new
                new.finish()
                database.execute(f"PRAGMA user_version = {_FORMAT}")
                database.execute("PRAGMA journal_mode = WAL")
            _flush(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._use(path)

    def _use(self, path: Path) -> None:
        part = self.folder / "current.part"
        part.write_text(path.name)
        _flush(part)
        part.replace(self._current)
        _flush(self.folder)
        for old in self.folder.glob("*.db*"):
            if not old.name.startswith(path.name):
                old.unlink(missing_ok=True)  # SQLite may be first


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _time(micro: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=micro)


def _micro(time: dt.datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND

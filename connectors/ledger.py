"""The publisher's ledger: what was last published of each record's facet, in a file beside it.

A revision is written down here before it is sent, so that a restart sends the same ids. The
ledger is also a follower of its publisher's own topic: it keeps its position there, and what it
has lost (or a crash has left open) it reads again before the next file (`flows/publish/recover.py`).
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from connectors.alone import alone
from connectors.errors import MiantiError
from schemas.record_key import folded_issuer, folded_key, with_subject

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS versions (
  record_key TEXT NOT NULL, facet TEXT NOT NULL, sequence INTEGER NOT NULL,
  subject TEXT NOT NULL, digest TEXT NOT NULL, edition INTEGER,
  file TEXT, row INTEGER, sent INTEGER NOT NULL, mark TEXT, layout TEXT,
  PRIMARY KEY (record_key, facet, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS overruled (
  record_key TEXT NOT NULL, facet TEXT NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY (record_key, facet, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identities (
  identity TEXT NOT NULL, record_key TEXT NOT NULL,
  PRIMARY KEY (identity, record_key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issuers (part TEXT PRIMARY KEY, issuer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
  digest TEXT NOT NULL, layout TEXT NOT NULL, edition INTEGER NOT NULL, complete INTEGER,
  PRIMARY KEY (digest, layout));
CREATE TABLE IF NOT EXISTS positions (
  topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (topic, part));
CREATE TABLE IF NOT EXISTS newest (layout TEXT PRIMARY KEY, edition INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS floors (layout TEXT PRIMARY KEY, edition INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS dated (layout TEXT PRIMARY KEY, always INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS losses (found INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS refusals (
  layout TEXT NOT NULL, record_key TEXT NOT NULL, facet TEXT NOT NULL, subject TEXT NOT NULL,
  place TEXT NOT NULL, edition INTEGER NOT NULL, code TEXT NOT NULL, print TEXT NOT NULL,
  file TEXT NOT NULL, row INTEGER, since INTEGER NOT NULL,
  PRIMARY KEY (layout, record_key, facet, subject, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS discarded (
  layout TEXT NOT NULL, record_key TEXT NOT NULL, facet TEXT NOT NULL, subject TEXT NOT NULL,
  place TEXT NOT NULL, edition INTEGER NOT NULL, code TEXT NOT NULL, print TEXT NOT NULL,
  file TEXT NOT NULL, row INTEGER, since INTEGER NOT NULL,
  discarded_at INTEGER NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stated (layout TEXT PRIMARY KEY, digest TEXT NOT NULL);
"""
#: Files that were published to their end. Those of a ledger without this table are taken for such.
_SETTLED: Final = """
CREATE TABLE settled (
  digest TEXT NOT NULL, layout TEXT NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (digest, layout, name)) WITHOUT ROWID;
INSERT INTO settled SELECT digest, layout, '' FROM files;
"""
#: The refused rows that a ledger of release 0.1 had waiting: it kept no more of them.
_EARLIER: Final = """
INSERT OR IGNORE INTO refusals SELECT layout, record_key, facet, subject,
  CASE record_key WHEN '' THEN 'lost' ELSE '' END, edition, 'unknown', '', '', NULL, edition
  FROM waiting;
DROP TABLE waiting;
"""
_FRAME: Final = pl.Schema(
    {
        "record_key": pl.String(),
        "facet": pl.String(),
        "sequence": pl.Int64(),
        "subject": pl.String(),
        "digest": pl.String(),
        "edition": pl.Int64(),
        "file": pl.String(),
        "row": pl.Int64(),
        "sent": pl.Int64(),
        "mark": pl.String(),
        "layout": pl.String(),
    }
)
_COLUMNS: Final = tuple(_FRAME)
_UPSERT: Final = f"""
INSERT INTO versions ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" * len(_COLUMNS))})
ON CONFLICT DO UPDATE SET
sent = max(sent, excluded.sent), layout = coalesce(layout, excluded.layout)
"""  # noqa: S608
#: Of a version `v`: whether a later one of its facet overrules it.
_OVERRULED: Final = """EXISTS (SELECT 1 FROM overruled o WHERE o.record_key = v.record_key
AND o.facet = v.facet AND o.sequence = v.sequence)"""
_IDENTITIES: Final = pl.Schema({"identity": pl.String(), "record_key": pl.String()})
_NAMED: Final = pl.Schema({"record_key": pl.String(), "subject": pl.String()})
#: What a ledger's file is written as; 0: by a release whose keys were not folded.
_FORM: Final = 1
#: Facets that are not about a record of an enterprise, or only by way of another facet.
_OTHERS: Final = ("statement", "withdrawal")
#: Keys read at once while the identities of an older ledger are worked out.
_KEYS: Final = 100_000
#: The columns of what waits, as `flows.publish.waiting.WAITING`.
_REFUSAL: Final = pl.Schema(
    {
        "record_key": pl.String(),
        "facet": pl.String(),
        "subject": pl.String(),
        "place": pl.String(),
        "edition": pl.Int64(),
        "code": pl.String(),
        "print": pl.String(),
        "file": pl.String(),
        "row": pl.Int64(),
        "since": pl.Int64(),
    }
)
_REFUSALS: Final = ", ".join(_REFUSAL)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class LedgerBusy(MiantiError):
    """Another process publishes for this publisher and family now."""


class NoSequenceLeft(MiantiError):
    """A facet was given a sequence that nothing can follow."""


class LedgerUnusable(MiantiError):
    """A ledger's file cannot be read or written: its disk is full, or it is damaged."""


class Ledger:
    """One ledger: one publisher, one family. Use `open_ledger`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def latest(self, record_keys: pl.Series) -> pl.DataFrame:
        """Return the version of the greatest sequence of each facet of these records that counts.

        Columns as `flows.publish.plan.KNOWN`; a mark on a withdrawal is its reason code.
        """
        self._want(record_keys)
        return self._frame(
            "SELECT v.record_key, facet, max(sequence), subject, digest, edition, file, row, "  # noqa: S608
            "sent, mark, layout FROM wanted CROSS JOIN versions v USING (record_key) "
            f"WHERE NOT {_OVERRULED} GROUP BY v.record_key, facet"
        )

    def exact(self, record_keys: pl.Series) -> pl.DataFrame:
        """Return every version of these records, for events that bring their own sequence."""
        self._want(record_keys)
        chosen = ", ".join(f"v.{c}" for c in _COLUMNS)
        return self._frame(
            f"SELECT {chosen} FROM wanted CROSS JOIN versions v USING (record_key)"  # noqa: S608
        )

    def unsent(self, record_keys: pl.Series) -> pl.DataFrame:
        """Return the versions of these records that were written down and never acknowledged."""
        self._want(record_keys)
        chosen = ", ".join(f"v.{c}" for c in _COLUMNS)
        return self._frame(
            f"SELECT {chosen} FROM wanted CROSS JOIN versions v USING (record_key) "  # noqa: S608
            "WHERE NOT sent"
        )

    def write(self, versions: pl.DataFrame) -> None:
        """Write versions down before they are sent (`sent` false); one transaction.

        `overrules`, where there is such a column: the sequence that a version overrules, or null.
        """
        rows = versions.select(
            *_COLUMNS[:5],
            pl.col("edition").dt.epoch("us"),
            *_COLUMNS[6:8],
            pl.col("sent").cast(pl.Int64),
            "mark",
            "layout",
        )
        with self._db:
            self._db.executemany(_UPSERT, rows.iter_rows())
            self._note_overruled(versions)
            # A key published here is folded, or known by its identity already.
            bare = ~pl.col("record_key").str.ends_with(pl.lit("/") + pl.col("subject"))
            self._note_identities(versions.filter(bare))

    def _note_overruled(self, versions: pl.DataFrame) -> None:
        if "overrules" in versions.columns:
            named = versions.select("record_key", "facet", "overrules").drop_nulls("overrules")
            self._db.executemany("INSERT OR IGNORE INTO overruled VALUES (?, ?, ?)", named.rows())

    def note_identities(self, versions: pl.DataFrame) -> None:
        """Remember by their identity records that somebody else's program wrote down."""
        with self._db:
            self._note_identities(versions)

    def identified(self, identities: pl.Series) -> pl.DataFrame:
        """Return the records of some identities (`schemas.record_key`), one of them or several.

        Columns `identity`, `record_key`; the record may have moved to another enterprise since.
        """
        self._want(identities)
        rows = self._db.execute(
            "SELECT w.record_key, i.record_key FROM wanted w "
            "CROSS JOIN identities i ON i.identity = w.record_key "
            "UNION SELECT w.record_key, w.record_key FROM wanted w "
            "WHERE EXISTS (SELECT 1 FROM versions v WHERE v.record_key = w.record_key)"
        )
        return pl.DataFrame(rows.fetchall(), schema=_IDENTITIES, orient="row")

    def spelt(self, folded: pl.Series) -> pl.DataFrame:
        """Return the records whose folded key, with some enterprise behind it, is their identity.

        Columns `folded`, `record_key`; among them records whose key holds the enterprise itself.
        """
        self._want(folded)
        rows = self._db.execute(
            "SELECT DISTINCT w.record_key, i.record_key FROM wanted w CROSS JOIN identities i "
            "ON i.identity > w.record_key || '/' AND i.identity < w.record_key || '0'"
        )
        schema = {"folded": pl.String(), "record_key": pl.String()}
        return pl.DataFrame(rows.fetchall(), schema=schema, orient="row")

    @property
    def plain(self) -> bool:
        """Whether the key of every record is its identity."""
        return self._db.execute("SELECT 1 FROM identities").fetchone() is None

    def under(self, folded: str) -> list[str]:
        """Return the keys of the records whose folded key is this one, or goes on behind it."""
        rows = self._db.execute(
            "SELECT record_key FROM identities WHERE identity >= ?1 AND identity < ?2 "
            "UNION SELECT record_key FROM identities WHERE identity = ?3 "
            "UNION SELECT record_key FROM versions WHERE record_key >= ?1 AND record_key < ?2 "
            "AND facet NOT IN ('statement', 'withdrawal') "
            "UNION SELECT record_key FROM versions WHERE record_key = ?3",
            (folded + "/", folded + "0", folded),
        )
        return [key for (key,) in rows]

    def issuer(self, record_key: str) -> str:
        """Return the issuer of a record as it was written last."""
        part = record_key.split("/", 1)[0]
        query = "SELECT issuer FROM issuers WHERE part = ?"
        found = self._db.execute(query, (part,)).fetchone()
        return found[0] if found else part.replace("%2F", "/").replace("%25", "%")

    def note_issuers(self, issuers: pl.Series) -> None:
        """Remember how issuers are written, of whom a key has the folded name alone."""
        frame = issuers.drop_nulls().unique(maintain_order=True).to_frame("issuer")
        parts = frame.select(folded_issuer(pl.col("issuer")).alias("part"), "issuer")
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO issuers VALUES (?, ?)",
                parts.filter(pl.col("part") != pl.col("issuer")).iter_rows(),
            )

    def _note_identities(self, versions: pl.DataFrame) -> None:
        """Remember the records whose key is not their identity (`record_key`, `subject`)."""
        key, subject = pl.col("record_key"), pl.col("subject")
        records = versions.filter(~pl.col("facet").is_in(_OTHERS))
        distinct = records.select(key, subject).unique()
        named = distinct.select(identity=with_subject(folded_key(key), subject), record_key=key)
        self._db.executemany(
            "INSERT OR IGNORE INTO identities VALUES (?, ?)",
            named.filter(pl.col("identity") != key).iter_rows(),
        )

    def bring_up_to_date(self) -> None:
        """Work out what a ledger of an earlier release does not hold; once, in one transaction."""
        if self._db.execute("PRAGMA user_version").fetchone()[0] >= _FORM:
            return
        names = {row[1] for row in self._db.execute("PRAGMA table_info(versions)")}
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if "layout" not in names:
                self._db.execute("ALTER TABLE versions ADD COLUMN layout TEXT")
            # One such sequence, and no later version of its facet could ever be numbered.
            self._db.execute("DELETE FROM versions WHERE sequence >= 1 << 53")
            keys = self._db.execute(
                "SELECT DISTINCT record_key, subject FROM versions "
                "WHERE facet NOT IN ('statement', 'withdrawal')"
            )
            while rows := keys.fetchmany(_KEYS):
                frame = pl.DataFrame(rows, schema=_NAMED, orient="row")
                self._note_identities(frame.with_columns(facet=pl.lit("")))
            self._db.execute(f"PRAGMA user_version = {_FORM}")

    def seen(self, unchanged: pl.DataFrame) -> None:
        """Note the newer edition in which unchanged versions were seen (columns as `write`)."""
        rows = unchanged.select(
            pl.col("edition").dt.epoch("us"), "file", "row", "record_key", "facet", "sequence"
        )
        with self._db:
            self._db.executemany(
                "UPDATE versions SET edition = ?1, file = ?2, row = ?3 WHERE record_key = ?4 "
                "AND facet = ?5 AND sequence = ?6 AND coalesce(edition, 0) < ?1",
                rows.iter_rows(),
            )

    def confirm(self, versions: pl.DataFrame) -> None:
        """Note that Kafka has acknowledged these versions."""
        rows = versions.select("record_key", "facet", "sequence")
        with self._db:
            self._db.executemany(
                "UPDATE versions SET sent = 1 WHERE record_key = ? AND facet = ? AND sequence = ?",
                rows.iter_rows(),
            )

    def next_sequence(self, record_key: str, facet: str) -> int:
        """Return the next free sequence of one facet, from 1. Raises NoSequenceLeft."""
        query = f"SELECT max(sequence) FROM versions v WHERE record_key = ? AND facet = ? AND NOT {_OVERRULED}"  # noqa: S608
        (last,) = self._db.execute(query, (record_key, facet)).fetchone()
        if (last or 0) + 1 >= 1 << 53:
            verb = f"mianti overrule '{record_key}' --facet {facet} --sequence {last}"
            raise NoSequenceLeft(
                f"Nothing can follow what the topic holds of {record_key} ({facet}): another program "
                f"gave it the sequence {last}. See that nobody else may write into the topic, then set "
                f"it right: {verb} --publisher … --by … --reason …",
                f"主题中 {record_key}（{facet}）的序号已达 {last}（由其他程序写入），无法再更新："
                f"请先确保他人无权写入该主题，再更正：{verb} --publisher … --by … --reason …",
            )
        return (last or 0) + 1

    def sequences(self, record_key: str, facet: str) -> list[tuple[int, str]]:
        """Return the sequences of one facet that count, the greatest first, and whose each is."""
        query = (
            "SELECT sequence, subject FROM versions v WHERE record_key = ? AND facet = ? "  # noqa: S608
            f"AND NOT {_OVERRULED} ORDER BY sequence DESC"
        )
        return self._db.execute(query, (record_key, facet)).fetchall()

    def edition_of(self, digest: str, layout: str, stated: dt.datetime | None) -> dt.datetime:
        """Return the edition of a file: the one stated, else the one it had when first seen.

        A file that states none is taken for newer than every file of its layout seen before; an
        old file sent again is known by its digest and keeps its place.
        """
        if stated is not None:
            return stated
        query = "SELECT edition FROM files WHERE digest = ? AND layout = ?"
        found = self._db.execute(query, (digest, layout)).fetchone()
        if found:
            return _time(found[0])
        last = self.newest(layout)
        now = dt.datetime.now(dt.UTC)
        return max(now, last + dt.timedelta(microseconds=1)) if last else now

    def knows_file(self, digest: str, layout: str, complete: dt.datetime | None) -> bool:
        """Return whether a file was published before, with this statement of completeness."""
        query = "SELECT complete FROM files WHERE digest = ? AND layout = ?"
        found = self._db.execute(query, (digest, layout)).fetchone()
        return found is not None and (complete is None or found[0] == _micros(complete))

    def note_file(
        self,
        digest: str,
        layout: str,
        edition: dt.datetime,
        complete: dt.datetime | None = None,
    ) -> None:
        """Remember a file, the edition it had first, and what was last said to be complete."""
        values = (digest, layout, _micros(edition), complete and _micros(complete))
        with self._db:
            self._db.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "complete = coalesce(excluded.complete, complete)",
                values,
            )

    def complete_through(self, layout: str) -> dt.datetime | None:
        """Return the latest time (UTC) through which a layout was said to be complete; None: never.

        A ledger that was lost knows no more of what was said before.
        """
        return self._edition("SELECT max(complete) FROM files WHERE layout = ?", layout)

    def is_settled(self, digest: str, layout: str) -> bool:
        """Return whether a file was published to its end, what it left waiting included.

        A file that the topic tells of may have been cut short by a crash (`knows_file`).
        """
        query = "SELECT 1 FROM settled WHERE digest = ? AND layout = ?"
        return self._db.execute(query, (digest, layout)).fetchone() is not None

    def name_recurs(self, name: str, digest: str, layout: str) -> bool:
        """Return whether another file of this name and layout was published to its end."""
        query = "SELECT 1 FROM settled WHERE name = ? AND digest <> ? AND layout = ?"
        return self._db.execute(query, (name, digest, layout)).fetchone() is not None

    def note_settled(self, digest: str, layout: str, name: str) -> None:
        """Remember that a file was published to its end."""
        with self._db:
            self._db.execute(
                "INSERT OR IGNORE INTO settled VALUES (?, ?, ?)", (digest, layout, name)
            )

    def always_dated(self, layout: str) -> bool:
        """Return whether all files of a layout so far, one at least, had a date in their names."""
        query = "SELECT always FROM dated WHERE layout = ?"
        found = self._db.execute(query, (layout,)).fetchone()
        return found is not None and bool(found[0])

    def note_dated(self, layout: str, *, dated: bool) -> None:
        """Remember whether a file of a layout had a date in its name."""
        with self._db:
            self._db.execute(
                "INSERT INTO dated VALUES (?, ?) ON CONFLICT DO UPDATE SET "
                "always = min(always, excluded.always)",
                (layout, int(dated)),
            )

    def newest(self, layout: str) -> dt.datetime | None:
        """Return the newest edition of a layout that the topic tells of."""
        return self._edition("SELECT edition FROM newest WHERE layout = ?", layout)

    def note_edition(self, layout: str, edition: dt.datetime) -> None:
        """Remember that the topic tells of an edition of a layout."""
        with self._db:
            self._db.execute(
                "INSERT INTO newest VALUES (?, ?) ON CONFLICT DO UPDATE SET "
                "edition = max(edition, excluded.edition)",
                (layout, _micros(edition)),
            )

    def floor(self, layout: str) -> dt.datetime | None:
        """Return the newest edition a rebuilt ledger knows to have been sent of a layout."""
        return self._edition("SELECT edition FROM floors WHERE layout = ?", layout)

    def note_lost(self) -> None:
        """Remember that the topic tells of what is not here, until `raise_floors`: over a crash, too."""
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO losses VALUES (1)")

    @property
    def lost(self) -> bool:
        """Whether the ledger had lost something, and its floors are not yet raised for that."""
        return self._db.execute("SELECT 1 FROM losses").fetchone() is not None

    def raise_floors(self) -> None:
        """Set each layout's floor to its newest known edition: the ledger was rebuilt."""
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO floors SELECT layout, edition FROM newest")
            self._db.execute("DELETE FROM losses")

    def waiting(self, layout: str) -> pl.DataFrame:
        """Return what waits to be mended in a layout, as `flows.publish.waiting.WAITING`."""
        return self._refusals("refusals", layout)

    def discarded(self, layout: str) -> pl.DataFrame:
        """Return what a person discarded in a layout, of the same columns."""
        return self._refusals("discarded", layout)

    def note_waiting(self, layout: str, waiting: pl.DataFrame) -> None:
        """Put what waits to be mended in a layout in the place of what did."""
        with self._db:
            self._replace(layout, waiting)

    def discard(
        self, layout: str, waiting: pl.DataFrame, discarded: pl.DataFrame, by: str, why: str
    ) -> None:
        """Keep only `waiting` of what waits in a layout; record who discarded the rest, and why."""
        rows = discarded.select(_refusal_row(layout))
        told = (_micros(dt.datetime.now(dt.UTC)), by, why)
        with self._db:
            self._replace(layout, waiting)
            self._db.executemany(
                f"INSERT INTO discarded VALUES ({_marks(_REFUSAL, 4)})",  # noqa: S608
                ((*row, *told) for row in rows.iter_rows()),
            )

    def waiting_layouts(self) -> list[str]:
        """Return the layouts in which anything waits, or was stated to wait."""
        query = "SELECT layout FROM refusals UNION SELECT layout FROM stated ORDER BY layout"
        return [layout for (layout,) in self._db.execute(query)]

    def stated(self, layout: str) -> str | None:
        """Return the digest of whom the layout's last statement held; None: it held nobody."""
        query = "SELECT digest FROM stated WHERE layout = ?"
        found = self._db.execute(query, (layout,)).fetchone()
        return str(found[0]) if found else None

    def note_stated(self, layout: str, digest: str | None) -> None:
        """Remember whom a delivered statement held, by a digest."""
        with self._db:
            self._db.execute("DELETE FROM stated WHERE layout = ?", (layout,))
            if digest is not None:
                self._db.execute("INSERT INTO stated VALUES (?, ?)", (layout, digest))

    def position(self, topic: str) -> dict[int, int]:
        """Return, by partition, the next offset of the topic the ledger has not seen."""
        query = "SELECT part, next FROM positions WHERE topic = ?"
        return dict(self._db.execute(query, (topic,)))

    def set_positions(self, topic: str, positions: Iterable[tuple[int, int]]) -> None:
        """Move the ledger's position in its topic."""
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)",
                [(topic, part, following) for part, following in positions],
            )

    def records(self, like: str, limit: int = 5) -> list[str]:
        """Return some record keys that contain a text, to help a person who mistyped one."""
        pattern = "%" + like.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = (
            "SELECT DISTINCT record_key FROM versions WHERE record_key LIKE ?1 ESCAPE '\\' "
            "UNION SELECT record_key FROM identities WHERE identity LIKE ?1 ESCAPE '\\' LIMIT ?2"
        )
        return [key for (key,) in self._db.execute(query, (pattern, limit))]

    def _refusals(self, table: str, layout: str) -> pl.DataFrame:
        query = f"SELECT {_REFUSALS} FROM {table} WHERE layout = ? ORDER BY 1, 2, 3, 4"  # noqa: S608
        rows = self._db.execute(query, (layout,)).fetchall()
        frame = pl.DataFrame(rows, schema=_REFUSAL, orient="row")
        return frame.with_columns(_times("edition"), _times("since"))

    def _replace(self, layout: str, waiting: pl.DataFrame) -> None:
        self._db.execute("DELETE FROM refusals WHERE layout = ?", (layout,))
        rows = waiting.select(_refusal_row(layout)).iter_rows()
        query = f"INSERT INTO refusals VALUES ({_marks(_REFUSAL, 1)})"  # noqa: S608
        self._db.executemany(query, rows)

    def _edition(self, query: str, layout: str) -> dt.datetime | None:
        found = self._db.execute(query, (layout,)).fetchone()
        return _time(found[0]) if found and found[0] is not None else None

    def _want(self, record_keys: pl.Series) -> None:
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (record_key TEXT PRIMARY KEY)")
        self._db.execute("DELETE FROM wanted")
        keys = record_keys.drop_nulls().unique()
        self._db.executemany("INSERT INTO wanted VALUES (?)", ((key,) for key in keys))

    def _frame(self, query: str) -> pl.DataFrame:
        rows = self._db.execute(query).fetchall()
        frame = pl.DataFrame(rows, schema=_FRAME, orient="row")
        return frame.with_columns(
            _times("edition"),
            pl.col("sent").cast(pl.Boolean),
        )


@contextmanager
def open_ledger(folder: Path, publisher: str, family: str) -> Iterator[Ledger]:
    """Open the ledger of one publisher and family for one process at a time.

    Raises LedgerBusy when another process has it open, LedgerUnusable.
    """
    path = folder / f"{publisher}.{family}.sqlite"
    busy = LedgerBusy(
        f"Another publish of {publisher}/{family} is running; wait for it to end.",
        f"{publisher}/{family} 正在发布中，请等待其结束后再试。",
    )
    with alone(path.with_suffix(".lock"), busy), _told(path):
        database = sqlite3.connect(path)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_TABLES)
            ledger = Ledger(database)
            ledger.bring_up_to_date()
            if _has_table(database, "waiting"):
                database.executescript(_EARLIER)
            if not _has_table(database, "settled"):
                database.executescript(f"BEGIN;{_SETTLED}COMMIT;")
            yield ledger
        finally:
            database.close()


def count_waiting(folder: Path, publisher: str, family: str) -> int:
    """Return how many refused rows and failed files wait in a ledger; 0 where there is none.

    Beside a publication at work, which it neither waits for nor keeps waiting. Raises LedgerUnusable.
    """
    path = folder / f"{publisher}.{family}.sqlite"
    if not path.exists():
        return 0
    with _told(path), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        if not _has_table(database, "refusals"):  # a ledger of an earlier release
            return 0
        return int(database.execute("SELECT count(*) FROM refusals").fetchone()[0])


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raise what a person can act on for what SQLite says."""
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerUnusable(
            f"The ledger {path} cannot be read or written ({error}): make room on its disk; where the "
            "file is damaged, move it away with its -wal. Then publish the file again: what the "
            "ledger lacks is read from the topic, and nothing will be doubled.",
            f"台账 {path} 无法读写（{error}）：请清理该磁盘空间；若文件已损坏，请连同其 -wal 文件一并移走。"
            "然后重新发布同一文件：台账缺失的内容将从主题重新读取，不会重复。",
        ) from error


def _has_table(database: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE name = ?"
    return database.execute(query, (name,)).fetchone() is not None


def _refusal_row(layout: str) -> list[pl.Expr]:
    times = ("edition", "since")
    columns = [pl.col(n).dt.epoch("us") if n in times else pl.col(n) for n in _REFUSAL]
    return [pl.lit(layout), *columns]


def _marks(columns: pl.Schema, more: int) -> str:
    return ", ".join("?" * (len(columns) + more))


def _times(column: str) -> pl.Expr:
    return pl.from_epoch(column, time_unit="us").dt.replace_time_zone("UTC")


def _micros(time: dt.datetime) -> int:
    return (time - _EPOCH) // dt.timedelta(microseconds=1)


def _time(micros: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=micros)

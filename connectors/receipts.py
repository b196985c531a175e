"""The window's own copy of its receipts: one SQLite file, written through to the disk."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import orjson

from connectors.alone import alone
from connectors.errors import MiantiError
from connectors.private import private

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS receipts (
  sequence INTEGER PRIMARY KEY, subject TEXT, hash TEXT NOT NULL, signature TEXT NOT NULL,
  text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_subject ON receipts (subject);
"""
#: sequence, subject, hash, signature, text
Row = tuple[int, str | None, str, str, str]
_ROW: Final = "SELECT sequence, subject, hash, signature, text FROM receipts"


class WindowBusy(MiantiError):
    """Another process answers for this window."""


class NotWritten(MiantiError):
    """Receipts cannot be written, or their file cannot be opened: the disk may be full."""


class Receipts:
    """The receipts of one window; safe to use from one thread at a time. Raises NotWritten."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        private(folder)
        with _told(folder):
            self._open()

    def _open(self) -> None:
        self._db = sqlite3.connect(
            self._folder / "receipts.db", isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA busy_timeout = 10000")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # in the file before an answer goes out
        self._db.executescript(_TABLES)

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows in a transaction that `commit` ends. Raises NotWritten: then none is there."""
        with self._whole():
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO receipts VALUES (?, ?, ?, ?, ?)", rows)

    def commit(self) -> None:
        """Return when what was added is on the disk. Raises NotWritten: then none is there."""
        with self._whole():
            self._db.execute("COMMIT")

    @contextmanager
    def _whole(self) -> Iterator[None]:
        with _told(self._folder):
            try:
                yield
            except BaseException:
                self._db.rollback()  # SQLite has done it itself where the disk is full
                raise

    def last(self) -> Row | None:
        """Return the newest receipt."""
        return self._one(f"{_ROW} ORDER BY sequence DESC LIMIT 1")

    def at(self, sequence: int) -> Row | None:
        """Return one receipt."""
        return self._one(f"{_ROW} WHERE sequence = ?", sequence)

    def after(self, sequence: int, limit: int) -> list[Row]:
        """Return the receipts that follow one, in their order."""
        query = f"{_ROW} WHERE sequence > ? ORDER BY sequence LIMIT ?"
        return self._db.execute(query, (sequence, limit)).fetchall()

    def keys(self, sequence: int) -> list[Row]:
        """Return the entries that follow one and are about no enterprise: those that name a key."""
        query = f"{_ROW} WHERE subject IS NULL AND sequence > ? ORDER BY sequence"
        return self._db.execute(query, (sequence,)).fetchall()

    def of(self, subject: str, after: int) -> list[Row]:
        """Return the receipts about a subject that follow one, in their order."""
        query = f"{_ROW} WHERE subject = ? AND sequence > ? ORDER BY sequence"
        return self._db.execute(query, (subject, after)).fetchall()

    @staticmethod
    def written_at(row: Row) -> dt.datetime:
        """Return when a receipt was written (UTC), as it says itself."""
        return dt.datetime.fromisoformat(orjson.loads(row[4])["at"])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _one(self, query: str, *values: int) -> Row | None:
        found: Row | None = self._db.execute(query, values).fetchone()
        return found


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Raise what a person can act on for what SQLite says."""
    try:
        yield
    except sqlite3.Error as error:
        raise NotWritten(
            f"The window's receipts in {folder} cannot be written ({error}), and without its receipt "
            "no answer goes out: make room on that disk, and look who may write there. The window "
            "then answers again by itself.",
            f"窗口回执无法写入 {folder}（{error}），没有回执就不作答复：请清理该磁盘空间，并检查写入权限。"
            "恢复后窗口自动继续应答。",
        ) from error


def answering(folder: Path) -> AbstractContextManager[None]:
    """Hold the place of the one process that answers for a window. Raises WindowBusy."""
    busy = WindowBusy(
        "Another process answers for this window: stop it first (`mianti down`), or give this one "
        "a name and a directory of its own (MIANTI_WINDOW_NAME, MIANTI_WINDOW).",
        "已有进程以该窗口名义应答：请先停止它（`mianti down`），或为本窗口另设名称和目录"
        "（MIANTI_WINDOW_NAME、MIANTI_WINDOW）。",
    )
    return alone(folder / "answering.lock", busy)

"""Two later days of the licences: some are suspended, and one of them is in force again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from flows.sample.export import Row
from flows.sample.files import open_writer
from flows.sample.licence import EXPORT, IN_FORCE, SUSPENDED
from flows.sample.manifest import FileCount, Manifest

#: Most rows of the second day's file.
LONGEST: Final = 500
_STATE: Final = EXPORT.shape.state or ""


def write_later_days(kept: Sequence[Row], suffix: str, out: Path, manifest: Manifest) -> None:
    """Write what became of licences that were published in force, `kept`, two or more.

    Second day: every other one is suspended, the rest are sent again as they were. Third day:
    the first of the suspended is in force again, the others are sent again.
    """
    second = [_with(row, SUSPENDED if i % 2 == 0 else IN_FORCE) for i, row in enumerate(kept)]
    suspended = second[::2]
    third = [_with(suspended[0], IN_FORCE), *suspended[1:]]
    _write(second, len(suspended), f"day2/licences-20260502{suffix}", out, manifest)
    _write(third, 1, f"day3/licences-20260503{suffix}", out, manifest)


def _with(row: Row, state: str) -> Row:
    return row | {_STATE: state}


def _write(rows: Sequence[Row], changed: int, name: str, out: Path, manifest: Manifest) -> None:
    unchanged = len(rows) - changed
    manifest.files[name] = FileCount(EXPORT.publisher, EXPORT.layout, len(rows), changed, unchanged)
    writer = open_writer(out / name)
    for row in rows:
        writer.add(row)
    writer.close()

"""Frames set aside on disk in numbered parts, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from connectors.disk import room
from connectors.work import work_folder


class Aside:
    """Use `aside`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._frames = 0

    def add(self, frame: pl.DataFrame, part: pl.Expr) -> None:
        """Set a frame's rows aside, each in the part whose number `part` gives. Raises DiskFull."""
        with room(str(self._folder.parent)):
            for (number,), rows in frame.group_by(part.alias("part")):
                path = self._folder / f"{number}-{self._frames:09}.arrow"
                rows.write_ipc(path, compression="lz4")
        self._frames += 1

    def part(self, number: int) -> list[pl.DataFrame]:
        """Return what lies in a part, frame by frame as it was added."""
        return [pl.read_ipc(file) for file in sorted(self._folder.glob(f"{number}-*.arrow"))]


@contextmanager
def aside() -> Iterator[Aside]:
    """Give a place on disk; what it holds is gone afterwards."""
    with work_folder() as folder:
        yield Aside(folder)

"""Mapped events of a file set aside on disk, parted by record, so that memory stays bounded.

All rows of one record come into one part: a contradiction between the first and the last row of
a file is found without holding the file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

#: Of the file, by its size: some 50,000 rows, as many as a chunk holds.
PART_BYTES: Final = 8 << 20


class Spill:
    """Use `spill`. `events`: how many were set aside."""

    def __init__(self, folder: Path, parts: int) -> None:
        self._folder = folder
        self._parts = parts
        self._chunks = 0
        self.events = 0

    def add(self, events: pl.DataFrame) -> None:
        """Set one chunk's events aside."""
        part = pl.col("record_key").hash() % self._parts
        for (number,), frame in events.group_by(part.alias("part")):
            frame.write_ipc(self._folder / f"{number}-{self._chunks}.arrow", compression="lz4")
        self._chunks += 1
        self.events += events.height

    def parts(self) -> Iterator[pl.DataFrame]:
        """Yield the parts in turn, each with all events of its records, in file order."""
        for number in range(self._parts):
            files = sorted(self._folder.glob(f"{number}-*.arrow"))
            if files:
                frames = [pl.read_ipc(file) for file in files]
                yield pl.concat(frames).sort("__row", maintain_order=True)


@contextmanager
def spill(size: int) -> Iterator[Spill]:
    """Give a spill for a file of `size` bytes; what it holds is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mianti-") as folder:
        yield Spill(Path(folder), parts=max(1, -(-size // PART_BYTES)))

"""Mapped events of a file set aside on disk, parted by record.

All rows of one record come into one part: a contradiction between the first and the last row of
a file is found without holding the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import polars as pl

from connectors.aside import Aside, aside

#: Of the file, by its size: some 50,000 rows, as many as a chunk holds.
PART_BYTES: Final = 8 << 20


class Spill:
    """Use `spill`. `events`: how many were set aside."""

    def __init__(self, place: Aside, parts: int) -> None:
        self._place = place
        self._parts = parts
        self.events = 0

    def add(self, events: pl.DataFrame) -> None:
        """Set one chunk's events aside."""
        self._place.add(events, pl.col("record_key").hash() % self._parts)
        self.events += events.height

    def parts(self) -> Iterator[pl.DataFrame]:
        """Yield the parts in turn, each with all events of its records, in file order."""
        for number in range(self._parts):
            frames = self._place.part(number)
            if frames:
                yield pl.concat(frames).sort("__row", maintain_order=True)


@contextmanager
def spill(size: int) -> Iterator[Spill]:
    """Give a spill for a file of `size` bytes; what it holds is gone afterwards."""
    with aside() as place:
        yield Spill(place, parts=max(1, -(-size // PART_BYTES)))

"""Making the sample: three departments' files of one day, and two later days of one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from flows.sample.enterprise import code as code_of
from flows.sample.enterprise import enterprise
from flows.sample.faults import Row, Schedule
from flows.sample.files import Writer
from flows.sample.manifest import FileCount, Manifest

#: Beyond it the licences are CSV too: a sheet of Excel ends at 1,048,576 rows.
XLSX_ROWS: Final = 100_000
FEWEST_ROWS: Final = 50
# Licences and penalties of ten enterprises in turn, ten of each: some have several, some none.
_LICENCES: Final = (4, 1, 0, 2, 0, 1, 0, 1, 1, 0)
_PENALTIES: Final = (2, 0, 3, 0, 1, 0, 2, 1, 0, 1)
#: Most licences of the second day's file.
_LATER: Final = 500


@dataclass
class _File:
    """A file being written, its schedule of faults and its counts."""

    writer: Writer
    count: FileCount
    faults: Schedule

    def add(self, row: Row) -> bool:
        """Write a row; return whether it was left as it is."""
        fault, made = self.faults.next(row)
        for one in made:
            self.writer.add(one)
        self.count.count(fault, len(made))
        return fault is None


@dataclass
class _Sample:
    """What is carried from one enterprise to the next."""

    rng: Random
    registrations: _File
    licences: _File
    penalties: _File
    later: int
    numbers: dict[str, int] = field(default_factory=lambda: {"licence": 0, "penalty": 0})
    kept: list[Row] = field(default_factory=list)


def generate(rows: int, seed: int, out: Path) -> Manifest:
    """Write a sample of about `rows` rows a file under `out`; return (and write) its manifest.

    The same `rows` and `seed` give the same bytes. `day2` and `day3` hold later editions of some
    licences: suspended on the second day, one of them in force again on the third.
    Raises ValueError for fewer than 50 rows, which cannot hold every fault.
    """
    if rows < FEWEST_ROWS:
        raise ValueError(f"a sample has {FEWEST_ROWS} rows or more")
    rng = Random(seed)  # noqa: S311 - made-up data, the same each time
    start = rng.randrange(10**8)
    manifest = Manifest(enterprise=code_of(start))
    sample = _open(rows, rng, out, manifest)
    for i in range(rows):
        _add(sample, enterprise(start + i, rng), i)
    for file in (sample.registrations, sample.licences, sample.penalties):
        file.writer.close()
    _second_day(sample.kept, _name("licences", rows), out, manifest)
    _third_day(sample.kept, _name("licences", rows), out, manifest)
    manifest.write(out)
    return manifest

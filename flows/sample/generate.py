"""Making the sample: three departments' files of one day, and later days of one of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from flows.sample import licence, penalty, registration
from flows.sample.enterprise import Enterprise, code, enterprise
from flows.sample.export import FEWEST_ROWS, Export, Row
from flows.sample.faults import Schedule
from flows.sample.files import open_writer
from flows.sample.later import LONGEST, write_later_days
from flows.sample.manifest import FileCount, Manifest

#: Beyond it the licences are CSV too: a sheet of Excel ends at 1,048,576 rows.
XLSX_ROWS: Final = 100_000
# Licences and penalties of ten enterprises in turn, ten of each: some have several, some none.
_LICENCES: Final = (4, 1, 0, 2, 0, 1, 0, 1, 1, 0)
_PENALTIES: Final = (2, 0, 3, 0, 1, 0, 2, 1, 0, 1)
_IN_BUSINESS: Final[Row] = {"登记状态": "存续"}


class _File:
    """A file being written, with its faults and its counts."""

    def __init__(self, export: Export, name: str, rows: int, out: Path) -> None:
        self.name = name
        self.count = FileCount(export.publisher, export.layout)
        self._faults = Schedule(export.shape, rows)
        self._writer = open_writer(out / name, export.encoding)

    def add(self, row: Row) -> bool:
        """Write a row; return whether it was left as it is."""
        fault, made = self._faults.next(row)
        for one in made:
            self._writer.add(one)
        self.count.count(fault, len(made))
        return fault is None

    def close(self) -> None:
        self._writer.close()


def generate(rows: int, seed: int, out: Path) -> Manifest:
    """Write a sample of about `rows` rows a file under `out`; return (and write) its manifest.

    The same `rows` and `seed` give the same bytes. `day2` and `day3` hold later editions of some
    licences. Raises ValueError for fewer than 50 rows, which cannot hold every fault.
    """
    if rows < FEWEST_ROWS:
        raise ValueError(f"a sample has {FEWEST_ROWS} rows or more")
    rng = Random(seed)  # noqa: S311 - made-up data, the same each time
    first = rng.randrange(10**8)
    suffix = ".xlsx" if rows <= XLSX_ROWS else ".csv"
    names = (
        (registration.EXPORT, "registrations-20260501.csv"),
        (licence.EXPORT, f"licences-20260501{suffix}"),
        (penalty.EXPORT, "penalties-20260501.csv"),
    )
    files = [_File(export, name, rows, out) for export, name in names]
    kept = _write_first_day(files, rows, first, rng)
    manifest = Manifest(code(first), {file.name: file.count for file in files})
    write_later_days(kept, suffix, out, manifest)
    manifest.write(out)
    return manifest


def _write_first_day(files: list[_File], rows: int, first: int, rng: Random) -> list[Row]:
    """Write `rows` enterprises; return licences in force, one an enterprise at most."""
    register, licences, penalties = files
    licence_numbers, penalty_numbers = count(1), count(1)
    kept: list[Row] = []
    for i in range(rows):
        who = enterprise(first + i, rng)
        register.add(registration.registration(who, rng) | (_IN_BUSINESS if i == 0 else {}))
        held = list(_held(who, i, licence_numbers, rng))
        plain = [row for row in held if licences.add(row) and row["当前状态"] == licence.IN_FORCE]
        if plain and len(kept) < min(LONGEST, rows // 10):
            kept.append(plain[0])
        suspended = [row for row in held if row["当前状态"] == licence.SUSPENDED]
        for j in range(_PENALTIES[i % 10]):
            cause = suspended[0] if suspended and j == 0 else None
            penalties.add(penalty.penalty(who, next(penalty_numbers), rng, cause))
    for file in files:
        file.close()
    return kept


def _held(who: Enterprise, i: int, numbers: Iterator[int], rng: Random) -> Iterator[Row]:
    """Yield the enterprise's licences; a fifth of those with a penalty have one suspended."""
    if i == 0:
        yield from licence.shown_licences(who, [next(numbers) for _ in range(4)])
        return
    for j in range(_LICENCES[i % 10]):
        row = licence.any_licence(who, next(numbers), rng)
        punished = j == 0 and _PENALTIES[i % 10] and rng.random() < 0.2
        yield row | {"当前状态": licence.SUSPENDED} if punished else row

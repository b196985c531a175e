"""What CSV and XLSX have in common: a header somewhere near the top, and records by position."""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from connectors.files.columns import REFUSED_COLUMNS, Columns, rows_at_once
from connectors.files.excel_texts import unwrap_text
from connectors.files.source import Source
from connectors.files.unreadable import Unreadable, unreadable

SAMPLE_ROWS = 100
_HEADER_ROWS = 20  # a header further down is none
Fields = Sequence[str | None]


def header_at(sample: Sequence[Fields]) -> int:
    """Find the header among a file's first records, after titles and notes.

    It is the first record that fills at least half as many fields as the records of the sample
    do (their upper quartile, so that a few odd rows do not count). A title is one merged cell.
    """
    filled = [sum(1 for field in fields if field and field.strip()) for fields in sample]
    counts = sorted(count for count in filled if count)
    if not counts:
        raise unreadable("no_header")
    usual = counts[len(counts) * 3 // 4]
    return next(i for i, count in enumerate(filled) if count * 2 >= usual)


def table_header(sample: Sequence[Fields], names: Fields, before: int) -> list[str]:
    """Give the header's names, stripped; with blank ones added where all rows are wider.

    Two rows at least must be so: one alone is an odd row.
    """
    header = [_name(name) for name in names]
    widths = [len(fields) for fields in sample[before:] if any(fields)]
    if len(widths) > 1 and len(set(widths)) == 1:
        header += [""] * (widths[0] - len(header))
    return header


def two_rows(upper: Fields, lower: Fields) -> Iterator[list[str]]:
    """Give the names that two header rows may mean together.

    An upper name stands over the columns to its right that have none of their own (a merged cell);
    a column without a lower name has the upper one (merged downwards).
    """
    width = max(len(upper), len(lower))
    above = [_name(name) for name in upper] + [""] * (width - len(upper))
    below = [_name(name) for name in lower] + [""] * (width - len(lower))
    yield [low or high for low, high in zip(below, above, strict=True)]
    joined, over = [], ""
    for high, low in zip(above, below, strict=True):
        over = high or (over if low else "")
        joined.append(over + low if low and low != over else low or high)
    yield joined


class TableSource(Source):
    """A file whose first row (after titles) names its columns."""

    def __init__(self, path: Path, chunk_rows: int, sample: Sequence[Fields]) -> None:
        """Take the header from `sample`, the first records of the file."""
        super().__init__(path, chunk_rows)
        self.take_sample(sample)

    def take_sample(self, sample: Sequence[Fields]) -> None:
        """Take the header from the first records of a table."""
        self._sample = sample
        at = header_at(sample)
        self.read_under(sample[at], at, 1)

    def read_under(self, names: Fields, at: int, rows: int) -> None:
        """Read the table under a header of some rows, the first of them at `at`."""
        self._before = at + rows  # records before the first row of data
        self._header = table_header(self._sample, names, self._before)
        self._columns = Columns.of(self._header)
        self._above = at
        if not self._columns.needed:
            raise unreadable("no_header")

    def readings(self) -> Iterator[Self]:
        """Yield this table as it is, then under each other row near its top, then under two."""
        yield self
        tops = range(min(_HEADER_ROWS, len(self._sample)))
        for at in tops:
            if at != self._above:
                yield from self._under(self._sample[at], at, 1)
        for at in tops[:-1]:
            for names in two_rows(self._sample[at], self._sample[at + 1]):
                yield from self._under(names, at, 2)

    def _under(self, names: Fields, at: int, rows: int) -> Iterator[Self]:
        if not any(name and name.strip() for name in names):
            return
        other = copy.copy(self)
        try:
            other.read_under(names, at, rows)
        except Unreadable:  # a header of nothing, or of too much
            return
        yield other

    @property
    def titles(self) -> int:
        """How many filled records above the header are passed over."""
        above = self._sample[: min(self._above, self._before)]
        return sum(1 for fields in above if any(field and field.strip() for field in fields))

    @property
    def header(self) -> list[str]:
        """The names as the file has them, without what a refused file added."""
        return [name for name in self._header if name not in REFUSED_COLUMNS][
            : self._columns.needed
        ]

    @property
    def rows_at_once(self) -> int:
        """How many rows a chunk has at most."""
        return rows_at_once(self.chunk_rows, self._columns.width)

    @property
    def columns(self) -> list[str]:
        """The names the chunks use."""
        return list(self._columns.names)

    @property
    def header_row(self) -> list[str]:
        """The header a refused file gets: the sender's own, or the columns where it had none."""
        if not self._before:
            return self.columns
        names = [name for name in self._header if name not in REFUSED_COLUMNS]
        return (names + [""] * len(self._columns.names))[: len(self._columns.names)]

    def take_names(self, names: list[str], skip_first: bool) -> None:
        """Name the columns by position."""
        added = {i: name for i, name in enumerate(self._header) if name in REFUSED_COLUMNS}
        own = iter(names)
        fields = range(len(names) + len(added))
        self._columns = Columns.of([added.get(i) or next(own) for i in fields])
        if not skip_first and not added:  # a refused file has a header in any case
            self._before = 0


def _name(name: str | None) -> str:
    return unwrap_text((name or "").strip().lstrip("\ufeff").strip())

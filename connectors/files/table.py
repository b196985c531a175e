"""What CSV and XLSX have in common: a header somewhere near the top, and records by position."""

from collections.abc import Sequence
from pathlib import Path

from connectors.files.columns import REFUSED_COLUMNS, Columns
from connectors.files.source import Source
from connectors.files.unreadable import unreadable

SAMPLE_ROWS = 100
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


def table_header(sample: Sequence[Fields], at: int) -> list[str]:
    """Give the header's names, stripped; with blank ones added where all rows are wider.

    Two rows at least must be so: one alone is an odd row.
    """
    names = [(name or "").strip().lstrip("\ufeff") for name in sample[at]]
    widths = [len(fields) for fields in sample[at + 1 :] if any(fields)]
    if len(widths) > 1 and len(set(widths)) == 1:
        names += [""] * (widths[0] - len(names))
    return names


class TableSource(Source):
    """A file whose first row (after titles) names its columns."""

    def __init__(self, path: Path, chunk_rows: int, sample: Sequence[Fields]) -> None:
        """Take the header from `sample`, the first records of the file."""
        super().__init__(path, chunk_rows)
        at = header_at(sample)
        self._before = at + 1  # records before the first row of data
        self._header = table_header(sample, at)
        self._columns = Columns.of(self._header)
        if not self._columns.needed:
            raise unreadable("no_header")

    @property
    def header(self) -> list[str]:
        """The names as the file has them, without what a refused file added."""
        return [name for name in self._header if name not in REFUSED_COLUMNS][
            : self._columns.needed
        ]

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

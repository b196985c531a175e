"""Several sheets of one workbook that hold one table, read as one file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from connectors.files.columns import FAULT, ROW, sheet_and_row, sheet_row
from connectors.files.source import Chunk, Source, schema


@dataclass(frozen=True)
class Named:
    """A sheet: its name, the table, and what its columns are called in the file they make up."""

    name: str
    table: Source
    columns: Mapping[str, str]


class Sheets(Source):
    """The rows of some sheets in turn, under all their columns.

    A row's number tells its sheet; `place` gives it as Excel writes it, such as `续表!5`.
    """

    def __init__(self, sheets: Sequence[Named]) -> None:
        """Take sheets of one file, at least one."""
        first = sheets[0].table
        super().__init__(first.path, first.chunk_rows)
        self.format, self.encoding = first.format, first.encoding
        self._sheets = list(sheets)
        named = (_common(sheet, column) for sheet in sheets for column in sheet.table.columns)
        self._names = list(dict.fromkeys(named))

    @property
    def header(self) -> list[str]:
        """The names of all columns."""
        return list(self._names)

    @property
    def columns(self) -> list[str]:
        """The names of all columns."""
        return list(self._names)

    @property
    def header_row(self) -> list[str]:
        """The header a refused file gets."""
        return list(self._names)

    @property
    def titles(self) -> int:
        """How many filled rows above the sheets' headers are passed over."""
        return sum(sheet.table.titles for sheet in self._sheets)

    def chunks(self) -> Iterator[Chunk]:
        """Read the sheets in turn."""
        empty = pl.DataFrame(schema=schema(self._names))
        for number, sheet in enumerate(self._sheets):
            for chunk in sheet.table.chunks():
                renamed = chunk.rows.rename({c: _common(sheet, c) for c in sheet.table.columns})
                rows = renamed.with_columns(pl.col(ROW) + sheet_row(number, 0))
                self._position = sheet.table.position()
                whole = pl.concat([empty, rows], how="diagonal")
                yield Chunk(whole.select(ROW, FAULT, *self._names))

    def place(self, row: int) -> str:
        """Say where a row stands, as Excel does."""
        number, own = sheet_and_row(row)
        return f"{self._sheets[number].name}!{own}"


def _common(sheet: Named, column: str) -> str:
    return sheet.columns.get(column, column)

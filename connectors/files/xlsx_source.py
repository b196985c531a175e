"""Excel workbooks (.xlsx), a row at a time."""

import copy
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from connectors.files.columns import MAX_COLUMNS, Columns
from connectors.files.source import Chunk, Record, Sheet, finish, frame
from connectors.files.table import SAMPLE_ROWS, TableSource
from connectors.files.unreadable import Unreadable, unreadable
from connectors.files.xlsx_book import Book, Part, read_book
from connectors.files.xlsx_merges import Cells, Merges, Range, ranges_of
from connectors.files.xlsx_sheet import sheet_rows
from connectors.files.xlsx_xml import check

# What the parts of a damaged archive, or of a false one, make zipfile, expat and `int` raise.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, OSError, EOFError, LookupError, ValueError,
    NotImplementedError, RuntimeError,
)  # fmt: skip

#: A layout has at least so many columns.
_TABLE_COLUMNS = 3
_INSTRUCTIONS = re.compile("说明|须知|注意事项|封面|instructions|notes|readme", re.IGNORECASE)


@dataclass(frozen=True)
class _Filled:
    """A sheet that holds anything: its part, its first rows, its merged ranges; see `Sheet`."""

    part: Part
    sample: list[list[str | None]]
    merges: list[Range]
    instructions: bool


class XlsxSource(TableSource):
    """One sheet of a workbook: at first the first visible one that has a table.

    Where none has one, it is the first with anything. `sheets` gives the others.
    """

    format = "xlsx"
    encoding = "utf-8"

    def __init__(self, path: Path, chunk_rows: int) -> None:
        """Check the workbook to its end, so that no pass over it breaks half way."""
        with _opened(path) as (_, archive):
            self._book = read_book(archive)
            self._filled = [*_filled(archive, self._book)]
        visible = [sheet for sheet in self._filled if not sheet.part.hidden]
        if not visible:
            raise unreadable("empty_file")
        tables = (sheet for sheet in visible if max(map(len, sheet.sample)) >= _TABLE_COLUMNS)
        self._at = next(tables, visible[0])
        super().__init__(path, chunk_rows, self._at.sample)

    def sheets(self) -> list[Sheet]:
        """All sheets that hold anything, in the workbook's order, each to be read by itself."""
        return [
            Sheet(one.part.name, one.part.hidden, self._of(one), one.instructions)
            for one in self._filled
        ]

    def _of(self, sheet: _Filled) -> "XlsxSource":
        other = copy.copy(self)
        other.take_sheet(sheet)
        return other

    def take_sheet(self, sheet: _Filled) -> None:
        """Read another sheet of the workbook."""
        self._at = sheet
        try:
            self.take_sample(sheet.sample)
        except Unreadable:  # no row of it could be a header
            self._header, self._columns = [], Columns((), (), 0, 0)

    def chunks(self) -> Iterator[Chunk]:
        """Read the sheet from its start; a row's number is that which Excel shows."""
        with _opened(self.path) as (file, archive):
            cells = sheet_rows(archive, self._at.part.path, self._book, self._columns.width)
            rows: Iterator[tuple[int, Cells]] = enumerate(cells, start=1)
            if self._at.merges:
                merges = Merges(self._at.merges, self._columns.width)
                rows = ((row, merges.fill(row, found)) for row, found in rows)
            data = (found for found in rows if found[0] > self._before and found[1][0])
            while part := list(islice(data, self.rows_at_once)):
                self._position = file.tell()
                records = (_record(row, found, self._columns) for row, found in part)
                yield Chunk(finish(frame(self.columns, records)))


def _record(row: int, cells: Cells, columns: Columns) -> Record:
    fields, faults = cells
    values = columns.fit(fields + [None] * (columns.width - len(fields)))
    if isinstance(values, str):
        return row, values, columns.whole("\t".join(field or "" for field in fields))
    return row, next(iter(faults.values()), None), values


def _filled(archive: zipfile.ZipFile, book: Book) -> Iterator[_Filled]:
    for part in book.sheets:
        rows = (fields for fields, _ in sheet_rows(archive, part.path, book, MAX_COLUMNS))
        sample = [*islice(rows, SAMPLE_ROWS)]
        if any(sample):
            short = max(map(len, sample)) < _TABLE_COLUMNS and next(rows, None) is None
            instructions = short and _INSTRUCTIONS.search(part.name) is not None
            yield _Filled(part, sample, ranges_of(check(archive, part.path)), instructions)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, zipfile.ZipFile]]:
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            yield file, archive
    except _DAMAGE as error:
        raise unreadable("damaged_excel") from error

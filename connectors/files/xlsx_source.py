"""Excel workbooks (.xlsx), a row at a time."""

import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

# openpyxl's read-only mode and not calamine: that one is some ten times as fast, but holds all
# cells of a sheet at once, while here only the table of shared strings stays in memory.
import openpyxl

from connectors.files.columns import Columns
from connectors.files.source import Chunk, Record, drop_blank, finish, frame
from connectors.files.table import SAMPLE_ROWS, TableSource
from connectors.files.unreadable import unreadable
from connectors.files.xlsx_cells import cell_text, lost_digits

# What it cannot keep of a workbook (drop-down lists, styles) is nothing to tell a department.
warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")

_PARTS = ("xl/worksheets/sheet", "xl/sharedStrings")
_MAX_STRINGS = 1 << 29  # bytes unpacked; in memory they take three times as much
Row = tuple[list[str | None], bool]
"""A row's texts, blank ones at the end left out, and whether a number in it lost digits."""


class XlsxSource(TableSource):
    """The first sheet that has a table (else the first with anything) of a workbook."""

    format = "xlsx"
    encoding = "utf-8"

    def __init__(self, path: Path, chunk_rows: int) -> None:
        """Check the workbook to its end, so that no pass over it breaks half way."""
        _check(path)
        with _sheets(path) as sheets:
            samples = {name: _sample(sheet) for name, sheet in sheets.items()}
        filled = [name for name, sample in samples.items() if sample]
        if not filled:
            raise unreadable("empty_file")
        tables = (name for name in filled if max(len(row) for row in samples[name]) > 2)
        self._sheet = next(tables, filled[0])
        super().__init__(path, chunk_rows, samples[self._sheet])

    def chunks(self) -> Iterator[Chunk]:
        """Read the sheet from its start."""
        with _sheets(self.path) as sheets:
            sheet = sheets[self._sheet]
            last = max(1, sheet.max_row or 1)
            rows = enumerate(_rows(sheet), start=1 - self._before)
            data = (found for found in rows if found[0] > 0)
            while part := list(islice(data, self.chunk_rows)):
                self._position = self.size * (part[-1][0] + self._before) // last
                records = (_record(row, *found, self._columns) for row, found in part)
                chunk = drop_blank(finish(frame(self.columns, records)))
                if chunk.height:
                    yield Chunk(chunk)


def _record(row: int, fields: list[str | None], lost: bool, columns: Columns) -> Record:
    fields += [None] * (columns.width - len(fields))
    values = columns.fit(fields)
    if isinstance(values, str):
        return row, values, columns.whole("\t".join(field or "" for field in fields))
    return row, "number_lost_digits" if lost else None, values


def _sample(sheet: Any) -> list[list[str | None]]:
    sample = [fields for fields, _ in islice(_rows(sheet), SAMPLE_ROWS)]
    return sample if any(sample) else []


def _rows(sheet: Any) -> Iterator[Row]:
    sheet.reset_dimensions()  # some programs write a wrong one, and rows would be cut at it
    for values in sheet.iter_rows(values_only=True):
        yield _row(values)


def _row(values: Iterable[Any]) -> Row:
    cells = list(values)
    while cells and (cells[-1] is None or cells[-1] == ""):
        cells.pop()
    return [cell_text(value) for value in cells], any(map(lost_digits, cells))


@contextmanager
def _sheets(path: Path) -> Iterator[dict[str, Any]]:
    """Open the workbook's visible sheets, or all where none is visible."""
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # it lets out whatever its own parts raise
        raise unreadable("damaged_excel") from error
    try:
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        shown = {title: sheet for title, sheet in sheets.items() if sheet.sheet_state == "visible"}
        yield shown or sheets
    finally:
        book.close()


def _check(path: Path) -> None:
    """Read every sheet's XML once, for its form only: 20 times as fast as reading its cells."""
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                if not part.filename.startswith(_PARTS):
                    continue
                if "sharedStrings" in part.filename and part.file_size > _MAX_STRINGS:
                    raise unreadable("excel_too_big")
                with archive.open(part) as file:
                    expat.ParserCreate().ParseFile(file)
    except (zipfile.BadZipFile, expat.ExpatError, OSError, EOFError, ValueError) as error:
        raise unreadable("damaged_excel") from error

"""Excel workbooks (.xlsx), a row at a time."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from connectors.files.columns import Columns
from connectors.files.source import Chunk, Record, finish, frame
from connectors.files.table import SAMPLE_ROWS, TableSource
from connectors.files.unreadable import unreadable
from connectors.files.xlsx_book import Book, read_book
from connectors.files.xlsx_sheet import sheet_rows
from connectors.files.xlsx_xml import check

# What the parts of a damaged archive, or of a false one, make zipfile, expat and `int` raise.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, OSError, EOFError, LookupError, ValueError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


class XlsxSource(TableSource):
    """The first sheet that has a table (else the first with anything) of a workbook."""

    format = "xlsx"
    encoding = "utf-8"

    def __init__(self, path: Path, chunk_rows: int) -> None:
        """Check the workbook to its end, so that no pass over it breaks half way."""
        with _opened(path) as (_, archive):
            self._book = read_book(archive)
            samples = {sheet: _sample(archive, sheet, self._book) for sheet in self._book.sheets}
            filled = [sheet for sheet, sample in samples.items() if any(sample)]
            if not filled:
                raise unreadable("empty_file")
            tables = (sheet for sheet in filled if max(map(len, samples[sheet])) > 2)
            self._sheet = next(tables, filled[0])
            check(archive, self._sheet)
        super().__init__(path, chunk_rows, samples[self._sheet])

    def chunks(self) -> Iterator[Chunk]:
        """Read the sheet from its start."""
        with _opened(self.path) as (file, archive):
            rows = enumerate(sheet_rows(archive, self._sheet, self._book), start=1 - self._before)
            data = (found for found in rows if found[0] > 0 and found[1][0])
            while part := list(islice(data, self.chunk_rows)):
                self._position = file.tell()
                records = (_record(row, *found, self._columns) for row, found in part)
                yield Chunk(finish(frame(self.columns, records)))


def _record(row: int, fields: list[str | None], lost: bool, columns: Columns) -> Record:
    values = columns.fit(fields + [None] * (columns.width - len(fields)))
    if isinstance(values, str):
        return row, values, columns.whole("\t".join(field or "" for field in fields))
    return row, "number_lost_digits" if lost else None, values


def _sample(archive: zipfile.ZipFile, sheet: str, book: Book) -> list[list[str | None]]:
    return [fields for fields, _ in islice(sheet_rows(archive, sheet, book), SAMPLE_ROWS)]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, zipfile.ZipFile]]:
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            yield file, archive
    except _DAMAGE as error:
        raise unreadable("damaged_excel") from error

"""Writers of refused rows, one for each format a department may have sent."""

import csv
import os
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.worksheet._writer import ALL_TEMP_FILES, WorksheetWriter

from connectors.files.columns import REFUSED_COLUMNS, REFUSED_KEYS
from connectors.files.csv_source import CsvSource
from connectors.files.json_source import JsonSource
from connectors.files.json_values import compact, value_of
from connectors.files.sheets import Sheets
from connectors.files.source import LOST, Source
from connectors.files.table import TableSource
from connectors.work import work_folder

# A number with its sign, and dashes that stand for nothing, are none.
_FORMULA = re.compile(r"\s*(?![-+]?[\d.,]*\s*$|[-－]+\s*$)[=+\-@＝＋－＠]")
Values = tuple[str | None, ...]


def _made(path: Path) -> int:
    """Make a file for its owner's eyes alone; what has its name, a link perhaps, goes first."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


class Writer(Protocol):
    """Writes refused rows to a file of its own; `close` makes the file whole."""

    def write(self, values: Values, code: str, reason: str, row: str) -> None:
        """Write one row of the sender, with why it was refused and where it stood."""

    def close(self) -> None:
        """Finish the file."""


class CsvWriter:
    """UTF-8 with a BOM, which Excel opens without asking; the sender's own delimiter."""

    def __init__(self, path: Path, header: list[str], delimiter: str) -> None:
        """Open `path` and write the header."""
        self._file = os.fdopen(_made(path), "w", encoding="utf-8-sig", newline="")
        self._csv = csv.writer(self._file, delimiter=delimiter)
        self._csv.writerow([*header, *REFUSED_COLUMNS])

    def write(self, values: Values, code: str, reason: str, row: str) -> None:
        """Write one row; what a spreadsheet would run gets an apostrophe, which readers take off."""
        self._csv.writerow([*map(_inert, values), code, reason, row])

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _inert(text: str | None) -> str | None:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text and _FORMULA.match(text) else text


class XlsxWriter:
    """A workbook of one sheet in which every cell is text, so that no code loses a digit."""

    def __init__(self, path: Path, header: list[str]) -> None:
        """Begin a workbook; openpyxl keeps its rows in a file, which goes into a work folder."""
        self._file = os.fdopen(_made(path), "wb")
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet = self._book.create_sheet()
        self._work = ExitStack()
        rows = str(self._work.enter_context(work_folder()) / "rows.xml")
        ALL_TEMP_FILES.append(rows)  # as openpyxl does with a file it makes itself
        writer = self._sheet._writer = WorksheetWriter(self._sheet, rows)  # noqa: SLF001
        writer.write_top()
        self._append([*header, *REFUSED_COLUMNS])

    def write(self, values: Values, code: str, reason: str, row: str) -> None:
        """Write one row. A text with a leading `=` stays a text."""
        self._append([*values, code, reason, row])

    def _append(self, texts: list[str | None]) -> None:
        self._sheet.append([text and self._cell(text) for text in texts])

    def _cell(self, text: str) -> WriteOnlyCell:
        cell = WriteOnlyCell(self._sheet, ILLEGAL_CHARACTERS_RE.sub(LOST, text))
        cell.data_type = "s"
        return cell

    def close(self) -> None:
        """Write the workbook."""
        with self._work, self._file:
            self._book.save(self._file)


class JsonWriter:
    """A JSON array, or JSON lines, of objects under the sender's own keys."""

    def __init__(self, path: Path, kinds: dict[str, set[str]], *, lines: bool) -> None:
        """Open `path`; `kinds` says of each key what its values were."""
        self._file = os.fdopen(_made(path), "w", encoding="utf-8", newline="\n")
        self._kinds = kinds
        self._lines = lines
        self._before = "" if lines else "[\n"

    def write(self, values: Values, code: str, reason: str, row: str) -> None:
        """Write one record, nested values as the values they were."""
        fields = zip(self._kinds.items(), values, strict=True)
        record: dict[str, Any] = {key: value_of(text, kinds) for (key, kinds), text in fields}
        record |= zip(REFUSED_KEYS, (code, reason, int(row)), strict=True)
        self._file.write(self._before + compact(record))
        self._before = "\n" if self._lines else ",\n"

    def close(self) -> None:
        """End the list and close the file."""
        self._file.write("\n" if self._lines else "\n]\n")
        self._file.close()


def writer_for(source: Source, path: Path) -> Writer:
    """Open the writer of `source`'s own layout."""
    if isinstance(source, JsonSource):
        return JsonWriter(path, source.kinds, lines=source.format == "jsonl")
    if isinstance(source, CsvSource):
        return CsvWriter(path, source.header_row, source.delimiter)
    if isinstance(source, TableSource | Sheets):
        return XlsxWriter(path, source.header_row)
    raise TypeError(f"no writer for {type(source).__name__}")

"""The rows of a sheet, straight from its XML."""

import zipfile
from collections.abc import Iterator

from openpyxl.utils import column_index_from_string

from connectors.files.columns import FORMULA, MAX_COLUMNS
from connectors.files.xlsx_book import Book
from connectors.files.xlsx_cells import date_text, number_text
from connectors.files.xlsx_formats import DATE, Format, show
from connectors.files.xlsx_merges import Cells
from connectors.files.xlsx_xml import PartParser, unescape

_MAX_ROWS = 1 << 20  # Excel's own limit
_SPARE = 256  # cells behind the header's that a row is given back with


def sheet_rows(
    archive: zipfile.ZipFile, path: str, book: Book, width: int = MAX_COLUMNS
) -> Iterator[Cells]:
    """Give every row of a sheet from its first on, those the file leaves out as empty ones.

    A row of far more than `width` cells is cut: what is filled behind that stands in its last one.

    One block's rows are held at a time, and the workbook's strings. calamine is five times as
    fast, but holds all cells at once; openpyxl's read-only mode takes more than twice as long,
    and a sheet that does not state its size (as its own do not) it reads once more beforehand.
    """
    parser = _Sheet(book, width + _SPARE)
    given = 0
    for _ in parser.parse(archive, path):
        for number, row in parser.rows:
            yield from (([], {}) for _ in range(given + 1, number))
            yield row
            given = number
        parser.rows.clear()


class _Sheet(PartParser):
    def __init__(self, book: Book, most: int) -> None:
        super().__init__()
        self._most = most
        self.rows: list[tuple[int, Cells]] = []
        self._book = book
        self._columns: dict[str, int] = {}
        self._number = self._place = 0
        self._fields: list[str | None] = []
        self._faults: dict[int, str] = {}
        self._cell: dict[str, str] = {}
        self._formula = False

    def begin(self, name: str, about: dict[str, str]) -> None:
        if name == "c":
            self._cell = about
            self._place = self._column(about.get("r"))
            self._formula = self.valued = False
            self.texts.clear()
        elif name == "f":
            self._formula = True
        elif name == "row":
            self._number = max(self._number + 1, min(_MAX_ROWS, int(about.get("r", 0))))
            self._place = 0
            self._fields, self._faults = [], {}

    def finish(self, name: str) -> None:
        if name == "c" and (self.texts or self._formula):
            text = self._text("".join(self.texts)) if self.texts else self._untold()
            place = min(self._place, self._most)
            if place == self._place or (text or "").strip():
                self._fields += [None] * (place - len(self._fields))
                self._fields[place - 1] = text
        elif name == "row":
            while self._fields and not (self._fields[-1] or "").strip():
                self._fields.pop()
            self.rows.append((self._number, (self._fields, self._faults)))

    def _column(self, reference: str | None) -> int:
        """Give a cell's column from 1 on, by its reference or else by its place."""
        if reference is None:
            return self._place + 1
        letters = reference.rstrip("0123456789")
        if letters not in self._columns:
            self._columns[letters] = column_index_from_string(letters)
        return self._columns[letters]

    def _untold(self) -> str | None:
        """Return what a formula is without a stored value, unless that is an empty text."""
        return None if self.valued and self._cell.get("t") == "str" else FORMULA

    def _text(self, text: str) -> str:
        kind = self._cell.get("t", "n")
        if kind == "s":
            return self._book.strings[int(text)]
        if kind == "n":
            return self._number_text(text)
        if kind == "b":
            return "TRUE" if text == "1" else "FALSE"
        return unescape(text)

    def _number_text(self, text: str) -> str:
        shape = self._book.shapes.get(int(self._cell.get("s", 0)))
        if shape == DATE:
            return date_text(text, self._book.epoch)
        number, lost = number_text(text)
        if lost:
            self._faults[self._place - 1] = "number_lost_digits"
        elif isinstance(shape, Format):
            shown = show(number, shape)
            if shown is None:
                self._faults[self._place - 1] = "number_format"
            return number if shown is None else shown
        return number

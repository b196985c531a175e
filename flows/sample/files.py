"""Writing rows as departments export them; the same rows give the same bytes."""

from __future__ import annotations

import csv
import re
import zipfile
from pathlib import Path
from typing import Any, Final, Protocol

from openpyxl import Workbook

from flows.sample.export import Row

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_STAMP: Final = re.compile(rb"(<dcterms:\w+ [^>]*>)[^<]*")


class Writer(Protocol):
    """Takes rows of one header, that of the first row; `close` ends the file."""

    def add(self, row: Row) -> None: ...

    def close(self) -> None: ...


class CsvWriter:
    """A CSV file with CRLF, as Excel writes it. Dates are ISO."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._file = path.open("w", encoding=encoding, newline="")
        self._writer: Any = csv.writer(self._file)
        self._begun = False

    def add(self, row: Row) -> None:
        """Write a row."""
        if not self._begun:
            self._writer.writerow(row)
            self._begun = True
        self._writer.writerow(row.values())

    def close(self) -> None:
        """End the file."""
        self._file.close()


class XlsxWriter:
    """An XLSX file of one sheet, there after `close`; dates are date cells, the rest is text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._book: Any = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("双公示")
        self._begun = False

    def add(self, row: Row) -> None:
        """Write a row."""
        if not self._begun:
            self._sheet.append(list(row))
            self._begun = True
        self._sheet.append(list(row.values()))

    def close(self) -> None:
        """End the file."""
        self._book.save(self._path)
        _forget_the_clock(self._path)


def open_writer(path: Path, encoding: str = "utf-8-sig") -> Writer:
    """Return a writer for a path that ends in .xlsx or .csv; its directory is made.

    `encoding` is for CSV: gb18030, or utf-8-sig (with a byte order mark).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return XlsxWriter(path) if path.suffix == ".xlsx" else CsvWriter(path, encoding)


def _forget_the_clock(path: Path) -> None:
    """Write the workbook again without the times of its making, which openpyxl puts in."""
    made = path.with_suffix(".tmp")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            with old.open(name) as source, new.open(zipfile.ZipInfo(name, _EPOCH), "w") as target:
                first = source.read() if name == "docProps/core.xml" else b""
                target.write(_STAMP.sub(rb"\g<1>2026-05-01T00:00:00Z", first))
                while part := source.read(1 << 20):
                    target.write(part)
    made.replace(path)

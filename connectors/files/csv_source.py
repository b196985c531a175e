"""Delimited text: physical lines first, so that damage stays in its own row."""

import re
from collections.abc import Iterator
from pathlib import Path

from connectors.files.csv_records import Broken, Records
from connectors.files.csv_window import Window
from connectors.files.encoding import detect_encoding
from connectors.files.lines import Lines
from connectors.files.source import Chunk
from connectors.files.table import SAMPLE_ROWS, TableSource
from connectors.files.unreadable import unreadable

DELIMITERS = (",", "\t", ";", "|")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


class CsvSource(TableSource):
    """A CSV file: its encoding, delimiter and header are found by looking."""

    format = "csv"

    def __init__(self, path: Path, chunk_rows: int) -> None:
        """Look at the whole file for its encoding, at its first rows for the rest."""
        self.encoding = detect_encoding(path)
        self.delimiter = _delimiter(Lines(path, self.encoding))
        super().__init__(path, chunk_rows, _sample(Lines(path, self.encoding), self.delimiter))

    @property
    def ends_whole(self) -> bool:
        """Whether the last line has its end, which a file that was cut off lacks."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.size - 4))
            return file.read().rstrip(b"\0").endswith((b"\n", b"\r", b"\x1a"))

    def chunks(self) -> Iterator[Chunk]:
        """Read the file from its start."""
        lines = Lines(self.path, self.encoding)
        _take(lines, self.delimiter, self._before)
        window = Window(lines, self._columns, self.delimiter)
        while count := lines.window(self.rows_at_once):
            rows = window.read(count)
            self._position = lines.bytes_read
            if rows.height:
                yield Chunk(rows)


def _take(lines: Lines, delimiter: str, most: int) -> list[list[str]]:
    """Take up to `most` records that begin in the first lines of a file."""
    records = Records(lines, delimiter)
    count = lines.window(SAMPLE_ROWS)
    taken: list[list[str]] = []
    while lines.at < count and len(taken) < most:
        found = records.take()
        taken.append([found.text] if isinstance(found, Broken) else found)
    return taken


def _sample(lines: Lines, delimiter: str) -> list[list[str]]:
    if sample := _take(lines, delimiter, SAMPLE_ROWS):
        return sample
    raise unreadable("empty_file")


def _delimiter(lines: Lines) -> str:
    """Choose what the header (the first line with a delimiter at all) has most of."""
    count = lines.window(SAMPLE_ROWS)
    head = _QUOTED.sub("", "\n".join(lines.ahead(count))).split("\n")
    for line in head:
        found = max(DELIMITERS, key=line.count)
        if found in line:
            return found
    return DELIMITERS[0]

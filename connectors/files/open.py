"""Opening a department's file, whatever it is."""

from pathlib import Path

from connectors.files.csv_source import CsvSource
from connectors.files.json_source import JsonArraySource, JsonLinesSource
from connectors.files.sniff import sniff
from connectors.files.source import Source
from connectors.files.xlsx_source import XlsxSource

_KINDS: dict[str, type[CsvSource | XlsxSource | JsonArraySource | JsonLinesSource]] = {
    "csv": CsvSource,
    "xlsx": XlsxSource,
    "json": JsonArraySource,
    "jsonl": JsonLinesSource,
}


def open_source(path: Path, *, chunk_rows: int = 50_000) -> Source:
    """Open `path` to be read in chunks of at most about `chunk_rows` rows.

    The kind of file is told by its content. Raises Unreadable when it cannot be read at all;
    a wrong character or a broken row is a fault of that row only.
    """
    return _KINDS[sniff(path)](path, chunk_rows)

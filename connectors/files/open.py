"""Opening a department's file, whatever it is."""

from collections.abc import Sequence
from pathlib import Path

from connectors.files.csv_source import CsvSource
from connectors.files.json_source import JsonArraySource, JsonLinesSource
from connectors.files.sniff import sniff
from connectors.files.source import Source
from connectors.files.xlsx_source import XlsxSource

_KINDS: dict[str, type[CsvSource | XlsxSource | JsonLinesSource]] = {
    "csv": CsvSource,
    "xlsx": XlsxSource,
    "jsonl": JsonLinesSource,
}


def open_source(path: Path, *, chunk_rows: int = 50_000, places: Sequence[str] = ()) -> Source:
    """Open `path` to be read in chunks of at most about `chunk_rows` rows.

    `places`: where in a JSON object the records may be (`records` of the dialects).

    The kind of file is told by its content. Raises Unreadable when it cannot be read at all;
    a wrong character or a broken row is a fault of that row only.
    """
    kind = sniff(path)
    if kind == "json":
        return JsonArraySource(path, chunk_rows, places)
    return _KINDS[kind](path, chunk_rows)

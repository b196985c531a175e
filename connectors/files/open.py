"""Opening a department's file, whatever it is."""

from collections.abc import Sequence
from pathlib import Path

from connectors.files.sniff import sniff
from connectors.files.source import Source


def open_source(path: Path, *, chunk_rows: int = 50_000, places: Sequence[str] = ()) -> Source:
    """Open `path` to be read in chunks of at most about `chunk_rows` rows.

    `places`: where in a JSON object the records may be (`records` of the dialects).

    The kind of file is told by its content. Raises Unreadable when it cannot be read at all;
    a wrong character or a broken row is a fault of that row only.
    """
    # Imported where used: Excel's takes a third of a second.
    match sniff(path):
        case "json":
            from connectors.files.json_source import JsonArraySource

            return JsonArraySource(path, chunk_rows, places)
        case "jsonl":
            from connectors.files.json_source import JsonLinesSource

            return JsonLinesSource(path, chunk_rows)
        case "xlsx":
            from connectors.files.xlsx_source import XlsxSource

            return XlsxSource(path, chunk_rows)
        case _:
            from connectors.files.csv_source import CsvSource

            return CsvSource(path, chunk_rows)

"""CSV records one at a time, for the lines that do not split by themselves."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.files.columns import Columns
from connectors.files.lines import MAX_RECORD, TOO_LONG, Lines
from connectors.files.source import Record

# The module's own default stops at 128 KiB, in the middle of a business scope with annexes.
csv.field_size_limit(max(csv.field_size_limit(), 4 * MAX_RECORD))


_TELLING = 3  # fields from which on a line that splits into as many is no accident


@dataclass(frozen=True)
class Broken:
    """A record that does not split: its fault, and the physical line it begins with."""

    fault: str
    text: str


class Records:
    """Takes whole records from lines: a quoted field may run over several."""

    def __init__(self, lines: Lines, delimiter: str, columns: Columns | None = None) -> None:
        """Take from `lines`, wherever they stand; `columns` tell which lines are whole records."""
        self._lines = lines
        self._columns = columns
        self._delimiter = delimiter
        # strict: a quotation mark that closes in mid-field shows that an earlier one was open
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True)

    def take(self) -> list[str] | Broken:
        """Take the record that begins with the next line; a broken one takes that line only."""
        line = self._lines.take()
        if line.startswith(TOO_LONG):
            return Broken("row_too_long", line.removeprefix(TOO_LONG))
        if '"' not in line:
            return line.removesuffix("\r").split(self._delimiter)
        self._lines.begin()
        try:
            found = next(self._reader)
        except csv.Error:
            return Broken("broken_quotes", self._lines.give_back())
        first, *inner = self._lines.record()
        # A text may hold line ends. One that holds whole records was never meant to: a lone
        # quotation mark opened it (12", a measure) and another one, lines below, closed it.
        if inner and self._is_record(first) and any(map(self._is_record, inner)):
            return Broken("broken_quotes", self._lines.give_back())
        return found

    def _is_record(self, line: str) -> bool:
        """Whether a line by itself splits into as many fields as a record has."""
        if self._columns is None or self._columns.needed < _TELLING:
            return False
        fields = line.removesuffix("\r").split(self._delimiter)
        filled = sum(1 for field in fields if field.strip('" '))
        if len(fields) < self._columns.width or filled * 2 < self._columns.needed:
            return False
        return not isinstance(self._columns.fit(fields), str)


def to_record(row: int, found: Sequence[str] | Broken, columns: Columns, delimiter: str) -> Record:
    """Put a record into the columns, or whole into the first with its fault."""
    if isinstance(found, Broken):
        return row, found.fault, columns.whole(found.text)
    if not any(field.strip() for field in found):
        return row, None, columns.whole("")
    values = columns.fit(found)
    if isinstance(values, str):
        return row, values, columns.whole(delimiter.join(found))
    return row, None, values

"""The columns of a file: their names, and which field of a record each one is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.files.unreadable import unreadable

ROW, FAULT = "__row", "__fault"
REFUSED_COLUMNS = ("退回原因代码 reason_code", "退回原因 reason", "原行号 row")
REFUSED_KEYS = ("_reason_code", "_reason", "_row")
FORMULA = "=?"  # stands for a formula whose value the file does not store
_SHEET = 10_000_000  # more than the rows of any sheet
MAX_COLUMNS = 4096  # a table of ours has 40; this stops a file whose every row has new keys

#: Cells held at a time: a few kilobytes may hold a row of thousands of columns, many times over.
_CELLS = 2_000_000


def rows_at_once(most: int, columns: int) -> int:
    """Return how many rows of so many columns a chunk may have, `most` at most."""
    return max(1, min(most, _CELLS // max(1, columns)))


def sheet_row(sheet: int, row: int) -> int:
    """Number a row of one of several sheets (from 0 on), so that no other row has its number."""
    return sheet * _SHEET + row


def sheet_and_row(number: int) -> tuple[int, int]:
    """Return what `sheet_row` was given."""
    return divmod(number, _SHEET)


def unique_names(names: Iterable[str]) -> list[str]:
    """Name every column: blank ones `列N`, repeated ones with `_2`, `_3`, …

    The reader's own two columns count as taken.
    """
    taken = {ROW, FAULT}
    unique = []
    for position, name in enumerate(names, start=1):
        wanted = name or f"列{position}"
        candidate, copy = wanted, 1
        while candidate in taken:
            copy += 1
            candidate = f"{wanted}_{copy}"
        taken.add(candidate)
        unique.append(candidate)
    if len(unique) > MAX_COLUMNS:
        raise unreadable("too_many_columns", limit=MAX_COLUMNS)
    return unique


@dataclass(frozen=True)
class Columns:
    """How a record's fields become columns.

    `width` fields make a whole record, of which those at `keep` are handed on under `names`.
    A record needs no more than its first `needed` fields: behind them the header is blank.
    """

    names: tuple[str, ...]
    keep: tuple[int, ...]
    width: int
    needed: int

    @classmethod
    def of(cls, header: Sequence[str]) -> "Columns":
        """Take `header` (stripped, blanks kept) as found, without what a refused file added."""
        keep = tuple(i for i, name in enumerate(header) if name not in REFUSED_COLUMNS)
        names = tuple(unique_names(header[i] for i in keep))
        filled = [i + 1 for i in keep if header[i]]
        return cls(names, keep, len(header), max(filled, default=0))

    def fit(self, fields: Sequence[str | None]) -> list[str | None] | str:
        """Put a record's fields into the columns, or say by a fault code why they do not fit."""
        if len(fields) == self.width == len(self.keep):
            return list(fields)
        if len(fields) < self.needed:
            return "too_few_fields"
        if any(field and field.strip() for field in fields[self.width :]):
            return "too_many_fields"
        return [fields[i] if i < len(fields) else None for i in self.keep]

    def whole(self, text: str) -> list[str | None]:
        """Keep a record that does not split as one text, in the first column.

        Nowhere else: sent again unmended it lacks its other columns, and is refused again.
        """
        return [text, *(None for _ in self.names[1:])]

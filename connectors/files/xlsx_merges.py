"""Merged cells: the value in the first cell of a range counts for all of it, as a person reads it."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from openpyxl.utils.cell import range_boundaries

from connectors.files.unreadable import unreadable

_MOST_OPEN = 1 << 14  # ranges do not overlap, so one row meets no more than its columns


@dataclass(frozen=True, order=True)
class Range:
    """Rows and columns from 1 on, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


Cells = tuple[list[str | None], dict[int, str]]
"""A row's texts, and the faults of its cells by their place from 0."""


def ranges_of(references: Iterable[str]) -> list[Range]:
    """Read references such as `B2:B4`, in the order of their rows."""
    found = []
    for reference in references:
        left, top, right, bottom = range_boundaries(reference)
        if None not in (left, top, right, bottom) and (left, top) != (right, bottom):
            found.append(Range(int(top), int(left), int(bottom), int(right)))
    return sorted(found)


class Merges:
    """Fills the cells of merged ranges while the rows of a sheet stream by.

    A row with nothing of its own but one range's value stays as it is: a title or a note merged
    over the width of the table is one text. So does a row that lies in ranges from above alone.
    A range that was laid over other values hides them, which only some programs do: the row keeps
    its own, and the fault `hidden_by_merge`.
    """

    def __init__(self, ranges: list[Range], width: int) -> None:
        """Take `ranges` sorted; columns beyond `width` are not filled."""
        self._ranges = ranges
        self._width = width
        self._next = 0
        self._open: list[tuple[int, Range]] = []
        self._anchors: dict[Range, tuple[str | None, str | None]] = {}

    def fill(self, row: int, cells: Cells) -> Cells:
        """Return row number `row` filled; rows must come in their order."""
        while self._next < len(self._ranges) and self._ranges[self._next].top <= row:
            begun = self._ranges[self._next]
            heappush(self._open, (begun.bottom, begun))
            self._next += 1
        while self._open and self._open[0][0] < row:
            self._anchors.pop(heappop(self._open)[1], None)
        if not self._open:
            return cells
        if len(self._open) > _MOST_OPEN:
            raise unreadable("damaged_excel")
        return self._filled(row, cells)

    def _filled(self, row: int, cells: Cells) -> Cells:
        fields, faults = cells
        own = {place for place, text in enumerate(fields, start=1) if text and text.strip()}
        hidden = set()
        for _, found in self._open:
            columns = range(found.left, min(found.right, self._width, len(fields)) + 1)
            if found.top == row:
                at = found.left - 1
                self._anchors[found] = (fields[at] if at < len(fields) else None, faults.get(at))
                columns = columns[1:]
            shown = self._anchors.get(found, (None, None))[0]
            hidden |= {place for place in own & {*columns} if fields[place - 1] != shown}
            own.difference_update(columns)
        if hidden:
            return fields, faults | dict.fromkeys(
                (place - 1 for place in hidden), "hidden_by_merge"
            )
        if not own:
            return [], {}
        wide = [f for _, f in self._open if f.top == row and f.right > f.left]
        if len(own) == 1 and any(f.left in own for f in wide):
            (only,) = own
            return [*[None] * (only - 1), fields[only - 1]], faults
        filled, marked = list(fields), dict(faults)
        for _, found in self._open:
            text, fault = self._anchors.get(found, (None, None))
            last = min(found.right, self._width)
            filled += [None] * (last - len(filled))
            for place in range(found.left - 1, last):
                filled[place] = text
                if fault:
                    marked[place] = fault
        return filled, marked

"""What publishing reads rows from: a file, or rows a program hands over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from connectors.files import Chunk


class Rows(Protocol):
    """The part of a file reader that publishing needs; `connectors.files.Source` is one."""

    size: int

    @property
    def digest(self) -> str: ...

    @property
    def header(self) -> list[str]: ...

    def chunks(self) -> Iterator[Chunk]: ...

    def position(self) -> int: ...


class Handed:
    """Rows handed over by a program: mappings of column name to text (or None)."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = [{str(k): _text(v) for k, v in row.items()} for row in rows]
        self._json = json.dumps(self._rows, ensure_ascii=False, sort_keys=True).encode()
        self.size = len(self._json)

    @property
    def digest(self) -> str:
        """SHA-256 of the rows as JSON: the same rows handed over again are the same file."""
        return hashlib.sha256(self._json).hexdigest()

    @property
    def header(self) -> list[str]:
        """Every column any row has, in the order first met."""
        return list(dict.fromkeys(name for row in self._rows for name in row))

    def chunks(self) -> Iterator[Chunk]:
        """Yield all rows as one chunk."""
        header = self.header
        columns: dict[str, list[Any]] = {name: [r.get(name) for r in self._rows] for name in header}
        numbers = list(range(1, len(self._rows) + 1))
        rows = pl.DataFrame(
            {"__row": numbers, "__fault": [None] * len(numbers), **columns},
            schema={"__row": pl.Int64, "__fault": pl.String, **dict.fromkeys(header, pl.String)},
        )
        yield Chunk(rows)

    def position(self) -> int:
        """Return the size: all is read at once."""
        return self.size


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)

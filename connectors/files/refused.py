"""Refused rows go back to their sender in the layout they came in, each with its reason."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import polars as pl

from connectors.files.columns import ROW
from connectors.files.source import Source

if TYPE_CHECKING:
    from connectors.files.refused_writers import Writer

_SUFFIXES = {"csv": ".csv", "xlsx": ".xlsx", "json": ".json", "jsonl": ".jsonl"}


class RefusedFile:
    """A file of refused rows, in the format, delimiter and header of `source`.

    Three columns more say why and where: REFUSED_COLUMNS, in JSON REFUSED_KEYS. A reader passes
    over them, so the file can be published as it stands once its rows are mended. It appears
    under its name only when closed, and not at all when no row was refused.
    """

    def __init__(self, path: Path, source: Source) -> None:
        """Write nothing yet; a `path` without a suffix gets that of the format."""
        self._path = path if path.suffix else path.with_suffix(_SUFFIXES[source.format])
        self._part = self._path.with_name(f".{self._path.name}.part")
        self._source = source
        self._writer: Writer | None = None

    def add(self, rows: pl.DataFrame, reasons: pl.DataFrame) -> None:
        """Write those of `rows` (of a chunk) that `reasons` names, in their order.

        `reasons`: `__row`, `code`, `sentence_en`, `sentence_zh`; a row may have several.
        Raises ValueError when a reason's row is not among `rows`.
        """
        told = _together(reasons)
        refused = rows.select(ROW, *self._source.columns).join(told, on=ROW).sort(ROW)
        if refused.height != told.height:
            raise ValueError("a reason names a row that is not in these rows")
        for row, *values, code, reason in refused.iter_rows():
            self._open().write(tuple(values), code, reason, self._source.place(row))

    def close(self) -> Path | None:
        """Put the file in its place; return its path, or None when no row was refused."""
        if self._writer is None:
            return None
        self._writer.close()
        self._writer = None
        os.replace(self._part, self._path)
        return self._path

    def discard(self) -> None:
        """Leave nothing behind."""
        writer, self._writer = self._writer, None
        try:
            if writer:
                writer.close()
        finally:
            self._part.unlink(missing_ok=True)

    def _open(self) -> Writer:
        if self._writer is None:
            from connectors.files.refused_writers import writer_for  # Excel's takes a while

            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = writer_for(self._source, self._part)
        return self._writer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file, or discard it when something went wrong."""
        if kind is None:
            self.close()
        else:
            self.discard()


def _together(reasons: pl.DataFrame) -> pl.DataFrame:
    """Put a row's reasons into one code and one text, Chinese first."""
    sentence = pl.concat_str("sentence_zh", "sentence_en", separator=" ")
    return reasons.group_by(ROW, maintain_order=True).agg(
        pl.col("code").unique(maintain_order=True).str.join("; "),
        sentence.unique(maintain_order=True).str.join(" ").alias("reason"),
    )

"""The rows of a file as records of its layout: footers left out, doubtful rows marked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

import polars as pl

from connectors.files import FAULT, ROW, Source
from flows.clock import CHINA
from flows.publish.ending_columns import ending_columns, ending_faults
from flows.publish.recognise import Match
from flows.publish.source import Rows
from schemas.dialect import Dialect, key_columns, mapped_columns
from schemas.folding import fold, fold_text, is_placeholder

_CODE: Final = r"[0-9A-HJ-NPQRTUWXY]{18}"
#: The errors of Excel, WPS and LibreOffice as texts, in English and Chinese.
_ERROR: Final = (
    r"(?i)^\s*(?:[#＃](?:N/?A|REF[!！]|NAME[?？]|VALUE[!！]|DIV[/／]0[!！]|NULL[!！]|NUM[!！]|SPILL[!！]"
    r"|CALC[!！]|FIELD[!！]|BLOCKED[!！]|UNKNOWN[!！]|BUSY[!！]|CONNECT[!！]|GETTING_DATA|ERROR[!！]?"
    r"|错误[!！]?|名称[?？]|值[!！]|引用[!！]|数字[!！]|空值?[!！]|除[以数]?[为]?零[!！]?|[#＃]+)"
    r"|(?:Err|错误)[:：]\s*\d{3})\s*$"
)
_FORMULA: Final = r"^\s*[=＝]"
#: What a line of totals counts, such as 9家 or 共 1,234 条; without the unit it may be a number.
_COUNT: Final = r"^\s*共?\s*[\d,，]{1,9}\s*(?:家|户|件|条|个|份|项|笔|宗|本|张|人次?|次)\s*$"
_BARE_COUNT: Final = r"^\s*\d{1,6}\s*$"


class Records:
    """The records of a file, in frames named as in the dialect.

    Footers and totals (`skip_rows`) are left out and counted in `skipped`. A row may get a fault:
    a cell of the layout holds an error of the spreadsheet or a formula without its value; the line
    behind it does not split; the file is cut off behind it; a column that the layout does not know
    may tell of an ending. `now`: UTC.
    """

    def __init__(self, rows: Rows, match: Match, now: dt.datetime) -> None:
        self._rows = rows
        self._ending = ending_columns(rows.header, match)
        self._today = now.astimezone(CHINA).date()
        self._names = match.names
        self._dialect = match.dialect
        self._read = _columns_read(match.dialect)
        self._others = self._filled = 0
        self._last = self._last_column()
        self.skipped = 0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Read the file from its start, one chunk ahead where a row depends on the next one."""
        self._others = self._filled = self.skipped = 0
        held: pl.DataFrame | None = None
        for rows in self._chunks():
            if held is not None:
                yield self._marked(held, rows[FAULT][0])
            held = rows
        if held is not None:
            yield self._marked(self._ended(held), None)

    def _chunks(self) -> Iterator[pl.DataFrame]:
        for chunk in self._rows.chunks():
            rows = self._without_footers(chunk.rows.rename(self._names, strict=False))
            if not rows.is_empty():
                yield rows

    def _without_footers(self, rows: pl.DataFrame) -> pl.DataFrame:
        words = self._dialect.skip_rows
        if not words:
            return rows
        first = pl.coalesce(pl.exclude(ROW, FAULT))
        named = fold(first)
        begins = pl.any_horizontal([named.str.starts_with(fold_text(word)) for word in words])
        alone = named.str.strip_chars(":：").is_in([fold_text(word) for word in words])
        keys = {self._dialect.subject, *key_columns(self._dialect)} & set(rows.columns)
        none = [
            pl.col(key).is_null()
            | (pl.col(key) == first)
            | is_placeholder(pl.col(key))
            | pl.col(key).str.contains(_COUNT)
            | (alone & pl.col(key).str.contains(_BARE_COUNT))
            for key in keys
        ]
        footer = begins & pl.all_horizontal(none) & ~first.str.contains(_CODE)
        kept = rows.filter(~footer.fill_null(value=False))
        self.skipped += rows.height - kept.height
        return kept

    def _marked(self, rows: pl.DataFrame, following: str | None) -> pl.DataFrame:
        """Mark rows that must be refused; `following` is the fault of the row behind them."""
        if rows[FAULT].null_count() < rows.height or following is not None:
            behind = pl.col(FAULT).shift(-1, fill_value=following)
            cut = pl.col(FAULT).is_null() & (behind == "too_few_fields")
            rows = rows.with_columns(
                pl.when(cut).then(pl.lit("cut_text")).otherwise(FAULT).alias(FAULT)
            )
        if self._last is not None:
            self._others += rows.height
            self._filled += rows.height - rows[self._last].null_count()
        return self._telling_of_an_end(self._without_values(rows))

    def _telling_of_an_end(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Mark rows that may tell of an ending in a column which the layout does not know."""
        faults = ending_faults(self._ending, rows, self._today)
        return rows.with_columns(pl.coalesce(FAULT, *faults).alias(FAULT)) if faults else rows

    def _without_values(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Mark rows in which a cell that is read holds an error or a formula."""
        columns = [c for c in rows.columns if c in self._read or self._dialect.native]
        columns = [c for c in columns if c not in (ROW, FAULT)]
        if not columns:
            return rows
        near = rows.select(
            pl.any_horizontal(
                pl.col(c).str.contains_any(["#", "＃", "=", "＝", "Err", "ERR", "err", "错误"])
            ).any()
            for c in columns
        )
        doubtful = [column for column in columns if near[column].item()]
        if not doubtful:
            return rows
        faults = [
            fault
            for c in doubtful
            for fault in (
                pl.when(pl.col(c).str.contains(_ERROR)).then(pl.lit(f"error_value:{c}")),
                pl.when(pl.col(c).str.contains(_FORMULA)).then(
                    pl.lit(f"formula_without_value:{c}")
                ),
            )
        ]
        return rows.with_columns(pl.coalesce(FAULT, *faults).alias(FAULT))

    def _last_column(self) -> str | None:
        """Return the column a file without a last line end may be cut in, if it is read."""
        rows = self._rows
        if not isinstance(rows, Source) or rows.ends_whole or not rows.header:
            return None
        last = rows.columns[len(rows.header) - 1]
        own = self._names.get(last, last)
        return own if own in self._read else None

    def _ended(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Mark the last record of a file that ends within it, where its last cell is empty."""
        if self._last is None or rows[self._last][-1] is not None or rows[FAULT][-1] is not None:
            return rows
        others = self._others + rows.height - 1
        filled = self._filled + rows.height - rows[self._last].null_count()
        if others and not filled:
            return rows  # nobody fills it
        last = pl.int_range(pl.len()) == pl.len() - 1
        return rows.with_columns(
            pl.when(last).then(pl.lit("cut_at_end")).otherwise(FAULT).alias(FAULT)
        )


def _columns_read(dialect: Dialect) -> set[str]:
    named = {dialect.edition, dialect.sequence} - {None}
    return mapped_columns(dialect) | set(dialect.required) | {name for name in named if name}

"""Text as departments type it, made plain: blanks, full-width spaces, control characters."""

from __future__ import annotations

from typing import Final

import polars as pl

#: Longest text of one field, in characters: a Kafka message holds 1 MiB by default.
LONGEST_TEXT: Final = 20_000

_CONTROL: Final = r"[\x00-\x08\x0b-\x1f\x7f]"
_EDGES: Final = " \t\r\n\u3000\u00a0\ufeff"


def clean(column: str, blank: list[str]) -> pl.Expr:
    """Return the column without edge blanks and control characters; null where nothing is left."""
    text = pl.col(column).str.replace_all(r"[\t\r\n]+", " ").str.replace_all(_CONTROL, "")
    text = text.str.strip_chars(_EDGES)
    empty = text.is_in(["", *blank])
    return pl.when(~empty).then(text).alias(column)


def holds_control(column: pl.Expr) -> pl.Expr:
    """Return whether a text holds a control character."""
    return column.str.contains(r"[\x00-\x1f\x7f]")

"""The organisation code (组织机构代码), GB 11714: eight characters and a check character."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from schemas.identifiers import characters

#: Characters in the order of their values, 0 to 35; all the letters, unlike GB 32100.
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "0123456789X"
_FIRST8: Final = re.compile("[0-9A-Z]{8}")


def check_character(first8: str) -> str:
    """The ninth character for the first eight of a code.

    Raises ValueError when `first8` is not eight digits or capital letters.
    """
    if not _FIRST8.fullmatch(first8):
        raise ValueError("an organisation code begins with eight digits or capital letters")
    total = sum(
        ALPHABET.index(character) * weight
        for character, weight in zip(first8, _WEIGHTS, strict=True)
    )
    return _CHECKS[-total % 11]


def is_valid(code: str) -> bool:
    """Whether `code`, already normalised, is an organisation code."""
    return bool(_FIRST8.fullmatch(code[:8])) and code[8:] == check_character(code[:8])


def normalise(expr: pl.Expr) -> pl.Expr:
    """The strings of `expr` in half-width capitals, without blanks and the old form's hyphen."""
    return characters.normalise(expr).str.replace(r"^(.{8})-(.)$", "${1}${2}")


def valid(expr: pl.Expr) -> pl.Expr:
    """Whether the strings of `expr`, already normalised, are such codes; Boolean, null for null."""
    return expr.map_batches(_valid, return_dtype=pl.Boolean, is_elementwise=True)


def _valid(codes: pl.Series) -> pl.Series:
    # X stands for 10 but is counted as its value 33 in the sum: one more modulo 11.
    expected = codes.str.ends_with("X").cast(pl.Int16)
    remainder = characters.weighted_sum(codes, (*_WEIGHTS, 1)) % 11
    return codes.str.contains("^[0-9A-Z]{8}[0-9X]$") & (remainder == expected)

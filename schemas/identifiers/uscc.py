"""The unified social credit code (统一社会信用代码), GB 32100-2015, of every register."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from schemas.identifiers import org_code
from schemas.identifiers.characters import normalise, weighted_sum

__all__ = [
    "ALPHABET",
    "FAULTS",
    "PLACEHOLDER",
    "check_character",
    "fault",
    "inner_org_code_valid",
    "is_valid",
    "normalise",
]

#: Characters in the order of their values, 0 to 30: no I, O, S, V, Z.
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: What 双公示 exports write where there is no code.
PLACEHOLDER: Final = "0" * 17 + "X"
#: Every reason that `fault` gives, in the order in which it looks.
FAULTS: Final = (
    "code_missing",
    "code_placeholder",
    "code_length",
    "code_alphabet",
    "code_structure",
    "code_check_digit",
)

_ALLOWED: Final = "[0-9A-HJ-NP-RTUWXY]"
# Registering authority and kind of body; where the kinds are not known here, any character.
_KINDS: Final = f"(?:1[1239]|3[1-59]|5[1239]|9[123]|N[1239]|Y1|[24678A]{_ALLOWED})"
_STRUCTURE: Final = f"{_KINDS}[0-9]{{6}}{_ALLOWED}{{10}}"
_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))
_FIRST17: Final = re.compile(f"{_ALLOWED}{{17}}")
_WHOLE: Final = re.compile(_STRUCTURE)


def check_character(first17: str) -> str:
    """The 18th character for the first 17 of a code.

    Raises ValueError when `first17` is not 17 characters of the alphabet.
    """
    if not _FIRST17.fullmatch(first17):
        raise ValueError("a unified social credit code begins with 17 characters of its alphabet")
    total = sum(
        ALPHABET.index(character) * weight
        for character, weight in zip(first17, _WEIGHTS, strict=True)
    )
    return ALPHABET[-total % 31]


def is_valid(code: str) -> bool:
    """Whether `code`, already normalised, has no fault."""
    return bool(_WHOLE.fullmatch(code)) and code[17] == check_character(code[:17])


def fault(expr: pl.Expr) -> pl.Expr:
    """Why a code, already normalised, is none: one of `FAULTS`, or null when it is valid; String.

    The check of the whole code alone decides; `inner_org_code_valid` is a second opinion.
    """
    return expr.map_batches(_faults, return_dtype=pl.String, is_elementwise=True)


def inner_org_code_valid(expr: pl.Expr) -> pl.Expr:
    """Whether characters 9 to 17 of a code are an organisation code by GB 11714; Boolean.

    Null for null. GB 32100 does not ask for it: where it is false in a code without fault, that
    is a sign of a mistake and no reason to refuse.
    """
    return org_code.valid(expr.str.slice(8, 9))


def _faults(codes: pl.Series) -> pl.Series:
    code = pl.col("code")
    remainder = weighted_sum(codes, (*_WEIGHTS, 1), omitted="IOSVZ") % 31
    return pl.DataFrame({"code": codes, "remainder": remainder}).select(
        pl.when(code.is_null() | (code == ""))
        .then(pl.lit("code_missing"))
        .when(code == PLACEHOLDER)
        .then(pl.lit("code_placeholder"))
        .when(code.str.len_chars() != 18)
        .then(pl.lit("code_length"))
        .when(~code.str.contains(f"^{_ALLOWED}*$"))
        .then(pl.lit("code_alphabet"))
        .when(~code.str.contains(f"^{_STRUCTURE}$"))
        .then(pl.lit("code_structure"))
        .when(pl.col("remainder") != 0)
        .then(pl.lit("code_check_digit"))
        .alias(codes.name),
    )[codes.name]

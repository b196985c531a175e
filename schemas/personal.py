"""Numbers of persons in free text: identity numbers (公民身份号码) and mobile numbers.

They never leave a publisher's side: a row that holds one is refused, never mended. The scan is for
text; columns of validated codes need none, since a long code may look like a mobile number.

- An 18-character identity number is found anywhere, inside a longer run of digits or letters too
  (old tax numbers of sole traders are an identity number and two digits), with blanks or hyphens
  anywhere in it. Province, date and check must be right: 1 in 75,000 random numbers is taken for
  one, and of unified social credit codes only all-digit ones that happen to hold a date, 4 in a
  million at most.
- A 15-digit one stands alone between other characters than letters and digits; see
  `identifiers.citizen.is_old_number` for what is taken for one.
- A mobile number carries no check: eleven digits from 13 to 19 on that stand alone, together or in
  groups of 3-4-4, 4-4-3 or 4-3-4, with or without the country's 86.

Landline numbers are an office's and stay. Passports and travel permits carry no check, so they
cannot be told from other codes: their columns are named in a dialect and dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from schemas.identifiers import citizen
from schemas.identifiers.characters import BLANKS, FULL_WIDTH

#: What stands in a message in the place of a number.
REDACTED: Final = "***"

# One character for one, so that a place in the plain text is the same place in the text itself.
_PLAIN: Final[dict[str, str]] = (
    FULL_WIDTH
    | dict.fromkeys(BLANKS, " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d", "-")
)
_TRANSLATION: Final = str.maketrans(_PLAIN)

# These are patterns for both Polars and `re`, which must agree: no look-around, no `\d`.
_GAP: Final = "[ -]{0,3}"
# 1900 to `citizen.LAST_BIRTH_YEAR`: without that end, every permit numbered by its date would have
# to be checked row by row.
_YEAR: Final = (
    f"(?:1{_GAP}9{_GAP}[0-9]{_GAP}[0-9]|2{_GAP}0{_GAP}0{_GAP}[0-9]|2{_GAP}0{_GAP}1{_GAP}0)"
)
_CITIZEN: Final = _GAP.join(
    ("[1-8]", *["[0-9]"] * 5, _YEAR, "[01]", "[0-9]", "[0-3]", *["[0-9]"] * 4, "[0-9Xx]"),
)
_OLD: Final = "[1-8][0-9]{5}[ -]?[0-9]{2}[01][0-9][0-3][0-9][ -]?[0-9]{3}"
_MOBILE: Final = (
    "(?:[Tt]el|TEL|[Mm]obile|MOBILE|[Pp]hone|PHONE)?"
    f"(?:(?:[+]|00)?86{_GAP})?1[3-9][0-9](?:"
    f"{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}"
    f"|[0-9]{_GAP}[0-9]{{4}}{_GAP}[0-9]{{3}}"
    f"|[0-9]{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}})"
)
# Whatever the patterns find has eleven digits with no more than these gaps between them.
_DIGIT: Final = "[0-9\uff10-\uff19]"
_APART: Final = "".join(re.escape(wide) for wide, narrow in _PLAIN.items() if narrow in " -") + " -"
_NEAR: Final = f"{_DIGIT}(?:[{_APART}]{{0,3}}{_DIGIT}){{10}}"
_EDGE: Final = "[^0-9A-Za-z]"
_INSIDE: Final = "[0-9A-Za-z]"
# A look-ahead that captures is tried at every place, so that no match hides another.
_CITIZEN_AT: Final = re.compile(f"(?=({_CITIZEN}))")
_OLD_AT: Final = re.compile(f"(?<!{_INSIDE})(?=({_OLD})(?!{_INSIDE}))")
_MOBILE_AT: Final = re.compile(f"(?<!{_INSIDE})(?=({_MOBILE})(?!{_INSIDE}))")


def holds_personal(expr: pl.Expr) -> pl.Expr:
    """Whether each string holds a number of a person; Boolean, false for null."""
    return expr.map_batches(_holds_personal, return_dtype=pl.Boolean, is_elementwise=True)


def personal_column(columns: Sequence[str]) -> pl.Expr:
    """The first of the named String columns that holds a number of a person; null when none does.

    String, called `personal_column`. For a refusal that names the column and never the value.
    """
    found = (pl.when(holds_personal(pl.col(name))).then(pl.lit(name)) for name in columns)
    return pl.coalesce(*found, pl.lit(None, pl.String)).alias("personal_column")


def redact(text: str) -> str:
    """`text` with `***` in the place of every number of a person: for logs and messages."""
    plain = text.translate(_TRANSLATION)
    parts, end = [], 0
    for start, stop in sorted([*_identities(plain), *_mobiles(plain)]):
        if start >= end:
            parts += [text[end:start], REDACTED]
        end = max(end, stop)
    # Once more: what is left may stand alone only now.
    return redact("".join([*parts, text[end:]])) if parts else text


def _holds_personal(texts: pl.Series) -> pl.Series:
    """Look closely only at texts with digits enough for a number, and once at each."""
    near = texts.str.contains(_NEAR).fill_null(value=False)
    if not near.any():
        return near
    distinct = texts.filter(near).unique()
    held = distinct.filter(_holds_number(distinct))
    return texts.is_in(held.implode()).fill_null(value=False) if len(held) else near & False


def _holds_number(texts: pl.Series) -> pl.Series:
    plain = texts.str.replace_many(_PLAIN)
    mobile = plain.str.contains(f"(?:^|{_EDGE}){_MOBILE}(?:{_EDGE}|$)").fill_null(value=False)
    candidate = plain.str.contains(f"{_CITIZEN}|(?:^|{_EDGE}){_OLD}(?:{_EDGE}|$)")
    # Row by row for the few with the shape of an identity number: the check is no pattern.
    at = candidate.arg_true()
    found = plain.gather(at).map_elements(_holds_identity, return_dtype=pl.Boolean)
    return mobile.scatter(at.filter(found), values=True)


def _holds_identity(plain: str) -> bool:
    return any(True for _ in _identities(plain))


def _identities(plain: str) -> Iterator[tuple[int, int]]:
    for pattern, is_number in (
        (_CITIZEN_AT, citizen.is_number),
        (_OLD_AT, citizen.is_old_number),
    ):
        for match in pattern.finditer(plain):
            if is_number(match[1].replace(" ", "").replace("-", "").upper()):
                yield match.span(1)


def _mobiles(plain: str) -> Iterator[tuple[int, int]]:
    return (match.span(1) for match in _MOBILE_AT.finditer(plain))

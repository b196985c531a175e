"""Identifiers of electronic licences (电子证照标识), GB/T 36904-2018.

`1.2.156.3005.2 . type (21) . issuer . serial . version (3) . check character`, where the type is
the defining body's unified social credit code and three digits. The check is ISO 7064 MOD 37,36
over all of it without the root and the dots.

Some issuing systems computed it by a routine that differs from the standard in two ways (read from
a published copy of that routine; right for the one such licence known here): a letter counts one
more than its value as long as the sum with it stays within 36, and the check character is the one
before the standard's. A broken identifier passes it by chance once in 36.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import polars as pl

ROOT: Final = "1.2.156.3005.2"
#: What `check` gives: right by the standard, by the old routine, by neither, no identifier at all.
CHECKS: Final = ("mod_37_36", "legacy", "failed", "none")

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# The longest serial met is a UUID's 32 characters.
_WHOLE: Final = re.compile(
    rf"(?:{re.escape(ROOT)}\.)?"
    r"([0-9A-Z]{21})\.([0-9A-Z]{1,18})\.([0-9A-Z]{1,64})\.([0-9]{3})\.([0-9A-Z])"
)
_START: Final = 36


class Identifier(NamedTuple):
    """The parts of an identifier, without the root."""

    type_code: str
    issuer: str
    serial: str
    version: str
    check: str

    @property
    def body(self) -> str:
        """What the check character is computed over."""
        return self.type_code + self.issuer + self.serial + self.version


def parse(text: str) -> Identifier | None:
    """The parts of an identifier, already normalised, with or without the root; else None."""
    match = _WHOLE.fullmatch(text)
    return Identifier(*match.groups()) if match else None


def check_character(body: str) -> str:
    """The check character by ISO 7064 MOD 37,36; KeyError unless digits and capital letters."""
    return _ALPHABET[(37 - _walk(_STANDARD, body)) % 36]


def legacy_check_character(body: str) -> str:
    """The check character by the old routine; KeyError unless digits and capital letters."""
    return _ALPHABET[36 - _walk(_LEGACY, body)]


def check_text(text: str) -> str:
    """How an identifier, already normalised, passes: one of `CHECKS`."""
    if not text:
        return "none"
    identifier = parse(text)
    if identifier is None:
        return "failed"
    if check_character(identifier.body) == identifier.check:
        return "mod_37_36"
    return "legacy" if legacy_check_character(identifier.body) == identifier.check else "failed"


def check(expr: pl.Expr) -> pl.Expr:
    """How each identifier, already normalised, passes: one of `CHECKS`; String, `none` for null.

    `failed` is no reason to refuse a licence: systems that issue them by a wrong routine are in
    use. Row by row (5 µs each), since each step of the recursion needs the one before it.
    """
    return expr.map_elements(check_text, return_dtype=pl.String).fill_null("none")


def _next(state: int, value: int, *, legacy: bool) -> int:
    total = state + value
    if legacy and value >= 10 and total <= 36:
        total += 1
    return ((total - 1) % 36 + 1) * 2 % 37


def _table(*, legacy: bool) -> tuple[dict[str, int], ...]:
    """For each state 0…36 (0 never occurs) and character, the state after it."""
    return tuple(
        {character: _next(state, value, legacy=legacy) for value, character in enumerate(_ALPHABET)}
        for state in range(37)
    )


_STANDARD: Final = _table(legacy=False)
_LEGACY: Final = _table(legacy=True)


def _walk(table: tuple[dict[str, int], ...], body: str) -> int:
    state = _START
    for character in body:
        state = table[state][character]
    return state

"""Faults that real exports have, put into rows on purpose, and what must become of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flows.sample.export import Row, Shape
from schemas.identifiers import uscc

#: Passes the check of an identity number; county 119999 does not exist, so it is nobody's.
IDENTITY: Final = "119999199001010012"
#: One row in so many is spoilt.
EVERY: Final = 50


@dataclass(frozen=True)
class Fault:
    """What is done to a row, and what must become of the rows it gives.

    `refused`: the reason code of all of them, or None; `unchanged`: how many say nothing new.
    """

    name: str
    spoil: Callable[[Row, Shape], list[Row]]
    refused: str | None = None
    unchanged: int = 0


def kinds(shape: Shape) -> list[Fault]:
    """Return the faults that a layout of this shape can have."""
    lacking = {"unknown_state": shape.state, "amount_below_fen": shape.amount}
    return [fault for fault in _ALL if lacking.get(fault.name, "") is not None]


class Schedule:
    """Spoils about one row in `EVERY`, the kinds in turn, each at least once in 50 rows."""

    def __init__(self, shape: Shape, rows: int) -> None:
        """`rows`: how many rows will come at least, 50 or more."""
        self._shape = shape
        self._kinds = kinds(shape)
        number = max(len(self._kinds), rows // EVERY)
        # The first ten rows stay as they are: they hold the enterprise that the demo shows.
        self._places = [10 + i * (rows - 10) // number for i in range(number)]
        self._seen = self._done = 0

    def next(self, row: Row) -> tuple[Fault | None, list[Row]]:
        """Return the rows that stand for this one, and the fault they have."""
        here, self._seen = self._seen, self._seen + 1
        if self._done == len(self._places) or here != self._places[self._done]:
            return None, [row]
        fault = self._kinds[self._done % len(self._kinds)]
        self._done += 1
        return fault, fault.spoil(row, self._shape)


def _wrong_check_digit(row: Row, shape: Shape) -> list[Row]:
    code = str(row[shape.subject])
    wrong = uscc.ALPHABET[(uscc.ALPHABET.index(code[17]) + 1) % len(uscc.ALPHABET)]
    return [row | {shape.subject: code[:17] + wrong}]


def _lower_case(row: Row, shape: Shape) -> list[Row]:
    return [row | {shape.subject: str(row[shape.subject]).lower()}]


def _missing_code(row: Row, shape: Shape) -> list[Row]:
    return [row | {shape.subject: shape.no_code}]


def _bad_date(row: Row, shape: Shape) -> list[Row]:
    return [row | {shape.day: "2026-02-30"}]


def _unknown_state(row: Row, shape: Shape) -> list[Row]:
    return [row | {shape.state or "": "7"}]


def _contradictory(row: Row, shape: Shape) -> list[Row]:
    return [row, row | {shape.text: f"{row[shape.text]}（更正）"}]


def _repeated(row: Row, _: Shape) -> list[Row]:
    return [row, row]


def _identity(row: Row, shape: Shape) -> list[Row]:
    return [row | {shape.text: f"{row[shape.text]}（经办人身份证号{IDENTITY}）"}]


def _foreign_issuer(row: Row, shape: Shape) -> list[Row]:
    return [row | {shape.issuer: "11990100000000190J"}]


def _below_fen(row: Row, shape: Shape) -> list[Row]:
    return [row | {shape.amount or "": "0.1234567"}]


_ALL: Final = (
    Fault("wrong_check_digit", _wrong_check_digit, "code_check_digit"),
    Fault("lower_case_code", _lower_case),
    Fault("missing_code", _missing_code, "code_missing"),
    Fault("bad_date", _bad_date, "bad_date"),
    Fault("unknown_state", _unknown_state, "unknown_code"),
    Fault("contradictory_pair", _contradictory, "contradictory"),
    Fault("repeated_row", _repeated, unchanged=1),
    Fault("identity_number", _identity, "personal_data"),
    Fault("foreign_issuer", _foreign_issuer, "issuer_not_owned"),
    Fault("amount_below_fen", _below_fen, "amount_below_fen"),
)

"""How often numbers are taken wrongly, both ways, on tables of the forms that departments use.

The tables are made here, ten thousand of each form; the rates are what `SECURITY.md` tells.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import polars as pl
import pytest
from stdnum.iso7064 import mod_11_10

from schemas.identifiers import citizen
from schemas.personal import holds_personal, holds_personal_beside_numbers
from tests.support.codes import uscc

_ROWS: Final = 10_000
_CHECKS: Final = "10X98765432"
_WEIGHTS: Final = [pow(2, 17 - place, 11) for place in range(17)]
Make = Callable[[random.Random], str]


def _area(of: random.Random) -> str:
    province = of.choice((11, 13, 14, 15, 21, 23, 31, 33, 35, 37, 42, 44, 51, 61))
    return f"{province}{of.randrange(1, 13):02d}{of.randrange(1, 30):02d}"


def _day(of: random.Random, first: int, last: int) -> str:
    return f"{of.randrange(first, last + 1)}{of.randrange(1, 13):02d}{of.randrange(1, 29):02d}"


def _serial(of: random.Random, digits: int) -> str:
    return f"{of.randrange(10**digits):0{digits}d}"


def _person(of: random.Random) -> str:
    first = f"{_area(of)}{_day(of, 1930, 1999)}{_serial(of, 3)}"
    return first + _CHECKS[sum(int(d) * w for d, w in zip(first, _WEIGHTS, strict=True)) % 11]


def _mobile(of: random.Random) -> str:
    return f"1{of.randrange(3, 10)}{_serial(of, 9)}"


#: Numbers of documents and how many of a table may be refused: in any text, and in a field of numbers.
DOCUMENTS: Final[dict[str, tuple[Make, float, float]]] = {
    "construction permit since 2011": (
        lambda of: f"{_area(of)}{_day(of, 2011, 2026)}{_serial(of, 4)}",
        0,
        0,
    ),
    "construction permit, 2000 to 2010": (
        lambda of: f"{_area(of)}{_day(of, 2000, 2010)}{_serial(of, 4)}",
        0.11,
        0,
    ),
    "fifteen digits, by day": (
        lambda of: f"{_area(of)}{_day(of, 2010, 2026)[2:]}{_serial(of, 3)}",
        0,
        0,
    ),
    "fifteen digits, by month": (
        lambda of: f"{_area(of)}{_day(of, 2010, 2026)[2:6]}{_serial(of, 5)}",
        0,
        0,
    ),
    "register number": (
        lambda of: (n := f"{_area(of)}{_serial(of, 8)}") + mod_11_10.calc_check_digit(n),
        0,
        0,
    ),
    "food": (lambda of: f"JY{of.randrange(1, 4)}{_area(of)}{_serial(of, 7)}", 0, 0),
    "production": (lambda of: f"SC{of.randrange(101, 132)}{_area(of)}{_serial(of, 5)}", 0, 0),
    "pesticide of Hebei, Shanxi, Inner Mongolia": (
        lambda of: (
            f"农药经许({of.choice('冀晋蒙')}){of.randrange(13, 16)}{of.randrange(12):02d}{_serial(of, 7)}"
        ),
        1,
        0,
    ),
    "letters and eleven digits": (lambda of: f"{of.choice('ABDJ')}{_mobile(of)}", 1, 0),
    "number with its word": (lambda of: f"示许字〔2026〕第{_mobile(of)}号", 1, 0),
    "mining": (lambda of: f"C{_area(of)}{_day(of, 2008, 2026)[:6]}{_serial(of, 10)}", 0.05, 0),
    "unified code": (lambda of: uscc(of.randrange(10**6)), 0, 0),
    "random id of 32 digits": (lambda of: f"{of.getrandbits(128):032x}", 0.0005, 0.0005),
    "random digest": (lambda of: f"{of.getrandbits(256):064x}", 0.0005, 0.0005),
    "landline": (lambda of: f"0{of.randrange(311, 999)}-{_serial(of, 8)}", 0, 0),
    "amount": (lambda of: f"罚款{_mobile(of)}元", 0, 0),
    "longitude and latitude": (
        lambda of: f"{of.uniform(73, 135):.8f},{of.uniform(18, 53):.8f}",
        0.001,
        0.001,
    ),
    "time": (lambda of: f"{_day(of, 2000, 2026)}{_serial(of, 6)}", 0, 0),
}

#: Numbers of persons: none is missed in any text, and how many may be in a field of numbers.
PERSONS: Final[dict[str, tuple[Make, float]]] = {
    "identity number": (_person, 0),
    "in brackets": (lambda of: (p := _person(of)) and f"({p[:6]}){p[6:14]}({p[14:]})", 0),
    "in words": (lambda of: f"法定代表人身份证{_person(of)}，", 0),
    "old, behind ID": (lambda of: f"ID{(p := _person(of))[:6]}{p[8:17]}", 0.2),
    "mobile with its word": (lambda of: f"联系电话{_mobile(of)}", 0),
    "mobile behind a name": (lambda of: f"zhang{_mobile(of)}", 0.1),
    "mobile before a letter": (lambda of: f"{_mobile(of)}x", 0.1),
    "two mobiles": (lambda of: f"{_mobile(of)}{_mobile(of)}", 0),
    "long distance": (lambda of: f"0{_mobile(of)}", 0),
    "strokes": (lambda of: f"{_mobile(of)[:3]}/{of.randrange(2100, 9999)}/{_serial(of, 4)}", 0),
    "each digit apart": (lambda of: " ".join(_mobile(of)), 0),
}


def _rates(make: Make) -> tuple[float, float]:
    of = random.Random(7)
    frame = pl.DataFrame({"x": [make(of) for _ in range(_ROWS)]})
    held = frame.select(
        any=holds_personal(pl.col("x")), number=holds_personal_beside_numbers(pl.col("x"))
    )
    return held["any"].mean(), held["number"].mean()  # type: ignore[return-value]


@pytest.mark.parametrize("form", DOCUMENTS)
def test_numbers_of_documents_are_seldom_taken_for_a_persons(form: str) -> None:
    make, in_text, in_number = DOCUMENTS[form]
    text, number = _rates(make)
    assert (text <= in_text, number <= in_number) == (True, True), (text, number)


@pytest.mark.parametrize("form", PERSONS)
def test_numbers_of_persons_are_found_in_each_form(form: str) -> None:
    make, missed_in_number = PERSONS[form]
    text, number = _rates(make)
    least = 0.8 if "old" in form else 1  # some pass the check of an enterprise's number
    assert (text >= least, number >= 1 - missed_in_number) == (True, True), (text, number)


def test_the_table_has_whole_numbers_of_persons() -> None:
    of = random.Random(7)
    assert all(citizen.is_number(_person(of)) for _ in range(100))

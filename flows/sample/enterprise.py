"""Enterprises that cannot exist: registered in a division that GB/T 2260 does not have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from stdnum.iso7064 import mod_11_2, mod_11_10

from flows.sample import words
from schemas.identifiers import org_code, uscc

#: No province of GB/T 2260 begins with 99.
AREA: Final = "990100"
#: The day of the first files; nothing in the sample is later but ends of validity.
TODAY: Final = dt.date(2026, 5, 1)
_BASE: Final = len(uscc.ALPHABET)


@dataclass(frozen=True)
class Enterprise:
    """`code` is valid; `identity` looks like an identity number and can be nobody's."""

    code: str
    old_number: str
    name: str
    person: str
    identity: str
    district: str
    address: str
    trade: tuple[str, str, str]
    established: dt.date


def enterprise(number: int, rng: Random) -> Enterprise:
    """Return the enterprise of a serial number from 0 to 31**6 - 1."""
    district = rng.choice(tuple(words.DISTRICTS))
    trade = rng.choice(words.TRADES)
    style = rng.choice(words.FIRST) + rng.choice(words.SECOND)
    return Enterprise(
        code=code(number),
        old_number=_old_number(number),
        name=f"{words.CITY}{style}{trade[0]}有限公司",
        person=rng.choice(words.SURNAMES) + rng.choice(words.GIVEN),
        identity=identity(rng),
        district=district,
        address=f"{words.CITY}{district}{rng.choice(words.STREETS)}{rng.randint(1, 999)}号",
        trade=trade,
        established=day(rng, 2005, 2023),
    )


def code(number: int) -> str:
    """Return the unified code of a serial number; the organisation code in it is right too."""
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, _BASE)
        digits = uscc.ALPHABET[digit] + digits
    first17 = f"91{AREA}MA{digits}{org_code.check_character('MA' + digits)}"
    return first17 + uscc.check_character(first17)


def identity(rng: Random) -> str:
    """Return a number with an identity number's check, of a county that does not exist."""
    born = day(rng, 1960, 1999)
    first17 = f"119999{born:%Y%m%d}{rng.randint(1, 999):03d}"
    return first17 + mod_11_2.calc_check_digit(first17)


def day(rng: Random, first: int, last: int) -> dt.date:
    """Return a day of the years from `first` to `last`."""
    return dt.date(rng.randint(first, last), rng.randint(1, 12), rng.randint(1, 28))


def pick(rng: Random, often: str, others: Sequence[str]) -> str:
    """Return `often` nine times in ten, else one of the others."""
    return often if rng.random() < 0.9 else rng.choice(others)


def _old_number(number: int) -> str:
    first14 = f"{AREA}{number % 10**8:08d}"
    return first14 + mod_11_10.calc_check_digit(first14)

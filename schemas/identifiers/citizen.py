"""The citizen identity number (公民身份号码), GB 11643: only to recognise it and keep it out.

Two kinds: 18 characters with a MOD 11-2 check character, and the 15 digits issued until 1999,
which carry no check at all.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from stdnum.iso7064 import mod_11_2, mod_11_10

from schemas.identifiers import org_code

# GB/T 2260 provinces, and 81 to 83 for residents from Hong Kong, Macao and Taiwan.
_PROVINCE: Final = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_NUMBER: Final = re.compile(f"{_PROVINCE}[0-9]{{12,15}}")
# Since 2023, a 9 before the province is a foreigner's permanent residence card.
_PERSON: Final = re.compile(f"9?{_PROVINCE}[0-9]+")
#: A number that gives a later year of birth is not taken for one. Construction permits
#: (施工许可证) and many case numbers are 18 digits of area, date and serial: one in eleven of them
#: passes the check. Who runs an enterprise today was born earlier.
LAST_BIRTH_YEAR: Final = 2010


def is_number(text: str) -> bool:
    """Whether 18 characters, half-width and with a capital X, are an identity number.

    Province, date of birth (from 1900 to `LAST_BIRTH_YEAR`) and check character must be right.
    """
    return (
        len(text) == 18
        and bool(_PERSON.fullmatch(text[:17]))
        and 1900 <= int(text[6:10]) <= LAST_BIRTH_YEAR
        and _is_date(int(text[6:10]), text[10:14])
        and mod_11_2.calc_check_digit(text[:17]) == text[17]
    )


def is_masked(text: str) -> bool:
    """Whether a text may be an identity number whose last digits are masked: 23010219900101****."""
    return (
        len(text) == 18
        and bool(_PERSON.fullmatch(text[:14]))
        and 1900 <= int(text[6:10]) <= LAST_BIRTH_YEAR
        and _is_date(int(text[6:10]), text[10:14])
    )


def is_old_number(text: str) -> bool:
    """Whether 15 half-width digits may be an old identity number and are no enterprise's number.

    Province and date of birth, 1930 to 1999, must be right: permits of 15 digits hold the day or
    the month from 2010 to 2029, which are no births of anybody in business. An enterprise's register number
    (工商注册号, GS 15-2006, MOD 11,10) and old tax number (area and organisation code) have 15
    digits too, and from 3 to 10 in 100 of them look like a date; their own check tells them
    apart, at the price of missing 18 in 100 old identity numbers, which pass one of those by
    chance. No old identity number has been valid since 2013.
    """
    return (
        len(text) == 15
        and bool(_NUMBER.fullmatch(text))
        and text[6:8] >= "30"
        and _is_date(1900 + int(text[6:8]), text[8:12])
        and not mod_11_10.is_valid(text)
        and not org_code.is_valid(text[6:])
    )


def _is_date(year: int, month_day: str) -> bool:
    try:
        date(year, int(month_day[:2]), int(month_day[2:]))
    except ValueError:
        return False
    return True

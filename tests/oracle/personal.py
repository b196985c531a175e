"""Whether a text holds a number of a person, by the words of `docs/decisions/0005-checks.md`.

Identity numbers are known by province, date of birth and check digit anywhere in a text, mobile
numbers by their first digits where they stand alone. The fifteen digits of before 1999 are left
to the product's own tests: `doubtful` says that a text may hold one, and then nothing is judged.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

_PROVINCE = "(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_CITIZEN = re.compile(rf"(?=({_PROVINCE}\d{{15}}[\dXx]))", re.ASCII)
_APART = "[ \u2010-\u2015\u2212-]{0,3}"
_GROUPS = "|".join(
    _APART.join((rf"\d{{{first}}}", *(rf"\d{{{size}}}" for size in rest)))
    for first, *rest in ((1, 4, 4), (2, 4, 3), (2, 3, 4))  # behind the 1 and what follows it
)
_MOBILE = re.compile(
    rf"(?<![0-9A-Za-z])(?:tel|mobile|phone)?(?:(?:\+|00)?86{_APART})?1[3-9](?:{_GROUPS})(?![0-9A-Za-z])",
    re.ASCII | re.IGNORECASE,
)
_OLD = re.compile(rf"(?<![0-9A-Za-z]){_PROVINCE}\d{{13}}(?![0-9A-Za-z])", re.ASCII)
_IN_BYTES = re.compile(r"1[3-9]\d{9}|\d{17}[\dXx]|\d{15}", re.ASCII)
_BLANKS = re.compile(r"[\s\u00a0\u2010-\u2015\u2212\u3000\uff0d-]+")
_WEIGHTS = [pow(2, 17 - place, 11) for place in range(17)]


def holds_number(text: str) -> bool:
    """Return whether a text holds an identity number of 18 characters or a mobile number."""
    plain = unicodedata.normalize("NFKC", text)
    together = re.sub(r"(?<=\d)[ \u2010-\u2015\u2212-]{1,3}(?=[\dXx])", "", plain)
    identities = (match[1] for match in _CITIZEN.finditer(together))
    return bool(_MOBILE.search(plain)) or any(_is_identity(one) for one in identities)


def doubtful(text: str) -> bool:
    """Return whether a text may hold an old identity number, which is not modelled here."""
    return bool(_OLD.search(re.sub("[ -]", "", unicodedata.normalize("NFKC", text))))


def bytes_may_hold_number(value: bytes) -> bool:
    """Return whether bytes that are no event may hold a number of a person, whatever it touches."""
    text = unicodedata.normalize("NFKC", value.decode("utf-8", "ignore"))
    return bool(_IN_BYTES.search(_BLANKS.sub("", text)))


def _is_identity(number: str) -> bool:
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return 1900 <= born.year <= 2010 and number[17].upper() == "10X98765432"[total % 11]

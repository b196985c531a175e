"""Codes that pass their checks, computed from the standards' own text and not by the product."""

from __future__ import annotations

from typing import Final

from stdnum.iso7064 import mod_11_10

_USCC: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def uscc(number: int, kind: str = "91", area: str = "990100") -> str:
    """Return a unified social credit code (GB 32100-2015); `kind` 91 is an enterprise, 11 an organ.

    The area 990100 is in no list, so that the code is nobody's.
    """
    body = f"{kind}{area}{organisation(number)}"
    total = sum(_USCC.index(c) * pow(3, place, 31) for place, c in enumerate(body))
    return body + _USCC[-total % 31]


def organisation(number: int) -> str:
    """Return an organisation code (GB 11714) of nine characters."""
    body = f"{number:08d}"
    total = sum(
        _ORGANISATION.index(c) * weight
        for c, weight in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)
    )
    return body + {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


def citizen(number: int, area: str = "110105", birth: str = "19491231") -> str:
    """Return an identity number of 18 characters (GB 11643, ISO 7064 MOD 11-2)."""
    body = f"{area}{birth}{number:03d}"
    total = sum(int(c) * pow(2, 17 - place, 11) for place, c in enumerate(body))
    return body + "10X98765432"[total % 11]


def citizen_with_x() -> str:
    """Return an identity number whose check character is X."""
    return next(found for number in range(1000) if (found := citizen(number)).endswith("X"))


def old_citizen() -> str:
    """Return an identity number of 15 digits that passes no check of an enterprise's number."""
    candidates = (f"110105491231{number:03d}" for number in range(1000))
    return next(
        found
        for found in candidates
        if not mod_11_10.is_valid(found) and organisation(int(found[6:14])) != found[6:]
    )

"""When two texts are one number: read sign by sign, whatever a typist or a program put between."""

from __future__ import annotations

import re
import unicodedata

_ROUND = dict.fromkeys("[{〔【〖〘〚「『", "(") | dict.fromkeys("]}〕】〗〙〛」』", ")")
_STROKES = dict.fromkeys("‐‑‒–—―−─ー", "-")
_SIGNS = _ROUND | _STROKES | dict.fromkeys("《》〈〉", "") | {"號": "号"}
_UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf"}


def spelt(text: str) -> str:
    """Return a text as its signs are compared."""
    seen = "".join(sign for sign in text if unicodedata.category(sign) not in _UNSEEN)
    narrow = unicodedata.normalize("NFKC", seen).replace(" ", "")
    narrow = re.sub("[《〈<](\\d{1,8})[》〉>]", r"(\1)", narrow)  # a year in title marks
    signs = (_SIGNS.get(sign, sign) for sign in narrow)
    same = "".join(sign.upper() if sign.isascii() else sign for sign in signs)
    return re.sub("--+", "-", same)  # one dash, typed as two


def key_part(text: str) -> str:
    """Return a part of a record's key: as it is compared, with `/` and `%` escaped."""
    return spelt(text).replace("%", "%25").replace("/", "%2F")


def issuer_of(key: str) -> str | None:
    """Return the part of a key that names the issuer; None where there is no other."""
    first, slash, _ = key.partition("/")
    return key_part(first.replace("%2F", "/").replace("%25", "%")) if slash else None

"""The years that a period names, as departments write it: 2025, 2025年度, 二〇二五年, 2024-2025, 25年."""

from __future__ import annotations

import re
from typing import Final

from schemas.folding import fold_text

_YEAR: Final = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
_SHORT: Final = re.compile("^[0-9]{2}(?:年度?)?$")
_CENTURY: Final = 2000
_NUMERALS: Final = str.maketrans("〇零○一二三四五六七八九", "000123456789")


def years_in(period: str | None) -> list[int]:
    """Return the years that a period names, in its order; none where it cannot be read."""
    folded = fold_text(period or "").translate(_NUMERALS)
    if _SHORT.match(folded):
        return [_CENTURY + int(folded[:2])]
    return [int(found) for found in _YEAR.findall(folded)]

"""Whether what a licence permits holds a word, where the text does not take it away again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from schemas.folding import fold_text

#: What takes away what stands behind it, up to the end of its clause or bracket.
_WITHOUT: Final = re.compile(
    "(?:不含有?|不包含|不包括|不得从事|不得承[接揽包]|不得|不予|不可|不能|不准|禁止|尚?未|没有|无|非|除去?|除外|"
    "剔除|扣除|排除|不具备|不允许|不从事|取消|注销|核减|撤销|停止)[^()。;,!]*"
)
#: What takes away what stands before it: 施工总承包除外.
_EXCEPTED: Final = re.compile(
    "[^()。;,!]*(?:除外|以外|之外|不含在内|不在此列|不在许可范围|已[被经]?(?:注销|撤销|吊销|取消|核减|失效))"
)
#: Every word that takes something away has one of these signs.
SIGNS: Final = tuple("不禁未无非除剔扣排取注核撤停外没失")


def permits(scope: str | None, words: Iterable[str]) -> bool:
    """Return whether a scope holds one of some words, folded, that it does not exclude.

    A word that also stands in an excluded clause is in doubt, and not held.
    """
    folded = fold_text(scope or "")
    held = _held(folded)
    taken = _taken(folded)
    return any((one := fold_text(word)) in held and one not in taken for word in words)


def _held(folded: str) -> str:
    return _EXCEPTED.sub("", _WITHOUT.sub("", folded))


def _taken(folded: str) -> str:
    found = [one.group() for pattern in (_WITHOUT, _EXCEPTED) for one in pattern.finditer(folded)]
    return "。".join(found)

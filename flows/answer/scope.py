"""Whether what a licence permits holds a word, where the text does not take it away again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from schemas.folding import fold_text

#: What takes away what stands behind it, up to the end of its clause or bracket.
_WITHOUT: Final = re.compile(
    "(?:不含有?|不包含|不包括|不得从事|不得承[接揽包]|不得|不予|不可|不能|不准|禁止|尚?未|没有|无|非|不承担|不承接|不同意|不批准|不具有|拟申请|拟申报|除去?|除外|"
    "剔除|扣除|排除|不具备|不允许|不从事|取消|注销|核减|撤销|撤回|收回|吊销|停止|暂停|中止|□|承接(?=[^()。;,!]{0,30}(?:企业|单位|公司))|为(?=[^()。;,!]{0,30}(?:企业|单位|公司))|原(?=[^()。;,!]{0,60}(?:变更为|降为|改为|调整为)))[^()。;,!☑√■]*"
)
#: What takes away what stands before it: 施工总承包除外.
_EXCEPTED: Final = re.compile(
    r"(?<![^()。;,!])[^()。;,!]*(?:除外|以外|之外|不含在内|不在此列|不在许可范围|已[被经]?(?:注销|撤销|吊销|取消|核减|失效)|"
    "已不再|不予许可|未通过|未批准|不批准|待批|申请中|另行申请|业务暂停|"
    r"\((?:已被?)?(?:核减|失效|过期|到期|暂停|取消|收回|撤销|撤回|注销|吊销|中止|无|否|未取得|×|/|-)(?=\))|"
    ":?(?:无|否|×|✕|✗|□|/|-)(?=[。;,)]|$))"
)
#: Every word that takes something away has one of these signs.
SIGNS: Final = tuple("承为不禁未无非除剔扣排取注核撤停外没失拟收吊中原待申过到否×✕✗□/-")


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

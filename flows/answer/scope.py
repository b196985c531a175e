"""Whether what a licence permits holds a word, where the text does not take it away again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from schemas.folding import fold_text
from schemas.wording import plain_signs

#: What takes away what stands behind it, up to the end of its clause or bracket.
_WITHOUT: Final = re.compile(
    r"(?:\(\)|不含有?|不包含|不包括|不再|失去|丧失|减少|删除|删去|不得从事|不得承[接揽包]|不得|不予|不可|不能|不准|禁止|尚?未|没有|无|非|不承担|不承接|不同意|不批准|不具有|拟申请|拟申报|除去?|除外|"
    "剔除|扣除|排除|不具备|不允许|不从事|取消|注销|核减|撤销|撤回|收回|吊销|停止|暂停|中止|□|承接(?=[^()。;,!]{0,30}(?:企业|单位|公司))|[为与](?=[^()。;,!]{0,30}(?:企业|单位|公司))|申请(?=[^()。;,!]{0,20}中)|"
    r"原(?=[^()。;!]{0,60}(?:变更为|降为|改为|调整为|,现)))(?::?\([^()]*\))?[^()。;,!☑√■]*"
)
#: What takes away what stands before it: 施工总承包除外.
_EXCEPTED: Final = re.compile(
    # Boxes behind their words: 施工总承包□ 专业承包☑.
    "^[^()。;,!☑√■□]*□(?=[^☑√■□]*[☑√■])|"
    r"(?<![^()。;,!])[^()。;,!]*(?:除外|以外|之外|不含在内|不在此列|不在许可范围|已[被经]?(?:注销|撤销|吊销|取消|核减|失效)|"
    "已不再|不予许可|未通过|未批准|不批准|待批|申请中|另行申请|须另|需另|业务暂停|"
    "(?:变更为|降为|改为|调整为|转为)|驳回|(?:不予[延续期批准许可核定]+|暂停|停用|停止|中止|终止|不含|不包括|不在内)(?:使用|执行|经营)?(?=[。;,)]|$)|"
    r"\((?:已被?)?(?:核减|失效|过期|到期|暂停|取消|收回|撤销|撤回|注销|吊销|中止|筹|筹建|申请中|无|否|未取得|×|/|-)(?=\))|"
    ":?(?:无|否|×|✕|✗|□|/|-)(?=[。;,)]|$))"
)
#: Every word that takes something away has one of these signs.
SIGNS: Final = tuple(
    "承为与不禁未无無非除剔扣排取注註核撤停外没沒失丧喪拟收吊中终終原待申过過到否减減删变變降改调調转轉驳駁须須需筹籌×✕✗□/-"
)
#: A box of two brackets, or one that is not ticked, as it is written: ( ) 施工总承包.
BOXES: Final = r"[(（][^0-9A-Za-z\x{4e00}-\x{9fff}]*[)）]"


def permits(scope: str | None, words: Iterable[str]) -> bool:
    """Return whether a scope holds one of some words, folded, that it does not exclude.

    A word that also stands in an excluded clause is in doubt, and not held.
    """
    folded = plain_signs(fold_text(scope or ""))
    held = _held(folded)
    taken = _taken(folded)
    return any((one := fold_text(word)) in held and one not in taken for word in words)


def _held(folded: str) -> str:
    return _EXCEPTED.sub("", _WITHOUT.sub("", folded))


def _taken(folded: str) -> str:
    found = [one.group() for pattern in (_WITHOUT, _EXCEPTED) for one in pattern.finditer(folded)]
    return "。".join(found)

"""Whether two texts may mean one licence: numbers and names as departments write them. Pure.

What is asked is whether they can be told apart: where they cannot, they are taken for one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from schemas.folding import fold_text, told_text

#: What a penalty calls the entry in the register of market entities.
BUSINESS_LICENCE: Final = "营业执照"
_BLANKS: Final = re.compile(r"[^0-9A-Z\u4e00-\u9fff]|[第号]")
#: The zeros before a number, which Excel drops, or before a group of its digits: 〔2023〕001号.
_PADDING: Final = re.compile(r"(?<![0-9])0+(?=[0-9])")
#: What departments leave out of a number: a province's sign in brackets, the letters of its kind.
_HEADS: Final = (
    re.compile(r"^\([^()]*\)"),
    re.compile(r"^(?:\([^()]*\))?[\u4e00-\u9fff]+"),
    re.compile(r"^[^0-9]+"),
)
#: 示注决字〔2026〕9号: signs, a year, and a serial of few digits.
_OF_DECISION: Final = re.compile(r"^[^0-9]*(?:19|20)[0-9]{2}[^0-9]{1,8}[0-9]{1,4}号$")
_FEW_DIGITS: Final = 3
_NUMERALS: Final = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_CHINESE_YEAR: Final = re.compile(
    "[一二][〇零○九一二三四五六七八]{3}(?![〇零○一二三四五六七八九十百千万])"
)
_LETTER_O: Final = re.compile("(?<=[0-9])O+(?=[0-9])|(?<=[0-9]{2})O+$")
_NOTHING: Final = re.compile("^(?!)")
#: A number's tail of fewer signs than this says too little.
_TELLING: Final = 6
#: A number of fewer signs than this must stand alone in a text.
_SHORT: Final = 4
#: Words of certificates' names that do not tell one kind from another.
_COMMON: Final = re.compile(
    "中华人民共和国|许可证件|许可证书|许可证|许可|资质等级|资质|资格|执业|证书|证件|证照|执照|企业|单位|"
    "经营|生产|营业|业务|行政|[一二三四五特甲乙丙丁]级|等级|正本|副本|电子|登记|备案|相关|有关|全部|所有|持有的?|所持|上述|该|其|的|原|"
    r"号|照|证|书|\([^()]*\)"
)
#: Names that one certificate has had or has beside another: 《食品经营许可管理办法》(2015) joined those of
#: catering and of food in circulation, 《建筑工程施工许可管理办法》 is on 建设工程, and gas is of kinds.
_SYNONYMS: Final = {
    "餐饮服务许可证": "食品经营许可证",
    "食品流通许可证": "食品经营许可证",
    "食品卫生许可证": "食品经营许可证",
    "建设工程": "建筑工程",
    "市政工程": "建筑工程",
    "市政基础设施工程": "建筑工程",
    "液化石油气": "燃气",
    "瓶装燃气": "燃气",
    "天然气": "燃气",
}
#: What a certificate's name ends with, in full, and in any way.
_FORMAL: Final = re.compile(r"(?:许可证书?|执照|证书)(?:\([^()]*\)|正本|副本)*$")
_AT_END: Final = re.compile(r"(?:许可|资质|资格|证照|证件|证)(?:\([^()]*\)|正本|副本)*$")
#: Fewer signs than this may be anything in short.
_LONG: Final = 3
_CERTIFICATE: Final = re.compile(
    "[\u4e00-\u9fff]*?(?:许可证件?|许可|资质证书|资格证书|资质|资格|证书|执照|证照|证件|(?<![保公认论印])证(?![据明实人言券]))"
)
#: What stands before a certificate's name in a sentence.
_BEFORE: Final = re.compile(
    "^.*(?:吊销|吊消|撤销|撤消|注销|注消|收回|收缴|缴销|交回|撤回|暂扣|吊扣|扣留|扣押|停用|停止|封存|冻结|暂停|中止|终止|剥夺|废止|追缴|没收|缴回|宣布|宣告|确认|撤照|降低|取消|核发的?|颁发的?|持有的?|所持|办理的?|"
    "取得的?|发放的?|你单位|你公司|该单位|该公司|当事人|公司|及其?|和|与|并处?|或者?|对|将|予以|处以|决定|"
    "未经?|无|以|把)"
)


def squash(text: str | None) -> str:
    """Return a number without marks, brackets and blanks; empty where there is none to compare."""
    return _BLANKS.sub("", _digits(told_text(text)))


def _digits(folded: str) -> str:
    """Return a text with a year in Chinese numerals, and the letter O among digits, as digits."""
    years = _CHINESE_YEAR.sub(lambda found: found[0].translate(_NUMERALS), folded)
    return _LETTER_O.sub("0", years)


def is_of_decision(number: str | None) -> bool:
    """Return whether a number has the form of a decision's, or too few digits to tell a licence.

    〔2026〕9号 and 示注决字〔2026〕9号 in the column of a licence's number are of the document that ends it.
    """
    folded = _digits(told_text(number))
    few = 0 < sum(map(str.isdigit, folded)) < _FEW_DIGITS
    return few or _OF_DECISION.match(folded) is not None


@lru_cache(maxsize=4096)
def spellings(number: str | None) -> tuple[str, ...]:
    """Return a number squashed, and without what departments leave out of it."""
    folded = _digits(told_text(number))
    if not folded:
        return ()
    whole, *tails = (
        _BLANKS.sub("", text) for text in (folded, *(h.sub("", folded) for h in _HEADS))
    )
    return tuple(dict.fromkeys((whole, *(tail for tail in tails if len(tail) >= _TELLING))))


def same_number(one: str | None, other: str | None) -> bool:
    """Return whether two numbers may be one, a head or the marks left out; False where one lacks."""
    if not squash(one) or not squash(other):
        return False
    return same_document(one, other) or any(
        min(len(a), len(b)) >= _TELLING and (a in b or b in a)
        for a in _headless(one)
        for b in _headless(other)
    )


def same_document(one: str | None, other: str | None) -> bool:
    """Return whether two numbers are one but for marks and padding; False where one lacks."""
    first, second = squash(one), squash(other)
    if not first or not second:
        return False
    return _PADDING.sub("", first) == _PADDING.sub("", second) or _unpadded(one) == _unpadded(other)


def _unpadded(number: str | None) -> str:
    return _BLANKS.sub("", _PADDING.sub("", _digits(told_text(number))))


def _headless(number: str | None) -> tuple[str, ...]:
    """Return a number squashed, and without a word before it: 编号:JY…, (示)JY…, 示JY…."""
    folded = _digits(told_text(number))
    tails = (_BLANKS.sub("", head.sub("", folded)) for head in (_NOTHING, *_HEADS[:2]))
    return tuple(dict.fromkeys(tails))


def stands_in(number: str | None, squashed: str) -> bool:
    """Return whether a number stands in a text (`squash`), a head of it left out or not."""
    return any(_stands(one, squashed) for one in spellings(number))


def _stands(number: str, squashed: str) -> bool:
    if len(number) >= _SHORT or not number.isalnum() or not number.isascii():
        return number in squashed
    return re.search(f"(?<![0-9A-Z]){number}(?![0-9A-Z])", squashed) is not None


@lru_cache(maxsize=4096)
def core(name: str | None) -> str:
    """Return what tells a certificate's name from others; empty where nothing does."""
    folded = told_text(name)
    for other, one in _SYNONYMS.items():
        folded = folded.replace(other, one)
    return BUSINESS_LICENCE if BUSINESS_LICENCE in folded else _COMMON.sub("", folded)


def alike(one: str | None, other: str | None) -> bool:
    """Return whether two names may mean one certificate: one in short for the other, or not told.

    Qualifications bear many names (施工总承包资质 is a 建筑业企业资质证书): they are not told apart.
    """
    if "资质" in (one or "") and "资质" in (other or ""):
        return True
    return _in_short(core(one), core(other)) or _in_short(
        fold_text(one or ""), fold_text(other or "")
    )


def _in_short(one: str, other: str) -> bool:
    """Return whether all signs of one stand in the other, in their order; none are in any."""
    short, long = sorted((one, other), key=len)
    signs = iter(long)
    return all(sign in signs for sign in short)


def is_certificate(name: str | None) -> bool:
    """Return whether a text names a certificate so that it can be told from others."""
    own = core(name)
    if name is None or not own:
        return False
    folded = fold_text(name)
    return _FORMAL.search(folded) is not None or (
        _AT_END.search(folded) is not None and len(own) >= _LONG
    )


def certificates_in(folded: str) -> list[str]:
    """Return the names of certificates in a folded text, without what stands before them."""
    return [_BEFORE.sub("", found) for found in _CERTIFICATE.findall(folded)]

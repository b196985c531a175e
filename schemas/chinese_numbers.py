"""Amounts of money as departments write them: in digits, in Chinese numerals, with their unit.

`叁佰万元整`, `三百万元`, `300万元`, `3,000,000元` and `１.５亿元` all name an amount in yuan. What is not
surely read is not read at all: a comma that does not part groups of three digits (`0,5万元`), an
amount about so much (`300余万元`), a digit whose place is left out in speech (`三百五`).

Capital numerals: 《正确填写票据和结算凭证的基本规定》(中国人民银行, 支付结算办法附件一) art. 1.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

_DIGITS: Final[dict[str, str]] = (
    {digit: str(value) for value, digit in enumerate("零一二三四五六七八九")}
    | {digit: str(value) for value, digit in enumerate("〇壹贰叁肆伍陆柒捌玖")}
    | {"○": "0", "两": "2", "俩": "2", "貳": "2", "贰": "2", "弍": "2", "弐": "2"}
    | {"參": "3", "叄": "3", "陸": "6", "兩": "2", "幺": "1", "弌": "1"}
)
_UNITS: Final[dict[str, str]] = {
    "拾": "十",
    "佰": "百",
    "仟": "千",
    "萬": "万",
    "億": "亿",
    "圆": "元",
    "圓": "元",
    "塊": "元",
    "块": "元",
    "￥": "¥",
}
_PLAIN: Final = str.maketrans(_UNITS)
_DIGIT: Final = str.maketrans(_DIGITS)
_ZEROS: Final = "零〇○"
_ONES: Final = "".join(digit for digit, value in _DIGITS.items() if value != "0")

# A number in digits: commas, where there are any, part groups of three.
_ASCII: Final = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_ONE: Final = f"(?:{_ASCII}|[{_ONES}])"
# Thousands to ones; a last digit without a unit follows a ten or a zero, else its place is unsure.
_SMALL: Final = re.compile(
    f"(?:({_ONE})千)?[{_ZEROS}]?(?:({_ONE})百)?[{_ZEROS}]?(?:({_ONE})?(十))?[{_ZEROS}]?({_ONE})?"
)
_IN_ROW: Final = re.compile(f"[{_ONES}{_ZEROS}]{{2,}}|[{_ONES}{_ZEROS}]")
_ASCII_ONLY: Final = re.compile(_ASCII)

_WORDS: Final = f"{''.join(_DIGITS)}十百千万亿"
# Words of an amount that is only about so much belong to it: then it cannot be read.
_RUN: Final = f"[0-9.,{_WORDS}余多数几]*[0-9{_WORDS}余多数几]"
_MARK: Final = "¥|人民币|RMB|CNY"
_END: Final = "人民币|整|正|[,.;:。、)】〕]|$"
_CENTS: Final = f"(?:([0-9{_ONES}])角)?[{_ZEROS}]?(?:([0-9{_ONES}])分)?"
_AMOUNT: Final = re.compile(
    f"(?P<mark>{_MARK})?[:：]?(?<![0-9])(?<![0-9][Ee])(?<![0-9][Ee][+-])(?P<number>{_RUN})"
    f"(?:元(?![化次旦素件首月]){_CENTS}|(?<=[万亿])(?={_END})|(?P<bare>))"
)
_FINE: Final = re.compile("(?:罚款|罚金)(?:金额|数额|人民币|共计|合计|总计|计|为|约|[:¥(])*$")
_FINE_OF: Final = re.compile("整?的?(?:罚款|罚金)")
_FINED: Final = re.compile("罚款|罚金|罚没")
_RATE: Final = re.compile("[每按/][^,.;。、元]{0,8}$")
_MULTIPLE: Final = re.compile(f"[0-9{_WORDS}余多数几]倍|%|‰|百分之|千分之|按日|每日|每天")
_GREAT: Final = re.compile("(?:巨额|高额|大额|重额|特大)[^。;,]{0,4}罚")
_TIMES: Final = re.compile(f"({_RUN})倍")
_SHARE: Final = re.compile(f"({_RUN})%|百分之({_RUN})")
_TOTAL: Final = re.compile("共|合计|总计|总额|合并")


def read_number(text: str) -> Decimal | None:
    """Return the number that `text` is as a whole, in digits or Chinese numerals; else None."""
    return _read(_plain(text))


def yuan_of_cell(text: str, yuan_per_unit: int | None = None) -> Decimal | None:
    """Return the amount, in yuan, that a cell is as a whole; None where it is none.

    `yuan_per_unit`: what an amount without a unit is in (1, or 10,000 for 万元); None: such a cell
    is no amount.
    """
    plain = re.sub(f"^(?:{_MARK})[:]?", "", _plain(text))
    plain = re.sub("(?:人民币)?[整正]?$", "", plain)
    match = re.fullmatch(f"(.+?)(?:(元){_CENTS}|)", plain)
    if match is None:
        return None
    value = _read(match[1])
    if value is None:
        return None
    if match[2] is None and not match[1].endswith(("万", "亿")):
        return value * yuan_per_unit if yuan_per_unit else None
    return value + _cents(match[3], match[4])


def yuan_in_text(text: str) -> Decimal | None:
    """Return the amount of money that a free text names, in yuan; None where it is not told.

    The greatest of several amounts, or the sum of several fines whose total is not named, since
    a text must not be read as less than it says. None, too, where one of the amounts cannot be
    read, where it is a rate (每平方米30元), or a multiple or share of something (处货值金额五倍罚款)
    beside which no fine is named: the amount may then be any.
    """
    plain = _plain(text)
    amounts: list[Decimal] = []
    fines: list[Decimal] = []
    for amount, fined in _amounts(plain):
        if amount is None:
            return None
        amounts.append(amount)
        if fined:
            fines.append(amount)
    if _MULTIPLE.search(plain) and not fines:
        return None
    if len(fines) > 1 and not _TOTAL.search(plain):
        amounts.append(sum(fines, Decimal(0)))
    return max(amounts, default=None)


def fine_in_text(text: str) -> Decimal | None:
    """Return the fine, in yuan, that a free text names; None where it calls no amount one.

    The greatest, or the sum where no total is named; of a multiple or share of an amount (没收违法所得
    150万元，并处三倍罚款) what it comes to. What cannot be read is left out: for a text beside which the
    amount stands in a column.
    """
    plain = _plain(text)
    amounts = [(amount, fined) for amount, fined in _amounts(plain) if amount is not None]
    fines = [amount for amount, fined in amounts if fined]
    if len(fines) > 1 and not _TOTAL.search(plain):
        fines.append(sum(fines, Decimal(0)))
    if not fines and _FINED.search(plain):
        base = max((amount for amount, _ in amounts), default=Decimal(0))
        fines = [base * factor for factor in _factors(plain) if base]
    return max(fines, default=None)


def is_multiple(text: str) -> bool:
    """Return whether a text tells a fine as a multiple, a share, by the day or as a great one.

    That is one of no amount which the text names.
    """
    plain = _plain(text)
    untold = _MULTIPLE.search(plain) or _GREAT.search(plain)
    told = "罚" in plain and untold is not None
    return told and next(_amounts(plain), None) is None


def _factors(plain: str) -> Iterator[Decimal]:
    for match in _TIMES.finditer(plain):
        value = _read(match[1])
        if value is not None:
            yield value
    for match in _SHARE.finditer(plain):
        value = _read(match[1] or match[2])
        if value is not None:
            yield value / 100


def _amounts(plain: str) -> Iterator[tuple[Decimal | None, bool]]:
    """Yield the amounts with a unit, and whether each is called a fine; None: it cannot be read."""
    for match in _AMOUNT.finditer(plain):
        bare = match["bare"] is not None
        before = plain[: match.start()]
        if (bare and not match["mark"]) or _RATE.search(before) or plain[match.end() :][:1] == "/":
            continue
        value = _read(match["number"].lstrip(",."))
        jiao, fen = match[3], match[4]
        fined = _FINE.search(before) is not None or _FINE_OF.match(plain, match.end()) is not None
        yield (None if value is None else value + _cents(jiao, fen)), fined


def _plain(text: str) -> str:
    """One width, one spelling of units, no blanks; 〇 and the like stay for `_read`."""
    folded = unicodedata.normalize("NFKC", text)
    visible = (c for c in folded if not c.isspace() and unicodedata.category(c) != "Cf")
    return "".join(visible).translate(_PLAIN)


def _read(plain: str) -> Decimal | None:
    for unit, factor in (("亿", 10**8), ("万", 10**4)):
        if unit in plain:
            head, _, tail = plain.rpartition(unit)
            great, small = _read(head), _read_tail(tail, factor)
            return None if great is None or small is None else great * factor + small
    if _ASCII_ONLY.fullmatch(plain):
        return Decimal(plain.replace(",", ""))
    if _IN_ROW.fullmatch(plain):
        return Decimal(plain.translate(_DIGIT))
    return _read_small(plain)


def _read_tail(plain: str, below: int) -> Decimal | None:
    """Return what stands behind 万 or 亿, which must say its place: 一万五 is not read."""
    if not plain:
        return Decimal(0)
    value = _read(plain.lstrip(_ZEROS)) if plain.strip(_ZEROS) else None
    told = plain[0] in _ZEROS or re.search("[十百千万]", plain) or re.fullmatch("[0-9]{4,8}", plain)
    return value if value is not None and told and value < below else None


def _read_small(plain: str) -> Decimal | None:
    match = _SMALL.fullmatch(plain)
    if match is None or not plain:
        return None
    thousands, hundreds, tens, ten, ones = match.groups()
    if ones and match.start(5) and plain[match.start(5) - 1] in "百千":
        return None
    parts = [(thousands, 1000), (hundreds, 100), (tens or ("1" if ten else None), 10), (ones, 1)]
    values = [(_one(text), factor) for text, factor in parts if text]
    if not values:
        return None
    if len(values) > 1 and any(value != int(value) or value > 9 for value, _ in values):
        return None
    return sum((value * factor for value, factor in values), Decimal(0))


def _one(text: str) -> Decimal:
    return Decimal(text.translate(_DIGIT).replace(",", ""))


def _cents(jiao: str | None, fen: str | None) -> Decimal:
    tenths, hundredths = (_one(part) if part else Decimal(0) for part in (jiao, fen))
    return tenths / 10 + hundredths / 100

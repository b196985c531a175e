"""Whether a text holds a number of a person, by the words of `docs/decisions/0005-checks.md`.

Identity numbers are known by province, date of birth and check digit anywhere in a text, mobile
numbers by their first digits where they stand alone. The fifteen digits of before 1999 are left
to the product's own tests: `doubtful` says that a text may hold one, and then nothing is judged.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import itertools
import re
import unicodedata

_PROVINCE = "(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_PERSON = rf"9?{_PROVINCE}"
_APART = "[ \u2010-\u2015\u2212-]{0,3}"
_GROUPS = "|".join(
    _APART.join((rf"\d{{{first}}}", *(rf"\d{{{size}}}" for size in rest)))
    for first, *rest in ((1, 4, 4), (2, 4, 3), (2, 3, 4))  # behind the 1 and what follows it
)
_MARK = "[._\u00b7]"
# Behind the prefixes of long distance, country or operator, and between letters, but in no run
# that has other digits. A number in three parts by strokes has no year in its middle.
_MOBILE = re.compile(
    rf"(?<![0-9A-Za-z])[A-Z]{{0,9}}"
    rf"(?:0{_APART}|\(?(?:\+|00|0)?86\)?{_APART}|179\d\d|12593)?"
    rf"(?:1[3-9](?:{_GROUPS}|\d \d{{3}} \d{{5}}|\d{_MARK}\d{{4}}{_MARK}\d{{4}}"
    rf"|\d ?/ ?(?!19|20)\d{{4}} ?/ ?\d{{4}})"
    rf"|\(1[3-9]\d\){_APART}\d{{4}}{_APART}\d{{4}}"
    rf"|1(?=[ ._\u00b7\u2010-\u2015\u2212-]{{1,2}}[3-9])(?:[ ._\u00b7\u2010-\u2015\u2212-]{{1,2}}\d){{10}}"
    rf"|(?:1[3-9]\d{{9}}){{2,9}})[A-Z]{{0,9}}(?![0-9A-Za-z元])",
    re.ASCII | re.IGNORECASE,
)
# Entries of a field of document numbers (decision 0005): none of a person, unless a telephone is
# spoken of.
_BEFORE = r"[^\d]*(?:[(\[〔]?(?:19|20)\d\d[)\]〕年]?[^\d]*)?"
_ENTRY = re.compile(
    rf"{_BEFORE}(?:1[3-5](?:0\d|1[01]|2[1-9]|30)\d{{7}})[^\dA-Za-z]*"
    r"|[^\dA-Za-z]*[A-Z]{1,3}(?:\d{11}|\d{21,25})[^\dA-Za-z]*"
    r"|[^\dA-Za-z]*1[3-9]\d{9}[A-Z][^\dA-Za-z]*"
    rf"|{_BEFORE}[字第许][^\dA-Za-z]*1[3-9]\d{{9}}号?"
    rf"|{_BEFORE}1[3-9]\d{{9}}号"
    r"|[^\d]*[1-8]\d{5}(?:200\d|2010)\d{8}号?",
    re.ASCII,
)
_TELEPHONE = re.compile(
    "电话|手机|联系|联络|微信|座机|传真|身份|tel|phone|mob|cell|wechat|wx|vx", re.IGNORECASE
)
_OLD = re.compile(
    rf"(?<![0-9A-Za-z])(?:ID|IDNO|IDCARD|SFZ|SFZH|SFZHM|ZJH|ZJHM|NO)?{_PROVINCE}\d{{13}}(?![0-9A-Za-z])",
    re.ASCII | re.IGNORECASE,
)
_IN_BYTES = re.compile(r"1[3-9]\d{9}|\d{17}[\dXx]|\d{15}", re.ASCII)
_BLANKS = re.compile(r"[\s\u00a0\u00b7\u2010-\u2015\u2212\u3000\uff0d()./_-]+")
_WEIGHTS = [pow(2, 17 - place, 11) for place in range(17)]


def holds_number(text: str) -> bool:
    """Return whether a text holds an identity number of 18 characters or a mobile number."""
    plain = _plain(text)
    if _MOBILE.search(plain):
        return True
    together = re.sub(r"(?<=\d)[\s\u2010-\u2015\u2212./_,:()\u00b7-]{1,4}(?=[\dXx])", "", plain)
    return any(_is_identity(together[at : at + 18]) for at in range(len(together) - 17))


def holds_number_beside_documents(text: str) -> bool:
    """Return the same of a field that holds numbers of documents."""
    if _TELEPHONE.search(text):
        return holds_number(text)
    entries = re.split("[/、,;]", _plain(text))
    return holds_number("/".join(entry for entry in entries if not _ENTRY.fullmatch(entry)))


def _plain(text: str) -> str:
    """One width, digits of every script as 0 to 9, invisible characters as blanks."""
    spaced = "".join(" " if unicodedata.category(c) == "Cf" else c for c in text)
    folded = unicodedata.normalize("NFKC", spaced)
    digits = (str(unicodedata.digit(c, c)) for c in folded)
    return "".join(digits).translate(dict.fromkeys(map(ord, "\u2022\u2027\u22c5\u30fb"), "\u00b7"))


def doubtful(text: str) -> bool:
    """Return whether a text may hold an old identity number, which is not modelled here."""
    return bool(_OLD.search(re.sub("[ ._/\u00b7-]", "", unicodedata.normalize("NFKC", text))))


def bytes_may_hold_number(value: bytes) -> bool:
    """Return whether bytes that are no event may hold a number of a person, whatever it touches.

    Read as UTF-8, UTF-16, GB18030 and EBCDIC, and so what base64 of them says.
    """
    said = [value]
    if re.fullmatch(rb"[-A-Za-z0-9+/_=\s]{15,}", value):
        with contextlib.suppress(ValueError):
            said.append(
                base64.urlsafe_b64decode(value.replace(b"+", b"-").replace(b"/", b"_") + b"==")
            )
    for one, code in itertools.product(
        said, ("utf8", "utf_16_le", "utf_16_be", "gb18030", "cp037")
    ):
        text = unicodedata.normalize("NFKC", one.decode(code, "ignore"))
        if _IN_BYTES.search(_BLANKS.sub("", text)):
            return True
    return False


def _is_identity(number: str) -> bool:
    if not re.fullmatch(rf"{_PERSON}\d+(?:[\dXx]|\*{{1,4}})", number, re.ASCII):
        return False
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    if not 1900 <= born.year <= 2010:
        return False
    if number.endswith("*"):
        return True
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return number[17].upper() == "10X98765432"[total % 11]

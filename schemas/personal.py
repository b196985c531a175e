"""Numbers of persons in free text: identity numbers (公民身份号码) and mobile numbers.

They never leave a publisher's side: a row that holds one is refused, never mended. The scan is for
text; columns of validated codes need none, since a long code may look like a mobile number.

- An 18-character identity number is found anywhere, inside a longer run of digits or letters too
  (old tax numbers of sole traders are an identity number and two digits), with blanks, hyphens or
  other marks anywhere in it, and with its last digits masked. Province, date and check must be
  right: 1 in 75,000 random numbers is taken for one, and of unified social credit codes only
  all-digit ones that happen to hold a date, 4 in a million at most.
- A 15-digit one stands alone between other characters than letters and digits, but for words such
  as ID, together, in groups of 6-6-3 or each digit apart; see `identifiers.citizen.is_old_number`
  for what is taken for one.
- A mobile number carries no check: eleven digits from 13 to 19 on that stand alone, together, in
  groups of 3-4-4, 4-4-3, 4-3-4 or 3-3-5, or each digit apart; with or without the country's 86, a 0
  for long distance or letters that touch it, or glued to others of its kind.

Where a field holds numbers of documents (`NUMBER_FIELDS`), a whole entry that has the form of one
is none of a person: see `_DOCUMENT`. Everywhere else the scan knows no exception.

Landline numbers are an office's and stay. Passports and travel permits carry no check, so they
cannot be told from other codes: their columns are named in a dialect and dropped. `SECURITY.md`
says what else stays out of reach.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from schemas.identifiers import citizen
from schemas.identifiers.characters import BLANKS, FULL_WIDTH

#: What stands in a message in the place of a number.
REDACTED: Final = "***"

# One character for one, so that a place in the plain text is the same place in the text itself.
_DECIMALS: Final = {
    character: str(unicodedata.digit(character))
    for character in map(chr, (*range(0x80, 0x3000), *range(0xA000, 0x20000)))
    if unicodedata.digit(character, 10) < 10  # of other scripts, mathematical, raised, circled
}
_FORMAT: Final = "\u00ad\u061c\u180e\u200c\u200d\u200e\u200f" + "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2061, 0x2070)))
)
_PLAIN: Final[dict[str, str]] = (
    FULL_WIDTH
    | _DECIMALS
    | dict.fromkeys([*BLANKS, *_FORMAT], " ")
    | dict.fromkeys("\u2022\u2027\u22c5\u30fb\uff65", "\u00b7")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d", "-")
)
_TRANSLATION: Final = str.maketrans(_PLAIN)

#: Fields of events, in whatever facet, that hold numbers of documents and nothing else.
NUMBER_FIELDS: Final = frozenset(
    {
        *("record_key", "number", "document_number", "identifier", "previous_identifiers"),
        *("registration_number", "licences_affected"),
    }
)

# These are patterns for both Polars and `re`, which must agree: no look-around, no `\d`.
_GAP: Final = "[ -]{0,3}"
# Whatever people put between the groups of an identity number, whose check tells it from others.
_WIDE: Final = "[ ./_,:()\u00b7-]{0,4}"
# 1900 to `citizen.LAST_BIRTH_YEAR`: without that end, every permit numbered by its date would have
# to be checked row by row.
_YEAR: Final = (
    f"(?:1{_WIDE}9{_WIDE}[0-9]{_WIDE}[0-9]|2{_WIDE}0{_WIDE}0{_WIDE}[0-9]|2{_WIDE}0{_WIDE}1{_WIDE}0)"
)
_BORN: Final = _WIDE.join(("[1-9]", *["[0-9]"] * 5, _YEAR, "[01]", "[0-9]", "[0-3]", "[0-9]"))
_CITIZEN: Final = _WIDE.join((_BORN, *["[0-9]"] * 3, "[0-9Xx]"))
# Whose last digits are masked: the place and the day of birth are still a person's.
_MASKED: Final = f"{_BORN}[0-9]{{0,3}}[*]{{1,4}}"
_OLD_GAP: Final = "[ ./_\u00b7-]{0,2}"
_OLD: Final = (
    "(?:[1-8][0-9]{5}"
    f"{_OLD_GAP}[0-9]{{2}}[01][0-9][0-3][0-9]{_OLD_GAP}[0-9]{{3}}"
    "|[1-8](?:[ ._\u00b7-]{1,2}[0-9]){14})"
)
#: Words that touch a number of 15 digits: others begin numbers of documents.
_OLD_WORD: Final = "(?:(?i:id|idno|idcard|sfz|sfzh|sfzhm|zjh|zjhm|no))?"
_MARKED: Final = "[._\u00b7]"
# Not the year of 135/2024/1234, which is a document's number.
_NO_YEAR: Final = "(?:[03-9][0-9]|1[0-8]|2[1-9])[0-9]{2}"
_TOGETHER: Final = "1[3-9][0-9]{9}"
_MOBILE: Final = (
    # Of long distance, of the country, of an operator's own prefix.
    f"(?:179[0-9]{{2}}|12593|0{_GAP}|[(]?(?:[+]|00|0)?86[)]?{_GAP})?(?:"
    f"1[3-9][0-9](?:{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}"
    f"|[0-9]{_GAP}[0-9]{{4}}{_GAP}[0-9]{{3}}"
    f"|[0-9]{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}}"
    f"| [0-9]{{3}} [0-9]{{5}}"
    f"|{_MARKED}[0-9]{{4}}{_MARKED}[0-9]{{4}}"
    f"| ?/ ?{_NO_YEAR} ?/ ?[0-9]{{4}})"
    f"|[(]1[3-9][0-9][)]{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}"
    "|1[ ._\u00b7-]{1,2}[3-9](?:[ ._\u00b7-]{1,2}[0-9]){9}"
    f"|(?:{_TOGETHER}){{2,9}})"
)
# Letters that touch it: wx138…, 138…x. In a longer run of letters and digits it is none: such
# runs are digests and ids.
_WORD: Final = "[A-Za-z]{0,9}"
# Forms of document numbers that look like numbers of persons. An entry is what stands between the
# ends of the text, blanks, `/` and marks of enumeration; no words of a telephone are in it.
# - Six digits of division (GB/T 2260) and five of serial: pesticides (农药经许（蒙）15000020001),
#   road transport, discharge. Provinces 13 to 15 alone have the beginnings of a mobile number; the
#   prefectures, leagues and regions that they have, or had, are 00 to 11 and 21 to 30.
# - Mining licences: C, six digits of division, six of month, two of kind, the rest serial.
# - Eighteen digits of division, day from 2000 to 2010 and serial (construction permits): one in
#   eleven passes the check of an identity number. Of persons, only those born since are missed.
# - Capital letters that touch eleven digits, or 字, 第 or 许 before them, or 号 behind them.
_DIVISION: Final = "1[3-5](?:0[0-9]|1[01]|2[1-9]|30)"
_YEAR_MARK: Final = r"[(\[{〔【]?(?:19|20)[0-9]{2}[)\]}〕】年]?[^0-9/、,;，；]{0,12}"
_DOCUMENT: Final = (
    r"(^|[/、,;，；])("
    rf"[^0-9/、,;，；]{{0,40}}(?:{_YEAR_MARK})?{_DIVISION}[0-9]{{7}}[^0-9A-Za-z/、,;，；]{{0,4}}"
    r"|[^0-9A-Za-z/、,;，；]{0,40}[A-Z]{1,3}(?:[0-9]{11}|[0-9]{21,25})[^0-9A-Za-z/、,;，；]{0,4}"
    rf"|[^0-9A-Za-z/、,;，；]{{0,40}}{_TOGETHER}[A-Z][^0-9A-Za-z/、,;，；]{{0,4}}"
    rf"|[^0-9/、,;，；]{{0,40}}(?:{_YEAR_MARK})?[字第许][^0-9A-Za-z/、,;，；]{{0,4}}{_TOGETHER}号?"
    rf"|[^0-9/、,;，；]{{0,40}}(?:{_YEAR_MARK})?{_TOGETHER}号"
    rf"|[^0-9/、,;，；]{{0,40}}[1-8][0-9]{{5}}20(?:0[0-9]|10)[0-9]{{8}}号?"
    r")($|[/、,;，；])"
)
_TELEPHONE: Final = "(?i)电话|手机|联系|联络|微信|座机|传真|身份|tel|phone|mob|cell|wechat|wx|vx"

# Whatever the patterns find has eleven digits with no more than these gaps between them.
_DIGIT: Final = f"[0-9{''.join(wide for wide, narrow in _PLAIN.items() if narrow.isdigit())}]"
_BETWEEN: Final = {wide for wide, narrow in _PLAIN.items() if narrow in " -./_,:()\u00b7"}
_APART: Final = "".join(map(re.escape, sorted(_BETWEEN))) + " ./_,:\u00b7()-"
_NEAR: Final = f"{_DIGIT}(?:[{_APART}]{{0,4}}{_DIGIT}){{10}}"
_MARKS: Final = re.compile("[^0-9Xx*]")
_SUFFIX: Final = re.compile(r"[.][A-Za-z]{2,4}x?$")
_EDGE: Final = "[^0-9A-Za-z]"
_END: Final = "[^0-9A-Za-z元]"  # 13500000000元 is an amount
_OLD_ALONE: Final = f"(?:^|{_EDGE}){_OLD_WORD}{_OLD}(?:{_EDGE}|$)"
_MOBILE_ALONE: Final = f"(?:^|{_EDGE}){_WORD}{_MOBILE}{_WORD}(?:{_END}|$)"
_INSIDE: Final = "[0-9A-Za-z]"
# A look-ahead that captures is tried at every place, so that no match hides another.
_CITIZEN_AT: Final = re.compile(f"(?=({_CITIZEN}))")
_MASKED_AT: Final = re.compile(f"(?=({_MASKED}))")
_OLD_AT: Final = re.compile(f"(?<!{_INSIDE})(?={_OLD_WORD}({_OLD})(?!{_INSIDE}))")
_MOBILE_AT: Final = re.compile(f"(?<!{_INSIDE})(?={_WORD}({_MOBILE}){_WORD}(?![0-9A-Za-z元]))")


def holds_personal(expr: pl.Expr) -> pl.Expr:
    """Whether each string holds a number of a person; Boolean, false for null."""
    return expr.map_batches(_holds_personal, return_dtype=pl.Boolean, is_elementwise=True)


def holds_personal_beside_numbers(expr: pl.Expr) -> pl.Expr:
    """Whether each string of a field of document numbers holds a number of a person; Boolean.

    False for null. As `holds_personal`, but for entries in the form of a document's number.
    """
    return expr.map_batches(_holds_beside, return_dtype=pl.Boolean, is_elementwise=True)


def personal_column(columns: Sequence[str]) -> pl.Expr:
    """The first of the named String columns that holds a number of a person; null when none does.

    String, called `personal_column`. For a refusal that names the column and never the value.
    """
    found = (pl.when(holds_personal(pl.col(name))).then(pl.lit(name)) for name in columns)
    return pl.coalesce(*found, pl.lit(None, pl.String)).alias("personal_column")


def redact(text: str) -> str:
    """`text` with `***` in the place of every number of a person: for logs and messages."""
    plain = text.translate(_TRANSLATION)
    parts, end = [], 0
    for start, stop in sorted([*_identities(plain), *_mobiles(plain)]):
        if start >= end:
            parts += [text[end:start], REDACTED]
        end = max(end, stop)
    # Once more: what is left may stand alone only now.
    return redact("".join([*parts, text[end:]])) if parts else text


def redact_path(path: str) -> str:
    """`path` with `***` in the place of every name in it that holds a number of a person.

    The whole name but a plain suffix goes: what stands beside the number is often a person's name.
    """
    return "/".join(_redacted_name(name) for name in path.split("/"))


def _redacted_name(name: str) -> str:
    if redact(name) == name:
        return name
    suffix = _SUFFIX.search(name)
    return REDACTED + (suffix[0] if suffix else "")


def _holds_personal(texts: pl.Series) -> pl.Series:
    """Look closely only at texts with digits enough for a number, and once at each."""
    near = texts.str.contains(_NEAR).fill_null(value=False)
    if not near.any():
        return near
    distinct = texts.filter(near).unique()
    held = distinct.filter(_holds_number(distinct))
    return texts.is_in(held.implode()).fill_null(value=False) if len(held) else near & False


def _holds_beside(texts: pl.Series) -> pl.Series:
    held = _holds_personal(texts)
    if not held.any():
        return held
    at = held.arg_true()
    plain = texts.gather(at).str.replace_many(_PLAIN)
    # Twice, since two entries have one mark between them.
    rest = plain.str.replace_all(_DOCUMENT, "${1}${3}").str.replace_all(_DOCUMENT, "${1}${3}")
    kept = rest.zip_with(~plain.str.contains(_TELEPHONE), plain)
    return held.scatter(at, _holds_personal(kept))


def _holds_number(texts: pl.Series) -> pl.Series:
    plain = texts.str.replace_many(_PLAIN)
    mobile = plain.str.contains(_MOBILE_ALONE).fill_null(value=False)
    candidate = plain.str.contains(f"{_CITIZEN}|{_MASKED}|{_OLD_ALONE}")
    # Row by row for the few with the shape of an identity number: the check is no pattern.
    at = candidate.arg_true()
    found = plain.gather(at).map_elements(_holds_identity, return_dtype=pl.Boolean)
    return mobile.scatter(at.filter(found), values=True)


def _holds_identity(plain: str) -> bool:
    return any(True for _ in _identities(plain))


def _identities(plain: str) -> Iterator[tuple[int, int]]:
    for pattern, is_number in (
        (_CITIZEN_AT, citizen.is_number),
        (_MASKED_AT, citizen.is_masked),
        (_OLD_AT, citizen.is_old_number),
    ):
        for match in pattern.finditer(plain):
            if is_number(_MARKS.sub("", match[1]).upper()):
                yield match.span(1)


def _mobiles(plain: str) -> Iterator[tuple[int, int]]:
    return (match.span(1) for match in _MOBILE_AT.finditer(plain))

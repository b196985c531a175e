"""Compare numbers and names however they were typed: keys and comparisons use the folded text.

Departments write one document number in many ways: 示许〔2026〕1号, 示许[2026]1号, 示许（２０２６）1號,
with a zero-width space behind it or a line break inside. The folded text drops blanks and invisible
characters and the title marks 《》, and writes one width, one kind of bracket and dash, and
capital letters. The text as written is kept beside it, in the event's own fields.

Two engines, `fold_text` for one string and `fold` for a column, give the same text. Folding a
folded text changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import polars as pl

# Blanks, line ends, control and format characters, and the marks that Unicode calls default
# ignorable without putting them into Cf (variation selectors, fillers, the grapheme joiner).
_IGNORED: Final = (
    r"[\p{Z}\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180D}\x{3164}"
    r"\x{FE00}-\x{FE0F}\x{FFA0}\x{E0100}-\x{E01EF}]"
)
_IGNORABLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)
_IGNORED_CATEGORIES: Final = ("Zs", "Zl", "Zp", "Cc", "Cf")
_OPENING: Final = "[{〔【〖〘〚「『⟦⟨⟪❨❲❴⦅"
_CLOSING: Final = "]}〕】〗〙〛」』⟧⟩⟫❩❳❵⦆"
_DASHES: Final = "\u30fc\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2500\u2e3a\u2e3b\u301c"
_TITLE_MARKS: Final = "《》〈〉\u2039\u203a\u00ab\u00bb"
#: Around a year, title marks are brackets: 示许《2026》1号.
_MARKED_NUMBER: Final = r"[《〈‹«<]([0-9]{1,8})[》〉›»>]"
#: A Chinese keyboard types one dash as two.
_LONG_DASH: Final = "-{2,}"
_SPELLING: Final[dict[str, str]] = (
    dict.fromkeys(_OPENING, "(")
    | dict.fromkeys(_CLOSING, ")")
    | dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_TITLE_MARKS, "")
    | {"號": "号"}
    # Latin letters alone: a full upper case turns letters of other scripts into Latin ones.
    | {chr(code): chr(code - 32) for code in range(ord("a"), ord("z") + 1)}
)
_TRANSLATION: Final = str.maketrans(_SPELLING)

#: What departments write into a cell that has nothing to say, as a pattern of the folded text.
_PLACEHOLDER: Final = (
    r"^(?:无|暂无|没有|空|空白|无号|无文号|无编号|无证号|不详|未知|未填|未填写|待补|待补充|略|不适用|不涉及|同上|附后|另附|附件|详?见[^1-9]{0,8}|"
    r"NULL|\(NULL\)|NONE|NIL|NAN|N/A|#[A-Z/!?0]+|NA|UNDEFINED|X+|×+|0+|"
    r"[-/\\_.,;:*?、。，；：？~|·…+=]+)$"
)


def fold_text(text: str) -> str:
    """Return the text as it is compared."""
    plain = unicodedata.normalize("NFKC", _visible(text))
    # NFKC writes some characters with a blank, and joins marks only once the blank is gone.
    plain = unicodedata.normalize("NFKC", _visible(plain))
    spelt = re.sub(_MARKED_NUMBER, r"(\1)", plain).translate(_TRANSLATION)
    return re.sub(_LONG_DASH, "-", spelt)


def fold(expr: pl.Expr) -> pl.Expr:
    """Return the strings of `expr` as `fold_text` writes them; String, null stays null."""
    plain = expr.str.replace_all(_IGNORED, "").str.normalize("NFKC")
    plain = plain.str.replace_all(_IGNORED, "").str.normalize("NFKC")
    spelt = plain.str.replace_all(_MARKED_NUMBER, "(${1})").str.replace_many(_SPELLING)
    return spelt.str.replace_all(_LONG_DASH, "-")


def is_placeholder_text(text: str) -> bool:
    """Return whether a text says that there is nothing to say: 无, /, -, NULL, 0 and the like."""
    return not told_text(text)


def told_text(text: str | None) -> str:
    """Return a text folded; empty where it is none, or a placeholder."""
    folded = fold_text(text) if text else ""
    return "" if re.match(_PLACEHOLDER, folded) else folded


def is_placeholder(expr: pl.Expr) -> pl.Expr:
    """Return for each string what `is_placeholder_text` says; Boolean, null for null."""
    return expr.map_batches(_are_placeholders, return_dtype=pl.Boolean, is_elementwise=True)


def _are_placeholders(texts: pl.Series) -> pl.Series:
    # No placeholder has such a digit, and as a rule every number has: the rest is few.
    plain = texts.str.contains("[1-9]")
    if plain.all():
        return ~plain
    frame = pl.DataFrame({"text": texts, "plain": plain}, schema_overrides={"text": pl.String})
    folded = fold(pl.when(~pl.col("plain")).then("text"))
    found = frame.select(
        pl.when("plain")
        .then(pl.lit(value=False))
        .otherwise((folded == "") | folded.str.contains(_PLACEHOLDER))
    )
    return found.to_series()


class _Visible(dict[int, int | None]):
    """What `str.translate` makes of each character: itself, or nothing; looked up once for each."""

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        ignored = character in _IGNORABLE or unicodedata.category(character) in _IGNORED_CATEGORIES
        self[code] = None if ignored else code
        return self[code]


_VISIBLE: Final = _Visible()


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    return text.translate(_VISIBLE)

"""Excel's number formats: which show a date, which show more than the number, and what they show.

Source: ECMA-376 part 1, 18.8.30 and 18.8.31. A format that only groups digits, rounds, colours or
adds a currency leaves the number as it is, because an amount is read from it. One that adds zeros
or text makes a document number of it (`00000000`, `"示建许字第"0"号"`), which is then shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from openpyxl.styles.numbers import is_date_format

# Built-in formats; from 27 on they depend on the language and are dates in Chinese (zh-cn).
_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_PERCENT = {9: "0%", 10: "0.00%"}
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.|\[(?P<bracket>[^\]]*)\]?'
    r"|(?P<digits>[0#?][0#?,]*(?:\.[0#?]*)?|\.[0#?]+)|(?P<exponent>[eE][+-][0#?]+)"
    r"|(?P<mark>[%/@])|(?P<other>.)",
    re.DOTALL,
)
_GENERAL = re.compile(r"general|standard|g/?通用格式|通用格式|常规|@", re.IGNORECASE)
_COLOUR = re.compile(
    r"(?:color ?\d+|black|blue|cyan|green|magenta|red|white|yellow|[黑蓝青绿洋红白黄]+色?|颜色 ?\d+)",
    re.IGNORECASE,
)
#: Characters around a number that say nothing of it but its sign or its currency.
_BARE = frozenset(" \u00a0$¥￥€£()+-,")


class Unshowable(Exception):
    """A number whose format is not understood, so that what the sender sees is not known."""


@dataclass(frozen=True)
class Section:
    """One part of a format: `parts` are texts and, as None, the places of digit groups."""

    parts: tuple[str | None, ...]
    digits: tuple[str, ...]
    percent: bool = False

    @property
    def plain(self) -> bool:
        """Whether the number itself says all that the section shows."""
        texts = "".join(part for part in self.parts if part)
        zeros = sum(run.partition(".")[0].count("0") for run in self.digits)
        bare = not self.percent and not set(texts) - _BARE
        return bare and len(self.digits) == 1 and zeros < 2 and not self._scaled

    @property
    def _scaled(self) -> bool:
        """Whether a comma behind the digits shows thousands."""
        return any(run.endswith(",") or ",." in run for run in self.digits)

    def show(self, number: Decimal) -> str:
        """Show a number of no sign. Raises Unshowable."""
        shown = number * 100 if self.percent else number
        if not self.digits or self._scaled:
            raise Unshowable
        *heads, last = self.digits
        whole, _, places = last.partition(".")
        if heads and (places or any("." in head for head in heads)):
            raise Unshowable
        if shown != round(shown, len(places)):
            raise Unshowable  # Excel rounds for show
        integer, _, rest = f"{shown:.{len(places)}f}".partition(".")
        groups = list(_grouped(integer, [*heads, whole]))
        while rest.endswith("0") and places[len(rest) - 1] != "0":
            rest = rest[:-1]
        groups[-1] += f".{rest}" if rest else ""
        filled = iter(groups)
        return "".join(next(filled) if part is None else part for part in self.parts)


@dataclass(frozen=True)
class Format:
    """A number format that shows more than the number: its sections, as Excel chooses them."""

    sections: tuple[Section | None, ...]

    def show(self, number: Decimal) -> str:
        """Return what a person sees in the cell. Raises Unshowable."""
        at = 1 if number < 0 else 2 if number == 0 else 0
        chosen = self.sections[at] if at < len(self.sections) else self.sections[0]
        if chosen is None:
            raise Unshowable
        if chosen.plain:
            return f"{number.normalize():f}"
        sign = "-" if number < 0 and len(self.sections) == 1 else ""
        return (sign + chosen.show(abs(number))).strip()


DATE = "date"
Shape = Format | str | None
"""How a style shows a number: as a date (`DATE`), by a `Format`, or (None) as the number it is."""


def shape_of(number_format: int, codes: dict[int, str]) -> Shape:
    """Return the shape of a format by its id; the workbook's own `codes` go before Excel's."""
    code = codes.get(number_format, _PERCENT.get(number_format))
    if code is None:
        return DATE if number_format in _DATES else None
    if is_date_format(code):
        return DATE
    sections = tuple(_section(section) for section in _split(code))[:3]
    if all(section is not None and section.plain for section in sections):
        return None
    return Format(sections)


def show(text: str, shape: Format) -> str | None:
    """Return what a number shows under a format; None where that is not known."""
    try:
        return shape.show(Decimal(text))
    except (Unshowable, InvalidOperation):
        return None


def _grouped(integer: str, runs: list[str]) -> Iterator[str]:
    """Part a whole number's digits among the runs of a format, as `000-0000` does."""
    taken = []
    rest = integer if integer != "0" else ""
    for run in reversed(runs[1:]):
        width = len(run.replace(",", ""))
        least = run.replace(",", "").lstrip("#?")
        part, rest = rest[-width:], rest[:-width]
        taken.append(part.rjust(len(least), "0"))
    yield rest.rjust(runs[0].count("0"), "0")
    yield from reversed(taken)


def _split(code: str) -> list[str]:
    """Split a format at its semicolons, those in a text left out."""
    parts, start = [], 0
    for token in _TOKEN.finditer(code):
        if token[0] == ";":
            parts.append(code[start : token.start()])
            start = token.end()
    return [*parts, code[start:]]


def _section(code: str) -> Section | None:
    """Read one section; None where it says what is not understood."""
    if not code.strip() or _GENERAL.fullmatch(code.strip()):
        return Section((None,), ("#",)) if code.strip() else None
    parts: list[str | None] = []
    digits: list[str] = []
    percent = False
    for token in _TOKEN.finditer(code):
        if token["digits"]:
            parts.append(None)
            digits.append(token["digits"])
        elif token["quoted"] is not None or token["escaped"]:
            parts.append(token["quoted"] or token["escaped"] or "")
        elif token["mark"] == "%":
            parts.append("%")
            percent = True
        elif token["exponent"] and digits:
            return Section((None,), ("#",))  # 1.10E+14 shows a number that is whole in the file
        elif token["mark"] == "/" and digits:
            return Section((None,), ("#",))  # a fraction, likewise
        elif token["bracket"] is not None:
            if token["bracket"].startswith("$"):
                continue  # a currency, or a language
            if not _COLOUR.fullmatch(token["bracket"]):
                return None  # a condition, or Chinese numerals
        elif token["other"] == "," and digits and parts[-1] is None:
            digits[-1] += ","  # behind the places, too, a comma shows thousands
        elif token["other"]:
            if token["other"].isascii() and token["other"].isalpha():
                return None
            parts.append(token["other"])
        elif token["mark"]:
            return None
    return Section(tuple(parts), tuple(digits), percent)

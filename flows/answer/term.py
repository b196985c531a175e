"""How long a suspension lasts by its own text, whatever the column of its last day says. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from schemas.chinese_numbers import read_number

_SENTENCES: Final = re.compile("[。;!?]")
_DATE: Final = re.compile(r"([0-9]{4})[年./-]([0-9]{1,2})[月./-]([0-9]{1,2})日?")
_PART_OF_DATE: Final = re.compile("[0-9]{1,2}月[0-9]{1,2}日|[0-9]{4}年")
#: Not 十五日内 (缴纳罚款), which is a time to do something in.
_TERM: Final = re.compile(
    "([0-9一二两三四五六七八九十百零〇半壹贰叁肆伍陆柒捌玖拾]+)个?(年|月|周|日|天)(半?)(?!内)"
)
#: At most so many days.
_DAYS: Final = {"年": 366, "月": 31, "周": 7, "日": 1, "天": 1}


def last_day(said: str, words: tuple[str, ...], begun: dt.date | None) -> dt.date | None:
    """Return the last day that a text (`schemas.wording.worded`) tells; None where it tells none.

    The greatest, of its sentences with one of some words; `date.max` where a term is told and
    nobody knows since when, or how long it is. `begun`: a day in China.
    """
    found = []
    for sentence in _SENTENCES.split(said):
        if any(word in sentence for word in words):
            found += [_day(match) for match in _DATE.finditer(sentence)]
            rest = _PART_OF_DATE.sub("", _DATE.sub("", sentence))
            found += [_after(match, begun) for match in _TERM.finditer(rest)]
    return max(found, default=None)


def _day(match: re.Match[str]) -> dt.date:
    try:
        return dt.date(*map(int, match.groups()))
    except ValueError:
        return dt.date.max


def _after(match: re.Match[str], begun: dt.date | None) -> dt.date:
    days = _DAYS[match[2]]
    count = 0.5 if match[1] == "半" else read_number(match[1])
    if begun is None or count is None:
        return dt.date.max
    try:
        return begun + dt.timedelta(days=float(count) * days + (days // 2 if match[3] else 0))
    except OverflowError:
        return dt.date.max

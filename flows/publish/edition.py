"""A file's edition: the point in time its export stands for, from an option or its name. Pure."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Final

from connectors.errors import MiantiError
from flows.clock import CHINA, CLOCKS_DIFFER
from schemas.personal import redact_path

_YEAR: Final = r"(?P<{0}y>20\d\d)"
_MONTH: Final = r"(?P<{0}m>0?[1-9]|1[0-2])"
_DAY: Final = r"(?P<{0}d>0?[1-9]|[12]\d|3[01])"
#: A second date that follows, which is no time of day.
_NO_DATE: Final = (
    r"(?![-_T ]20\d\d(?:[-_.](?:0?[1-9]|1[0-2])[-_.]|年"
    r"|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)))"
)
_CLOCK: Final = (
    r"(?:" + _NO_DATE + r"(?:"
    r"[-_T ]?(?P<{0}H>[01]\d|2[0-3])[-_:.]?(?P<{0}M>[0-5]\d)(?:[-_:.]?(?P<{0}S>[0-5]\d))?"
    r"|[-_T ]?(?P<{0}h>[01]?\d|2[0-3])[时点:](?:(?P<{0}n>[0-5]?\d)分?)?))?(?!\d)"
)
#: 20260509, 2026-05-09, 2026-5-9, 2026.5.9, 2026_05_09, 2026年5月9日, each with a time or without.
_DATE: Final = re.compile(
    r"(?<!\d)"
    + _YEAR.format("")
    + r"(?:(?P<compact>(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))|年"
    + _MONTH.format("c")
    + r"月"
    + _DAY.format("c")
    + r"日?|(?P<sep>[-_./ ])"
    + _MONTH.format("")
    + r"(?P=sep)"
    + _DAY.format("")
    + r"(?!\d))"
    + _CLOCK.format("")
)
_RANGE: Final = r"\s*(?:[-–—~～至到_]|--)\s*"
#: What may follow the first date of a range: a day without its year.
_SAME_YEAR: Final = re.compile(
    _RANGE
    + r"(?:(?P<m>0?[1-9]|1[0-2])[月./](?P<d>0?[1-9]|[12]\d|3[01])日?|(?P<o>\d{1,2})[日号])(?!\d)"
)
#: 20260501-0507 may be a range or a time.
_DAY_OR_TIME: Final = re.compile(r"[-–—~～至到](?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)")
#: Digits that a person may mean as a date: a year, a month, 0509, 260509, a serial behind a date.
_LIKE_A_DATE: Final = re.compile(
    r"\d[年月日]|(?<!\d)(?:(?:19|20)\d\d(?!\d)|20\d\d(?:0[1-9]|1[0-2])"
    r"|(?:[23]\d)?(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?:\d\d|20\d\d)([-_.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<![A-Za-z.])(?:0?[1-9]|1[0-2])[.](?:0?[1-9]|[12]\d|3[01])(?!\d))"
)
#: 2026-05, 202605, 2026年5月: the export of a whole month.
_WHOLE_MONTH: Final = re.compile(
    r"(?<!\d)(?P<y>20\d\d)(?:[-_.]?(?P<m>0[1-9]|1[0-2])(?!\d)|年(?P<c>0?[1-9]|1[0-2])月份?(?!\d))"
)
_NUMERALS: Final = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_CHINESE_DATE: Final = re.compile(
    r"[〇○零一二三四五六七八九]{4}年([一二三四五六七八九十]{1,3})月(?:([一二三四五六七八九十]{1,3})[日号])?"
)


class BadTime(MiantiError):
    """A time given as an option cannot be read."""


class EditionUnclear(MiantiError):
    """A file's name does not tell its edition, though it should."""


def edition_in_name(name: str) -> dt.datetime | None:
    """Return the time (UTC) a file's name states, such as penalties-20260501.csv; or None.

    Of a range, 20260501-20260507, its end; of a month, 2026-05, the end of the month. Raises
    EditionUnclear where the name holds digits like a date that are not one date: taking such a
    file for the newest may set records back.
    """
    text = _plain(name)
    found = list(_DATE.finditer(text))
    times = [_time_of(match) for match in found]
    if not found and _LIKE_A_DATE.search(text) is None:
        return None
    if found and None not in times:
        edition = _end_of_range(text, found, [time for time in times if time])
        if edition is not None:
            return edition
    month = None if found else _end_of_month(text)
    if month is not None:
        return month
    shown = redact_path(name)
    raise EditionUnclear(
        f"{shown}: the name does not tell its date clearly (one date such as 20260501, 2026-05-01 or "
        "2026年5月1日, or a range). Give the date of the export with --edition, or rename the file.",
        f"{shown}：无法从文件名确定数据日期（应为一个日期，如 20260501、2026-05-01、2026年5月1日，或一个起止区间）。"
        "请用 --edition 指定导出日期，或更改文件名。",
    )


def require_past(edition: dt.datetime | None, now: dt.datetime) -> None:
    """Raise EditionUnclear where an edition (UTC) is yet to come.

    All that is published until then would count as older, and be refused.
    """
    if edition is not None and edition > now + CLOCKS_DIFFER:
        shown = edition.astimezone().isoformat(" ", "minutes")
        raise EditionUnclear(
            f"The edition {shown} is yet to come: correct the "
            "date in the file's name, or give the date of the export with --edition.",
            f"版次 {shown} 晚于当前时间：请更正文件名中的日期，或用 --edition 指定导出日期。",
        )


def require_dated(name: str) -> EditionUnclear:
    """Build the error of a file without a date where all files of its layout had one."""
    shown = redact_path(name)
    return EditionUnclear(
        f"{shown}: the files of this layout have had a date in their names so far, and this one has "
        "none, so it could be older than they are. Give the date of the export with --edition, or "
        "put it into the name.",
        f"{shown}：该版式此前的文件名均带有日期，本文件没有，无法判断新旧。请用 --edition 指定导出日期，"
        "或在文件名中写明日期。",
    )


def parse_time(text: str, option: str) -> dt.datetime:
    """Return an ISO 8601 date or time as UTC; without a zone it is China's (UTC+8).

    Raises BadTime, naming the option.
    """
    try:
        time = dt.datetime.fromisoformat(text.strip())
        zoned = time if time.tzinfo else time.replace(tzinfo=CHINA)
        return zoned.astimezone(dt.UTC)
    except (ValueError, OverflowError):  # the latter: beyond the years there are
        raise BadTime(
            f"{option}: not a date or time; write 2026-05-01 or 2026-05-01T18:00.",
            f"{option}：不是有效的日期或时间，请写成 2026-05-01 或 2026-05-01T18:00。",
        ) from None


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", name)
    return _CHINESE_DATE.sub(_digits, text)


def _digits(found: re.Match[str]) -> str:
    year = found[0][:4].translate(_NUMERALS)
    day = f"{_number(found[2])}日" if found[2] else ""
    return f"{year}年{_number(found[1])}月{day}"


def _number(numeral: str) -> int:
    """Read 一 to 九十九."""
    tens, ten, ones = numeral.rpartition("十")
    if not ten:
        return int(numeral.translate(_NUMERALS))
    return int(tens.translate(_NUMERALS) or 1) * 10 + int(ones.translate(_NUMERALS) or 0)


def _end_of_range(
    text: str, found: list[re.Match[str]], times: list[dt.datetime]
) -> dt.datetime | None:
    """Return the one time that some dates in a name come to, or None."""
    first, rest = found[0], text[found[0].end() :]
    if len(found) == 1:
        if first["compact"] and _DAY_OR_TIME.match(text[first.start() + 8 :]):
            return None
        end = _SAME_YEAR.match(rest)
        if end is None:
            return times[0]
        begin = times[0].astimezone(CHINA)
        last = _local(begin.year, int(end["m"] or begin.month), int(end["d"] or end["o"]))
        return last if last is not None and last >= times[0] else None
    if len(set(times)) == 1:
        return times[0]
    between = text[first.end() : found[1].start()]
    ordered = len(found) == 2 and times[0] < times[1]
    return times[1] if ordered and re.fullmatch(_RANGE, between) else None


def _end_of_month(text: str) -> dt.datetime | None:
    """Return the end of the one month that a name without a day states, or None."""
    months = list(_WHOLE_MONTH.finditer(text))
    if len(months) != 1 or _LIKE_A_DATE.search(_WHOLE_MONTH.sub(" ", text)):
        return None
    year, month = int(months[0]["y"]), int(months[0]["m"] or months[0]["c"])
    return _local(year + month // 12, month % 12 + 1, 1)


def _time_of(found: re.Match[str]) -> dt.datetime | None:
    part = found.groupdict()
    compact = part["compact"]
    month = int(compact[:2] if compact else part["cm"] or part["m"])
    day = int(compact[2:] if compact else part["cd"] or part["d"])
    clock = [int(part[a] or part[b] or 0) for a, b in (("H", "h"), ("M", "n"), ("S", "S"))]
    return _local(int(part["y"]), month, day, *clock)


def _local(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0
) -> dt.datetime | None:
    try:
        local = dt.datetime(year, month, day, hour, minute, second, tzinfo=CHINA)
        return local.astimezone(dt.UTC)
    except ValueError:
        return None

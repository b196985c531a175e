"""A file's edition: the point in time its export stands for, from an option or its name. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from connectors.errors import MiantiError
from flows.clock import CHINA

_IN_NAME: Final = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
    r"(?:[-_T ]?([01]\d|2[0-3])[-_:]?([0-5]\d)(?:[-_:]?([0-5]\d))?)?(?!\d)"
)


class BadTime(MiantiError):
    """A time given as an option cannot be read."""


def edition_in_name(name: str) -> dt.datetime | None:
    """Return the time (UTC) a file's name states, such as penalties-20260501.csv; or None.

    A name with two different times states none.
    """
    found = {_from_parts(match.groups()) for match in _IN_NAME.finditer(name)} - {None}
    return found.pop() if len(found) == 1 else None


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


def _from_parts(parts: tuple[str | None, ...]) -> dt.datetime | None:
    year, month, day, *clock = [int(part) for part in parts if part is not None]
    hour, minute, second = [*clock, 0, 0, 0][:3]
    try:
        local = dt.datetime(year, month, day, hour, minute, second, tzinfo=CHINA)
        return local.astimezone(dt.UTC)
    except ValueError:
        return None

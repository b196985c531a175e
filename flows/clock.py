"""The day it is: a calendar day in China, where the law's days are counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

#: All calendar days are China's (UTC+8).
CHINA = ZoneInfo("Asia/Shanghai")
#: How far the clocks of two machines may differ.
CLOCKS_DIFFER = dt.timedelta(minutes=5)


def china_today() -> dt.date:
    """Return today's date in China (UTC+8)."""
    return dt.datetime.now(CHINA).date()


def earliest(times: Iterable[dt.datetime | None]) -> dt.datetime | None:
    """Return the earliest of some times; None where there is none, or one is not known."""
    found = [*times]
    known = [time for time in found if time is not None]
    return min(known) if known and len(known) == len(found) else None

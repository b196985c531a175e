"""The day it is: a calendar day in China, where the law's days are counted."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

_CHINA = ZoneInfo("Asia/Shanghai")


def china_today() -> dt.date:
    """Return today's date in China (UTC+8)."""
    return dt.datetime.now(_CHINA).date()

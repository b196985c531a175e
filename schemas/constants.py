"""What a constant of a dialect is in the field it stands in: a text, a day, a time, an amount."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import polars as pl

_DAY: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})(\d{2})(\d{2})")
_CHINESE_DAY: Final = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")
_CHINA: Final = dt.timezone(dt.timedelta(hours=8))
_YEARS: Final = (1900, 2200)
#: decimal(20,2).
_BEYOND: Final = Decimal(10) ** 18


def value_of(text: str, dtype: pl.DataType) -> Any:
    """Return what a constant means in a column of a Polars type; a list takes it as its one item.

    A day may be spelt as in a file; a time without a zone is China's (UTC+8), and a day alone is
    its midnight there. Raises ValueError where it means nothing.
    """
    if isinstance(dtype, pl.Date):
        return _day(text)
    if isinstance(dtype, pl.Datetime):
        return _time(text).astimezone(dt.UTC)
    if isinstance(dtype, pl.Decimal):
        return _amount(text)
    if isinstance(dtype, pl.List):
        return [
            value_of(text, dtype.inner if isinstance(dtype.inner, pl.DataType) else pl.String())
        ]
    if isinstance(dtype, pl.String):
        return text
    raise ValueError(f"no constant for {dtype}")


def _day(text: str) -> dt.date:
    found = _DAY.fullmatch(text.strip()) or _CHINESE_DAY.fullmatch(text.strip())
    if found is None:
        raise ValueError("no day")
    year, month, day = (int(part) for part in found.groups() if part and part not in "-/.")
    if not _YEARS[0] <= year <= _YEARS[1]:
        raise ValueError("no year of ours")
    return dt.date(year, month, day)


def _time(text: str) -> dt.datetime:
    try:
        return dt.datetime.combine(_day(text), dt.time.min, _CHINA)
    except ValueError:
        found = dt.datetime.fromisoformat(text.strip())
    if not _YEARS[0] <= found.year <= _YEARS[1]:
        raise ValueError("no year of ours")
    return found if found.tzinfo else found.replace(tzinfo=_CHINA)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.strip())
        if 0 <= amount < _BEYOND and amount == amount.quantize(Decimal("0.01")):
            return amount
    except InvalidOperation as error:
        raise ValueError("no amount") from error
    raise ValueError("no amount")

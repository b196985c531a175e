"""Days and points in time as departments and their programs write them.

A day may come with a time of day (2026/3/1 0:00, 2026-03-0100:00:00, 2026-03-01T08:30:00Z), which
names the day all the same: the one in China (UTC+8) where a zone is told.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

DATE_SPELLINGS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%Y.%m.%d")
_DATE_SHAPE: Final = (
    r"^(\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{8}|\d{4}年\d{1,2}月\d{1,2}日|"
    r"\d{4}\.\d{1,2}\.\d{1,2})$"
)
# Without a blank before the time, the day's last digits must be two: 2026/3/110:00 has two meanings.
_DAY: Final = r"(?:[^:]*[ T]|\d{4}[-/.]\d{2}[-/.]\d{2}|\d{8}|[^:]*日)"
_CLOCK: Final = (
    rf"^(?<day>{_DAY}) *(?<hour>[01]?\d|2[0-3]):(?<minute>[0-5]\d)"
    r"(?::(?<second>[0-5]\d)(?:\.(?<part>\d{1,9}))?)? ?(?<zone>Z|[+-]\d{2}:?\d{2})?$"
)
_DIGITS: Final = r"^\d{14}$"
_CHINA: Final = "Asia/Shanghai"


def days(texts: pl.Expr) -> pl.Expr:
    """Return the days that texts name (pl.Date), in China; null where no spelling fits."""
    return texts.map_batches(_days, return_dtype=pl.Date(), is_elementwise=True)


def moments(texts: pl.Expr) -> pl.Expr:
    """Return points in time (UTC); a time without a zone is China's, a day alone its midnight."""
    kind = pl.Datetime("us", "UTC")
    return texts.map_batches(_moments, return_dtype=kind, is_elementwise=True)


def _days(texts: pl.Series) -> pl.Series:
    plain = _plain_days(texts)
    if not _holds_clock(texts, plain):
        return plain
    there = _clocks(texts).select(pl.col("moment").dt.convert_time_zone(_CHINA).dt.date())
    return plain.zip_with(plain.is_not_null(), there.to_series())


def _moments(texts: pl.Series) -> pl.Series:
    plain = _plain_days(texts)
    midnight = _in_china(plain.cast(pl.Datetime("us")))
    if not _holds_clock(texts, plain):
        return midnight
    found = _clocks(texts)["moment"]
    return midnight.zip_with(plain.is_not_null(), found)


def _holds_clock(texts: pl.Series, plain: pl.Series) -> bool:
    return plain.null_count() > texts.null_count()


def _plain_days(texts: pl.Series) -> pl.Series:
    # str.to_date accepts a text that goes on after the format's end; the shape is checked first.
    text = pl.col("text")
    shaped = pl.when(text.str.contains(_DATE_SHAPE)).then(text)
    found = pl.coalesce([shaped.str.to_date(f, strict=False) for f in DATE_SPELLINGS])
    return texts.to_frame("text").select(found).to_series()


def _clocks(texts: pl.Series) -> pl.DataFrame:
    """Return `moment` (UTC): of a day with a time, and of 14 digits; null for any other text."""
    groups = texts.str.extract_groups(_CLOCK)
    parts = groups.struct.unnest()
    whole = texts.str.extract(f"({_DIGITS})").str.to_datetime(
        "%Y%m%d%H%M%S", strict=False, time_unit="us"
    )
    day = _plain_days(parts["day"].str.strip_chars(" T"))
    clock = [parts[name].fill_null("0").cast(pl.Int64) for name in ("hour", "minute", "second")]
    part = parts["part"].fill_null("0").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64)
    seconds = (clock[0] * 60 + clock[1]) * 60 + clock[2]
    since = (seconds * 1_000_000 + part).cast(pl.Duration("us"))
    local = (day.cast(pl.Datetime("us")) + since).zip_with(day.is_not_null(), whole)
    zone = parts["zone"].str.replace("Z", "+00:00", literal=True).str.replace(":", "")
    sign = zone.str.starts_with("-").cast(pl.Int64) * -2 + 1
    minutes = zone.str.slice(1, 2).cast(pl.Int64) * 60 + zone.str.slice(3, 2).cast(pl.Int64)
    offset = (sign * minutes * 60_000_000).cast(pl.Duration("us"))
    zoned = (local - offset).dt.replace_time_zone("UTC")
    return pl.DataFrame({"moment": zoned.zip_with(zone.is_not_null(), _in_china(local))})


def _in_china(local: pl.Series) -> pl.Series:
    # In years with summer time an hour was told twice (its first is taken) or left out (UTC+8).
    known = local.dt.replace_time_zone(_CHINA, ambiguous="earliest", non_existent="null")
    standard = (local - dt.timedelta(hours=8)).dt.replace_time_zone("UTC")
    return known.dt.convert_time_zone("UTC").fill_null(standard)

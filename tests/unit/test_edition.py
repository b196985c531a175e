"""The edition a file's name states: dates as departments write them, never a guess."""

from __future__ import annotations

import datetime as dt

import pytest

from flows.clock import CHINA
from flows.publish.edition import EditionUnclear, edition_in_name, require_past


def local(name: str) -> str | None:
    edition = edition_in_name(name)
    return edition.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if edition else None


@pytest.mark.parametrize(
    "name",
    [
        "许可2026年5月9日.csv",
        "许可2026年05月09日导出.xlsx",
        "list-2026-5-9.csv",
        "2026.5.9名单.csv",
        "a_2026_05_09.csv",
        "list20260509.csv",
        "名单２０２６年５月９日.csv",
        "名单二〇二六年五月九日.csv",
        "名单20260509(2).csv",
        "20260509_v2.csv",
        "20260509-001.csv",
        "20260509 20260509.csv",
        "20260503-20260509.csv",
        "2026-05-03_2026-05-09.csv",
        "2026年5月3日至2026年5月9日.csv",
        "2026年5月3日-5月9日.csv",
        "2026年5月3日—9日.csv",
        "2026.5.3-5.9.csv",
        "2026-05-03~2026-05-09.csv",
    ],
)
def test_a_day_is_read_as_departments_write_it_a_range_by_its_end(name: str) -> None:
    assert local(name) == "2026-05-09 00:00:00"


@pytest.mark.parametrize(
    "name",
    [
        "20260509083000.csv",
        "20260509_083000.csv",
        "2026-05-09T08-30.csv",
        "2026-05-09 0830.csv",
        "2026年5月9日8时30分.csv",
        "2026-5-9 8:30.csv",
    ],
)
def test_a_time_behind_the_day_is_read(name: str) -> None:
    assert local(name) == "2026-05-09 08:30:00"


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("202605.csv", "2026-06-01 00:00:00"),
        ("list_2026-05.json", "2026-06-01 00:00:00"),
        ("许可2026年5月份.xlsx", "2026-06-01 00:00:00"),
        ("二〇二六年五月.csv", "2026-06-01 00:00:00"),
        ("2025年12月.csv", "2026-01-01 00:00:00"),
    ],
)
def test_a_month_is_read_as_its_end(name: str, end: str) -> None:
    assert local(name) == end


@pytest.mark.parametrize(
    "name",
    ["file.csv", "a.csv", "3.csv", "许可 (2).csv", "JT-4001.csv", "part-0001.csv", "v1.2.csv"],
)
def test_a_name_without_a_date_states_none(name: str) -> None:
    assert edition_in_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "许可5月9日.csv",
        "许可0509.csv",
        "260509.csv",
        "26.5.9.csv",
        "licences-2026.csv",
        "2026年4月-5月.csv",
        "202604-202605.csv",
        "2026-05 0509.csv",
        "20260509001.csv",
        "2026-13-01.csv",
        "20260230.csv",
        "20260501 20260502 20260503.csv",
        "20260301.sync-conflict-20260302-101500.csv",
        "20260507-20260501.csv",
        "20260501-0507.csv",
    ],
)
def test_digits_like_a_date_that_are_not_one_date_ask_for_the_edition(name: str) -> None:
    with pytest.raises(EditionUnclear, match="--edition") as asked:
        edition_in_name(name)
    assert "--edition" in asked.value.message_zh


def test_an_edition_to_come_is_refused_but_for_what_two_clocks_differ() -> None:
    now = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)
    require_past(None, now)
    require_past(now + dt.timedelta(minutes=4), now)
    with pytest.raises(EditionUnclear, match="yet to come"):
        require_past(now + dt.timedelta(hours=1), now)

"""Whether two texts may mean one licence: in doubt they do, two different numbers never."""

from __future__ import annotations

import datetime as dt

import pytest

from flows.answer.naming import alike, is_certificate, same_number, squash, stands_in
from flows.answer.periods import newest
from flows.answer.scope import permits
from flows.answer.stopping import tells_a_kind
from flows.receipt.verify import as_brought
from schemas.folding import fold_text


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("JY000155", "JY155", True),
        ("0015500", "15500", True),
        ("示食许第155号", "示食许155号", True),
        ("JY000155", "JY000156", False),
        ("JY10", "JY1", False),
        ("(示)JZ安许证字〔2026〕000001", "（示）ＪＺ安许证字［2026］000001", True),
        ("(示)JZ安许证字〔2026〕000001", "JZ安许证字[2026]000001", True),
        ("(示)JZ安许证字〔2026〕000001", "(示)JZ安许证字〔2026〕000002", False),
        ("JY000001", "jy-000 001", True),
        ("JY000001", "000001", True),
        ("JY000001", "JY000010", False),
        ("A-1", "a1", True),
        ("A-1", "A-12", False),
        ("1", "21", False),
        ("JY000001", None, False),
        ("JY000001", "/", False),
        ("无", "无", False),
    ],
)
def test_numbers_are_one_however_they_are_typed(
    one: str | None, other: str | None, same: bool
) -> None:
    assert same_number(one, other) is same
    assert same_number(other, one) is same


@pytest.mark.parametrize(
    ("number", "text", "stands"),
    [
        ("(示)JZ安许证字〔2026〕000001", "安全生产许可证（JZ安许证字[2026]000001）", True),
        ("JY000001", "许可证JY-000001", True),
        ("JY000001", "许可证号000001", True),
        ("JY000001", "许可证JY0000\n01", True),
        ("JY000001", "许可证JY000002", False),
        ("5", "罚款5000元", False),
        ("5", "许可证（5）", True),
        ("/", "许可证/", False),
    ],
)
def test_a_number_is_found_in_a_text(number: str, text: str, stands: bool) -> None:
    assert stands_in(number, squash(text)) is stands


@pytest.mark.parametrize(
    ("one", "other", "may_be_one"),
    [
        ("食品经营许可证", "《食品经营 许可证》", True),
        ("食品经营许可证", "食品证", True),
        ("食品经营许可证", "食品经营许可证（副本）", True),
        ("安全生产许可证", "安许证", True),
        ("建筑业企业资质证书", "施工总承包资质", True),
        ("食品经营许可证", "许可证件", True),
        ("食品经营许可证", None, True),
        ("食品经营许可证", "无", True),
        ("食品经营许可证", "燃气经营许可证", False),
        ("食品经营许可证", "道路运输经营许可证", False),
        ("食品经营许可证", "营业执照", False),
        ("营业执照", "营业执照（正本）", True),
    ],
)
def test_names_are_told_apart_only_where_both_tell_a_kind(
    one: str, other: str | None, may_be_one: bool
) -> None:
    assert alike(one, other) is may_be_one
    assert alike(other, one) is may_be_one


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("燃气经营许可证", True),
        ("营业执照", True),
        ("道路运输证", True),
        ("许可证件", False),
        ("行政许可撤销决定书", False),
        ("食品证", False),
        ("/", False),
        (None, False),
    ],
)
def test_only_a_certificates_name_tells_a_licence_from_others(name: str | None, told: bool) -> None:
    assert is_certificate(name) is told


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        ("建筑工程施工总承包二级", True),
        ("施工 总承包二级；专业承包", True),
        ("专业承包（不含施工总承包）", False),
        ("专业承包，不包括施工总承包", False),
        ("除施工总承包外", False),
        ("专业承包（施工总承包除外）", False),
        ("未取得施工总承包资质，仅限劳务分包", False),
        ("没有施工总承包资质", False),
        ("原施工总承包资质已注销，现为劳务分包", False),
        ("施工总承包特级（不含施工总承包一级）", False),
        ("施工总承包（不含爆破）", True),
        ("", False),
        (None, False),
    ],
)
def test_a_scope_that_is_taken_away_is_not_held(scope: str | None, held: bool) -> None:
    assert permits(scope, ["施工总承包"]) is held


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("罚款", True),
        ("警告", True),
        ("责令停业", True),
        ("处2000元", True),
        ("其他", False),
        ("4", False),
        ("详见行政决定书", False),
        ("", False),
    ],
)
def test_what_names_no_kind_of_penalty_tells_none(said: str, told: bool) -> None:
    assert tells_a_kind(fold_text(said)) is told


def test_the_newest_list_is_the_newest_year_that_can_be() -> None:
    periods = [
        ("tax", "a", "2023"),
        ("tax", "a", "２０２５年度"),
        ("tax", "a", "2062"),
        ("tax", "b", "无"),
    ]
    assert newest(periods, dt.date(2026, 5, 4)) == {("tax", "a"): 2025}
    assert newest(periods, dt.date(2024, 5, 4)) == {("tax", "a"): 2023}


def test_a_receipt_of_before_there_was_this_outcome_is_proved_as_before() -> None:
    paper = {"material": "m", "outcome": "must_bring", "reason": "stopped"}
    before = [{"matter": "M", "papers": [paper], "form": []}]
    now = [{"matter": "M", "papers": [paper | {"outcome": "not_accepted"}], "form": []}]
    exempt = [{"matter": "M", "papers": [paper | {"outcome": "exempt_by_licence"}], "form": []}]
    assert as_brought(now) == as_brought(before) == before
    assert as_brought(exempt) != before

"""Amounts in digits, Chinese numerals and free text."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schemas.chinese_numbers import (
    fine_in_text,
    is_multiple,
    read_number,
    yuan_in_text,
    yuan_of_cell,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十", 10),
        ("一百零五", 105),
        ("壹拾贰万叁仟肆佰伍拾陆", 123_456),
        ("三亿五千万", 350_000_000),
        ("一万亿", 10**12),
        ("二〇二六", 2026),
        ("1万5千", 15_000),
        ("2百万", 2_000_000),
        ("1.5", "1.5"),
        ("１２,３４５", 12_345),
        ("两万零三百", 20_300),
        ("壹仟零捌萬", 10_080_000),
    ],
)
def test_a_number_is_read(text: str, value: int | str) -> None:
    assert read_number(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "三百五", "一万五", "0,5", "12,34", "1.2.3", "余", "百", "三五百"]
)
def test_what_is_not_surely_a_number_is_not_read(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("cell", "unit", "yuan"),
    [
        ("叁佰万元整", None, 3_000_000),
        ("人民币三百万元", None, 3_000_000),
        ("300万元", None, 3_000_000),
        ("３００万", None, 3_000_000),
        ("1.25亿元", None, 125_000_000),
        ("¥3,000,000.00", 1, 3_000_000),
        ("3000", 1, 3_000),
        ("0.5", 10_000, 5_000),
        ("5万元", 10_000, 50_000),
        ("壹万贰仟圆叁角肆分", None, "12000.34"),
        ("200元", 10_000, 200),
        ("伍拾", 10_000, 500_000),
    ],
)
def test_an_amount_of_a_cell_is_in_yuan(cell: str, unit: int | None, yuan: int | str) -> None:
    assert yuan_of_cell(cell, unit) == Decimal(yuan)


@pytest.mark.parametrize(
    "cell", ["5000", "0,5万元", "1-3万元", "三十多万元", "万元", "元", "约5万元", "5万元以上"]
)
def test_a_cell_in_doubt_is_no_amount(cell: str) -> None:
    assert yuan_of_cell(cell) is None


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("罚款人民币叁佰万元整", 3_000_000),
        ("罚款3,000,000元", 3_000_000),
        ("罚款300万元", 3_000_000),
        ("罚款 300 万\n元。", 3_000_000),
        ("处以罚款人民币3，000，000元（叁佰万元整）", 3_000_000),
        ("没收违法所得12.5万元，并处罚款贰佰伍拾万元", 2_500_000),
        ("罚款300万", 3_000_000),
        ("罚款￥5000", 5_000),
        ("罚款叁仟元伍角", "3000.5"),
        ("按每平方米30元的标准，处以罚款3000元", 3_000),
        ("罚款150万元；罚款100万元", 2_500_000),
        ("罚款150万元；罚款100万元；合计罚款250万元", 2_500_000),
        ("处货值金额五倍罚款，罚款20万元", 200_000),
    ],
)
def test_the_amount_of_a_text_is_found(text: str, yuan: int | str) -> None:
    assert yuan_in_text(text) == Decimal(yuan)


@pytest.mark.parametrize(
    "text",
    [
        "责令停产停业",
        "罚款",
        "罚款三百余万元",
        "罚款数百万元",
        "罚款0,5万元",
        "违法所得500元，处以违法所得五倍罚款",
        "按每平方米30元处以罚款",
        "一元化管理",
        "多元化经营",
        "2026年3月1日吊销许可证300号",
    ],
)
def test_an_amount_that_is_not_told_is_none(text: str) -> None:
    assert yuan_in_text(text) is None


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("罚款人民币叁佰万元整", "3000000"),
        ("处300万元罚款", "3000000"),
        ("处伍仟元整的罚款", "5000"),
        ("没收违法所得900万元，罚款1万元", "10000"),
        ("罚款1万元；罚款2万元", "30000"),
        ("处1万元以上5万元以下罚款", None),
        ("每平方米30元罚款", None),
        ("罚款三百五，罚款2万元", "20000"),
        ("没收900万元", None),
        ("警告", None),
        ("没收违法所得150万元，并处三倍罚款", "4500000"),
        ("处上一年度销售额5000万元4%的罚款", "2000000"),
        ("没收违法所得900元，处三倍罚款", "2700"),
        ("违法所得150万元，责令三倍退还", None),
        ("罚款2.5E6元", None),
    ],
)
def test_what_a_text_calls_a_fine_is_told_from_its_other_amounts(
    text: str, yuan: str | None
) -> None:
    assert fine_in_text(text) == (None if yuan is None else Decimal(yuan))


@pytest.mark.parametrize(
    ("text", "multiple"),
    [
        ("处违法所得三倍罚款", True),
        ("处货值金额20倍的罚款", True),
        ("处销售额百分之四的罚款", True),
        ("按日连续处罚，每日罚款十万元", True),
        ("处货值金额一倍罚款，计5000元", False),
        ("罚款5000元", False),
        ("责令三倍退还", False),
    ],
)
def test_a_fine_told_as_a_multiple_of_what_is_not_named(text: str, multiple: bool) -> None:
    assert is_multiple(text) == multiple

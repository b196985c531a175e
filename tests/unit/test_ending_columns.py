"""Columns that a layout does not know: whether what stands there may end the record of its row."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from connectors.files import FAULT, open_source
from flows.publish.recognise import match
from flows.publish.records import Records
from schemas import contract
from tests.support.codes import uscc

ON = dt.datetime(2026, 5, 4, 2, tzinfo=dt.UTC)
LICENCE: dict[str, str] = {
    "XK_XDR_MC": "示范企业",
    "XK_XDR_SHXYM": uscc(1),
    "XK_WSH": "示许〔2026〕1号",
    "XK_JDRQ": "2026-01-05",
    "XK_YXQZ": "2026-01-06",
    "XK_YXQZI": "2031-01-05",
    "XK_XKJG": "某局",
    "XK_XKJGDM": uscc(7, kind="11"),
    "XK_NR": "零售",
    "XK_ZT": "1",
}
TAX: dict[str, str] = {
    "纳税人识别号": uscc(1),
    "纳税人名称": "示范企业",
    "评价年度": "2025",
    "税务机关": "示范市税务局",
}
PENALTY: dict[str, str] = {
    "CF_WSH": "示罚〔2026〕1号",
    "CF_XDR_MC": "示范企业",
    "CF_XDR_SHXYM": uscc(1),
    "CF_CFLB": "罚款",
    "CF_NR": "罚款2000元",
    "CF_JDRQ": "2026-01-05",
    "CF_GSJZQ": "2027-01-05",
    "CF_CFJG": "某局",
    "CF_CFJGDM": uscc(7, kind="11"),
    "CF_SJLYDW": "某局",
    "CF_SJLYDWDM": uscc(7, kind="11"),
}


def faults(tmp_path: Path, row: dict[str, str], layout: str, column: str, *cells: str) -> list[Any]:
    """Return the fault of a row for each cell below a column that the layout does not know."""
    path = tmp_path / "a.csv"
    lines = [",".join((*row, column))]
    lines += [",".join((*row.values(), f'"{cell}"')) for cell in cells]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    source = open_source(path, chunk_rows=2)
    fit = match(source.header, contract.dialects()[layout])
    assert fit is not None
    assert column not in fit.names
    return [found for rows in Records(source, fit, ON) for found in rows[FAULT].to_list()]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("注销日期", "2026-10-01"),
        ("吊销文号", "示撤〔2026〕1号"),
        ("撤销原因", "逾期"),
        ("是否注销", "是"),
        ("注销标志", "1"),
        ("zxrq", "20260301"),
        ("cancel_date", "2026-03-01"),
        ("证照状态", "已注销"),
        ("状态说明", "停用"),
        ("许可状态", "3"),
        ("STATUS", "REVOKED"),
        ("是否有效", "否"),
        ("有效标识", "0"),
        ("SFYX", "N"),
        ("失效日期", "2026-05-04"),
        ("终止日期", "已终止"),
        ("备注2", "已吊销"),
        ("其他说明", "许可证已收回"),
        ("办理情况", "到期未延续"),
    ],
)
def test_what_may_end_a_licence_refuses_its_row(tmp_path: Path, column: str, cell: str) -> None:
    [told, empty] = faults(tmp_path, LICENCE, "cn-sgs-2018-licence", column, cell, "")
    assert told == f"state_unread:{column}"
    assert empty is None


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("注销日期", "/"),
        ("注销日期", "无"),
        ("是否注销", "否"),
        ("注销标志", "未注销"),
        ("证照状态", "正常"),
        ("证照状态", "有效"),
        ("STATUS", "Active"),
        ("是否有效", "是"),
        ("有效标识", "1"),
        ("失效日期", "2031-01-05"),
        ("终止日期", "长期"),
        ("备注2", "延续换证"),
        ("其他说明", "含冷藏冷冻食品"),
        ("审核状态", "已上报"),
        ("行业类别", "注销代理"),
        ("经营面积", "120"),
        ("联系地址", "停业街1号"),
    ],
)
def test_what_every_good_licence_has_there_refuses_none(
    tmp_path: Path, column: str, cell: str
) -> None:
    assert faults(tmp_path, LICENCE, "cn-sgs-2018-licence", column, cell) == [None]


def test_what_ends_a_penalty_is_no_loss_and_what_ends_a_grade_is_one(tmp_path: Path) -> None:
    told = faults(tmp_path, PENALTY, "cn-sgs-2018-penalty", "撤销日期", "2026-03-01")
    assert told == [None]
    told = faults(tmp_path, PENALTY, "cn-sgs-2018-penalty", "备注3", "许可证已吊销")
    assert told == ["state_unread:备注3"]
    told = faults(tmp_path, TAX, "cn-tax-a-list", "移出日期", "2026-03-01")
    assert told == ["state_unread:移出日期"]


def test_a_column_that_the_dialect_ignores_is_not_wanted(tmp_path: Path) -> None:
    dialect = contract.dialects()["cn-sgs-2018-licence"]
    known = dialect.model_copy(update={"ignore": ["注销日期"]})
    path = tmp_path / "a.csv"
    cells = ",".join((*LICENCE.values(), "2026-03-01"))
    path.write_text(f"{','.join((*LICENCE, '注销日期'))}\n{cells}\n", "utf-8")
    source = open_source(path)
    fit = match(source.header, known)
    assert fit is not None
    assert [f for rows in Records(source, fit, ON) for f in rows[FAULT].to_list()] == [None]

"""Columns of a file that are not read: which come near a column of the layout, and which do not."""

from __future__ import annotations

import pytest

from flows.publish.recognise import Match, match
from flows.publish.unread import ColumnMisspelt, Unread, require_spelling, unread_columns
from schemas import contract

LICENCE, PENALTY = "cn-sgs-2018-licence", "cn-sgs-2018-penalty"
NEEDED = {
    LICENCE: ["XK_XDR_MC", "XK_XDR_SHXYM", "XK_WSH", "XK_YXQZI", "XK_XKJGDM", "XK_ZT"],
    PENALTY: ["CF_XDR_MC", "CF_XDR_SHXYM", "CF_WSH", "CF_GSJZQ", "CF_CFJGDM"],
}


def matched(layout: str, *more: str) -> tuple[list[str], Match]:
    header = [*NEEDED[layout], *more]
    found = match(header, contract.dialects()[layout])
    assert found is not None
    return header, found


@pytest.mark.parametrize(
    ("layout", "column", "meant"),
    [
        (LICENCE, "有效期起", "XK_YXQZ"),
        (LICENCE, "有效期", "XK_YXQZ"),
        (LICENCE, "许可证号", "XK_XKBH"),
        (LICENCE, "编号许可", "XK_XKBH"),
        (LICENCE, "许可编号(证书)", "XK_XKBH"),
        (LICENCE, "许可证书名", "XK_XKZS"),
        (LICENCE, "XK-XKBH1x", None),
        (LICENCE, "XKYXQZ", "XK_YXQZ"),
        (LICENCE, "XK_JDRQQ", "XK_JDRQ"),
        (PENALTY, "罚款金额（亿元）", "CF_NR_FK"),
        (PENALTY, "罚款金额(千元)", "CF_NR_FK"),
        (PENALTY, "罚款金颔", "CF_NR_FK"),
        (PENALTY, "处罚类型", "CF_CFLB"),
        (PENALTY, "暂扣或吊销证照名称和编号", "CF_NR_ZKDX"),
        (LICENCE, "抽查结果", None),
        (LICENCE, "备案", None),
        (LICENCE, "录入人员", None),
    ],
)
def test_a_name_that_comes_near_refuses_the_file(
    layout: str, column: str, meant: str | None
) -> None:
    header, found = matched(layout, column)
    unread = unread_columns(header, found)
    assert [one.column for one in unread] == [column]
    if meant is None:
        assert unread == [Unread(column)]
        require_spelling(unread, found)
        return
    assert meant in unread[0].may_mean
    with pytest.raises(ColumnMisspelt) as told:
        require_spelling(unread, found)
    for text in (told.value.message_en, told.value.message_zh):
        assert column in text
        assert meant in text
        assert "ignore" in text


def test_a_name_near_a_column_that_is_there_is_told_and_no_more() -> None:
    header, found = matched(LICENCE, "XK_YXQZ", "其他", "有效期起")
    unread = unread_columns(header, found)
    assert [one.column for one in unread] == ["有效期起", "其他"]
    require_spelling(unread, found)


@pytest.mark.parametrize(
    ("column", "own"),
    [
        ("许可编号*", "XK_XKBH"),
        ("* 许可编号", "XK_XKBH"),
        ("许可编号（必填）", "XK_XKBH"),
        ("许可编号 *（必填项）", "XK_XKBH"),
        ("许可内容（选填）", "XK_NR"),
        ("行政相对人代码＿1（统一社会信用代码）*", None),
        ("备注：", "BZ"),
    ],
)
def test_marks_of_a_template_are_no_part_of_a_name(column: str, own: str | None) -> None:
    _, found = matched(LICENCE, column)
    assert found.names.get(column) == own


def test_columns_known_and_not_wanted_are_not_told() -> None:
    header, found = matched(LICENCE, "序号", "XK_XDR_GSZC", "法定代表人")
    assert unread_columns(header, found) == []


def test_a_fine_in_yuan_never_feeds_an_amount_in_wan_yuan() -> None:
    _, found = matched(PENALTY, "罚款金额（元）")
    assert found.names["罚款金额（元）"] == "罚款金额(元)"
    _, other = matched(PENALTY, "罚款金额（万元）")
    assert other.names["罚款金额（万元）"] == "CF_NR_FK"


def test_a_number_of_a_person_in_a_header_is_not_repeated() -> None:
    header, found = matched(LICENCE, "有效期起13812345678")
    assert unread_columns(header, found)[0].may_mean == ()
    with pytest.raises(ColumnMisspelt) as told:
        require_spelling([Unread("13812345678", ("XK_NR",))], found)
    assert "13812345678" not in told.value.message_en

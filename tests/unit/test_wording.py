"""What is looked for is found however it was typed, and both engines make the same of a text."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.wording import worded, worded_column

PIECES = [
    *(
        "吊",
        "撤",
        "撒",
        "注",
        "销",
        "消",
        "銷",
        "註",
        "没收",
        "上交",
        "许可证",
        "許可證",
        "执照",
        "·",
        "(",
        ")",
        "-",
    ),
    *(
        "不予",
        "不准予",
        "延续",
        "处罚",
        "决定",
        "分公司",
        "起诉",
        "降为",
        "二级",
        "。",
        ";",
        ",",
        "元",
        "3",
        "不得经营",
    ),
    *(
        "未经",
        "过期",
        "\n",
        " ",
        "\u200b",
        "回收",
        "上缴",
        "国库",
        "違法",
        "所得",
        "的",
        "其",
        "广告",
    ),
]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=9).map("".join), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_columns_and_texts_are_worded_alike(texts: list[str]) -> None:
    column = pl.DataFrame({"text": texts}).select(worded_column(pl.col("text"))).to_series()
    assert column.to_list() == [worded(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("吊銷許可證", "吊销许可证"),
        ("已撒销", "已撤销"),
        ("吊·销 许可证", "吊销许可证"),
        ("注.销", "注销"),
        ("没收食品经营许可证", "收缴食品经营许可证"),
        ("许可证予以没收", "许可证予以收缴"),
        ("责令上缴许可证正副本", "责令缴回许可证正副本"),
        ("不准予资质延期", "不予延续"),
        ("资质等级降至三级", "资质等级降级三级"),
    ],
)
def test_a_word_however_it_is_written(text: str, made: str) -> None:
    assert worded(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "没收违法所得300元，吊销许可证没收物品一批",
        "没收伪造的许可证一本",
        "罚款上缴国库",
        "罚款由5万元降为3万元",
        "报废机动车回收拆解资质证书",
        "餐厨废弃物回收许可证",
    ],
)
def test_what_takes_no_certificate_stays_as_it_is(text: str) -> None:
    assert worded(text) == text.replace("，", ",")


@pytest.mark.parametrize(
    "text",
    [
        "撤销原行政处罚决定书",
        "注销其所属分公司登记",
        "撤销违法广告",
        "可向法院起诉请求撤销",
        "未经许可不得经营",
        "禁止销售不合格产品",
    ],
)
def test_what_is_said_of_another_thing_is_taken_out(text: str) -> None:
    assert not any(word in worded(text) for word in ("撤销", "注销", "不得经营", "禁止"))

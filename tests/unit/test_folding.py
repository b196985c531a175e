"""Numbers and names compare alike however they were typed, and both engines agree."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.folding import fold, fold_text, is_placeholder, is_placeholder_text

NUMBER = "示许〔2026〕1号"
SPELLINGS = [
    *(
        f"示许{pair[0]}2026{pair[1]}1号"
        for pair in [
            "[]",
            "()",
            "《》",
            "〈〉",
            "<>",
            "【】",
            "{}",
            "（）",
            "［］",
            "｛｝",
            "「」",
        ]
    ),
    "示许〔２０２６〕１号",
    "示许〔2026〕 1号",
    "示许〔2026〕1号\u200b",
    "示许〔2026〕1\u2060号",
    "\ufeff示许〔2026〕1号",
    "示许〔2026〕\n1号",
    "示许〔2026〕\u20281号",
    "示许〔2026〕\u00a01号",
    "示许〔2026〕1\ufe0f号",
    "示许〔2026〕1號",
    "《示许〔2026〕1号》",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_number_in_many_spellings_folds_to_one_text(spelling: str) -> None:
    assert fold_text(spelling) == fold_text(NUMBER) == "示许(2026)1号"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("JY000001", "ｊｙ０００００１"),
        ("JY-000001", "jy\u2014000001"),
        ("JY-000001", "JY\u2014\u2014000001"),
        ("食品经营许可证", "《食品经营许可证》"),
    ],
)
def test_case_width_dashes_and_title_marks_do_not_count(first: str, second: str) -> None:
    assert fold_text(first) == fold_text(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [("示许〔2026〕1号", "示许〔2026〕11号"), ("JY1", "JY01"), ("示许2026", "示许(2026)")],
)
def test_what_differs_by_a_sign_that_counts_stays_apart(first: str, second: str) -> None:
    assert fold_text(first) != fold_text(second)


texts = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_categories=["Cn", "Co"]),
        st.sampled_from("〔〕[]（）《》〈<>2026-—\u200b\ufeff \u3000´¨\u0301\ufe0fａＡß號ﬁ①½"),
    ),
    max_size=20,
)


@given(st.lists(texts, min_size=1, max_size=20))
@settings(max_examples=300, deadline=None)
@example(["e´", "e\u200b\u0301", "\u1160", "ﬁ\u3000"])
def test_both_engines_agree_and_folding_twice_changes_nothing(values: list[str]) -> None:
    column = pl.DataFrame({"text": values})
    folded = column.select(fold(pl.col("text"))).to_series().to_list()
    assert folded == [fold_text(value) for value in values]
    assert [fold_text(value) for value in folded] == folded
    held = column.select(is_placeholder(pl.col("text"))).to_series().to_list()
    assert held == [is_placeholder_text(value) for value in values]


@pytest.mark.parametrize(
    "text",
    [
        "无",
        " 无 ",
        "/",
        "／",
        "-",
        "——",
        "0",
        "000",
        "null",
        "N/A",
        "空",
        "",
        "\u200b",
        "×",
        "详见附件",
        "同上",
    ],
)
def test_placeholders_say_nothing(text: str) -> None:
    assert is_placeholder_text(text)


@pytest.mark.parametrize("text", ["无锡许〔2026〕1号", "1", "JY-0", "0号", "未知来源许可"])
def test_numbers_and_names_are_no_placeholders(text: str) -> None:
    assert not is_placeholder_text(text)

"""Which sheets of a file are read, under which header; what is told of the others."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.files import Source, open_source
from flows.publish.recognise import ColumnTwice, NotRecognised, none_fits
from flows.publish.tables import Choice, choose
from schemas import contract
from tests.support.codes import uscc

DIALECTS = contract.dialects()
LAYOUTS = ["cn-sgs-2018-licence", "cn-sgs-2018-penalty"]
OWNER = (
    contract.publishers()
    .publishers["housing-demo"]
    .model_copy(update={"layouts": dict.fromkeys(LAYOUTS)})
)
LICENCE = {
    "行政相对人名称": "示范企业", "统一社会信用代码": uscc(1), "行政许可决定文书号": "示许1号",
    "许可编号": "P1", "许可决定日期": "2026-01-05", "有效期自": "2026-01-06",
    "有效期至": "2031-01-05", "许可机关": "某局", "许可机关统一社会信用代码": uscc(7, kind="11"),
    "当前状态": "1",
}  # fmt: skip
PENALTY = {
    "CF_XDR_MC": "示范企业", "CF_XDR_SHXYM": uscc(1), "CF_WSH": "示罚1号", "CF_CFLB": "罚款",
    "CF_NR_FK": "1", "CF_JDRQ": "2026-01-05", "CF_GSJZQ": "2029-01-05", "CF_CFJG": "某局",
    "CF_CFJGDM": uscc(7, kind="11"),
}  # fmt: skip


def book(tmp_path: Path, sheets: dict[str, list[list[Any]]], *hidden: str) -> Source:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    made.save(tmp_path / "a.xlsx")
    return open_source(tmp_path / "a.xlsx")


def table(row: dict[str, str], *changes: dict[str, str]) -> list[list[str]]:
    return [[*row], *([*(row | change).values()] for change in changes or ({},))]


def chosen(source: Source, layout: str | None = None) -> Choice:
    return choose(source, DIALECTS, OWNER, layout)


def values(choice: Choice, column: str) -> list[tuple[str, str]]:
    assert isinstance(choice.rows, Source)
    place = choice.rows.place
    return [
        (place(row), text)
        for chunk in choice.rows.chunks()
        for row, text in chunk.rows.select("__row", column).iter_rows()
    ]


def test_all_visible_sheets_of_a_layout_are_one_file(tmp_path: Path) -> None:
    other = {"备用": "x"} | {("XK_ZT" if k == "当前状态" else k): v for k, v in LICENCE.items()}
    sheets = {
        "城区": table(LICENCE, {"当前状态": "1"}, {"当前状态": "2"}),
        "开发区": table(other, {"XK_ZT": "3"}),
    }
    choice = chosen(book(tmp_path, sheets))
    assert values(choice, "当前状态") == [("城区!2", "1"), ("城区!3", "2"), ("开发区!2", "3")]
    assert (choice.left_sheets, choice.not_complete) == ([], [])
    assert "开发区" in choice.notes[0].zh


def test_a_sheet_of_rows_that_fits_nothing_is_named_and_nothing_is_complete(tmp_path: Path) -> None:
    sheets = {"许可": table(LICENCE), "吊销": [["编号"], ["P1"]], "空": []}
    choice = chosen(book(tmp_path, sheets))
    assert choice.left_sheets == ["吊销"]
    assert ["吊销" in words.zh for words in choice.not_complete] == [True]


@pytest.mark.parametrize(
    ("name", "rows", "doubtful"),
    [
        ("填表说明", [["一、按月填报"], ["二、日期写作 2026-01-05"]], False),
        ("填表说明", [["编号", "状态", "日期"], ["P1", "3", "2026-01-05"]], True),
        ("续表", [["P1", "3"]], True),
    ],
)
def test_a_short_sheet_named_as_instructions_holds_no_records(
    tmp_path: Path, name: str, rows: list[list[Any]], doubtful: bool
) -> None:
    choice = chosen(book(tmp_path, {"许可": table(LICENCE), name: rows}))
    assert choice.left_sheets == [name]
    assert bool(choice.not_complete) == doubtful


@pytest.mark.parametrize("layout", [None, *LAYOUTS])
def test_a_sheet_of_another_layout_is_named_with_that_layout(
    tmp_path: Path, layout: str | None
) -> None:
    choice = chosen(book(tmp_path, {"许可": table(LICENCE), "处罚": table(PENALTY)}), layout)
    read = layout or LAYOUTS[0]
    assert choice.match.dialect.id == read
    left, other = ("处罚", LAYOUTS[1]) if read == LAYOUTS[0] else ("许可", LAYOUTS[0])
    assert choice.left_sheets == [left]
    told = choice.not_complete if layout is None else choice.notes
    assert any(f"--layout {other}" in words.en for words in told)
    assert bool(choice.not_complete) == (layout is None)


@pytest.mark.parametrize(("rows", "doubtful"), [(table(LICENCE), True), ([["甲"], ["乙"]], False)])
def test_a_hidden_sheet_is_named_and_not_read(
    tmp_path: Path, rows: list[list[Any]], doubtful: bool
) -> None:
    choice = chosen(book(tmp_path, {"许可": table(LICENCE), "旧": rows}, "旧"))
    assert len(values(choice, "当前状态")) == 1
    assert (choice.hidden_sheets, choice.left_sheets) == (["旧"], [])
    assert bool(choice.not_complete) == doubtful


def test_titles_above_and_two_header_rows_are_passed_over_and_told(tmp_path: Path) -> None:
    names = list(LICENCE)
    upper = [*names[:7], "许可机关", None, names[9]]
    lower = [None] * 7 + ["许可机关", "许可机关统一社会信用代码", None]
    rows: list[list[Any]] = [
        ["一览表"],
        ["填报", "a", "b", "c", "d", "e"],
        upper,
        lower,
        [*LICENCE.values()],
    ]
    choice = chosen(book(tmp_path, {"许可": rows}))
    assert values(choice, "当前状态") == [("5", "1")]
    assert "2" in choice.notes[0].en


def write(tmp_path: Path, rows: list[list[str]]) -> Source:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return open_source(path)


@pytest.mark.parametrize("again", ["当前状态", "XK_ZT", " 当前 状态 "])
def test_a_column_given_twice_refuses_the_file_by_its_name(tmp_path: Path, again: str) -> None:
    rows = table(LICENCE)
    rows[0].append(again)
    rows[1].append("3")
    with pytest.raises(ColumnTwice, match="当前状态") as told:
        chosen(write(tmp_path, rows))
    assert "当前状态" in told.value.message_zh


def test_a_column_nobody_reads_may_stand_twice(tmp_path: Path) -> None:
    rows = [[*line, "x", "y"] for line in table(LICENCE)]
    rows[0][-2:] = ["另", "另"]
    assert chosen(write(tmp_path, rows)).match.dialect.id == LAYOUTS[0]


DATA = [["示范企业", uscc(1), "示许1号", "13812345678"], ["张三丰", uscc(2), "示许2号", "x"]]


@pytest.mark.parametrize("layout", [None, LAYOUTS[0]])
def test_a_file_without_a_header_says_so_and_shows_no_cell(
    tmp_path: Path, layout: str | None
) -> None:
    with pytest.raises(NotRecognised, match="no header") as told:
        chosen(write(tmp_path, DATA), layout)
    for text in ("示范企业", "138", "示许", uscc(1)):
        assert text not in str(told.value)
    assert "headerless" in told.value.message_zh


def test_a_dialect_may_name_the_columns_of_a_file_without_a_header(tmp_path: Path) -> None:
    columns = ["XK_XDR_MC", "XK_XDR_SHXYM", "XK_WSH", "XK_BZ"]
    dialect = DIALECTS[LAYOUTS[0]].model_copy(update={"headerless": columns})
    source = write(tmp_path, DATA)
    choice = choose(source, {dialect.id: dialect}, OWNER, dialect.id)
    assert values(choice, "XK_WSH") == [("1", "示许1号"), ("2", "示许2号")]
    for other, layout in ((DATA, None), ([line[:3] for line in DATA], dialect.id)):
        with pytest.raises(NotRecognised):
            choose(write(tmp_path, other), {dialect.id: dialect}, OWNER, layout)


def test_a_header_of_as_many_names_is_not_taken_for_data(tmp_path: Path) -> None:
    columns = ["XK_XDR_MC", "XK_XDR_SHXYM", "XK_WSH", "XK_BZ"]
    dialect = DIALECTS[LAYOUTS[0]].model_copy(update={"headerless": columns})
    rows = [["代码", "名称", "文号", "注"], *DATA]
    with pytest.raises(NotRecognised, match="4 列均未识别"):
        choose(write(tmp_path, rows), {dialect.id: dialect}, OWNER, dialect.id)


def test_with_a_layout_named_the_advice_is_not_to_name_it(tmp_path: Path) -> None:
    rows = [list(LICENCE)[:-1], list(LICENCE.values())[:-1]]
    with pytest.raises(NotRecognised, match="whatever layout is named") as told:
        chosen(write(tmp_path, rows), LAYOUTS[0])
    assert "XK_ZT" in told.value.message_zh


def test_a_page_of_many_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"total": 9, "rows": [LICENCE]}), "utf-8")
    choice = chosen(open_source(path))
    assert ["9" in words.en for words in choice.not_complete] == [True]


def test_of_a_row_with_no_known_column_no_cell_is_told() -> None:
    for row in (["某某甲", "张三丰", "警告"], ["某某甲", "张三丰", "2026-05-01"]):
        said = str(none_fits(row, DIALECTS, None))
        assert "张三丰" not in said
    assert "张三丰" not in str(none_fits(["XK_WSH", "张三丰", "2026-05-01"], DIALECTS, None))
    assert "许可文号" in str(none_fits(["XK_WSH", "许可文号"], DIALECTS, None))

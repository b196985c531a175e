"""Workbooks as people make them: several sheets, merged cells, formulas, number formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from connectors.files import Source, open_source
from connectors.files.columns import sheet_and_row, sheet_row

HEAD = ["名称", "代码", "编号", "状态"]


def book(path: Path, *sheets: Iterable[Iterable[Any]], change: Any = None) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for number, rows in enumerate(sheets):
        sheet = made.create_sheet(f"表{number}")
        for row in rows:
            sheet.append(list(row))
    if change:
        change(made)
    made.save(path)
    return path


def rows(source: Source) -> list[tuple[Any, ...]]:
    return [row for chunk in source.chunks() for row in chunk.rows.iter_rows()]


def one(tmp_path: Path, data: list[list[Any]], change: Callable[[Worksheet], Any]) -> list[Any]:
    made = book(tmp_path / "a.xlsx", [HEAD, *data], change=lambda b: change(b["表0"]))
    return rows(open_source(made))


def data(count: int) -> list[list[Any]]:
    return [[f"甲{n}", f"C{n}", f"N{n}", None] for n in range(1, count + 1)]


def test_every_sheet_that_holds_anything_is_given_with_its_name(tmp_path: Path) -> None:
    def hide(made: openpyxl.Workbook) -> None:
        made["表2"].sheet_state = "hidden"
        made["表3"].sheet_state = "veryHidden"

    tables = [HEAD, ["甲", "C", "N", "1"]]
    path = book(tmp_path / "a.xlsx", tables, [], tables, [["x"]], tables, change=hide)
    sheets = open_source(path).sheets()
    assert [(s.name, s.hidden) for s in sheets] == [
        ("表0", False), ("表2", True), ("表3", True), ("表4", False),
    ]  # fmt: skip
    assert [s.table.header for s in sheets] == [HEAD, HEAD, ["x"], HEAD]
    assert rows(sheets[-1].table) == [(2, None, "甲", "C", "N", "1")]


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_a_value_merged_downwards_counts_for_every_row(tmp_path: Path, chunk_rows: int) -> None:
    filled = data(4)
    filled[0][3], filled[3][3] = "3", "1"
    path = book(
        tmp_path / "a.xlsx", [HEAD, *filled], change=lambda b: b["表0"].merge_cells("D2:D4")
    )
    found = rows(open_source(path, chunk_rows=chunk_rows))
    assert [row[5] for row in found] == ["3", "3", "3", "1"]
    assert [row[0] for row in found] == [2, 3, 4, 5]


def test_a_value_merged_over_columns_and_rows_counts_for_all_of_them(tmp_path: Path) -> None:
    filled = data(3)
    filled[0][2] = "9"
    found = one(tmp_path, filled, lambda sheet: sheet.merge_cells("C2:D3"))
    assert [row[4:] for row in found] == [("9", "9"), ("9", "9"), ("N3", None)]


def test_a_note_merged_over_the_table_is_one_text_and_an_empty_row_stays_empty(
    tmp_path: Path,
) -> None:
    filled = [*data(1), ["注：以上为全部。", None, None, None], [], *data(1)]
    found = one(tmp_path, filled, lambda sheet: sheet.merge_cells("A3:D4"))
    assert found == [
        (2, None, "甲1", "C1", "N1", None),
        (3, None, "注：以上为全部。", None, None, None),
        (5, None, "甲1", "C1", "N1", None),
    ]


def test_a_merged_range_far_beyond_the_table_costs_nothing(tmp_path: Path) -> None:
    filled = data(2)
    filled[0][3] = "3"
    found = one(tmp_path, filled, lambda sheet: sheet.merged_cells.add("D2:XFD1048576"))
    assert [row[5] for row in found] == ["3", "3"]


@pytest.mark.parametrize(
    ("over", "hiding"),
    [("A2:XFD1048576", {2, 3, 4}), ("A2:A3", {3}), ("C3:D4", {4}), ("A2:B2", {2})],
)
def test_a_value_that_a_merge_hides_is_a_fault_of_its_row(
    tmp_path: Path, over: str, hiding: set[int]
) -> None:
    filled = data(3)
    filled[2][3] = "9"
    found = one(tmp_path, filled, lambda sheet: sheet.merged_cells.add(over))
    assert {row[0] for row in found if row[1] == "hidden_by_merge"} == hiding
    assert [row[0] for row in found] == [2, 3, 4]


def test_a_value_repeated_under_a_merge_is_hidden_from_nobody(tmp_path: Path) -> None:
    filled = data(2)
    filled[0][3] = filled[1][3] = "3"
    found = one(tmp_path, filled, lambda sheet: sheet.merged_cells.add("D2:D3"))
    assert [row[1] for row in found] == [None, None]


def test_what_a_number_lost_counts_for_the_whole_range(tmp_path: Path) -> None:
    filled = data(2)
    filled[0][2] = 10**17 + 1
    found = one(tmp_path, filled, lambda sheet: sheet.merge_cells("C2:C3"))
    assert [row[1] for row in found] == ["number_lost_digits"] * 2


def test_two_header_rows_are_offered_joined(tmp_path: Path) -> None:
    upper = ["序号", "行政相对人", None, "许可", None]
    lower = [None, "名称", "代码", "编号", "状态"]

    def merge(made: openpyxl.Workbook) -> None:
        for ref in ("A2:A3", "B2:C2", "D2:E2"):
            made["表0"].merge_cells(ref)

    table: list[list[Any]] = [["某市许可一览表"], upper, lower, ["1", "甲", "C1", "N1", "1"]]
    readings = [*open_source(book(tmp_path / "a.xlsx", table, change=merge)).readings()]
    headers = [reading.header for reading in readings]
    for wanted in (
        ["序号", "名称", "代码", "编号", "状态"],
        ["序号", "行政相对人名称", "行政相对人代码", "许可编号", "许可状态"],
    ):
        chosen = readings[headers.index(wanted)]
        assert rows(chosen) == [(4, None, "1", "甲", "C1", "N1", "1")]
        assert chosen.titles == 1


def test_a_header_below_notes_of_several_cells_is_offered(tmp_path: Path) -> None:
    notes = [["填报单位", "某局", "日期", "5月"], ["说明", "a", "b", "c"]]
    readings = [*open_source(book(tmp_path / "a.xlsx", [*notes, HEAD, *data(2)])).readings()]
    chosen = next(reading for reading in readings if reading.header == HEAD)
    assert [row[0] for row in rows(chosen)] == [4, 5]
    assert chosen.titles == 2


def test_a_formula_without_its_value_is_no_empty_cell(tmp_path: Path) -> None:
    found = one(tmp_path, [["甲", "C", "N", '=IF(A2="","3","1")']], lambda _: None)
    assert found[0][5].startswith("=")


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("00000000", 10, "00000010"),
        ('"示许字第"0"号"', 2026000123, "示许字第2026000123号"),
        (r"\X\K000000", 42, "XK000042"),
        ("000-0000", 123456, "012-3456"),
        ("第0号", 7, "第7号"),
        ("00000000;-00000000", -5, "-00000005"),
        ('0"万元"', 5, "5万元"),
        ("0.0%", 0.125, "12.5%"),
        ("General", 1234, "1234"),
        ("0", 1234, "1234"),
        ("#,##0", 1234567, "1234567"),
        ("#,##0.00", 1234.5, "1234.5"),
        ('_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', 0, "0"),
        ("[$¥-804]#,##0.00", 12.5, "12.5"),
        ("[Red]0", 3, "3"),
        ("@", 12, "12"),
        ("0.00E+00", 110108000000000, "110108000000000"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(
    tmp_path: Path, code: str, number: float, shown: str
) -> None:
    def style(sheet: Worksheet) -> None:
        sheet["C2"].number_format = code

    [row] = one(tmp_path, [["甲", "C", number, "1"]], style)
    assert (row[1], row[4]) == (None, shown)


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("[DBNum1]0", 12),
        ('[>100]"大"0;"小"0', 12),
        (";;;", 3),
        ('"已办"', 1),
        ("0,", 12000),
        ("0.00,", 12000),
        ("00000", 12.5),
        ('0.0"元"', 12.34),
    ],
)
def test_a_format_that_is_not_understood_refuses_the_row(
    tmp_path: Path, code: str, number: float
) -> None:
    def style(sheet: Worksheet) -> None:
        sheet["C2"].number_format = code

    [row] = one(tmp_path, [["甲", "C", number, "1"]], style)
    assert row[1] == "number_format"


def test_rows_of_several_sheets_have_numbers_of_their_own() -> None:
    assert sheet_and_row(sheet_row(3, 1_048_576)) == (3, 1_048_576)
    assert sheet_row(0, 5) == 5

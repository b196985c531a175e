"""Excel workbooks: what the sender sees in a cell is what the column holds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.files import Source, Unreadable, open_source


def workbook(tmp_path: Path, *sheets: Iterable[Iterable[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"表{number}")
        for row in rows:
            sheet.append(list(row))
    path = tmp_path / "export.xlsx"
    book.save(path)
    return path


def rows(source: Source) -> list[tuple[Any, ...]]:
    return [row for chunk in source.chunks() for row in chunk.rows.iter_rows()]


def test_cells_become_the_text_the_sender_sees(tmp_path: Path) -> None:
    values = [
        "007", 3.0, 1234.5, 0.1 + 0.2, 12, date(2018, 5, 1), datetime(2018, 5, 1, 8, 30), True,
        123456789012345, "  ", None, "=原文",
    ]  # fmt: skip
    path = workbook(tmp_path, [[f"列名{i}" for i in range(len(values))], values[:-1]])
    source = open_source(path)
    assert (source.format, source.header[:2]) == ("xlsx", ["列名0", "列名1"])
    assert rows(source) == [
        (
            1, None, "007", "3", "1234.5", "0.3", "12", "2018-05-01", "2018-05-01 08:30:00",
            "TRUE", "123456789012345", None, None, None,
        )
    ]  # fmt: skip


@pytest.mark.parametrize("number", [912308031297498726, 9.12308031297498e17, 10**15])
def test_a_code_stored_as_a_number_has_lost_its_last_digits(tmp_path: Path, number: float) -> None:
    source = open_source(workbook(tmp_path, [["a", "b", "c"], ["x", number, "y"], [1, 2, 3]]))
    first, second = rows(source)
    assert first[:2] == (1, "number_lost_digits")
    assert "E+" in first[3]
    assert second[1] is None


def test_titles_above_the_header_and_blank_rows_are_passed_over(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        [["某市行政许可公示表"], ["填报单位", "某局"], list("abcde"), [], [None], list("12345")],
    )
    source = open_source(path, chunk_rows=1)
    assert source.header == list("abcde")
    assert rows(source) == [(3, None, *"12345")]


def test_the_first_sheet_with_a_table_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path, [], [["填表说明"]], [["a", "b", "c"], [1, 2, 3]], [["x", "y", "z"]])
    assert open_source(path).header == ["a", "b", "c"]


def test_a_hidden_sheet_is_not(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["p", "q", "r"], [1, 2, 3]], [["a", "b", "c"], [1, 2, 3]])
    book = openpyxl.load_workbook(path)
    book["表0"].sheet_state = "hidden"
    book.active = 1
    book.save(path)
    assert open_source(path).header == ["a", "b", "c"]


def test_a_short_row_is_filled_and_a_stray_cell_is_a_fault(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["a", "b", "c"], ["1"], ["1", "2", "3", "note"], ["4", "5", "6"]])
    assert rows(open_source(path)) == [
        (1, None, "1", None, None),
        (2, "too_many_fields", "1\t2\t3\tnote", None, None),
        (3, None, "4", "5", "6"),
    ]


def test_every_pass_gives_the_same_in_chunks(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["a", "b", "c"], *([i, i, i] for i in range(25))])
    source = open_source(path, chunk_rows=10)
    assert [chunk.rows.height for chunk in source.chunks()] == [10, 10, 5]
    assert rows(source) == rows(source)
    assert 0 < source.position() <= source.size


def test_names_can_be_given_by_position(tmp_path: Path) -> None:
    source = open_source(workbook(tmp_path, [["a", "b", "c"], ["1", "2", "3"]]))
    given = source.with_header(["x", "y", "z"], skip_first=False)
    assert given.columns == ["x", "y", "z"]
    assert rows(given) == [(1, None, "a", "b", "c"), (2, None, "1", "2", "3")]


def test_a_wrong_dimension_cuts_nothing_off(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["a", "b", "c"], ["1", "2", "3"]])
    changed = tmp_path / "changed.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'ref="A1:C2"', b'ref="A1"'))
    assert rows(open_source(changed)) == [(1, None, "1", "2", "3")]


@pytest.mark.parametrize("cut", ["zip", "xml"])
def test_a_workbook_damaged_anywhere_is_refused_before_its_first_row(
    tmp_path: Path, cut: str
) -> None:
    path = workbook(tmp_path, [["a", "b", "c"], *(["x", i, "y"] for i in range(2000))])
    if cut == "zip":
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
    else:
        changed = tmp_path / "changed.xlsx"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
            for name in old.namelist():
                part = old.read(name)
                new.writestr(name, part[:-300] if "sheet1" in name else part)
        path = changed
    with pytest.raises(Unreadable) as refused:
        open_source(path)
    assert refused.value.reason_code == "damaged_excel"


def test_a_workbook_with_nothing_in_it_is_empty(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        open_source(workbook(tmp_path, [], [[None, None]]))
    assert refused.value.reason_code == "empty_file"

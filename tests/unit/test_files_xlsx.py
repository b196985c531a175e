"""Excel workbooks: what the sender sees in a cell is what the column holds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.files import Source, Unreadable, open_source, xlsx_book


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
            2, None, "007", "3", "1234.5", "0.3", "12", "2018-05-01", "2018-05-01 08:30:00",
            "TRUE", "123456789012345", None, None, None,
        )
    ]  # fmt: skip


@pytest.mark.parametrize("number", [912308031297498726, 9.12308031297498e17, 10**15])
def test_a_code_stored_as_a_number_has_lost_its_last_digits(tmp_path: Path, number: float) -> None:
    source = open_source(workbook(tmp_path, [["a", "b", "c"], ["x", number, "y"], [1, 2, 3]]))
    first, second = rows(source)
    assert first[:2] == (2, "number_lost_digits")
    assert "E+" in first[3]
    assert second[1] is None


def test_titles_above_the_header_and_blank_rows_are_passed_over(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        [["某市行政许可公示表"], ["填报单位", "某局"], list("abcde"), [], [None], list("12345")],
    )
    source = open_source(path, chunk_rows=1)
    assert source.header == list("abcde")
    assert rows(source) == [(6, None, *"12345")]


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
        (2, None, "1", None, None),
        (3, "too_many_fields", "1\t2\t3\tnote", None, None),
        (4, None, "4", "5", "6"),
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
    assert rows(open_source(changed)) == [(2, None, "1", "2", "3")]


def parts(tmp_path: Path, sheet: str, strings: str = "", styles: str = "", old: str = "0") -> Path:
    """A workbook made by hand, as programs other than Excel write it, prefixes and all."""
    path = tmp_path / "export.xlsx"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<x:workbook xmlns:x="x" xmlns:r="{kind}"><x:workbookPr date1904="{old}"/><x:sheets>'
            '<x:sheet name="a" sheetId="1" r:id="r1"/></x:sheets></x:workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships><Relationship Id="r1" Type="{kind}/worksheet" '
            'Target="/xl/worksheets/one.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/one.xml",
            f'<x:worksheet xmlns:x="x"><x:sheetData>{sheet}</x:sheetData></x:worksheet>',
        )
        if strings:
            archive.writestr("xl/sharedStrings.xml", f"<sst>{strings}</sst>")
        if styles:
            archive.writestr("xl/styles.xml", f"<styleSheet>{styles}</styleSheet>")
    return path


HEAD = "<x:row>" + "".join(f"<x:c><x:v>{i}</x:v></x:c>" for i in range(4)) + "</x:row>"


def test_strings_are_put_together_without_their_phonetic_guide(tmp_path: Path) -> None:
    strings = (
        "<si><r><t>佳木</t></r><r><t>斯</t></r><rPh><t>jia</t></rPh></si><si><t>x_x000A_y</t></si>"
    )
    row = (
        '<x:row r="4"><x:c r="A4" t="s"><x:v>0</x:v></x:c><x:c r="C4" t="s"><x:v>1</x:v></x:c>'
        '<x:c r="D4" t="inlineStr"><x:is><x:t>甲</x:t></x:is></x:c></x:row>'
    )
    found = rows(open_source(parts(tmp_path, HEAD + row, strings)))
    assert found == [(4, None, "佳木斯", None, "x\ny", "甲")]


def test_cells_without_references_stand_in_order(tmp_path: Path) -> None:
    row = (
        '<x:row><x:c t="b"><x:v>1</x:v></x:c><x:c/><x:c t="e"><x:v>#N/A</x:v></x:c>'
        '<x:c t="str"><x:f>A1&amp;"b"</x:f><x:v>1b</x:v></x:c></x:row>'
    )
    assert rows(open_source(parts(tmp_path, HEAD + row))) == [
        (2, None, "TRUE", None, "#N/A", "1b"),
    ]


@pytest.mark.parametrize(("old", "day"), [("0", "2018-05-01"), ("1", "2022-05-02")])
def test_a_number_is_a_date_by_its_style(tmp_path: Path, old: str, day: str) -> None:
    styles = (
        '<numFmts><numFmt numFmtId="170" formatCode="yyyy&quot;年&quot;m"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="31"/></cellXfs>'
    )
    cells = "".join(f'<x:c s="{style}"><x:v>43221</x:v></x:c>' for style in (0, 1, 2))
    path = parts(tmp_path, f"{HEAD}<x:row>{cells}</x:row>", styles=styles, old=old)
    assert rows(open_source(path)) == [(2, None, "43221", day, day, None)]


def outcome(path: Path) -> str:
    try:
        return "one row" if len(rows(open_source(path))) == 1 else "other"
    except Unreadable as refused:
        return refused.reason_code


@pytest.mark.parametrize(
    "sheet",
    [
        '<x:row r="9999999999"><x:c r="A1"><x:v>1e999</x:v></x:c></x:row>',
        '<x:row r="1"/><x:row r="1"><x:c r="B1"><x:v>1e-300</x:v></x:c><x:c r="A1"/></x:row>',
        '<x:row><x:c r="ZZZZZ1"><x:v>1</x:v></x:c></x:row>',
        '<x:row><x:c t="s"><x:v>99</x:v></x:c></x:row>',
        '<x:row r="x"><x:c s="y"><x:v>nan</x:v></x:c></x:row>',
    ],
)
def test_a_false_workbook_is_rows_or_damaged(tmp_path: Path, sheet: str) -> None:
    assert outcome(parts(tmp_path, HEAD + sheet)) in ("one row", "damaged_excel")


def test_strings_too_big_for_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_book, "_MAX_PART", 10_000)
    path = parts(tmp_path, HEAD, f"<si><t>{'x' * 10_000}</t></si>")
    with pytest.raises(Unreadable) as refused:
        open_source(path)
    assert refused.value.reason_code == "excel_too_big"


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


@pytest.mark.parametrize(
    "bomb",
    [
        '<row><c t="str"><v>{}</v></c></row>',
        '<row><c r="{}"><v>1</v></c></row>',
        '<row><c t="inlineStr"><is><t>{}</t></is></c></row>',
    ],
)
def test_a_text_longer_than_any_cell_is_not_gathered(tmp_path: Path, bomb: str) -> None:
    head = "".join(f'<c t="str"><v>{name}</v></c>' for name in "abc")
    path = parts(tmp_path, f"<row>{head}</row><row>{head}</row>" + bomb.format("a" * (8 << 20)))
    with pytest.raises(Unreadable) as refused:
        rows(open_source(path))
    assert refused.value.reason_code == "excel_too_big"


def test_a_workbook_with_nothing_in_it_is_empty(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        open_source(workbook(tmp_path, [], [[None, None]]))
    assert refused.value.reason_code == "empty_file"

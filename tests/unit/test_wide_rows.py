"""A row of thousands of cells, in a file of a few kilobytes, does not fill the memory."""

from __future__ import annotations

import zipfile
from pathlib import Path

from connectors.files import open_source
from connectors.files.columns import rows_at_once

_ROW = '<row><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c><c r="C1"><v>3</v></c>{}</row>'


def test_a_row_far_wider_than_its_table_is_cut_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    header = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in "abc")
    rows = _ROW.format("") * 100 + _ROW.format('<c r="ZZZ1"><v>4</v></c>') * 20
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "xl/workbook.xml",
            '<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="i"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="i" Type="x/worksheet" Target="worksheets/s.xml"/>'
            "</Relationships>",
        )
        book.writestr(
            "xl/worksheets/s.xml",
            f"<worksheet><sheetData><row>{header}</row>{rows}</sheetData></worksheet>",
        )
    (chunk,) = open_source(path).chunks()
    faults = chunk.rows["__fault"]
    assert (faults.len(), (faults == "too_many_fields").sum()) == (120, 20)
    assert (chunk.rows["a"].str.len_chars() < 400).all()
    assert chunk.rows["a"].tail(1).str.ends_with("4").all()


def test_a_chunk_of_a_wide_table_has_fewer_rows() -> None:
    assert rows_at_once(50_000, 40) == 50_000
    assert rows_at_once(50_000, 4_000) == 500
    assert rows_at_once(50_000, 0) == 50_000
    assert rows_at_once(1, 4_000) == 1

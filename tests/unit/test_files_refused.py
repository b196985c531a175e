"""Refused rows come back in the sender's layout, and can be published again as they stand."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from connectors.files import REFUSED_COLUMNS, RefusedFile, Source, open_source


def reasons(*rows: int, code: str = "bad_code") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "__row": list(rows),
            "code": [code] * len(rows),
            "sentence_en": ["The code is wrong."] * len(rows),
            "sentence_zh": ["代码有误。"] * len(rows),
        },
        schema_overrides={"__row": pl.Int64},
    )


def refuse(source: Source, path: Path, *rows: int) -> Path | None:
    with RefusedFile(path, source) as refused:
        for chunk in source.chunks():
            here = set(chunk.rows["__row"]) & set(rows)
            refused.add(chunk.rows, reasons(*sorted(here)))
    return path if path.exists() else None


def values(source: Source) -> list[tuple[Any, ...]]:
    return [row[1:] for chunk in source.chunks() for row in chunk.rows.iter_rows()]


def sent(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def book(path: Path, rows: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.save(path)
    return path


def test_a_csv_comes_back_with_its_delimiter_and_header_and_opens_in_excel(tmp_path: Path) -> None:
    text = '编号\t代码;名称;;名称\n1;=1+1;"甲;""乙""\n丙";-5\n2;x;y;z\n@3;p;q;r\n'
    source = open_source(sent(tmp_path, "a.csv", text.encode("gbk")))
    path = refuse(source, tmp_path / "back.csv", 1, 3)
    assert path is not None
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    back = list(csv.reader(content.decode("utf-8-sig").splitlines(keepends=True), delimiter=";"))
    assert back == [
        ["编号\t代码", "名称", "", "名称", *REFUSED_COLUMNS],
        ["1", "'=1+1", '甲;"乙"\n丙', "-5", "bad_code", "代码有误。 The code is wrong.", "1"],
        ["'@3", "p", "q", "r", "bad_code", "代码有误。 The code is wrong.", "3"],
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.json", "a.jsonl"])
def test_a_mended_file_reads_like_the_one_that_was_sent(tmp_path: Path, name: str) -> None:
    rows: list[list[Any]] = [
        ["代码", "名称", "备注"],
        ["007", "甲公司", "一\n二"],
        ["008", "乙", None],
    ]
    records = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    path = tmp_path / name
    if name == "a.csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    elif name == "a.xlsx":
        book(path, rows)
    else:
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        path.write_text("\n".join(lines) if name == "a.jsonl" else f"[{','.join(lines)}]")
    source = open_source(path)
    for again in range(2):  # also a file that was refused once before
        back = refuse(source, tmp_path / f"back{again}{path.suffix}", 1, 2, 3)
        assert back is not None
        read = open_source(back)
        assert (read.format, read.header, read.columns) == (
            source.format, source.header, source.columns,
        )  # fmt: skip
        assert (
            values(read)
            == values(source)
            == [
                (None, "007", "甲公司", "一\n二"),
                (None, "008", "乙", None),
            ]
        )
        source = read


def test_an_xlsx_comes_back_as_text_with_formulas_as_they_were_typed(tmp_path: Path) -> None:
    text = sent(tmp_path, "a.csv", "a,b,c\n=1+1,#N/A,\x01x\n")
    xlsx = open_source(book(tmp_path / "a.xlsx", [["a", "b", "c"], [1, 2, 3]]))
    chunk = next(open_source(text).chunks())
    with RefusedFile(tmp_path / "back", xlsx) as refused:
        refused.add(chunk.rows, reasons(1))
    sheet = openpyxl.load_workbook(tmp_path / "back.xlsx").active
    (cells,) = sheet.iter_rows(min_row=2)
    assert [cell.data_type for cell in cells[:3]] == ["s", "s", "s"]
    assert [cell.value for cell in cells[:3]] == ["=1+1", "#N/A", "\ufffdx"]


def test_json_values_come_back_as_the_values_they_were(tmp_path: Path) -> None:
    record = (
        '{"s":"12","n":1.50,"t":true,"list":[{"名":"甲","n":2.0}],"o":{},"text":"[1]","null":null}'
    )
    source = open_source(sent(tmp_path, "a.json", f"[{record}]"))
    path = refuse(source, tmp_path / "back.json", 1)
    assert path is not None
    added = ',"_reason_code":"bad_code","_reason":"代码有误。 The code is wrong.","_row":1}'
    assert path.read_text() == f"[\n{record[:-1]}{added}\n]\n"


@pytest.mark.parametrize(
    "text", ["a,b,c\n1,2\n3,4,5\n", "a,b,c\n1,2,3,4\n3,4,5\n", 'a,b,c\n1,"2,3\n3,4,5\n']
)
def test_an_odd_row_sent_again_unmended_lacks_its_columns(tmp_path: Path, text: str) -> None:
    source = open_source(sent(tmp_path, "a.csv", text))
    back = refuse(source, tmp_path / "back.csv", 1)
    assert back is not None
    assert values(open_source(back)) == [(None, text.split("\n")[1], None, None)]


def test_a_wrong_character_sent_again_unmended_is_wrong_again(tmp_path: Path) -> None:
    source = open_source(sent(tmp_path, "a.csv", b"a,b\n1,\xff\n"))
    back = refuse(source, tmp_path / "back.csv", 1)
    assert back is not None
    assert values(open_source(back)) == [("bad_character", "1", "\ufffd")]


def test_names_given_by_position_fit_the_file_that_comes_back_too(tmp_path: Path) -> None:
    for text, skip_first in [("a,b\n1,2,3\n", True), ("1,2,3\n", False)]:
        named = open_source(sent(tmp_path, "a.csv", text)).with_header(
            ["x", "y", "z"], skip_first=skip_first
        )
        back = refuse(named, tmp_path / "back.csv", 1)
        assert back is not None
        again = open_source(back).with_header(["x", "y", "z"], skip_first=skip_first)
        assert values(again) == values(named) == [(None, "1", "2", "3")]


def test_a_header_narrower_than_its_rows_comes_back_as_it_was(tmp_path: Path) -> None:
    source = open_source(sent(tmp_path, "a.csv", "a,b\n1,2,3,4\n5,6,7,8\n"))
    back = refuse(source, tmp_path / "back.csv", 2)
    assert back is not None
    again = open_source(back)
    assert (again.header, again.columns) == (source.header, source.columns)
    assert values(again) == [(None, "5", "6", "7", "8")]


def test_nothing_is_written_when_nothing_was_refused(tmp_path: Path) -> None:
    source = open_source(sent(tmp_path, "a.csv", "a,b\n1,2\n"))
    refused = RefusedFile(tmp_path / "out" / "back.csv", source)
    refused.add(next(source.chunks()).rows, reasons())
    assert refused.close() is None
    assert not (tmp_path / "out").exists()


def test_the_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    source = open_source(sent(tmp_path, "a.csv", "a,b\n1,2\n"))
    rows = next(source.chunks()).rows
    path = tmp_path / "out" / "back.csv"
    with pytest.raises(ValueError, match="not in these rows"), RefusedFile(path, source) as refused:
        _add_twice(refused, rows)
    assert list((tmp_path / "out").iterdir()) == []
    refused = RefusedFile(path, source)
    refused.add(rows, reasons(1))
    assert not path.exists()
    assert refused.close() == path
    assert list((tmp_path / "out").iterdir()) == [path]


def _add_twice(refused: RefusedFile, rows: pl.DataFrame) -> None:
    refused.add(rows, reasons(1))
    refused.add(rows, reasons(2))


def test_a_row_refused_for_several_reasons_is_written_once(tmp_path: Path) -> None:
    source = open_source(sent(tmp_path, "a.csv", "a,b\n1,2\n"))
    refused = RefusedFile(tmp_path / "back.csv", source)
    both = pl.concat([reasons(1), reasons(1, code="no_date")])
    refused.add(next(source.chunks()).rows, both)
    refused.close()
    lines = (tmp_path / "back.csv").read_text("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("1,2,bad_code; no_date,")


def test_a_reason_without_its_row_is_a_mistake(tmp_path: Path) -> None:
    source = open_source(sent(tmp_path, "a.csv", "a,b\n1,2\n"))
    with pytest.raises(ValueError, match="not in these rows"):
        RefusedFile(tmp_path / "back.csv", source).add(next(source.chunks()).rows, reasons(9))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
def test_refused_rows_are_their_owners_alone_and_follow_no_link(tmp_path: Path, kind: str) -> None:
    if kind == "xlsx":
        path = book(tmp_path / "a.xlsx", [["a", "b", "c"], ["1", "2", "3"]])
    else:
        path = sent(tmp_path, f"a.{kind}", "a,b,c\n1,2,3\n" if kind == "csv" else '{"a": "1"}\n')
    victim = tmp_path / "victim"
    victim.write_text("precious")
    back = tmp_path / f"a.refused.{kind}"
    back.with_name(f".{back.name}.part").symlink_to(victim)
    source = open_source(path)
    row = next(iter(source.chunks())).rows["__row"][0]
    assert refuse(source, back, row) == back
    assert victim.read_text() == "precious"
    assert (back.stat().st_mode & 0o777, back.is_symlink()) == (0o600, False)


def test_no_workbook_in_the_making_lies_outside_a_work_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    source = open_source(book(tmp_path / "a.xlsx", [["a", "b", "c"], ["1", "2", "3"]]))
    with RefusedFile(tmp_path / "back.xlsx", source) as refused:
        for chunk in source.chunks():
            refused.add(chunk.rows, reasons(*chunk.rows["__row"]))
        assert [path.name[:12] for path in place.iterdir()] == ["mianti-work-"]
    assert list(place.iterdir()) == []

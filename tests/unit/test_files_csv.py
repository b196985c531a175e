"""CSV as departments export it: each row comes whole, or alone carries its fault."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.files import Source, Unreadable, open_source
from connectors.files.lines import MAX_RECORD, MAX_RECORD_LINES


def written(tmp_path: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "export.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def rows(source: Source) -> list[tuple[Any, ...]]:
    return [row for chunk in source.chunks() for row in chunk.rows.iter_rows()]


def read(tmp_path: Path, text: str | bytes, encoding: str = "utf-8") -> list[tuple[Any, ...]]:
    return rows(open_source(written(tmp_path, text, encoding)))


def test_rows_are_text_under_the_names_of_the_header_and_blanks_are_null(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, " 代码 ,名称,金额\r\n007,甲公司,1.50\r\n8,　 ,\r\n"))
    (chunk,) = source.chunks()
    assert (source.format, source.encoding) == ("csv", "utf-8")
    assert source.header == source.columns == ["代码", "名称", "金额"]
    assert chunk.rows.schema == {
        "__row": pl.Int64,
        "__fault": pl.String,
        **dict.fromkeys(source.columns, pl.String),
    }
    assert chunk.rows.rows() == [(1, None, "007", "甲公司", "1.50"), (2, None, "8", None, None)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_what_the_header_has_most_of(tmp_path: Path, delimiter: str) -> None:
    head = delimiter.join(["a", "b", '"x,y,z;p;q|r|s\tt\tu"'])
    body = delimiter.join(["1", f'"2{delimiter}3"', "4"])
    assert read(tmp_path, f"{head}\n{body}\n") == [(1, None, "1", f"2{delimiter}3", "4")]


def test_a_quoted_field_keeps_line_ends_delimiters_and_doubled_quotes(tmp_path: Path) -> None:
    text = 'a,b\n1,"two\nlines, and ""quotes"""\n2,x\n"3","y"\n'
    assert read(tmp_path, text) == [
        (1, None, "1", 'two\nlines, and "quotes"'),
        (2, None, "2", "x"),
        (3, None, "3", "y"),
    ]


def test_the_last_row_may_run_over_lines(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\n1,x\n2,"y\n\nz"') == [(1, None, "1", "x"), (2, None, "2", "y\n\nz")]


def test_a_byte_order_mark_inside_the_file_is_the_senders_character(tmp_path: Path) -> None:
    text = "a,b\n\ufeff1,2\n\ufeff3,4\n"
    assert read(tmp_path, text) == [(1, None, "\ufeff1", "2"), (2, None, "\ufeff3", "4")]


def test_stray_control_characters_do_not_make_a_file_binary(tmp_path: Path) -> None:
    found = read(tmp_path, "a,b\n" + "1,some longer text\x01 here\n" * 50)
    assert [row[3] for row in found] == ["some longer text\x01 here"] * 50


def test_a_carriage_return_in_a_row_of_another_width_costs_that_row_only(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\n1,2\n3,\r4,5\n"6",\r7,8\n9,10\n') == [
        (1, None, "1", "2"),
        (2, "too_many_fields", "3,\r4,5", None),
        (3, "broken_quotes", '"6",\r7,8', None),
        (4, None, "9", "10"),
    ]


def test_a_quoted_field_may_run_over_the_border_of_a_chunk(tmp_path: Path) -> None:
    text = "a,b\n" + "".join(f'{i},"x\ny,""\n\nz"\n' for i in range(50))
    source = open_source(written(tmp_path, text), chunk_rows=3)
    assert rows(source) == [(i + 1, None, str(i), 'x\ny,"\n\nz') for i in range(50)]
    assert rows(source) == rows(source)


def test_an_unclosed_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    text = 'a,b\n1,"open\n2,x\n3,"y"\n' + "".join(f"{i},z\n" for i in range(4, 3000))
    found = read(tmp_path, text)
    assert found[0] == (1, "broken_quotes", '1,"open', None)
    assert found[1:3] == [(2, None, "2", "x"), (3, None, "3", "y")]
    assert len(found) == 2999


@pytest.mark.parametrize(
    "filler", ["\n" * (MAX_RECORD_LINES + 1), f"{'x' * 1000}\n" * (MAX_RECORD // 1000 + 1)]
)
def test_an_unclosed_quote_is_given_up_at_a_bound(tmp_path: Path, filler: str) -> None:
    found = read(tmp_path, f'a,b\n1,"open\n{filler}9,z"\n8,w\n')
    assert found[0] == (1, "broken_quotes", '1,"open', None)
    assert found[-1][2:] == ("8", "w")


def test_an_unclosed_quote_in_the_last_line_is_a_fault(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\n1,x\n2,"y') == [
        (1, None, "1", "x"),
        (2, "broken_quotes", '2,"y', None),
    ]


def test_a_quotation_mark_inside_a_field_is_a_character(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\n1,5" pipe\n') == [(1, None, "1", '5" pipe')]


def test_an_odd_row_stands_whole_in_the_first_column(tmp_path: Path) -> None:
    text = 'a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,,\n1,2,3, \n"1",2,3,4\n1,,\n'
    assert read(tmp_path, text) == [
        (1, None, "1", "2", "3"),
        (2, "too_few_fields", "1,2", None, None),
        (3, "too_many_fields", "1,2,3,4", None, None),
        (4, None, "1", "2", "3"),
        (5, None, "1", "2", "3"),
        (6, "too_many_fields", "1,2,3,4", None, None),
        (7, None, "1", None, None),
    ]


def test_rows_need_no_fields_under_a_blank_end_of_the_header(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a,b,,\n1,2\n3,4,5,6\n"))
    assert source.header == ["a", "b"]
    assert source.columns == ["a", "b", "列3", "列4"]
    assert rows(source) == [(1, None, "1", "2", None, None), (2, None, "3", "4", "5", "6")]


def test_names_are_added_when_all_the_first_rows_are_wider_than_the_header(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a,b\n" + "1,2,3,4\n" * 200 + "1,2\n1,2,3,4,5\n"))
    found = rows(source)
    assert (source.header, source.columns) == (["a", "b"], ["a", "b", "列3", "列4"])
    assert found[0] == (1, None, "1", "2", "3", "4")
    assert found[200] == (201, None, "1", "2", None, None)
    assert found[201] == (202, "too_many_fields", "1,2,3,4,5", None, None, None)


def test_names_are_unique_and_never_the_readers_own(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a,a,,__row,__fault,a\n1,2,3,4,5,6\n"))
    assert source.header == ["a", "a", "", "__row", "__fault", "a"]
    assert source.columns == ["a", "a_2", "列3", "__row_2", "__fault_2", "a_3"]
    assert rows(source) == [(1, None, "1", "2", "3", "4", "5", "6")]


def test_names_can_be_given_by_position(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a,b\n1,2,3\n4,5\n")).with_header(["x", "y", "z"])
    assert (source.header, source.columns) == (["a", "b"], ["x", "y", "z"])
    assert rows(source) == [(1, None, "1", "2", "3"), (2, "too_few_fields", "4,5", None, None)]


def test_a_file_without_a_header_gives_its_first_row_too(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "1,2\n3,4\n"))
    assert rows(source.with_header(["x", "y"], skip_first=False)) == [
        (1, None, "1", "2"),
        (2, None, "3", "4"),
    ]
    assert rows(source) == [(1, None, "3", "4")]


def test_a_title_above_the_header_is_passed_over(tmp_path: Path) -> None:
    text = "行政许可公示表,,,,\n填报单位：,某局,,,\n代码,名称,日期,机关,备注\n1,2,3,4,5\n"
    source = open_source(written(tmp_path, text))
    assert source.header == ["代码", "名称", "日期", "机关", "备注"]
    assert rows(source) == [(1, None, "1", "2", "3", "4", "5")]


def test_blank_rows_are_counted_and_not_given(tmp_path: Path) -> None:
    found = read(tmp_path, 'a,b\n1,2\n\n  \n,\n"",""\n5,6\n')
    assert [row[0] for row in found] == [1, 6]


def test_a_header_alone_is_a_file_of_no_rows(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a,b\n"))
    assert (source.header, rows(source)) == (["a", "b"], [])


def test_old_macintosh_line_ends(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\r1,2\r3,"4"\r') == [(1, None, "1", "2"), (2, None, "3", "4")]


def test_a_nul_is_a_wrong_character(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b\n1,x\0y\n2,z\n") == [
        (1, "bad_character", "1", "x\ufffdy"),
        (2, None, "2", "z"),
    ]


def test_a_line_without_end_is_cut_and_reading_goes_on(tmp_path: Path) -> None:
    text = b"a,b\n1,2\n" + b"x" * (5 * MAX_RECORD) + b"\n3,4\n"
    first, cut, last = read(tmp_path, text)
    assert (first, last) == ((1, None, "1", "2"), (3, None, "3", "4"))
    assert (cut[:2], cut[3]) == ((2, "row_too_long"), None)
    assert 0 < len(cut[2]) <= 1000


def test_digest_size_and_position_are_the_files(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a\n" + "1\n" * 100), chunk_rows=10)
    assert source.digest == hashlib.sha256(b"a\n" + b"1\n" * 100).hexdigest()
    chunks = source.chunks()
    next(chunks)
    assert 0 < source.position() <= source.size == 202
    assert sum(chunk.rows.height for chunk in chunks) == 90


def test_a_header_of_thousands_of_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        open_source(written(tmp_path, ",".join(f"c{i}" for i in range(5000)) + "\n"))
    assert refused.value.reason_code == "too_many_columns"


ROWS = ["甲,1,示许1号,2026", "乙,2,示许2号,2026", "丙,3,示许3号,2026", "丁,4,示许4号,2026"]


@pytest.mark.parametrize("delimiter", [",", "|", "\t", ";"])
@pytest.mark.parametrize("opened", [0, 1, 2, 3])
@pytest.mark.parametrize("closed", [1, 2, 3])
@pytest.mark.parametrize("chunk_rows", [1, 3, 100])
def test_a_lone_quotation_mark_swallows_no_row(
    tmp_path: Path, delimiter: str, opened: int, closed: int, chunk_rows: int
) -> None:
    lines = [line.split(",") for line in ROWS]
    lines[0][opened] = f'"{lines[0][opened]}'
    lines[closed][opened] += '"'
    text = "\n".join(delimiter.join(line) for line in [["a", "b", "c", "d"], *lines]) + "\n"
    found = rows(open_source(written(tmp_path, text), chunk_rows=chunk_rows))
    assert [row[:2] for row in found] == [
        (1, "broken_quotes"),
        *((number, None) for number in (2, 3, 4)),
    ]
    assert [row[3] for row in found[1:] if not row[3].endswith('"')] == [
        fields[1] for fields in lines[1:] if not fields[1].endswith('"')
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_text_of_lines_with_some_delimiters_is_still_a_text(
    tmp_path: Path, line_end: str
) -> None:
    text = f"一、零售,批发{line_end}二、餐饮{line_end}三,四,五,六,七"
    body = f'a,b,c,d{line_end}1,2,3,"{text}"{line_end}"{text}",2,3,4{line_end}'
    found = read(tmp_path, body)
    assert [(row[1], row[2][:1], row[5][-1]) for row in found] == [
        (None, "1", "七"),
        (None, "一", "4"),
    ]


@pytest.mark.parametrize(
    ("end", "whole"), [("", False), ("\n", True), ("\r\n", True), ("\r", True), ("\n\n", True)]
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_last_line_without_its_end_is_noticed(
    tmp_path: Path, end: str, whole: bool, encoding: str
) -> None:
    source = open_source(written(tmp_path, f"名称,b\n甲,1{end}", encoding))
    assert source.ends_whole == whole

"""Rows of a file as records: footers left out, and rows marked that cannot be trusted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.files import FAULT, open_source
from flows.publish.recognise import match
from flows.publish.records import Records
from schemas import contract
from schemas.dialect import Dialect
from tests.support.codes import uscc

LICENCE = contract.dialects()["cn-sgs-2018-licence"]
HEAD = (
    "XK_XDR_MC,XK_XDR_SHXYM,XK_WSH,XK_XKBH,XK_JDRQ,XK_YXQZ,XK_YXQZI,XK_XKJG,XK_XKJGDM,XK_NR,XK_ZT"
)


def line(number: int, name: str = "示范企业", scope: str = "零售", state: str = "1") -> str:
    days = "2026-01-05,2026-01-06,2031-01-05"
    organ = uscc(7, kind="11")
    return f"{name},{uscc(number)},示许〔2026〕{number}号,P{number},{days},某局,{organ},{scope},{state}"


def read(
    tmp_path: Path, text: str, dialect: Dialect = LICENCE, chunk_rows: int = 50_000
) -> tuple[list[tuple[Any, ...]], int]:
    """Return number and fault of each record, and how many rows were skipped."""
    path = tmp_path / "a.csv"
    path.write_text(text, "utf-8")
    source = open_source(path, chunk_rows=chunk_rows)
    fit = match(source.header, dialect)
    assert fit is not None
    records = Records(source, fit, dt.datetime.now(dt.UTC))
    frames = list(records)
    found = [row for frame in frames for row in frame.select("__row", FAULT).iter_rows()]
    return found, records.skipped


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 50_000])
def test_the_record_before_a_line_that_does_not_split_is_refused_with_it(
    tmp_path: Path, chunk_rows: int
) -> None:
    lines = [HEAD, line(1), line(2, state="一期，不含："), "二期。", "三期。", line(3), ""]
    found, _ = read(tmp_path, "\n".join(lines), chunk_rows=chunk_rows)
    assert found == [
        (1, None),
        (2, "cut_text"),
        (3, "too_few_fields"),
        (4, "too_few_fields"),
        (5, None),
    ]


@pytest.mark.parametrize("chunk_rows", [1, 50_000])
@pytest.mark.parametrize("others", [0, 1, 3])
def test_a_file_cut_before_its_last_cell_refuses_that_row(
    tmp_path: Path, others: int, chunk_rows: int
) -> None:
    lines = [HEAD, *(line(n) for n in range(1, others + 1)), line(9, state="")]
    found, _ = read(tmp_path, "\n".join(lines), chunk_rows=chunk_rows)
    assert [fault for _, fault in found] == [None] * others + ["cut_at_end"]
    whole, _ = read(tmp_path, "\n".join(lines) + "\n", chunk_rows=chunk_rows)
    assert {fault for _, fault in whole} == {None}


def test_a_file_without_a_last_line_end_may_leave_empty_what_no_row_fills(tmp_path: Path) -> None:
    found, _ = read(tmp_path, "\n".join([HEAD, *(line(n, state="") for n in (1, 2, 3))]))
    assert {fault for _, fault in found} == {None}
    filled, _ = read(tmp_path, "\n".join([HEAD, line(1, state=""), line(2)]))
    assert {fault for _, fault in filled} == {None}


def test_a_column_that_is_not_read_may_be_cut(tmp_path: Path) -> None:
    lines = [f"{HEAD},另注", f"{line(1)},x", f"{line(2)},"]
    found, _ = read(tmp_path, "\n".join(lines))
    assert {fault for _, fault in found} == {None}


@pytest.mark.parametrize(
    "value",
    [
        "#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#n/a", " #N/A ",
        "#SPILL!", "＃N/A", "#错误", "#名称?", "Err:502", "错误:502", "####",
    ],
)  # fmt: skip
def test_an_error_of_the_spreadsheet_is_no_value(tmp_path: Path, value: str) -> None:
    for row in (line(1, name=value), line(1, state=value)):
        found, _ = read(tmp_path, f"{HEAD}\n{row}\n")
        assert found[0][1].startswith("error_value:XK_")


@pytest.mark.parametrize("value", ["3#楼", "#1锅炉房", "错误更正", "a=b", "Errata"])
def test_a_text_with_such_a_sign_is_a_text(tmp_path: Path, value: str) -> None:
    found, _ = read(tmp_path, f"{HEAD}\n{line(1, scope=value)}\n")
    assert found == [(1, None)]


def test_a_formula_in_a_text_file_has_no_value(tmp_path: Path) -> None:
    row = line(1, state="=IF(A2=1;3;1)")
    found, _ = read(tmp_path, f"{HEAD}\n{row}\n")
    assert found == [(1, "formula_without_value:XK_ZT")]


def test_an_error_in_a_column_that_is_not_read_refuses_nothing(tmp_path: Path) -> None:
    found, _ = read(tmp_path, f"{HEAD},查找\n{line(1)},#N/A\n{line(2)},=A1\n")
    assert {fault for _, fault in found} == {None}


def test_footers_of_the_dialect_are_left_out_and_counted(tmp_path: Path) -> None:
    dialect = LICENCE.model_copy(update={"skip_rows": ["合计", "填报人"]})
    footers = ["合 计,,,,,,,,,,3", "填报人：王某,,,,,,,,,,", "填报人（盖章）"]
    text = "\n".join([HEAD, line(1), *footers, ""])
    found, skipped = read(tmp_path, text, dialect)
    assert (found, skipped) == ([(1, None)], 3)
    kept, skipped = read(tmp_path, text)
    assert (len(kept), skipped) == (4, 0)


@pytest.mark.parametrize(
    ("name", "number", "skipped"),
    [
        ("合计", "9家", 1),
        ("合计：", "共 1,234 条", 1),
        ("合 计", "9", 1),
        ("合计商贸", "9", 0),
        ("合计", "示许〔2026〕9号", 0),
        ("合计", "20260301", 0),
    ],
)
def test_a_count_in_the_column_of_the_key_is_no_number(
    tmp_path: Path, name: str, number: str, skipped: int
) -> None:
    dialect = LICENCE.model_copy(update={"skip_rows": ["合计"]})
    keyed = f'{name},,"{number}",,,,,,,,'
    assert read(tmp_path, f"{HEAD}\n{line(1)}\n{keyed}\n", dialect)[1] == skipped


def test_a_record_whose_name_begins_like_a_footer_is_kept(tmp_path: Path) -> None:
    dialect = LICENCE.model_copy(update={"skip_rows": ["合计"]})
    broken = line(2, name="合计商贸").rpartition(",")[0]
    found, skipped = read(tmp_path, f"{HEAD}\n{line(1, name='合计商贸')}\n{broken}\n", dialect)
    assert skipped == 0
    assert [fault for _, fault in found] == ["cut_text", "too_few_fields"]


def test_texts_that_excel_wraps_read_as_the_plain_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    wrapped = ['="0012"', "'0012", "`0012", "'0012'", '="00""12"', "'甲'乙", "0012"]
    quoted = ['"' + text.replace('"', '""') + '"' for text in wrapped]
    path.write_text("a,b\n" + "".join(f"{text},x\n" for text in quoted), "utf-8")
    [chunk] = open_source(path).chunks()
    plain = ["0012", "0012", "0012", "0012", '00"12', "'甲'乙", "0012"]
    assert chunk.rows["a"].to_list() == plain
    assert chunk.rows.schema["a"] == pl.String

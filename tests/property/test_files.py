"""Any table reads back as it was written, and no bytes at all bring the reader down."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from connectors.files import RefusedFile, Unreadable, open_source
from tests.property.effort import some
from tests.property.mutations import damaged

#: Texts that a reader takes a spreadsheet's marks off: ="0012", '0012.
WRAPPED = re.compile(r"""\s*(?:[=＝]\s*["“']|['`‘’])""")
CELL = st.one_of(
    st.text(st.sampled_from('ab1 ,;|\t"\n\r公司=+-@　'), max_size=8),
    st.text(
        st.characters(
            codec="gb18030", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffd"
        ),
        max_size=6,
    ),
).filter(lambda text: not WRAPPED.match(text))
TABLE = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=12)
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | CELL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELL, inner, max_size=3),
    max_leaves=6,
)
RUBBISH = st.one_of(
    st.binary(max_size=300),
    st.text(st.sampled_from('ab,"\n\r\0[]{}:1公\ufeff'), max_size=60).map(str.encode),
    st.binary(max_size=40).map(lambda rest: b'[{"a":1},' + rest),
    st.binary(max_size=40).map(lambda rest: b"PK\x03\x04" + rest),
)


def values(path: Path, chunk_rows: int = 50_000) -> list[tuple[Any, ...]]:
    chunks = open_source(path, chunk_rows=chunk_rows).chunks()
    return [row for chunk in chunks for row in chunk.rows.iter_rows()]


def blank(text: str | None) -> str | None:
    return text if text and text.strip() else None


@given(
    table=TABLE,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    delimiter=st.sampled_from(",\t;|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    chunk_rows=st.integers(1, 5),
)
@example([["", ";;"]], "utf-8", ",", csv.QUOTE_MINIMAL, 1)
@example([["\ufeffa", "b"]], "utf-8", ",", csv.QUOTE_MINIMAL, 1)
@settings(deadline=None, max_examples=some(300))
def test_what_csv_writer_wrote_reads_back_equal(
    table: list[list[str]], encoding: str, delimiter: str, quoting: Any, chunk_rows: int
) -> None:
    # A text of several lines that split into cells by themselves is told as a lone quotation mark.
    lines = [cell for row in table for cell in row if len(cell.splitlines()) > 1]
    assume(not any(delimiter in cell for cell in lines))
    header = [f"列名称{i}" for i in range(len(table[0]))]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows([header, *table])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        expected = [
            (row, None, *map(blank, cells))
            for row, cells in enumerate(table, start=1)
            if any(map(blank, cells))
        ]
        assert values(path, chunk_rows) == expected


def told(content: bytes, suffix: str) -> int | None:
    """Return how many rows bytes are read as; None where they are said to be unreadable."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"export{suffix}"
        path.write_bytes(content)
        try:
            source = open_source(path, chunk_rows=3)
        except Unreadable:
            return None
        last, count = 0, 0
        for chunk in source.chunks():
            assert chunk.rows.columns == ["__row", "__fault", *source.columns]
            assert chunk.rows["__row"].is_sorted()
            assert chunk.rows["__row"][0] > last
            last = chunk.rows["__row"][-1]
            count += chunk.rows.height
        return count


@given(content=RUBBISH, suffix=st.sampled_from([".csv", ".json", ".jsonl", ".xlsx"]))
@example(content=b'a,b\n"1\n,2"\n"', suffix=".csv")
@example(content=b"\xff\xfea", suffix=".csv")
@settings(deadline=None, max_examples=some(500))
def test_any_bytes_are_rows_or_unreadable(content: bytes, suffix: str) -> None:
    told(content, suffix)


RECORDS: list[dict[str, Any]] = [
    {"企业名称": f"示范企业{n}", "代码": f"9199{n}", "日期": "2026-01-05", "金额": n * 1.5}
    for n in range(6)
]


def in_csv(encoding: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([[*RECORDS[0]], *([*record.values()] for record in RECORDS)])
    writer.writerow(['quoted "one"', "two\nlines", ",", ""])
    return text.getvalue().encode(encoding)


def in_xlsx() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in ([*RECORDS[0]], *([*record.values()] for record in RECORDS)):
        sheet.append(row)
    sheet.append([dt.date(2026, 1, 5), dt.time(3, 4), True, "=1+1"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


SOUND = [
    *((in_csv(encoding), ".csv") for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16")),
    (json.dumps(RECORDS, ensure_ascii=False).encode(), ".json"),
    (json.dumps({"data": RECORDS}).encode("gb18030"), ".json"),
    ("\n".join(json.dumps(one, ensure_ascii=False) for one in RECORDS).encode(), ".jsonl"),
    (in_xlsx(), ".xlsx"),
]
PARTS = (b'"', b",", b"\r\n", b"{", b"}", b"[", b"]", b"\\u", b"1e999", b"\xd7", b"<c/>", b"&#0;")


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[bytes, str]:
    """Return a file of any kind with damage; a workbook's is in one of its parts or in the archive."""
    sound, suffix = draw(st.sampled_from([*SOUND, SOUND[-1]]))
    if suffix != ".xlsx" or draw(st.integers(0, 3)) == 0:
        return draw(damaged(sound, PARTS)), suffix
    with zipfile.ZipFile(io.BytesIO(sound)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = draw(st.sampled_from(sorted(parts)))
    parts[name] = draw(damaged(parts[name], PARTS, most=2))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for part, content in parts.items():
            book.writestr(part, content)
    return out.getvalue(), suffix


def test_spoilt_files_are_rows_or_unreadable() -> None:
    came = {True: 0, False: 0}

    @settings(max_examples=some(250))
    @given(spoilt())
    def read(file: tuple[bytes, str]) -> None:
        came[told(*file) is None] += 1

    assert all(told(*sound) for sound in SOUND)
    read()
    assert min(came.values()) > 2, "some are still read, some are not"


@given(
    records=st.lists(st.dictionaries(st.sampled_from("ab名 "), JSON, min_size=1), min_size=1),
    lines=st.booleans(),
)
@settings(deadline=None)
def test_json_given_back_whole_reads_the_same_again(
    records: list[dict[str, Any]], lines: bool
) -> None:
    texts = [json.dumps(record, ensure_ascii=False) for record in records]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("export.jsonl" if lines else "export.json")
        path.write_text("\n".join(texts) if lines else f"[{','.join(texts)}]", "utf-8")
        source = open_source(path)
        back = path.with_stem("back")
        with RefusedFile(back, source) as refused:
            for chunk in source.chunks():
                refused.add(chunk.rows, _reasons(chunk.rows))
        assert [row[1:] for row in values(back)] == [row[1:] for row in values(path)]


def _reasons(rows: pl.DataFrame) -> pl.DataFrame:
    told = {name: pl.lit("x") for name in ("code", "sentence_en", "sentence_zh")}
    return rows.select("__row", **told)

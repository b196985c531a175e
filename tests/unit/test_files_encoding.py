"""Encodings: the file's own is found, and a wrong byte harms no row but its own."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import pytest

from connectors.files import open_source

TEXT = "代码,名称,备注\n1,佳木斯市松辽二船厂,甲|乙\n2,龘公司,﹏\n"
READ = [
    (1, None, "1", "佳木斯市松辽二船厂", "甲|乙"),
    (2, None, "2", "龘公司", "﹏"),
]


def read(tmp_path: Path, content: bytes) -> tuple[str, list[tuple[Any, ...]]]:
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    source = open_source(path)
    return source.encoding, [row for chunk in source.chunks() for row in chunk.rows.iter_rows()]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("gb18030"), "gb18030"),
        (TEXT.encode("gbk"), "gb18030"),
        (TEXT.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
    ],
)
def test_every_encoding_in_use_reads_the_same(
    tmp_path: Path, content: bytes, encoding: str
) -> None:
    assert read(tmp_path, content) == (encoding, READ)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("before", ["船厂,", "|乙\n", "龘公", '"x"'])
def test_a_wrong_byte_before_anything_harms_its_own_row_only(
    tmp_path: Path, encoding: str, before: str
) -> None:
    text = TEXT + '3,丙公司,"x"\n4,丁公司,好\n'
    content = text.encode(encoding).replace(
        before.encode(encoding), b"\xff" + before.encode(encoding), 1
    )
    _, rows = read(tmp_path, content)
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert sum(row[1] is not None for row in rows) == 1
    good = [(row[1], row[2]) for row in rows if row[1] is None]
    assert len(good) == 3


def test_half_a_character_at_a_lines_end_does_not_swallow_the_next_line(tmp_path: Path) -> None:
    content = TEXT.encode("gb18030").replace("﹏".encode("gb18030"), "好".encode("gb18030")[:1])
    encoding, rows = read(tmp_path, content + "3,丙,\n".encode("gb18030"))
    assert encoding == "gb18030"
    assert [(row[0], row[1]) for row in rows] == [(1, None), (2, "bad_character"), (3, None)]
    assert rows[1][4] == "\ufffd"


def test_a_character_lost_before_the_file_was_written_is_a_wrong_one(tmp_path: Path) -> None:
    _, rows = read(tmp_path, "代码,名称\n1,佳木\ufffd市\n".encode())
    assert rows == [(1, "bad_character", "1", "佳木\ufffd市")]


def test_the_first_chinese_may_come_late(tmp_path: Path) -> None:
    ascii_rows = b"code,name\n" + b"1,plain\n" * 400_000
    encoding, rows = read(tmp_path, ascii_rows + "2,佳木斯\n".encode("gbk"))
    assert encoding == "gb18030"
    assert rows[-1] == (400_001, None, "2", "佳木斯")


def test_utf8_with_damage_in_many_rows_is_not_taken_for_gb18030(tmp_path: Path) -> None:
    good, bad = "1,佳木斯市公司\n".encode(), "2,佳木斯市公司\n".encode().replace(b"\xbd", b"\xff")
    encoding, rows = read(tmp_path, "代码,名称\n".encode() + (good + bad) * 50)
    assert encoding == "utf-8"
    assert [row[1] for row in rows] == [None, "bad_character"] * 50


def test_rows_of_another_encoding_are_never_read_as_wrong_names(tmp_path: Path) -> None:
    """Two exports put into one file: what does not fit is refused, or read as what it is."""
    name = "佳木斯市松辽二船厂"
    for first, second in [("utf-8", "gbk"), ("gbk", "utf-8")]:
        head = "代码,名称\n".encode(first)
        content = head + f"1,{name}\n".encode(first) * 20 + f"2,{name}\n".encode(second) * 20
        _, rows = read(tmp_path, content)
        assert len(rows) == 40
        assert {row[3] for row in rows if row[1] is None} == {name}


def test_a_few_utf8_rows_in_a_gb18030_file_are_read_as_what_they_are(tmp_path: Path) -> None:
    name = "佳木斯市松辽二船厂"
    content = f"代码,名称\n{f'1,{name}{chr(10)}' * 200}".encode("gbk") + f"2,{name}\n".encode()
    encoding, rows = read(tmp_path, content)
    assert encoding == "gb18030"
    assert rows[-1] == (201, None, "2", name)


#: Bytes of GB18030 and what browsers read them as (WHATWG, index gb18030).
SINCE_2005 = {
    "FE59": "龴", "FE61": "龵", "FE66": "龶", "FE67": "龷", "FE6D": "龸", "FE7E": "龹",
    "FE90": "龺", "FEA0": "龻", "A6D9": "\ufe10", "A6DA": "\ufe12", "A6DB": "\ufe11",
    "A6DC": "\ufe13", "A6DD": "\ufe14", "A6DE": "\ufe15", "A6DF": "\ufe16", "A6EC": "\ufe17",
    "A6ED": "\ufe18", "A6F3": "\ufe19", "A8BC": "ḿ", "A8BF": "ǹ", "A2AB": "\ue766",
}  # fmt: skip


@pytest.mark.parametrize("pair", SINCE_2005)
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_characters_added_to_gb18030_are_read_as_browsers_do(
    tmp_path: Path, pair: str, kind: str
) -> None:
    name = "示范市".encode("gb18030") + bytes.fromhex(pair) + "有限公司".encode("gb18030")
    body = b"a,b\n1," + name + b"\n" if kind == "csv" else b'[{"a": "1", "b": "' + name + b'"}]'
    path = tmp_path / f"a.{kind}"
    path.write_bytes(body)
    [chunk] = open_source(path).chunks()
    assert chunk.rows["b"].to_list() == [f"示范市{SINCE_2005[pair]}有限公司"]

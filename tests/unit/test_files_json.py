"""JSON in its three shapes: values as text, spelling kept, hostile records kept in bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.files import Source, Unreadable, open_source
from connectors.files.json_stream import JsonStream


def opened(tmp_path: Path, text: str | bytes, name: str = "export.json", **how: Any) -> Source:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_source(path, **how)


def rows(source: Source) -> list[tuple[Any, ...]]:
    return [row for chunk in source.chunks() for row in chunk.rows.iter_rows()]


def code(tmp_path: Path, text: str | bytes, name: str = "export.json") -> str:
    with pytest.raises(Unreadable) as refused:
        opened(tmp_path, text, name)
    return refused.value.reason_code


def test_values_are_text_and_numbers_keep_their_spelling(tmp_path: Path) -> None:
    text = '[{"a": "x", "n": 1.50, "big": 912308031297498726123, "t": true, "e": "", "z": null}]'
    source = opened(tmp_path, text)
    assert (source.format, source.header) == ("json", ["a", "n", "big", "t", "e", "z"])
    assert rows(source) == [(1, None, "x", "1.50", "912308031297498726123", "true", None, None)]


def test_nested_values_are_compact_text(tmp_path: Path) -> None:
    source = opened(tmp_path, '[{"a": [ {"名": "甲", "n": 1.0}, null ], "o": { } }]')
    assert rows(source) == [(1, None, '[{"名":"甲","n":1.0},null]', "{}")]


def test_keys_are_gathered_over_the_whole_file_in_the_order_of_sight(tmp_path: Path) -> None:
    source = opened(tmp_path, '[{"b": 1}, {"a": 2, "b": 3}, {"c": 4}]', chunk_rows=1)
    assert source.columns == ["b", "a", "c"]
    assert [row[2:] for row in rows(source)] == [
        ("1", None, None),
        ("3", "2", None),
        (None, None, "4"),
    ]
    assert rows(source) == rows(source)


def test_an_object_with_one_list_of_records(tmp_path: Path) -> None:
    text = '{"code": 200, "tags": ["x"], "page": {"n": [1]}, "data": [{"a": 1}, {"a": 2}], "m": ""}'
    assert rows(opened(tmp_path, text)) == [(1, None, "1"), (2, None, "2")]


@pytest.mark.parametrize("text", ["[]", '{"data": []}', " [ ] \n"])
def test_an_empty_list_is_a_file_of_no_rows(tmp_path: Path, text: str) -> None:
    source = opened(tmp_path, text)
    assert (source.header, rows(source)) == ([], [])


def test_one_object_a_line(tmp_path: Path) -> None:
    source = opened(tmp_path, '{"a": 1}\n\n{"a": 2,\n"x"\n{"b": [1]}\n', "export.txt")
    assert source.format == "jsonl"
    assert rows(source) == [
        (1, None, "1", None),
        (3, "bad_json", '{"a": 2,', None),
        (4, "not_an_object", "x", None),
        (5, None, None, "[1]"),
    ]


def test_one_object_in_one_line_is_one_record(tmp_path: Path) -> None:
    assert rows(opened(tmp_path, '{"code": 1, "m": ["x"]}')) == [(1, None, "1", '["x"]')]


def test_what_is_no_object_is_a_fault_of_its_row(tmp_path: Path) -> None:
    source = opened(tmp_path, '[{"a": 1}, 12, ["x"], "text", null, {"a": 2}]')
    assert [row[:3] for row in rows(source)] == [
        (1, None, "1"),
        (2, "not_an_object", "12"),
        (3, "not_an_object", '["x"]'),
        (4, "not_an_object", "text"),
        (5, "not_an_object", None),
        (6, None, "2"),
    ]


@pytest.mark.parametrize("name", ["export.json", "export.jsonl"])
@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ('{"a": 1, "a": 2}', "bad_json"),
        ('{"a": 1, "a": 1}', None),
        ('{"a": NaN}', "bad_json"),
        ('{"a": [{"x": -Infinity}]}', "bad_json"),
        ('{"a": "\\ud83d"}', "bad_character"),
        (f'{{"a": {"9" * 10_000}}}', None),
        (f'{{"a": {"[" * 300}{"]" * 300}}}', None),
        ('{"a": ' * 600 + "1" + "}" * 600, "bad_json"),
        (f'{{"a": "{"长" * 200_000}"}}', None),
        ('{"a": "tab\tin"}', None),
    ],
)
def test_a_hostile_record_is_at_most_a_faulty_row(
    tmp_path: Path, name: str, record: str, fault: str | None
) -> None:
    good = '{"a": "x"}'
    lines = name.endswith("l")
    text = f"{good}\n{record}\n{good}\n" if lines else f"[{good},{record},{good}]"
    found = rows(opened(tmp_path, text, name))
    assert [row[:2] for row in found] == [(1, None), (2, fault), (3, None)]


def test_nesting_without_end_stops_neither_memory_nor_the_next_line(tmp_path: Path) -> None:
    found = rows(opened(tmp_path, '{"a": 1}\n{"a": ' + "[" * 500_000 + '\n{"a": 2}\n', "x.jsonl"))
    assert [row[:2] for row in found] == [(1, None), (2, "bad_json"), (3, None)]
    assert code(tmp_path, '[{"a": 1}, ' + "[" * 500_000) == "broken_json"


def test_records_larger_than_a_block_are_whole(tmp_path: Path) -> None:
    long = "值" * 1_500_000
    found = rows(opened(tmp_path, f'[{{"a": "{long}"}}, {{"a": "{long}"}}]'))
    assert [len(row[2]) for row in found] == [1_500_000] * 2


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_text_may_be_cut_into_blocks_anywhere(size: int) -> None:
    text = (
        '{"total": 1234, "x": [[1], "\\u4e2d"], "data": [{"a": -1.5e10}, 987, true, {"b": "}"}]} '
    )
    blocks = (text[start : start + size] for start in range(0, len(text), size))
    records = [record for record, _ in JsonStream(blocks).records()]
    assert records == [{"a": "-1.5e10"}, "987", True, {"b": "}"}]


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1}, {"a": 2}, {"a"',
        '[{"a": 1}, {"a": 2}, {"a": 3}',
        '[{"a": 1}, {"a": 2}, {"a": }]',
        '[{"a": 1}, {"a": 2}, {"a": "\\x"}]',
    ],
)
def test_a_broken_list_is_refused_whole_with_the_record_where_it_broke(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        opened(tmp_path, text)
    assert refused.value.reason_code == "broken_json"
    assert "record 3," in refused.value.message_en
    assert "第 3 条" in refused.value.message_zh


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"a": 1},]', "broken_json"),
        ('[{"a": 1}] []', "broken_json"),
        ('{"data": [{"a": 1}]', "broken_json"),
        ('{\n"code": 500,\n"message": {"x": [{"a": 1}]}}', "no_records"),
        ('{\n"a": [{"x": 1}],\n"b": [{"x": 1}]}', "several_lists"),
        ("[1, 2]", "no_records"),
        ('"text"', "no_records"),
        ("[" + ",".join(f'{{"k{i}": 1}}' for i in range(5000)) + "]", "too_many_columns"),
    ],
)
def test_what_holds_no_records_says_so(tmp_path: Path, text: str, reason: str) -> None:
    assert code(tmp_path, text) == reason


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_json_comes_in_other_encodings_too(tmp_path: Path, encoding: str) -> None:
    text = '[{"名称": "佳木斯市松辽二船厂"}]'
    assert rows(opened(tmp_path, text.encode(encoding))) == [(1, None, "佳木斯市松辽二船厂")]


def test_a_wrong_byte_costs_its_record_only(tmp_path: Path) -> None:
    content = '[{"a": "好公司名"}, {"a": "坏"}, {"a": "好公司名"}]'.encode()
    found = rows(opened(tmp_path, content.replace("坏".encode(), b"\xff")))
    assert [row[1] for row in found] == [None, "bad_character", None]


def test_names_cannot_be_given_to_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="json"):
        opened(tmp_path, '[{"a": 1}]').with_header(["x"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"total": 1200, "pageSize": 1, "rows": [{"a": 1}]}', "1,200"),
        ('{"rows": [{"a": 1}], "totalCount": "2"}', "total of 2"),
        ('{"page": {"totalElements": 7}, "rows": [{"a": 1}]}', "total of 7"),
        ('{"code": 200, "total_records": 0, "rows": [{"a": 1}]}', "total of 0"),
        ('{"总数": 9, "rows": [{"a": 1}]}', "total of 9"),
        ('{"count": 1, "total": 3, "rows": [{"a": 1}]}', "total of 3"),
        ('{"totalPages": 4, "rows": [{"a": 1}]}', "one page"),
        ('{"hasNext": true, "rows": [{"a": 1}]}', "one page"),
        ('{"last": false, "rows": [{"a": 1}]}', "one page"),
        ('{"total": 5, "rows": []}', "holds 0"),
    ],
)
def test_a_page_of_many_says_that_it_is_one(tmp_path: Path, text: str, said: str) -> None:
    [(english, chinese)] = opened(tmp_path, text).left_out
    assert said in english
    assert not chinese.isascii()


@pytest.mark.parametrize(
    "text",
    [
        '{"total": 2, "rows": [{"total": 9}, {"total": 1}]}',
        '{"count": "1", "hasNext": false, "last": true, "pages": 1, "rows": [{"a": 1}]}',
        '[{"total": 9}]',
        '{"rows": [{"a": 1}], "next": null, "message": "total 9"}',
    ],
)
def test_a_whole_page_says_nothing(tmp_path: Path, text: str) -> None:
    assert opened(tmp_path, text).left_out == []


DEEP = '{"code": 0, "data": {"total": 2, "rows": [{"a": 1}, {"a": 2}]}, "trace": {"x": [1]}}'


def test_records_further_within_are_read_where_the_layout_says(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(DEEP, "utf-8")
    source = open_source(path, places=["result.list", "data.rows"])
    assert rows(source) == rows(source) == [(1, None, "1"), (2, None, "2")]
    assert source.left_out == []
    path.write_text('{"old": [{"a": 5}], "data": {"total": 9, "rows": [{"a": 1}]}}', "utf-8")
    [total, others] = open_source(path, places=["data.rows"]).left_out
    assert "9" in total[0]
    assert "old" in others[0]


def test_a_layouts_place_that_a_file_does_not_have_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text('{"rows": [{"a": 1}]}', "utf-8")
    assert rows(open_source(path, places=["data.rows"])) == [(1, None, "1")]


def test_records_further_within_are_told_of(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"data\.rows") as refused:
        opened(tmp_path, DEEP)
    assert "records: data.rows" in refused.value.message_zh


@pytest.mark.parametrize("text", ["{'Name': '甲'}\n{'Name': '乙'}\n", "[{'Name': '甲'}]"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv"])
def test_the_notation_of_a_program_is_no_json(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(Unreadable, match=r"json\.dumps") as refused:
        opened(tmp_path, text, name)
    assert "甲" not in str(refused.value)

"""Numbers of persons are found however they are written, and nothing else is taken for one.

Every number here is made up; the identity numbers have the right check character.
"""

from __future__ import annotations

from itertools import accumulate

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.judge import may_hold_number
from schemas.personal import (
    holds_personal,
    holds_personal_beside_numbers,
    personal_column,
    redact,
    redact_path,
)
from tests.oracle.personal import (
    bytes_may_hold_number,
    doubtful,
    holds_number,
    holds_number_beside_documents,
)

WITH_X = "34052419800101001X"
HOLDS = {
    "230102199001011230": "***",
    WITH_X: "***",
    WITH_X.lower(): "***",
    "身份证号230102199001011230，已核": "身份证号***，已核",
    "ID230102199001011230A": "ID***A",
    "２３０１０２１９９００１０１１２３０": "***",
    "34052419800101001Ｘ": "***",
    "34052419800101001ｘ": "***",
    "230102 19900101 1230": "***",
    "230102\u300019900101\u00a01230": "***",
    "230102-19900101-1230": "***",
    "230102－19900101—1230": "***",
    "2 3 0 1 0 2 1 9 9 0 0 1 0 1 1 2 3 0": "***",
    "230102\n199001011230": "***",
    "L230102199001011230": "L***",
    "23010219900101123000": "***00",  # a sole trader's old tax number
    "99230102199001011230": "99***",
    "110101201012319990": "***",
    "230102900101127": "***",
    "证件：230102-900101-127。": "证件：***。",
    "13812345678": "***",
    "电话13812345678转1": "电话***转1",
    "138 1234 5678": "***",
    "138-1234-5678": "***",
    "1381234-5678": "***",
    "1381 2345 678": "***",
    "1381-234-5678": "***",
    "+8613812345678": "***",
    "+86 138 1234 5678": "***",
    "0086-13812345678": "***",
    "8613812345678": "***",
    "（１３８１２３４５６７８）": "（***）",
    "TEL13812345678": "TEL***",
    "mobile:19912345678": "mobile:***",
    "0451-13812345678": "0451-***",
    "13812345678/13912345678": "***/***",
    "13812345678 13912345678": "*** ***",
    "138 13812345678": "138 ***",
    "李230102199001011230，13812345678。": "李***，***。",
    "230102.19900101.1230": "***",
    "230102/19900101/1230": "***",
    "230102_19900101_1230": "***",
    "230102·19900101·1230": "***",
    "230102，19900101，1230": "***",
    "230102    199001011230": "***",
    "230102\u200d199001011230": "***",
    "230102\u00ad199001\u200e011230": "***",
    "\U0001d7d0\U0001d7d1\U0001d7ce102199001011230": "***",
    "②③⓪①⓪②①⑨⑨⓪⓪①⓪①①②③⓪": "***",
    "٢٣٠١٠٢١٩٩٠٠١٠١١٢٣٠": "***",
    "23010219900101123*": "***",
    "23010219900101****": "***",
    "911124198108030024": "***",  # a foreigner's permanent residence card
    "08613812345678": "***",
    "138.1234.5678": "***",
    "138·1234·5678": "***",
    "138_1234_5678": "***",
    "(138)12345678": "***",
    "（138）1234-5678": "***",
    "138 123 45678": "***",
    "(+86)13812345678": "***",
    "wx13812345678": "wx***",
    "Mob13812345678": "Mob***",
    "TELEPHONE13812345678": "TELEPHONE***",
    "A13812345678": "A***",
    "13812345678x": "***x",
    "zhang13812345678@example.com": "zhang***@example.com",
    "013812345678": "***",
    "0 138-1234-5678": "***",
    "1795113812345678": "***",
    "138/1234/5678": "***",
    "138 / 1234 / 5678": "***",
    "1 3 8 1 2 3 4 5 6 7 8": "***",
    "1.3.8.1.2.3.4.5.6.7.8": "***",
    "1381234567813912345678": "***",
    "(230102)19900101(1230)": "(***)",
    "ID230102900101127": "ID***",
    "sfz230102900101127，": "sfz***，",
    "230102.900101.127": "***",
    "230102/900101/127": "***",
    "2 3 0 1 0 2 9 0 0 1 0 1 1 2 7": "***",
}
HOLDS_NONE = [
    None,
    "",
    "😀",
    "哈尔滨市道里区3道街18号",
    "230102199001011231",  # wrong check
    "990102199001011237",  # no such province
    "23010219900230123X",  # no such day
    "110101201101010012",  # born after the last year that is taken for a birth
    "230102********1230",
    "91230102MA18XN8J5K",
    "914403001922038216",
    "12345678901234567890123456789012",
    "110108000000016",  # a register number, by its check
    "230110752364368",  # an old tax number, by its organisation code
    "230102901301127",
    "X230102900101127",
    "2301029001011270",
    "0451-82345678",
    "12812345678",
    "138123456789",
    "113812345678",
    "1381234567",
    "13 2014-01-01 5",
    "2021-10-23 2026-10-23",
    "13800000000" + "0" * 5,
    "440402202403150102",  # a construction permit
    "139.12345678",  # a longitude
    "135/2024/1234",
    "138/2012/5678",
    "5f3ca8d91b2e4a13812345678bd07e6c",  # an id of a record
    "10012345678.0",
    "230102.90.0101127",
    "SC230102900101127",  # letters and 15 digits are a document's
    "110105260401125",  # a permit of 15 digits by its day
    "230102260100127",  # and by its month
    "2013812345678",
    "138,1234,5678",
    "13500000000元",
    "23010219901301****",
    "991124198108030024",
]
#: Entries of fields that hold numbers of documents.
DOCUMENTS = [
    "农药经许（蒙）15000020001",
    "农药经许(冀)13012520003号",
    "冀道运许字〔2026〕13010200001号",
    "14000000485",
    "C1400002009112120020007",
    "采矿许可证C1400002009112120020007",
    "440402200803151068",  # a construction permit of 2008 that passes the check
    "建字第440402200803151068号",
    "A13812345678",
    "13812345678A",
    "京运字第13812345678号",
    "农药经营许可证（农药经许（蒙）15000020001）、13000000527",
    "11990100000000123K/农药经许(蒙)15000020001",
]
PERSONS_IN_NUMBERS = [
    "13812345678",
    "联系电话15000020001",
    "15000020001 13812345678",
    "230102199001011230",
    "L230102199001011230",
    "23010219900101123000",
    "14000000485/230102199001011230",
    "13812345678x",
    "13812345678号，联系电话",
    "身份证440402200803151068",
    "44040220080315106800",
]


def found(texts: list[str | None]) -> list[bool]:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    return frame.select(holds_personal(pl.col("x"))).to_series().to_list()


def beside(texts: list[str | None]) -> list[bool]:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    return frame.select(holds_personal_beside_numbers(pl.col("x"))).to_series().to_list()


@pytest.mark.parametrize("text", [*HOLDS, *filter(None, HOLDS_NONE)])
def test_the_oracle_says_the_same(text: str) -> None:
    if not doubtful(text):
        assert holds_number(text) == (text in HOLDS)


def test_a_number_of_a_person_is_found_however_it_is_written() -> None:
    assert dict(zip(HOLDS, found([*HOLDS]), strict=True)) == dict.fromkeys(HOLDS, True)


def test_nothing_else_is_taken_for_one() -> None:
    assert dict(zip(HOLDS_NONE, found([*HOLDS_NONE]), strict=True)) == dict.fromkeys(
        HOLDS_NONE, False
    )


@pytest.mark.parametrize("text", HOLDS)
def test_a_message_keeps_all_but_the_number(text: str) -> None:
    assert redact(text) == HOLDS[text]


@pytest.mark.parametrize("text", [text for text in HOLDS_NONE if text])
def test_a_message_without_one_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("text", DOCUMENTS)
def test_a_number_of_a_document_is_none_of_a_person_in_its_field(text: str) -> None:
    assert found([text.rpartition("K/")[2]]) == [True]
    assert beside([text]) == [False]
    assert not holds_number_beside_documents(text)


@pytest.mark.parametrize("text", PERSONS_IN_NUMBERS)
def test_a_number_of_a_person_is_found_in_a_field_of_numbers_too(text: str) -> None:
    assert beside([text]) == [True]
    assert holds_number_beside_documents(text)


def test_an_empty_column_is_scanned_too() -> None:
    assert found([]) == []
    assert found([None, None]) == [False, False]


def test_the_first_column_with_such_a_number_is_named_and_the_value_is_not() -> None:
    frame = pl.DataFrame(
        {
            "a": ["好", None, "13812345678", "好"],
            "b": ["好", None, WITH_X, f"号{WITH_X}"],
            "c": [WITH_X, None, WITH_X, "好"],
        }
    )
    named = frame.select(personal_column(["a", "b"])).to_series().to_list()
    assert named == [None, None, "a", "b"]
    assert frame.select(personal_column([])).to_series().to_list() == [None]


@given(
    digits=st.from_regex("1[3-9][0-9]{9}", fullmatch=True),
    sizes=st.sampled_from(
        [(11,), (3, 4, 4), (4, 4, 3), (4, 3, 4), (1, 10), (2, 9), (3, 8), (5, 6)]
    ),
    gaps=st.lists(st.sampled_from(["", " ", "-", "  ", "\u2014", "    "]), min_size=2, max_size=2),
    before=st.sampled_from(["", "a", "9", "tel", "+86", "86 ", "law-", "0", "zhang", "a5f"]),
    after=st.sampled_from(["", " ", "x", "5", "号"]),
)
@settings(max_examples=300, deadline=None)
@example("13066974219", (1, 10), ["-", "-"], "law-", "")  # a test's publisher was called so
def test_the_oracle_finds_the_same_mobile_numbers(
    digits: str, sizes: tuple[int, ...], gaps: list[str], before: str, after: str
) -> None:
    ends = [*accumulate(sizes)]
    groups = [digits[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    apart = "".join(gap + group for gap, group in zip(gaps, groups[1:], strict=False))
    text = before + groups[0] + apart + after
    assert found([text]) == [holds_number(text)], text


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a/b/张三13812345678处罚-20260501.csv", "a/b/***.csv"),
        ("a/b/无表头 138 1234 5678.xlsx", "a/b/***.xlsx"),
        ("a/13812345678/x.csv", "a/***/x.csv"),
        ("13812345678", "***"),
        ("a/b/许可-20260501.csv", "a/b/许可-20260501.csv"),
        ("a/b/91990100MA0KGAWY1K.csv", "a/b/91990100MA0KGAWY1K.csv"),
    ],
)
def test_a_name_with_a_persons_number_goes_whole(path: str, shown: str) -> None:
    assert redact_path(path) == shown


@pytest.mark.parametrize(
    "value",
    [
        b"{13812345678",
        "电话１３８１２３４５６７８".encode(),
        "{13812345678".encode("utf-16"),
        "{13812345678".encode("utf-16-be"),
        "（１３８）１２３４５６７８".encode("gb18030"),
        "13812345678".encode("cp037"),
        b"MTM4MTIzNDU2Nzg=",
        b"138.1234.5678",
        b"138/1234/5678",
        b"(138)1234-5678",
        b"230102.19900101.1230",
    ],
)
def test_bytes_that_are_no_event_show_a_number_in_any_encoding(value: bytes) -> None:
    assert may_hold_number(value)
    assert bytes_may_hold_number(value)


@pytest.mark.parametrize(
    "value", [b"", b"junk", bytes(range(256)), "许可".encode("utf-16"), b"MTM4"]
)
def test_other_bytes_show_none(value: bytes) -> None:
    assert not may_hold_number(value)
    assert not bytes_may_hold_number(value)

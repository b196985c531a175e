"""What a cell says: amounts, days, numbers, states and codes, and what is not taken for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from flows.publish.fields import Context
from flows.publish.mapping import Mapped, map_rows, named_rows
from schemas import contract
from schemas.dialect import Dialect
from tests.support.codes import uscc

CODE = uscc(1)
LICENCE, PENALTY = "cn-sgs-2018-licence", "cn-sgs-2018-penalty"
OLD = "cn-sgs-2016-licence"
NOT_READ = [
    "00,500",
    "0,5",
    "3,5",
    "12,34.56",
    "1,2345",
    "1234,567",
    "1,234,56",
    ",500",
    "500,",
    "1,234.5,6",
    "0.5.1",
    "1e3",
    "1.5E+06",
]


def context(layout: str) -> Context:
    table = contract.publishers().publishers
    publisher = "credit-demo" if layout == PENALTY else "housing-demo"
    lists = contract.code_lists()
    chosen = table[publisher].layouts[layout].codes
    codes = {name: lists[one].values for name, one in chosen.items()}
    return Context(contract.dialects()[layout].no_end, codes)


def mapped(rows: list[Mapping[str, str]], dialect: Dialect, given: Context) -> Mapped:
    return map_rows(frame(rows), dialect, given)


def frame(rows: list[Mapping[str, str]]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    data = [{"__row": i, **row} for i, row in enumerate(rows, start=1)]
    schema = {"__row": pl.Int64, "__fault": pl.String, **dict.fromkeys(names, pl.String)}
    return pl.DataFrame(data, schema=schema)


def licence(**changes: str) -> dict[str, str]:
    row = {
        "XK_XDR_MC": "示范甲有限公司",
        "XK_XDR_SHXYM": CODE,
        "XK_WSH": "示许〔2026〕1号",
        "XK_XKBH": "P1",
        "XK_JDRQ": "2026-03-01",
        "XK_YXQZI": "2031-02-28",
        "XK_XKJGDM": uscc(2, kind="11"),
        "XK_ZT": "1",
    }
    return row | changes


def penalty(**changes: str) -> dict[str, str]:
    row = {
        "CF_XDR_MC": "示范甲有限公司",
        "CF_XDR_SHXYM": CODE,
        "CF_WSH": "示罚〔2026〕1号",
        "CF_GSJZQ": "2029-03-01",
        "CF_CFJGDM": uscc(2, kind="11"),
    }
    return row | changes


def one(layout: str, row: Mapping[str, str]) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Return the events of a row, and its faults."""
    made = mapped([row], contract.dialects()[layout], context(layout))
    faults = [(fault["code"], fault["where"]) for fault in made.faults.to_dicts()]
    return made.events.to_dicts(), faults


def small(**words: Any) -> Dialect:
    """Return a dialect of penalties whose amount and title are mapped as given."""
    columns = ["代码", "文号", "机关", "金额", "项目", "类别", "组织机构代码"]
    content = {"kind": {"const": "penalty"}, **words.pop("content", {})}
    return Dialect.model_validate(
        {
            "id": "small",
            "version": "1",
            "family": "credit",
            "title": {"en": "small", "zh": "小"},
            "record_key": {"columns": ["文号"], "says": {"en": "number", "zh": "文号"}},
            "columns": {name: [] for name in columns},
            "recognise": ["代码"],
            "subject": "代码",
            "issuer": "机关",
            "events": [{"facet": "decision", "type": {"const": "penalised"}, "content": content}],
        }
        | words
    )


def said(dialect: Dialect, **cells: str) -> tuple[Any, list[str]]:
    row = {"代码": CODE, "文号": "1号", "机关": "示范局"} | cells
    made = mapped([row], dialect, Context([], {}))
    found = [event["decision"] for event in made.events.to_dicts()]
    return (found[0] if found else None), made.faults["code"].to_list()


@pytest.mark.parametrize("amount", NOT_READ)
def test_a_comma_that_parts_no_three_digits_is_no_amount(amount: str) -> None:
    events, faults = one(PENALTY, penalty(CF_NR_FK=amount))
    assert (events, faults) == ([], [("bad_amount", "CF_NR_FK")])


@pytest.mark.parametrize(
    ("amount", "yuan"),
    [
        ("1,234", 12_340_000),
        ("1,234,567.5", 12_345_675_000),
        ("１，０００", 10_000_000),
        ("０．５", 5_000),
    ],
)
def test_an_amount_in_groups_of_three_is_read(amount: str, yuan: int) -> None:
    [event], _ = one(PENALTY, penalty(CF_NR_FK=amount))
    assert event["decision"]["fine_yuan"] == yuan


@pytest.mark.parametrize(
    ("changes", "yuan"),
    [
        ({"罚款金额(元)": "3000000"}, 3_000_000),
        ({"罚款金额(元)": "3,000,000.00", "CF_NR_FK": "300"}, 3_000_000),
        ({"CF_NR_FK": "300"}, 3_000_000),
    ],
)
def test_a_fine_is_read_in_yuan_and_in_wan_yuan(changes: dict[str, str], yuan: int) -> None:
    [event], _ = one(PENALTY, penalty(**changes))
    assert event["decision"]["fine_yuan"] == yuan


def test_a_fine_in_two_units_that_differ_is_refused() -> None:
    _, faults = one(PENALTY, penalty(**{"罚款金额(元)": "300", "CF_NR_FK": "300"}))
    assert faults == [("columns_differ", "CF_NR_FK+罚款金额(元)")]


@pytest.mark.parametrize(
    ("unit", "cell", "yuan"),
    [
        (None, "300万元", 3_000_000),
        (None, "叁佰万元整", 3_000_000),
        (None, "人民币三百万元", 3_000_000),
        (None, "１.５亿元", 150_000_000),
        ("wan_yuan", "0.5", 5_000),
        ("wan_yuan", "5000元", 5_000),
        ("yuan", "1,234.50", Decimal("1234.50")),
        ("yuan", "伍万元", 50_000),
    ],
)
def test_an_amount_with_its_unit_in_the_cell(unit: str | None, cell: str, yuan: Any) -> None:
    amount = {"amount": "金额"} | ({"unit": unit} if unit else {})
    decision, faults = said(small(content={"fine_yuan": amount}), 金额=cell)
    assert faults == []
    assert decision["fine_yuan"] == yuan


@pytest.mark.parametrize("cell", ["5000", "0,5万元", "约5万元", "1万至3万元", "罚款"])
def test_an_amount_without_a_unit_or_in_doubt_is_refused(cell: str) -> None:
    _, faults = said(small(content={"fine_yuan": {"amount": "金额"}}), 金额=cell)
    assert faults == ["bad_amount"]


def test_a_part_of_a_cell_is_read_and_another_form_is_refused() -> None:
    dialect = small(content={"title": {"part": "项目", "pattern": r"^\d+\s+(.+)$"}})
    decision, _ = said(dialect, 项目="1201 食品经营")
    assert decision["title"] == "食品经营"
    assert said(dialect, 项目="食品经营") == (None, ["part_not_found"])
    decision, faults = said(dialect)
    assert (decision["title"], faults) == (None, [])


@pytest.mark.parametrize(
    "text",
    [
        "2026/3/1 0:00",
        "2026/3/1 0:00:00",
        "2026-03-01 00:00:00.000",
        "2026-03-0100:00:00",
        "2026-03-01T00:00:00",
        "2026-03-01T00:00:00+08:00",
        "2026-02-28T16:00:00Z",
        "2026-03-01 11:49:10",
        "2026年3月1日 8:05",
        "2026年3月1日0:00:00",
        "20260301 0:00",
        "20260301000000",
        "2026.3.1 00:00",
    ],
)
def test_a_day_with_a_time_names_the_day(text: str) -> None:
    events, faults = one(LICENCE, licence(XK_YXQZ=text, XK_JDRQ=text))
    assert faults == []
    assert events[0]["decision"]["valid_from"] == dt.date(2026, 3, 1)
    assert events[0]["effective_from"] == dt.date(2026, 3, 1)
    in_china = events[0]["occurred_at"].astimezone(dt.timezone(dt.timedelta(hours=8)))
    assert in_china.date() == dt.date(2026, 3, 1)


@pytest.mark.parametrize(
    "text", ["2026/3/110:00", "2026-03-01 25:00", "12:00", "2026-03-01 x", "2026-02-30 0:00"]
)
def test_a_day_that_could_be_two_or_none_is_refused(text: str) -> None:
    _, faults = one(LICENCE, licence(XK_YXQZ=text))
    assert faults == [("bad_date", "XK_YXQZ")]


def test_a_midnight_that_summer_time_left_out_is_a_day_all_the_same() -> None:
    events, faults = one(LICENCE, licence(XK_JDRQ="1940-06-01"))
    assert faults == []
    assert events[0]["occurred_at"].date() == dt.date(1940, 5, 31)


@pytest.mark.parametrize(
    "number",
    [
        "9.90101E+17",
        "1.10108E+14",
        "1.1e+17",
        "2E+15",
        "1.5E17",
        "９．９Ｅ＋１７",
        "990101202600000123.0",
    ],
)
@pytest.mark.parametrize("column", ["XK_WSH", "XK_XKBH"])
def test_a_number_that_lost_its_digits_is_refused(column: str, number: str) -> None:
    _, faults = one(LICENCE, licence(**{column: number}))
    assert faults == [("number_lost_digits", column)]


@pytest.mark.parametrize("number", ["E+17", "JY1E+17号", "2026E5", "1.10108", "示E+1", "2026.0"])
def test_a_number_with_a_letter_in_it_is_one(number: str) -> None:
    _, faults = one(LICENCE, licence(XK_XKBH=number))
    assert faults == []


def test_a_state_without_a_meaning_for_nothing_is_not_left_empty() -> None:
    _, faults = one(LICENCE, licence(XK_ZT=""))
    assert faults == [("state_not_stated", "XK_ZT")]


def test_all_faults_of_a_row_are_told_each_once() -> None:
    row = licence(XK_XDR_MC="", XK_YXQZ="x", XK_YXQZI="y", XK_ZT="77", XK_XKBH="9.9E+17")
    _, faults = one(LICENCE, row)
    assert sorted(faults) == [
        ("bad_date", "XK_YXQZ"),
        ("bad_date", "XK_YXQZI"),
        ("missing", "XK_XDR_MC"),
        ("number_lost_digits", "XK_XKBH"),
        ("unknown_code", "XK_ZT"),
    ]


@pytest.mark.parametrize(
    ("code", "organisation", "subject"),
    [
        (CODE, "MA0000015", CODE),
        ("", "MA0000015", "MA0000015"),
        ("", " ma000001-5 ", "MA0000015"),
        (CODE[:-1] + ("0" if CODE[-1] != "0" else "1"), "MA0000015", "MA0000015"),
        ("", "MA0000016", None),
        ("", "", None),
    ],
)
def test_a_row_without_a_code_is_about_the_holder_of_its_organisation_code(
    code: str, organisation: str, subject: str | None
) -> None:
    layout = contract.dialects()[OLD]
    row = {"XK_XDR_SHXYM": code, "XK_XDR_ZZJG": organisation, "XK_XDR_ZDM": organisation}
    for layout_id, given in ((OLD, row), (LICENCE, row)):
        layout = contract.dialects()[layout_id]
        named = named_rows(frame([given]), layout, context(layout_id))
        assert named["subject"].to_list() == [subject]


@pytest.mark.parametrize("layout", [OLD, LICENCE, "cn-sgs-2016-penalty", PENALTY])
def test_the_shipped_layouts_name_their_column_of_organisation_codes(layout: str) -> None:
    dialect = contract.dialects()[layout]
    assert dialect.organisation_code is not None
    assert "组织机构代码" in dialect.columns[dialect.organisation_code]

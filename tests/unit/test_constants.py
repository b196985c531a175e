"""A constant of a dialect means what its field takes, on every row; what is empty is told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from flows.publish.fields import Context
from flows.publish.mapping import Mapped, map_rows
from schemas.constants import value_of
from schemas.dialect import Dialect
from tests.support.codes import uscc

LAYOUT: dict[str, Any] = {
    "id": "annual-list",
    "version": "1",
    "family": "credit",
    "title": {"en": "A list made on one day", "zh": "年度名单"},
    "record_key": {"columns": ["代码"], "says": {"en": "code", "zh": "代码"}},
    "columns": {"代码": [], "种类": []},
    "recognise": ["代码"],
    "subject": "代码",
    "issuer": {"const": "示范市信用办"},
    "events": [
        {
            "facet": "decision",
            "type": {"const": "listed"},
            "content": {"kind": {"const": "listing"}},
        }
    ],
}
KINDS = {"1": "penalty", "2": "listing"}


def mapped(event: dict[str, Any], content: dict[str, Any], *kinds: str | None) -> Mapped:
    first = LAYOUT["events"][0]
    changed = first | event | {"content": first["content"] | content}
    dialect = Dialect.model_validate(LAYOUT | {"events": [changed]})
    rows = pl.DataFrame(
        [
            {"__row": n, "__fault": None, "代码": uscc(n), "种类": kind}
            for n, kind in enumerate(kinds or ("1", "2"), start=1)
        ],
        schema={"__row": pl.Int64, "__fault": pl.String, "代码": pl.String, "种类": pl.String},
    )
    return map_rows(rows, dialect, Context([], {"kinds": KINDS}))


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2029-01-31", dt.date(2029, 1, 31)),
        ("2029/1/31", dt.date(2029, 1, 31)),
        ("20290131", dt.date(2029, 1, 31)),
        ("2029年1月31日", dt.date(2029, 1, 31)),
        ("2028.2.29", dt.date(2028, 2, 29)),
        (dt.date(2029, 1, 31), dt.date(2029, 1, 31)),  # as YAML reads it without quotes
    ],
)
def test_a_constant_day_stands_on_every_row(written: Any, day: dt.date) -> None:
    const = {"const": written}
    made = mapped({"effective_from": const}, {"publication_to": const})
    assert made.faults.is_empty()
    assert made.events["effective_from"].to_list() == [day, day]
    found = made.events["decision"].struct.field("publication_to")
    assert found.to_list() == [day, day]


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-03-01", dt.datetime(2026, 2, 28, 16, tzinfo=dt.UTC)),
        ("2026-03-01 09:30", dt.datetime(2026, 3, 1, 1, 30, tzinfo=dt.UTC)),
        ("2026-03-01T09:30:00+00:00", dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)),
    ],
)
def test_a_constant_time_is_chinas_unless_it_says_otherwise(
    written: str, time: dt.datetime
) -> None:
    made = mapped({"occurred_at": {"const": written}}, {})
    assert made.events["occurred_at"].to_list() == [time, time]


def test_constant_amounts_words_and_lists() -> None:
    content = {
        "fine_yuan": {"const": "2000.5"},
        "severity": {"const": "serious"},
        "categories": {"const": "罚款"},
        "remarks": {"const": "2029-01-31"},
    }
    for event in mapped({}, content).events["decision"].to_list():
        assert event["fine_yuan"] == Decimal("2000.50")
        assert (event["severity"], event["categories"]) == ("serious", ["罚款"])
        assert event["remarks"] == "2029-01-31"


def test_a_constant_within_a_list_is_of_its_fields_type() -> None:
    layout = LAYOUT | {
        "family": "licence",
        "events": [
            {
                "facet": "decision",
                "type": {"const": "granted"},
                "content": {
                    "term": {"const": "fixed"},
                    "identifier_check": {"const": "none"},
                    "permits": {
                        "needs": "name",
                        "each": [{"name": "种类", "valid_to": {"const": "2029-01-31"}}],
                    },
                },
            }
        ],
    }
    row = {"__row": 1, "__fault": None, "代码": uscc(1), "种类": "食品"}
    rows = pl.DataFrame([row], schema_overrides={"__fault": pl.String})
    [event] = map_rows(rows, Dialect.model_validate(layout), Context([], {})).events.to_dicts()
    [permit] = event["decision"]["permits"]
    assert (permit["name"], permit["valid_to"]) == ("食品", dt.date(2029, 1, 31))


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("2029-02-30", pl.Date()),
        ("2029-1/31", pl.Date()),
        ("1899-12-31", pl.Date()),
        ("2201-01-01", pl.Date()),
        ("长期", pl.Date()),
        ("2026-03-01 25:00", pl.Datetime("us", "UTC")),
        ("1e20", pl.Decimal(20, 2)),
        ("-1", pl.Decimal(20, 2)),
        ("NaN", pl.Decimal(20, 2)),
        ("0.001", pl.Decimal(20, 2)),
        ("1", pl.Int64()),
    ],
)
def test_what_means_nothing_there_is_no_constant(text: str, dtype: pl.DataType) -> None:
    with pytest.raises(ValueError, match=r".+"):
        value_of(text, dtype)


def test_a_row_whose_code_is_empty_where_the_schema_needs_a_word_is_refused() -> None:
    made = mapped({}, {"kind": {"code": "种类", "list": "kinds"}}, "1", None, "2", "")
    assert made.faults.rows() == [(2, "missing", "种类"), (4, "missing", "种类")]
    assert made.events["decision"].struct.field("kind").to_list() == ["penalty", "listing"]


def test_so_is_one_whose_code_is_to_say_what_happened() -> None:
    made = mapped({"type": {"code": "种类", "list": "kinds"}}, {}, "1", None)
    assert made.faults.rows() == [(2, "missing", "种类")]


def test_an_empty_state_is_no_event_and_no_fault() -> None:
    event = {"facet": "standing", "type": {"const": "standing_stated"}, "content": {}}
    first = event | {"content": {"state": {"code": "种类", "list": "kinds"}}}
    dialect = Dialect.model_validate(LAYOUT | {"events": [first]})
    row = {"__row": 1, "__fault": None, "代码": uscc(1), "种类": None}
    rows = pl.DataFrame([row], schema_overrides={"__fault": pl.String, "种类": pl.String})
    made = map_rows(rows, dialect, Context([], {"kinds": {"1": "in_force"}}))
    assert made.events.is_empty()
    assert made.faults.is_empty()

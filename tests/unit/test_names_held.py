"""A refused row without a readable code holds the enterprises of its name, and no others."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.publish.fields import Context
from flows.publish.mapping import named_rows
from flows.publish.native import named_events
from flows.stated import Completeness, Stated, completeness
from schemas import contract
from schemas.names_held import digest_of_name, digests_of_names, is_digest
from tests.support.codes import uscc

ONE, TWO, THREE = uscc(1), uscc(2), uscc(3)
NAME, OTHER = "示范建设（集团）有限公司", "示范运输有限公司"
DIALECTS = contract.dialects()


def digest(name: str) -> str:
    [found] = digests_of_names([name])
    return found


def held(*entries: str) -> Completeness:
    return completeness("credit", {("p", "l"): Stated(None, frozenset(entries))}, [])


def names(**known: str) -> pl.DataFrame:
    rows = [(subject, digest(name)) for subject, name in known.items()]
    return pl.DataFrame(rows, {"subject": pl.String, "digest": pl.String}, orient="row")


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=10))
@settings(max_examples=200, deadline=None)
def test_columns_and_texts_give_the_same_digests(values: list[str | None]) -> None:
    frame = pl.DataFrame({"name": values}, {"name": pl.String})
    column = frame.select(digest_of_name(pl.col("name"))).to_series()
    assert {*column.drop_nulls()} == digests_of_names(values)
    assert all(map(is_digest, column.drop_nulls()))


@pytest.mark.parametrize("spelling", ["示范建设(集团)有限公司", " 示范建设（集团） 有限公司\u200b"])
def test_a_name_holds_its_enterprise_however_it_is_written(spelling: str) -> None:
    said = held(digest(NAME))
    assert said.holding(ONE, digests_of_names([spelling])) == {("p", "credit")}
    assert said.holding(TWO, digests_of_names([OTHER])) == frozenset()


def test_an_enterprise_without_a_known_name_may_be_any_that_is_held_by_name() -> None:
    assert held(digest(NAME)).holding(THREE, frozenset()) == {("p", "credit")}
    assert held(ONE).holding(THREE, frozenset()) == frozenset()


def test_many_enterprises_are_held_as_one_by_one() -> None:
    said = held(digest(NAME))
    few = said.named_among(pl.Series([ONE, TWO, THREE]), names(**{ONE: NAME, TWO: OTHER}))
    assert few.to_list() == [ONE, THREE]


def test_a_row_names_its_enterprise_by_code_else_by_organisation_code_else_by_name() -> None:
    dialect = DIALECTS["cn-sgs-2018-penalty"]
    rows = pl.DataFrame(
        {
            "__row": [1, 2, 3, 4, 5, 6, 7],
            "__fault": pl.Series([*[None] * 4, *["too_few_fields"] * 2, None], dtype=pl.String),
            "CF_XDR_SHXYM": [ONE, "x", "x", None, None, None, NAME],
            "CF_XDR_ZZJG": [None, ONE[8:17], *[None] * 5],
            "CF_XDR_MC": [
                NAME,
                NAME,
                NAME,
                "无",
                f"{NAME},x,示罚1号",
                f"{NAME},{TWO}",
                f"代码 {TWO}",
            ],
        }
    )
    found = named_rows(rows, dialect, Context([], {}))["subject"].to_list()
    assert found == [ONE, ONE[8:17], digest(NAME), None, None, None, TWO]


@pytest.mark.parametrize(
    ("decision", "named"),
    [
        (json.dumps({"subject_name": NAME}), True),
        (json.dumps({"subject_name": 5}), False),
        ("[", False),
        (None, False),
    ],
)
def test_an_event_names_its_enterprise_by_the_decisions_name(
    decision: str | None, named: bool
) -> None:
    row = {"__row": 1, "__fault": None, "subject": "x", "record_key": "a/1", "decision": decision}
    text = dict.fromkeys(("__fault", "subject", "record_key", "decision"), pl.String)
    rows = pl.DataFrame([row], schema_overrides=text)
    [found] = named_events(rows, DIALECTS["mianti-licence"], Context([], {}))["subject"]
    assert found == (digest(NAME) if named else None)

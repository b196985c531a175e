"""Any spelling of a number gives one record; two enterprises never share one."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.publish.fields import Context
from flows.publish.mapping import map_rows
from schemas import contract
from schemas.record_key import (
    folded_issuer,
    folded_key,
    folded_key_text,
    issuer_part,
    with_subject,
)
from tests.support.codes import uscc

texts = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("/%／％〔〕[]（） \u200b2F5ａ")),
    max_size=12,
)
#: Signs that say nothing, and signs that are typed for one another.
BETWEEN = st.sampled_from(["", "", " ", "\u200b", "\u3000", "\ufeff", "\u2060"])
ALIKE = {
    "(": "(〔[（【{",
    ")": ")〕]）】}",
    "1": "1１",
    "2": "2２",
    "J": "JjＪ",
    "号": "号號",
    "-": "-－—–",
}


@st.composite
def spellings(draw: st.DrawFn, number: str) -> str:
    signs = [draw(st.sampled_from(ALIKE.get(sign, sign))) + draw(BETWEEN) for sign in number]
    return "".join(signs)


def keys(rows: list[tuple[str, str]]) -> list[str]:
    dialect = contract.dialects()["cn-sgs-2018-licence"]
    fixed = {"XK_XDR_MC": "示范", "XK_XKJGDM": uscc(1, kind="11"), "XK_ZT": "1", "XK_XKLB": "普通"}
    frame = pl.DataFrame(
        [fixed | {"XK_WSH": number, "XK_XDR_SHXYM": code} for number, code in rows]
    ).with_columns(__row=pl.int_range(1, len(rows) + 1), __fault=pl.lit(None, pl.String))
    codes = {"category": {"普通": "general"}, "state": {"1": "in_force"}}
    mapped = map_rows(frame, dialect, Context(dialect.no_end, codes))
    assert mapped.faults.is_empty()
    return mapped.events.filter(facet="decision").sort("__row")["record_key"].to_list()


@settings(deadline=None, max_examples=50)
@given(st.lists(spellings("J-示许(2026)121号"), min_size=2, max_size=6))
def test_any_spelling_of_a_number_is_one_record(numbers: list[str]) -> None:
    assert len({*keys([(number, uscc(1)) for number in numbers])}) == 1


@settings(deadline=None, max_examples=50)
@given(spellings("示许(2026)121号"), spellings("示许(2026)121号"))
def test_two_enterprises_never_share_a_record(one: str, two: str) -> None:
    first, second = keys([(one, uscc(1)), (two, uscc(2))])
    assert first != second


@settings(deadline=None)
@given(texts, texts)
def test_a_key_is_folded_alike_in_a_column_and_alone_and_once_for_all(one: str, two: str) -> None:
    key = f"{one.replace('%', '%25').replace('/', '%2F')}/{two}"
    [folded] = pl.select(folded_key(pl.lit(pl.Series([key])))).to_series()
    assert folded == folded_key_text(key) == folded_key_text(folded)
    frame = pl.DataFrame({"key": [key], "issuer": [one]})
    begins = frame.select(issuer_part(pl.col("key")) == folded_issuer(pl.col("issuer")))
    assert begins.item()


@pytest.mark.parametrize(
    ("key", "identity"),
    [("示/1", "示/1/S"), ("示/1/S", "示/1/S"), ("示/S", "示/S"), ("示/1S", "示/1S/S")],
)
def test_an_identity_ends_with_the_enterprise(key: str, identity: str) -> None:
    frame = pl.DataFrame({"key": [key], "subject": ["S"]})
    assert frame.select(with_subject(pl.col("key"), pl.col("subject"))).item() == identity

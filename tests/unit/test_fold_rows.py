"""The rows' fold gives what the columns' fold gives, whatever was landed."""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.answer.at_window import take_in
from flows.complete import complete_through
from flows.fold import whole
from flows.fold_rows import Statements, whole_rows
from flows.log import history_columns
from flows.stated import Stated
from tests.oracle.publishing import Version
from tests.unit.test_fold import CALENDAR, TIMES, cases, frame


@given(
    case=cases(),
    day=st.sampled_from(CALENDAR),
    known_at=st.sampled_from([None, *TIMES]),
    data=st.data(),
)
@settings(max_examples=250, deadline=None)
def test_both_folds_give_the_same_rows(
    case: tuple[str, list[Version]], day: dt.date, known_at: dt.datetime | None, data: st.DataObject
) -> None:
    family, found = case
    rows = frame(family, found)
    twice = data.draw(st.lists(st.sampled_from(range(rows.height)))) if found else []
    landed = pl.concat([rows, rows[twice].with_columns(landed_at=pl.lit(TIMES[-1]))])
    order = data.draw(st.permutations(range(landed.height)))
    told = whole_rows(landed[[*order]].iter_rows(named=True), family, day, known_at)
    assert told == whole(landed, family, day, known_at).to_dicts()


@st.composite
def statements(draw: st.DrawFn) -> pl.DataFrame:
    """Return statements of two publishers, of one or two partitions, some said twice."""
    parts = draw(st.lists(st.integers(0, 1), max_size=12))
    others = st.integers(2, 4).map(lambda n: {"sequence": n, "by": None, "reason": "…"})
    overruling = st.one_of(st.none(), st.none(), others)
    rows = [
        {
            "event_id": f"{draw(st.integers(0, 8)):032}",
            "publisher": draw(st.sampled_from("ab")),
            "layout": "l",
            "subject": "s",
            "record_key": f"s/complete/{part}",
            "facet": "statement",
            "sequence": draw(st.integers(1, 4)),
            "overrules": draw(overruling),
            "topic": "t",
            "partition": 0,
            "offset": offset,
            "landed_at": draw(st.sampled_from(TIMES)),
            "bucket": 0,
            "statement": {
                "complete_through": draw(st.sampled_from([None, *TIMES])),
                "partition": part,
                "partitions": draw(st.integers(1, 2)),
                "rows": 1,
                "excepted": draw(st.lists(st.sampled_from("xyz"), max_size=2)),
                "unnamed": draw(st.sampled_from([0, 0, 0, 1, None])),
            },
        }
        for offset, part in enumerate(parts)
    ]
    made = pl.DataFrame(rows, schema=history_columns("licence"))
    return made.unique("event_id", keep="first", maintain_order=True)


@given(said=statements(), data=st.data())
@settings(max_examples=250, deadline=None)
def test_statements_in_any_order_and_twice_come_to_what_the_columns_say(
    said: pl.DataFrame, data: st.DataObject
) -> None:
    wanted = {
        (who, layout): Stated(through, frozenset(excepted), everyone)
        for who, layout, through, excepted, everyone in complete_through(said).iter_rows()
    }
    once = said.rows(named=True)
    every = [("licence", one) for one in data.draw(st.permutations(once + once[: len(once) // 2]))]
    told = {"licence": Statements(), "credit": Statements()}
    for end in sorted({data.draw(st.integers(0, len(every))), len(every)}):
        take_in(told, every[:end], every[:end])
    assert told["licence"].by_layout() == wanted

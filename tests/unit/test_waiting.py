"""Which refused rows wait to be mended, and what ends it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.check import check, with_digest
from flows.publish.events import single
from flows.publish.plan import KNOWN
from flows.publish.waiting import WAITING, concerned, still_waiting
from schemas import contract
from tests.support.codes import uscc

DAYS = [dt.datetime(2026, 5, day, tzinfo=dt.UTC) for day in (1, 2, 3)]
NONE_HELD = pl.DataFrame(schema=KNOWN)
KEYED = st.fixed_dictionaries(
    {
        "record_key": st.sampled_from(["k1", "k2"]),
        "facet": st.just(""),
        "subject": st.sampled_from("ab"),
        "edition": st.sampled_from(DAYS),
    }
)
KEYLESS = KEYED.map(lambda row: row | {"record_key": ""})


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=WAITING)


@settings(deadline=None)
@given(st.lists(KEYED | KEYLESS), st.lists(KEYED), st.lists(KEYED))
def test_what_waits_is_what_no_row_as_new_has_mended(
    before: list[dict[str, Any]], refused: list[dict[str, Any]], accepted: list[dict[str, Any]]
) -> None:
    def mended(row: dict[str, Any]) -> bool:
        name = "record_key" if row["record_key"] else "subject"
        return any(a[name] == row[name] and a["edition"] >= row["edition"] for a in accepted)

    left = [*refused, *(row for row in before if not mended(row))]
    kept = concerned(frame(accepted), frame(before))
    waiting, unknown = still_waiting(frame(before), frame(refused), kept, NONE_HELD)
    assert {(r["record_key"], r["subject"]) for r in left} == set(
        waiting.select("record_key", "subject").iter_rows()
    )
    assert unknown == 0


def test_a_statement_that_excepts_no_code_is_not_believed() -> None:
    publishers = contract.publishers(None).publishers
    code = publishers["housing-demo"].code
    content = {"complete_through": DAYS[0], "partition": 0, "partitions": 1, "rows": 1}

    def judged(excepted: list[str]) -> str | None:
        event = {
            "publisher": "housing-demo",
            "issuer": code,
            "subject": code,
            "record_key": f"{code}/statement/mianti-licence/0",
            "facet": "statement",
            "event_type": "statement",
            "sequence": 1,
            "layout": "mianti-licence",
            "layout_version": "1",
            "statement": content | {"excepted": excepted, "unnamed": 0, "unreadable": 0},
        }
        made = with_digest(single("licence", event).drop("content_digest"), "licence")
        why = check(made, "licence", publishers["housing-demo"], "housing-demo")["__why"]
        return why.item()

    # Thousands of codes in one text would be too long, or seem to hold a person's number.
    assert judged([uscc(number) for number in range(5_000)]) is None
    assert judged([]) is None
    assert judged([uscc(1), "张三"]) == "bad_value:statement.excepted"

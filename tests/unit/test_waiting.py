"""Which refused rows and failed files wait to be mended, and what ends it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.ledger import open_ledger
from flows.check import check, with_digest
from flows.publish.events import single
from flows.publish.plan import KNOWN
from flows.publish.waiting import (
    NAMED,
    REFUSED,
    WAITING,
    concerned,
    failed_file,
    fingerprints,
    held_by,
    lost_entries,
    merged,
    waiting_after,
    without_file,
)
from flows.stated import Completeness, Held, Stated, completeness
from schemas import contract
from schemas.identifiers import org_code
from tests.support.codes import uscc

DAYS = [dt.datetime(2026, 5, day, tzinfo=dt.UTC) for day in (1, 2, 3)]
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
NONE_HELD = pl.DataFrame(schema=KNOWN)
NONE_WAITS = pl.DataFrame(schema=WAITING)
OTHER_NAME = frozenset(["name:0123456789abcdef"])
NAMES = {"subject": pl.String, "digest": pl.String}
PRINTS = {"subject": pl.String, "print": pl.String}
KEYED = st.fixed_dictionaries(
    {
        "record_key": st.sampled_from(["k1", "k2"]),
        "facet": st.just(""),
        "subject": st.sampled_from("ab"),
        "edition": st.sampled_from(DAYS),
        "print": st.just("p"),
    }
)
KEYLESS = KEYED.flatmap(
    lambda row: st.fixed_dictionaries(
        {name: st.just(value) for name, value in row.items()}
        | {"record_key": st.none(), "print": st.sampled_from("pq")}
    )
)
ROW = {"facet": "", "code": "bad_date", "print": "p", "row": 7}


def after(
    before: pl.DataFrame = NONE_WAITS,
    refused: list[dict[str, Any]] | None = None,
    accepted: list[dict[str, Any]] | None = None,
    held: pl.DataFrame = NONE_HELD,
    discarded: pl.DataFrame = NONE_WAITS,
    prints: list[dict[str, str]] | None = None,
    known: bool = False,
) -> tuple[pl.DataFrame, int]:
    """Return what waits after a file with these rows."""
    rows = [ROW | row for row in refused or []]
    good = pl.DataFrame([{"facet": ""} | row for row in accepted or []], schema=NAMED)
    return waiting_after(
        before,
        pl.DataFrame(rows, schema=REFUSED),
        concerned(good, before),
        pl.DataFrame(prints or [], schema=PRINTS),
        held,
        discarded,
        file="f.csv",
        now=NOW,
        known=known,
    )


def held_at(key: str, edition: dt.datetime, **changes: Any) -> pl.DataFrame:
    """Return what a ledger holds of one record."""
    usual = {"facet": "decision", "sequence": 1, "subject": "holder", "digest": "d", "sent": True}
    row = dict.fromkeys(KNOWN) | usual | {"record_key": key, "edition": edition} | changes
    return pl.DataFrame([row], schema=KNOWN)


@settings(deadline=None)
@given(st.lists(KEYED | KEYLESS), st.lists(KEYED), st.lists(KEYED))
def test_what_waits_is_what_no_row_of_its_record_as_new_has_mended(
    before: list[dict[str, Any]], refused: list[dict[str, Any]], accepted: list[dict[str, Any]]
) -> None:
    def mended(row: dict[str, Any]) -> bool:
        same = [one for one in accepted if one["record_key"] == row["record_key"]]
        return any(one["edition"] >= row["edition"] for one in same)

    def names(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
        return {(row["record_key"] or "", row["subject"]) for row in rows}

    first, _ = after(refused=before)
    # Of rows of one record and enterprise the newest is the one that must be mended.
    newest = {
        (row["record_key"], row["subject"]): row
        for row in sorted(before, key=lambda row: row["edition"])
    }
    waiting, nobody = after(first, refused, accepted)
    left = [row for row in newest.values() if not mended(row)]
    assert names([*left, *refused]) == {*waiting.select("record_key", "subject").iter_rows()}
    assert nobody == 0


def test_a_row_without_a_key_ends_by_its_other_cells_alone() -> None:
    row = {"record_key": None, "subject": "a", "edition": DAYS[0]}
    nobody = {"record_key": None, "subject": None, "edition": DAYS[0], "print": "n"}
    waiting, count = after(refused=[row, nobody])
    assert (waiting["subject"].to_list(), count) == (["", "a"], 1)
    about = [{"record_key": "k", "subject": "a", "edition": DAYS[2]}]
    for prints in (
        [{"subject": "b", "print": "p"}],
        [{"subject": "a", "print": "other"}],
    ):
        assert after(waiting, accepted=about, prints=prints)[0].height == 2
    mended, _ = after(waiting, prints=[{"subject": "a", "print": "p"}])
    assert mended["subject"].to_list() == [""]
    mended, _ = after(waiting, prints=[{"subject": "b", "print": "n"}])
    assert mended["subject"].to_list() == ["a"]


def test_a_row_with_a_known_key_is_about_the_holder_of_the_record() -> None:
    row = {"record_key": "k", "subject": None, "edition": DAYS[2]}
    waiting, nobody = after(refused=[row], held=held_at("k", DAYS[1]))
    assert (waiting["subject"].to_list(), nobody) == (["holder"], 0)


@pytest.mark.parametrize("code", ["older_edition", "bad_date", "contradictory_published"])
def test_what_contradicts_newer_data_waits_for_an_edition_beyond_them(code: str) -> None:
    edition = DAYS[1] if code == "contradictory_published" else DAYS[0]
    row = {"record_key": "k", "subject": "holder", "edition": edition, "code": code}
    held = held_at("k", DAYS[1])
    waiting, _ = after(refused=[row], held=held)
    again = {"record_key": "k", "subject": "holder"}
    assert after(waiting, accepted=[again | {"edition": DAYS[1]}], held=held)[0].height == 1
    assert after(waiting, accepted=[again | {"edition": DAYS[2]}], held=held)[0].is_empty()
    resent = code != "contradictory_published"
    assert after(refused=[row], held=held, known=True)[0].is_empty() == resent


def test_what_a_person_discarded_does_not_wait_again_but_other_content_does() -> None:
    row = {"record_key": "k", "subject": "a", "edition": DAYS[0]}
    waiting, _ = after(refused=[row])
    newer = row | {"edition": DAYS[1]}
    assert after(refused=[newer], discarded=waiting)[0].is_empty()
    assert after(refused=[newer | {"print": "other"}], discarded=waiting)[0].height == 1


def test_a_failed_file_waits_for_its_name_or_its_bytes() -> None:
    waiting = failed_file("f.csv", "d1", "Unreadable", DAYS[0], NOW)
    assert held_by(waiting)[1] == 1
    row, _ = after(refused=[{"record_key": None, "subject": "a", "edition": DAYS[0]}])
    both = merged(waiting, row)
    assert without_file(both, "g.csv", "d2").height == 2
    assert without_file(both, "f.csv", "d2").equals(row)
    assert without_file(both, "g.csv", "d1").equals(row)
    assert after(both, prints=[{"subject": "", "print": ""}])[0].height == 2


def test_the_fingerprint_is_of_all_cells_but_the_key_and_the_enterprise() -> None:
    dialect = contract.dialects(None)["cn-sgs-2018-licence"]
    columns = ["XK_WSH", "XK_XDR_SHXYM", "XK_XKZS", "XK_ZT"]
    rows = [
        ("1号", "x", "食品经营许可证", "3"),
        (None, None, " 食品经营许可证 ", "3"),
        (None, "x", "食品经营许可证", "1"),
        (None, "x", "3", "食品经营许可证"),
        ("1号", "x", None, None),
    ]
    found = fingerprints(pl.DataFrame(rows, schema=columns, orient="row"), dialect).to_list()
    assert found[0] == found[1]
    assert len({*found}) == 4
    assert found[4] is None


def test_a_ledger_of_release_0_1_goes_on_waiting(tmp_path: Path) -> None:
    with open_ledger(tmp_path, "dept", "credit"):
        pass
    with closing(sqlite3.connect(tmp_path / "dept.credit.sqlite")) as database:
        database.execute(
            "CREATE TABLE waiting (layout TEXT, record_key TEXT, facet TEXT, subject TEXT, edition INT)"
        )
        rows = [("l", "k", "", "a", 5), ("l", "", "", "b", 6)]
        database.executemany("INSERT INTO waiting VALUES (?,?,?,?,?)", rows)
        database.commit()
    for _ in range(2):
        with open_ledger(tmp_path, "dept", "credit") as ledger:
            waiting = ledger.waiting("l").sort("subject")
        assert [*waiting.select("record_key", "subject", "place").iter_rows()] == [
            ("k", "a", ""),
            ("", "b", "lost"),
        ]
        accepted = {"record_key": "k", "subject": "a", "edition": DAYS[0]}
        assert after(waiting, accepted=[accepted])[0]["subject"].to_list() == ["b"]


def test_what_a_lost_ledger_held_ends_by_no_row() -> None:
    waiting = lost_entries(pl.Series(["", "a"]), DAYS[0], NOW)
    accepted = [{"record_key": key, "subject": "a", "edition": DAYS[2]} for key in ("k", "")]
    prints = [{"subject": subject, "print": ""} for subject in ("", "a")]
    assert after(waiting, accepted=accepted, prints=prints)[0].equals(waiting)


def test_an_organisation_code_holds_every_enterprise_that_has_it_in_its_code() -> None:
    one, two = uscc(1), uscc(2)
    said = completeness("credit", {("p", "l"): Stated(None, frozenset([one[8:17]]))}, [])
    assert said.holding(one, OTHER_NAME) == {("p", "credit")}
    assert said.holding(two, OTHER_NAME) == frozenset()
    names = pl.DataFrame({"subject": [one, two], "digest": [*OTHER_NAME] * 2}, NAMES)
    assert said.named_among(pl.Series([one, two]), names).to_list() == [one]
    assert said.through == {}


def test_a_message_that_names_nobody_holds_everyone_though_nothing_was_stated() -> None:
    said = completeness("credit", {}, [("p", "a"), ("p", None), ("q", "b")])
    assert said.held == {
        ("p", "credit"): Held(frozenset("a"), everyone=True),
        ("q", "credit"): Held(frozenset("b")),
    }
    assert said.holding_everyone() == {("p", "credit")}
    assert Completeness().holding("a", frozenset()) == frozenset()


PUBLISHER = contract.publishers(None).publishers["housing-demo"]


def judged(statement: dict[str, Any], **changes: Any) -> str | None:
    """Return the reason against a statement; None: it is believed."""
    content = {
        "complete_through": DAYS[0],
        "partition": 0,
        "partitions": 1,
        "rows": 1,
        "excepted": [],
        "unnamed": 0,
        "unreadable": 0,
    }
    event = {
        "publisher": "housing-demo",
        "issuer": PUBLISHER.code,
        "subject": PUBLISHER.code,
        "record_key": f"{PUBLISHER.code}/statement/mianti-licence/0",
        "facet": "statement",
        "event_type": "statement",
        "sequence": 1,
        "layout": "mianti-licence",
        "layout_version": "1",
        "statement": content | statement,
    }
    made = with_digest(single("licence", event | changes).drop("content_digest"), "licence")
    why: str | None = check(made, "licence", PUBLISHER, "housing-demo")["__why"].item()
    return why


def test_a_statement_that_excepts_no_code_is_not_believed() -> None:
    # Thousands of codes in one text would be too long, or seem to hold a person's number.
    assert judged({"excepted": [uscc(number) for number in range(5_000)]}) is None
    assert judged({}) is None
    assert judged({"excepted": [uscc(1), "张三"]}) == "bad_value:statement.excepted"
    organisation = "9999000" + "1"
    code = organisation + org_code.check_character(organisation)
    assert judged({"excepted": [code]}) is None
    wrong = organisation + ("0" if code[8] != "0" else "1")
    assert judged({"excepted": [wrong]}) == "bad_value:statement.excepted"


def test_a_statement_is_believed_of_its_own_publisher_alone_and_of_the_past() -> None:
    assert judged({}, subject=uscc(1)) == "bad_value:subject"
    for partition in (-1, 1, 7):
        assert judged({"partition": partition}) == "bad_value:statement.partition"
    now = dt.datetime.now(dt.UTC)
    assert judged({"complete_through": now + dt.timedelta(minutes=4)}) is None
    for late in (now + dt.timedelta(minutes=6), dt.datetime(2199, 1, 1, tzinfo=dt.UTC)):
        assert judged({"complete_through": late}) == "bad_value:statement.complete_through"
    assert judged({"complete_through": None}) is None

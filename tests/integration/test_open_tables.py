"""The datasets as others open them, and what they do not find there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from flows.clock import china_today
from flows.fold import fold
from flows.land import land
from flows.rebuild import rebuild
from flows.settle import is_settled, settle
from tests.support import lake
from tests.support.codes import uscc
from tests.support.exchange import Department, Exchange
from tests.support.kafka import SCHEMAS

KEPT = {
    "subject",
    "record_key",
    "usable",
    "unusable_reason",
    "as_of",
    "usable_until",
    "versions",
    "first_landed_at",
    "last_landed_at",
    "bucket",
}
#: How Avro's types are read; an enum or a decimal is told apart by hand.
POLARS = {"string": pl.String, "long": pl.Int64, "enum": pl.String, "array": pl.List}
LOGICAL = {"date": pl.Date, "timestamp-micros": pl.Datetime, "decimal": pl.Decimal}


def penalty(department: Department, number: int, **changes: str) -> dict[str, str]:
    """Return a row of the 2018 penalty layout."""
    row = {
        "CF_XDR_MC": f"示范企业{number}",
        "CF_XDR_SHXYM": uscc(number),
        "CF_WSH": f"示罚〔2026〕{number}号",
        "CF_CFLB": "警告、罚款",
        "CF_NR": "罚款二千元",
        "CF_NR_FK": "0.2",
        "CF_JDRQ": "2026-02-03",
        "CF_GSJZQ": "2099/12/31",
        "CF_CFJG": department.name,
        "CF_CFJGDM": department.code,
    }
    return row | changes


@pytest.fixture(scope="module")
def state(make_exchange: Callable[[], Exchange]) -> Exchange:
    """Licences and penalties of three departments: in use, withdrawn, annulled, ended, corrected."""
    exchange = make_exchange()
    one, two = exchange.department("one"), exchange.department("two")
    moving = exchange.moving()
    one.publish([one.licence(n) for n in (1, *range(3, 13))])
    moving.publish([moving.licence(2)])
    two.publish([two.licence(n) for n in range(1, 7)])
    old = {"XK_WSH": "旧1号", "XK_XMMC": "许可", "XK_XDR": "甲", "XK_XDR_SHXYM": uscc(7),
           "XK_JZQ": "2030-01-01", "XK_XZJG": one.name, "XK_ZT": "1"}  # fmt: skip
    one.publish([old, old | {"XK_WSH": "旧2号", "XK_ZT": "2"}], "old.csv")
    moving.publish([moving.licence(2, XK_XDR_SHXYM=uscc(40))], "corrected.csv")
    one.publisher.withdraw(one.key(1), "公示有误")
    two.publish([penalty(two, n) for n in range(1, 5)], "penalties.csv")
    two.publish([penalty(two, 5, CF_GSJZQ="2026-03-01")], "ended.csv")
    two.publisher.withdraw(f"{two.code}/示罚〔2026〕1号", "公示有误")
    for family in ("licence", "credit"):
        exchange.ingest(family)
    return exchange


def uri(exchange: Exchange, family: str) -> str:
    return f"{exchange.lake}/datasets/{family}"


def files(exchange: Exchange, family: str) -> list[str]:
    """Return the files a dataset lists, on this machine: DuckDB's S3 extension is fetched."""
    here = lake.fetched(uri(exchange, family), exchange.home / f"fetched-{uuid4().hex}")
    return DeltaTable(str(here)).file_uris()


@pytest.mark.parametrize("family", ["licence", "credit"])
def test_the_columns_are_those_of_the_schema(state: Exchange, family: str) -> None:
    text = (SCHEMAS / "datasets" / f"{family}.v1.avsc").read_text("utf-8")
    fields = json.loads(text)["fields"]
    schema = lake.read(uri(state, family)).schema
    assert sorted(schema) == sorted(field["name"] for field in fields)
    for field in fields:
        node = field["type"][1] if isinstance(field["type"], list) else field["type"]
        kind = node if isinstance(node, str) else node.get("logicalType", node["type"])
        wanted = LOGICAL.get(kind) or POLARS[kind]
        assert isinstance(schema[field["name"]], wanted) or schema[field["name"]] == wanted


@pytest.mark.parametrize("family", ["licence", "credit"])
def test_plain_duckdb_reads_the_same_rows_as_plain_polars(state: Exchange, family: str) -> None:
    """DuckDB's delta extension is fetched from elsewhere; the files the table lists are enough."""
    columns = ["subject", "record_key", "usable", "unusable_reason", "state", "versions", "bucket"]
    found = duckdb.execute(
        f"SELECT {', '.join(columns)} FROM read_parquet($files, hive_partitioning = true) "
        "ORDER BY subject, record_key",
        {"files": files(state, family)},
    ).fetchall()
    rows = lake.read(uri(state, family)).sort("subject", "record_key").select(columns).rows()
    assert found == rows
    assert rows


def test_an_analyst_joins_the_datasets_in_duckdb(state: Exchange) -> None:
    found = duckdb.execute(
        "SELECT l.subject, sum(p.fine_yuan) "
        "FROM read_parquet($licences) l JOIN read_parquet($penalties) p USING (subject) "
        "WHERE l.usable = 'yes' AND p.usable = 'yes' GROUP BY ALL",
        {
            "licences": files(state, "licence"),
            "penalties": files(state, "credit"),
        },
    ).fetchall()
    # Both departments license enterprises 3 and 4; number 2's licence of the third is another's now.
    assert {code: int(fine) for code, fine in found} == {
        uscc(2): 2000,
        uscc(3): 4000,
        uscc(4): 4000,
    }


@pytest.mark.parametrize(
    ("family", "reasons"),
    [
        ("licence", {"withdrawn": 2, "annulled": 1}),
        ("credit", {"withdrawn": 1, "publication_ended": 1}),
    ],
)
def test_what_may_not_be_used_leaves_its_key_and_the_reason(
    state: Exchange, family: str, reasons: dict[str, int]
) -> None:
    rows = lake.read(uri(state, family))
    stopped = rows.filter(usable="no")
    assert dict(stopped["unusable_reason"].value_counts().iter_rows()) == reasons
    for column in set(rows.columns) - KEPT:
        assert stopped[column].null_count() == stopped.height, column
    used = rows.filter(usable="yes")
    assert used["unusable_reason"].null_count() == used.height
    assert used["decision_event_id"].null_count() == 0
    assert used.height + stopped.height == rows.height


def test_what_is_stopped_is_in_no_file_the_table_lists(state: Exchange) -> None:
    listed = pl.read_parquet(files(state, "credit"), hive_partitioning=False)
    assert listed.filter(document_number="示罚〔2026〕1号").is_empty()
    assert listed.filter(document_number="示罚〔2026〕2号").height == 1


def test_rows_say_where_they_come_from(state: Exchange) -> None:
    rows = lake.read(uri(state, "licence")).filter(usable="yes")
    assert set(rows["publisher"]) == {department.id for department in state.departments}
    assert set(rows["layout"]) == {"cn-sgs-2018-licence", "cn-sgs-2016-licence", "moving"}
    assert rows["file_digest"].str.len_chars().unique().to_list() == [64]
    assert (rows["first_landed_at"] <= rows["last_landed_at"]).all()
    # 旧2号 is under objection: it stays, and is flagged.
    flagged = rows.filter(document_number="旧2号")
    assert flagged.select("state", "objection").rows() == [("in_force", "raised")]


@pytest.mark.parametrize("family", ["licence", "credit"])
def test_rebuilding_gives_the_same_rows(state: Exchange, family: str) -> None:
    before = state.dataset(family)
    assert before.height
    rebuild(state.settings, family)
    assert state.dataset(family).equals(before, null_equal=True)
    state.verified(family)


@pytest.mark.parametrize("family", ["licence", "credit"])
def test_a_question_gives_the_rows_of_the_dataset(state: Exchange, family: str) -> None:
    asked = state.query(family).sort("subject", "record_key")
    assert asked.equals(state.dataset(family).select(asked.columns), null_equal=True)


def test_a_question_includes_what_is_not_settled_yet(exchange: Exchange) -> None:
    department = exchange.department()
    department.publish([department.licence(n) for n in range(1, 8)])
    exchange.ingest()
    department.publish(
        [department.licence(1, XK_ZT="3"), department.licence(2, XK_NR="新"),
         department.licence(9)], "more.csv"
    )  # fmt: skip
    department.publisher.withdraw(department.key(3), "公示有误")
    land(exchange.settings, "licence")
    settled = exchange.dataset()
    asked = exchange.query().sort("subject", "record_key")
    assert not asked.equals(settled.select(asked.columns))
    by_subject = pl.concat([exchange.query(subject=uscc(n)) for n in (*range(1, 8), 9)])
    assert asked.equals(by_subject.sort("subject", "record_key"))
    settle(exchange.settings, "licence")
    assert asked.equals(exchange.dataset().select(asked.columns))


def test_a_family_is_settled_when_its_dataset_has_all_that_was_landed(exchange: Exchange) -> None:
    department = exchange.department()
    settings = exchange.settings
    found = [is_settled(settings, "licence")]
    department.publish([department.licence(1)])
    land(settings, "licence")
    found.append(is_settled(settings, "licence"))
    settle(settings, "licence")
    found.append(is_settled(settings, "licence"))
    department.publish([department.licence(2)], "more.csv")
    land(settings, "licence")
    found.append(is_settled(settings, "licence"))
    assert found == [False, False, True, False]


def test_a_question_about_the_past_is_answered_as_it_was_known(exchange: Exchange) -> None:
    department = exchange.department()
    department.publish([department.licence(1), department.licence(2)])
    exchange.ingest()
    known = exchange.dataset()
    then = known["last_landed_at"].max()
    department.publish(
        [department.licence(1, XK_ZT="3"), department.licence(2, XK_NR="新")], "b.csv"
    )
    exchange.ingest()
    asked = exchange.query(known_at=then).sort("subject", "record_key")
    assert asked.equals(known.select(asked.columns))
    assert exchange.dataset()["state"].sort().to_list() == ["in_force", "revoked"]


def test_nothing_of_a_table_lies_outside_the_lake(state: Exchange) -> None:
    here = lake.fetched(state.lake, state.home / f"fetched-{uuid4().hex}")
    found = sorted(p.name for p in here.glob("[!.]*"))
    assert found == ["datasets", "heartbeat", "history", "log"]
    strays = [p for p in state.home.rglob("*.parquet") if "fetched-" not in str(p)]
    assert [p for p in strays if here not in p.parents] == []


def test_settling_for_another_day_folds_every_record_for_it(exchange: Exchange) -> None:
    department = exchange.department()
    ended = [department.licence(n, XK_YXQZI="2026-02-01") for n in range(1, 4)]
    department.publish([*ended, *[department.licence(n) for n in range(4, 40)]])
    exchange.ingest()
    past = dt.date(2026, 1, 20)

    done = settle(exchange.settings, "licence", on=past, everything=True)

    found = exchange.dataset()
    assert set(found["as_of"]) == {past}
    assert set(found["state"]) == {"in_force"}
    assert done.rows == 39
    exchange.verified()
    settle(exchange.settings, "licence")
    found = exchange.dataset()
    assert found.filter(pl.col("state") == "expired").height == 3
    assert found.filter(pl.col("usable_until") < china_today()).height == 0
    exchange.verified()


def test_a_settling_overtaken_by_another_goes_on_with_what_that_one_left(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    department = exchange.department()
    department.publish([department.licence(1)])
    land(exchange.settings, "licence")

    def overtaken(*told: Any) -> pl.DataFrame:
        monkeypatch.undo()
        department.publish([department.licence(1, XK_ZT="2")], "later.csv")
        exchange.ingest()
        return fold(*told)

    monkeypatch.setattr("flows.settle.fold", overtaken)
    assert settle(exchange.settings, "licence").buckets == 0
    assert exchange.dataset()["versions"].to_list() == [2]
    exchange.verified()

"""What is written by Polars is what any reader of Delta finds, and may skip files by."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from uuid import uuid4

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors import lake
from connectors.settings import Settings
from tests.support import lake as plain

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=150)
ROW = st.fixed_dictionaries(
    {
        "bucket": st.integers(0, 3),
        "text": st.none() | TEXT,
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "day": st.none() | st.dates(),
        "time": st.none() | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)),
        "raw": st.none() | st.binary(max_size=20),
        "texts": st.none() | st.lists(TEXT, max_size=3),
        "inner": st.none() | st.fixed_dictionaries({"a": st.none() | TEXT}),
    }
)
SCHEMA = pl.Schema(
    {
        "bucket": pl.Int64(),
        "text": pl.String(),
        "number": pl.Int64(),
        "day": pl.Date(),
        "time": pl.Datetime("us", "UTC"),
        "raw": pl.Binary(),
        "texts": pl.List(pl.String()),
        "inner": pl.Struct({"a": pl.String()}),
    }
)


@pytest.fixture(params=["directory", "s3"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Give a lake in a directory, and one in a bucket."""
    home = tmp_path / "home"
    if request.param == "directory":
        return Settings(mianti_home=home)
    bucket: str = request.getfixturevalue("bucket")
    return Settings(mianti_home=home, mianti_lake=f"{bucket}/{uuid4().hex}")


def made(settings: Settings) -> DeltaTable:
    return lake.ensure_table(settings, "log", uuid4().hex, SCHEMA, ["bucket"])


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    naive = SCHEMA | {"time": pl.Datetime("us")}
    return pl.DataFrame(rows, schema=naive).with_columns(pl.col("time").dt.replace_time_zone("UTC"))


def in_order(rows: pl.DataFrame) -> list[str]:
    return sorted(repr(row) for row in rows.select(SCHEMA.names()).iter_rows())


@given(st.lists(ROW, max_size=12), st.lists(ROW, max_size=12))
@hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_every_row_is_read_as_it_was_written(
    settings: Settings, first: list[dict[str, object]], second: list[dict[str, object]]
) -> None:
    table = made(settings)
    for number, rows in enumerate((first, second)):
        lake.append(table, frame(rows), {"id": number})
        table.update_incremental()
    written = in_order(frame([*first, *second]))
    assert in_order(plain.read(table.table_uri)) == written  # a stranger
    assert in_order(lake.scan(table).collect()) == written
    pieces = lake.in_pieces(table, SCHEMA, "bucket >= 0")
    assert in_order(pl.concat([frame([]), *pieces])) == written


@given(st.lists(ROW, min_size=1, max_size=20))
@hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_no_bound_hides_a_row(settings: Settings, rows: list[dict[str, object]]) -> None:
    """A file that holds a value says so: what a reader skips by must be true of every row."""
    table = made(settings)
    lake.append(table, frame(rows), {})
    table.update_incremental()
    for file in pl.DataFrame(table.get_add_actions(flatten=True)).iter_rows(named=True):
        mine = [row for row in rows if row["bucket"] == file["partition.bucket"]]
        assert file["num_records"] == len(mine)
        for column in ("text", "number", "day"):
            values = [row[column] for row in mine if row[column] is not None]
            assert file[f"null_count.{column}"] == len(mine) - len(values)
            least, most = file.get(f"min.{column}"), file.get(f"max.{column}")
            assert least is None or least == min(values)  # type: ignore[type-var]
            assert most is None or most == max(values)  # type: ignore[type-var]


def test_bounds_are_there_for_what_readers_ask_by(settings: Settings) -> None:
    table = made(settings)
    row = {"bucket": 1, "text": "91990100MA0000000D", "number": 7, "day": dt.date(2026, 4, 1)}
    lake.append(table, frame([row]), {})
    table.update_incremental()
    [file] = pl.DataFrame(table.get_add_actions(flatten=True)).to_dicts()
    assert (file["min.text"], file["max.text"]) == (row["text"], row["text"])
    assert (file["min.number"], file["max.number"]) == (7, 7)
    assert (file["min.day"], file["max.day"]) == (row["day"], row["day"])


def test_a_text_too_long_to_be_a_bound_is_found_all_the_same(tmp_path: Path) -> None:
    settings = Settings(mianti_home=tmp_path)
    table = made(settings)
    long = "许" * 500
    lake.append(table, frame([{"bucket": 1, "text": long}, {"bucket": 1, "text": "许"}]), {})
    table.update_incremental()
    found = lake.in_pieces(table, pl.Schema({"text": pl.String()}), f"text = '{long}'")
    assert pl.concat(found)["text"].to_list() == [long]
    files = table.file_uris()
    assert duckdb.execute("select max(length(text)) from read_parquet(?)", [files]).fetchone() == (
        500,
    )
    log = Path(table.table_uri.removeprefix("file://")) / "_delta_log"
    commit = [json.loads(line) for line in (log / f"{1:020}.json").read_text().splitlines()]
    [stats] = [json.loads(action["add"]["stats"]) for action in commit if "add" in action]
    assert "text" not in stats["maxValues"]


@pytest.mark.parametrize("wrong", [{"number": pl.Int32()}, {"text": pl.Categorical()}])
def test_a_wrong_type_is_refused_before_anything_is_written(
    settings: Settings, wrong: dict[str, pl.DataType]
) -> None:
    table = made(settings)
    with pytest.raises(pl.exceptions.SchemaError):
        lake.append(table, frame([{"bucket": 1}]).cast(wrong), {})  # type: ignore[arg-type]
    assert lake.reopened(table).version() == 0


def test_a_missing_column_is_refused(settings: Settings) -> None:
    table = made(settings)
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        lake.append(table, frame([{"bucket": 1}]).drop("text"), {})


def test_replacing_a_bucket_leaves_the_others(settings: Settings) -> None:
    table = made(settings)
    before: list[dict[str, object]] = [
        {"bucket": b, "number": n} for b in range(4) for n in range(3)
    ]
    lake.append(table, frame(before), {})
    table.update_incremental()
    lake.replace(table, frame([{"bucket": 1, "number": 9}]), {"settled:1": 5}, [1, 2])
    table.update_incremental()
    found = plain.read(table.table_uri).select("bucket", "number").sort("bucket", "number")
    assert found.rows() == [(0, 0), (0, 1), (0, 2), (1, 9), (3, 0), (3, 1), (3, 2)]
    assert table.transaction_version("settled:1") == 5


def test_the_change_data_of_a_replaced_bucket_can_be_read(settings: Settings) -> None:
    table = made(settings)
    lake.append(table, frame([{"bucket": 1, "number": 1}, {"bucket": 2, "number": 2}]), {})
    table.update_incremental()
    lake.replace(table, frame([{"bucket": 1, "number": 9}]), {}, [1])
    changes = pl.DataFrame(lake.reopened(table).load_cdf(starting_version=2))
    found = changes.select("bucket", "number", "_change_type").sort("number")
    assert found.rows() == [(1, 1, "delete"), (1, 9, "insert")]

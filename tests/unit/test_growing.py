"""A table of an earlier release grows with what is written; what would change is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors import lake
from connectors.growing import changed, grows
from connectors.settings import Settings

OLD = pl.Schema(
    {
        "x": pl.Int64(),
        "bucket": pl.Int64(),
        "told": pl.Struct({"a": pl.String(), "deep": pl.Struct({"b": pl.Date()})}),
        "many": pl.List(pl.Struct({"c": pl.String()})),
    }
)
NEW = pl.Schema(
    {
        "first": pl.Binary(),
        "x": pl.Int64(),
        "told": pl.Struct(
            {
                "a": pl.String(),
                "more": pl.Decimal(20, 2),
                "deep": pl.Struct({"b": pl.Date(), "b2": pl.Boolean()}),
            }
        ),
        "many": pl.List(pl.Struct({"c": pl.String()})),
        "bucket": pl.Int64(),
        "last": pl.String(),
    }
)


def row(schema: pl.Schema, **values: Any) -> pl.DataFrame:
    return pl.DataFrame([{"bucket": 1, **values}], schema=schema)


def ensured(folder: Path, schema: pl.Schema) -> Any:
    return lake.ensure_table(Settings(mianti_home=folder), "log", "t", schema, ["bucket"])


def test_rows_of_before_a_table_grew_are_read_with_nulls(tmp_path: Path) -> None:
    table = ensured(tmp_path, OLD)
    old = row(OLD, x=1, told={"a": "o", "deep": None}, many=[{"c": "m"}])
    lake.append(table, old, {"id": 1})
    table = ensured(tmp_path, NEW)
    new = row(NEW, x=2, last="l", told={"a": "n", "more": Decimal("1.50"), "deep": {"b2": True}})
    lake.append(table, new, {"id": 2})
    table.update_incremental()

    for rows in (
        lake.scan(table).collect(),
        pl.concat([*lake.added_since(table, 0, NEW, "x > 0")]),
        pl.concat([*lake.in_pieces(table, NEW, "x > 0")]),
    ):
        told = rows.sort("x").select("x", "last", pl.col("told").struct.field("a", "more"))
        assert [str(value) for value in told.rows()] == [
            "(1, None, 'o', None)",
            "(2, 'l', 'n', Decimal('1.50'))",
        ]
        assert rows.sort("x")["many"].list.first().struct.field("c").to_list() == ["m", None]
    assert ensured(tmp_path, NEW).version() == table.version()
    with pytest.raises(lake.OtherShape, match=r"has first, last, told\.deep\.b2, told\.more other"):
        ensured(tmp_path, OLD)


@pytest.mark.parametrize(
    ("name", "dtype", "told"),
    [
        ("x", pl.String(), "x"),
        ("x", pl.List(pl.Int64()), "x"),
        ("many", pl.Struct({"c": pl.String()}), "many"),
        ("told", pl.Struct({"a": pl.Int64()}), "told.a"),
        ("told", pl.Struct({"deep": pl.Struct({"b": pl.Int32()})}), "told.deep.b"),
        ("many", pl.List(pl.Struct({"c": pl.Boolean()})), "many"),
        ("many", pl.List(pl.Struct({"c": pl.String(), "c2": pl.String()})), "many"),
    ],
)
def test_another_type_stops_before_anything_is_written(
    tmp_path: Path, name: str, dtype: pl.DataType, told: str
) -> None:
    table = ensured(tmp_path, OLD)
    other = pl.Schema({**OLD, name: dtype, "fresh": pl.String()})
    with pytest.raises(lake.OtherShape, match=f" has .*{told}.* otherwise"):
        ensured(tmp_path, other)
    assert lake.reopened(table).version() == table.version()


def test_the_same_shape_neither_grows_nor_changes() -> None:
    assert not grows(NEW, NEW)
    assert not grows(NEW, OLD)
    assert grows(OLD, NEW)
    assert changed(OLD, NEW) == []
    assert changed(NEW, OLD) == ["first", "last", "told.deep.b2", "told.more"]


def test_whoever_reads_first_finds_null_in_what_a_table_has_not_grown_to(tmp_path: Path) -> None:
    table = ensured(tmp_path, OLD)
    lake.append(table, row(OLD, x=1, told={"a": "o", "deep": None}, many=[{"c": "m"}]), {"id": 1})
    table.update_incremental()
    for rows in (
        lake.scan(table, NEW).collect(),
        pl.concat([*lake.added_since(table, 0, NEW, "x > 0")]).drop("_commit_version"),
        pl.concat([*lake.in_pieces(table, NEW, "x > 0")]),
    ):
        assert rows.schema == NEW
        [found] = rows.to_dicts()
        assert (found["x"], found["last"], found["told"]["more"]) == (1, None, None)
    some = pl.Schema({"x": pl.Int64(), "told": pl.Struct({"a": pl.String()})})
    assert lake.scan(table, some).collect().rows() == [(1, {"a": "o"})]

"""All transaction ids at once are those that deltalake tells one by one."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from connectors.store import files, options
from connectors.transactions import transactions

IDS = [f"id:{number}" for number in range(8)]


@pytest.fixture(params=["directory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give a place for a table: a directory with a blank and a Chinese name, and a bucket."""
    if request.param == "directory":
        return str(tmp_path / "表 table")
    bucket: str = request.getfixturevalue("bucket")
    return f"{bucket}/{uuid4().hex}"


def commit(place: str, ids: dict[str, int]) -> None:
    properties = CommitProperties(app_transactions=[Transaction(k, v) for k, v in ids.items()])
    write_deltalake(
        place,
        pl.DataFrame({"a": [1]}),
        mode="append",
        commit_properties=properties,
        storage_options=options(place),
    )


def opened(place: str, version: int | None = None) -> DeltaTable:
    return DeltaTable(place, version=version, storage_options=options(place))


def one_by_one(table: DeltaTable) -> dict[str, int]:
    found = {name: table.transaction_version(name) for name in IDS}
    return {name: number for name, number in found.items() if number is not None}


def test_a_table_never_written_has_none() -> None:
    assert transactions(None) == {}


def test_every_version_tells_what_deltalake_tells(place: str) -> None:
    luck = random.Random(7)
    for number in range(12):
        # Numbers also fall: a rebuild sets watermarks back.
        commit(place, {name: luck.randrange(100) for name in luck.sample(IDS, number % 4)})
        if number in (4, 8):
            opened(place).create_checkpoint()
    seen = [transactions(opened(place, version)) for version in range(12)]
    assert seen == [one_by_one(opened(place, version)) for version in range(12)]
    assert len(seen[-1]) > 4


def test_ids_outlive_the_commits_a_checkpoint_sums_up(place: str) -> None:
    for number in range(3):
        commit(place, {"id:0": number, f"id:{number + 1}": 7})
    table = opened(place)
    table.create_checkpoint()
    table.cleanup_metadata()
    commit(place, {"id:0": 9})
    found = transactions(opened(place))
    assert found == {"id:0": 9, "id:1": 7, "id:2": 7, "id:3": 7}
    assert any(name.endswith(".checkpoint.parquet") for name in files(place))


def test_a_table_opened_before_a_checkpoint_still_tells_its_own(place: str) -> None:
    commit(place, {"id:0": 1})
    old = opened(place)
    commit(place, {"id:0": 2})
    opened(place).create_checkpoint()
    assert transactions(old) == {"id:0": 1}
    assert transactions(opened(place)) == {"id:0": 2}

"""A lake lies in any directory, or a sentence says that it cannot: never one written and not read."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors import lake
from connectors.damage import require_whole
from connectors.settings import BadSetting, Settings, read_settings
from connectors.store import files
from connectors.transactions import transactions
from flows.log import history_columns
from tests.property.effort import some

FAMILY = "licence"
COLUMNS = pl.Schema({"offset": pl.Int64(), "bucket": pl.Int64(), "publisher": pl.String()})
#: What paths of data lakes are made of, and what programs take for something else in them.
PIECES = (
    *("env=prod", "bucket=3", "publisher=city", "verdict=accepted", "=", "a=b=c", "==", "x="),
    *("a[1]", "[", "a^b|c", "a%20b", "%", "50%", "%2F", "%zz", "a b", " ", "*", "?", "#", "&"),
    *(
        "数据湖",
        "许可/证照",
        "é",
        "😀",
        "..",
        "a/b",
        ":",
        "s3:x",
        "~",
        "$HOME",
        "{a}",
        "'",
        '"',
        "\\",
    ),
    *("\n", "\t", "\x7f", "\u2028", "\udcff", "a" * 60),
)
names = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(max_size=6).filter(lambda t: "\0" not in t)),
    min_size=1,
    max_size=4,
).map("".join)


def table(where: Settings) -> DeltaTable:
    found = lake.open_table(where, "history", FAMILY)
    assert found is not None
    return found


def works(where: Settings) -> None:
    """Write a table there and read it in every way it is read."""
    columns = history_columns(FAMILY)
    made = lake.ensure_table(where, "history", FAMILY, columns, ["bucket"])
    for offset in range(3):
        rows = pl.DataFrame(
            {"offset": [offset], "bucket": [offset], "publisher": ["a"]}, schema=COLUMNS
        )
        whole = rows.with_columns(
            pl.lit(None, dtype).alias(name)
            for name, dtype in columns.items()
            if name not in COLUMNS
        )
        lake.append(made, whole, {"offset": offset + 1})
        made.update_incremental()
    every = [(0, 0, "a"), (1, 1, "a"), (2, 2, "a")]
    made.optimize.compact()
    assert sorted(lake.scan(table(where), COLUMNS).collect().rows()) == every
    assert lake.scan(table(where), COLUMNS, buckets=[1]).collect().rows() == every[1:2]
    assert lake.scan(table(where), COLUMNS, buckets=[]).collect().rows() == []
    found = [row for part in lake.in_pieces(table(where), COLUMNS, "true") for row in part.rows()]
    assert sorted(found) == every
    [*parts] = lake.scan_files(table(where), COLUMNS, ("bucket", "2"))
    assert [row for part in parts for row in part.collect().rows()] == every[2:]
    since = pl.concat(lake.added_since(table(where), 1, COLUMNS, "true"))
    assert sorted(since["offset"]) == [1, 2]
    assert transactions(table(where)) == {"offset": 3}
    assert lake.rows_by(table(where), "bucket") == {"0": 1, "1": 1, "2": 1}
    assert lake.is_there(table(where))
    assert lake.commit_digest(lake.uri(where, "history", FAMILY), 1) is not None
    require_whole(where, FAMILY)
    place = Path(where.mianti_lake) / "history" / FAMILY
    assert place.is_dir()
    assert files(str(place))


@settings(max_examples=some(60), deadline=None)
@given(names)
@example("env=prod")
@example("publisher=city/bucket=7")
@example("a[1]")
@example("a^b|c")
@example("a%20b")
@example("数据 湖#1?*")
def test_a_lake_in_any_directory_is_read_or_refused(name: str) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        _refused_or_works(folder, name)
    finally:
        shutil.rmtree(folder)


def _refused_or_works(folder: Path, name: str) -> None:
    home, place = folder / "home", folder / "there" / name
    try:
        place.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError):
        return  # no path of this file system
    if folder not in place.resolve().parents:
        return  # `..` leads out
    try:
        where = Settings(mianti_home=home, mianti_lake=str(place))
    except ValidationError:
        assert set("[]^|\\%") & set(name) or not name.isprintable()
        return
    works(where)
    assert {one.name for one in folder.iterdir()} <= {"there", "home"}


def test_a_link_to_a_directory_that_is_refused_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a[1]").mkdir()
    (tmp_path / "plain").symlink_to(tmp_path / "a[1]")
    with pytest.raises(ValidationError):
        Settings(mianti_home=tmp_path, mianti_lake=str(tmp_path / "plain"))


def test_the_setting_and_the_way_out_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIANTI_LAKE", str(tmp_path / "a[1]"))
    with pytest.raises(BadSetting, match=r"MIANTI_LAKE: .*must be a directory") as refused:
        read_settings()
    assert "目录路径" in str(refused.value)

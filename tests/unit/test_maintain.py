"""Compaction and vacuum take away no row, no follower's change data and no transaction id."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from connectors import lake
from connectors.settings import Settings
from connectors.store import files
from connectors.transactions import transactions
from flows.log import ACCEPTED, QUARANTINED, history_columns, log_columns, offset_id
from flows.maintain import Maintained, maintain
from flows.tail import tail, watermark_id, watermarks
from schemas.bucket import BUCKETS
from tests.support.lake import put

FAMILY = "licence"
AT_ONCE = dt.timedelta(0)
EVERY = list(range(BUCKETS))
OFFSET = offset_id("t", 0)
PLACE = pl.Schema({"offset": pl.Int64()})


@pytest.fixture
def settings(tmp_path: Path, new_lake: Callable[[Path], str]) -> Settings:
    return Settings(mianti_home=tmp_path / "home", mianti_lake=new_lake(tmp_path))


def land(settings: Settings, first: int, last: int) -> DeltaTable:
    """Append one commit for each offset: an accepted row and a quarantined one."""
    log = lake.ensure_table(settings, "log", FAMILY, log_columns(FAMILY), ["verdict"])
    for offset in range(first, last):
        rows = pl.DataFrame(
            {"topic": "t", "partition": 0, "offset": offset, "bucket": offset % 4, "verdict": both}
            for both in (ACCEPTED, QUARANTINED)
        )
        missing = {n: t for n, t in log_columns(FAMILY).items() if n not in rows.columns}
        whole = rows.with_columns(pl.lit(None, t).alias(n) for n, t in missing.items())
        lake.append(log, whole, {OFFSET: offset + 1})
        log.update_incremental()
    return log


def follow(settings: Settings, marks: dict[int, int]) -> None:
    """Set where the history stands, as settling does."""
    history = lake.ensure_table(settings, "history", FAMILY, history_columns(FAMILY), ["bucket"])
    lake.append(history, lake.empty(history), {watermark_id(b): m for b, m in marks.items()})


def opened(settings: Settings, kind: lake.Kind) -> DeltaTable:
    table = lake.open_table(settings, kind, FAMILY)
    assert table is not None
    return table


def unsettled(settings: Settings) -> list[int]:
    """Return the offsets that the follower has still to take in, as settling reads them."""
    marks = watermarks(opened(settings, "history"))
    return sorted(tail(opened(settings, "log"), marks, EVERY, PLACE)["offset"])


def on_the_log(done: list[Maintained]) -> Maintained:
    return next(one for one in done if one.table == "log")


def test_what_a_follower_left_behind_still_needs_is_kept(settings: Settings) -> None:
    log = land(settings, 0, 10)
    follow(settings, dict.fromkeys(EVERY, log.version()))
    maintain(settings, FAMILY, retain=AT_ONCE)  # replaces the files of offsets 0 to 9
    log = land(settings, 10, 20)
    follow(settings, dict.fromkeys(EVERY, log.version() - 4))  # offsets 15 to 19 are to come
    assert unsettled(settings) == [15, 16, 17, 18, 19]

    done = on_the_log(maintain(settings, FAMILY, retain=AT_ONCE))

    assert (done.files_before, done.files_after) == (22, 2)
    assert done.deleted == 20  # of offsets 0 to 9
    assert done.freed > 0
    assert done.held == 22  # those of the follower's compaction
    assert unsettled(settings) == [15, 16, 17, 18, 19]

    follow(settings, dict.fromkeys(EVERY, opened(settings, "log").version() + 1))
    assert on_the_log(maintain(settings, FAMILY, retain=AT_ONCE)).held == 0


def test_a_follower_survives_every_further_compaction(settings: Settings) -> None:
    log = land(settings, 0, 10)
    follow(settings, dict.fromkeys(EVERY, log.version() - 1))
    for more in (12, 14, 16):
        maintain(settings, FAMILY, retain=AT_ONCE)
        land(settings, more - 2, more)
        maintain(settings, FAMILY, retain=AT_ONCE)
    assert unsettled(settings) == [8, 9, *range(10, 16)]


def test_a_bucket_that_was_never_settled_holds_nothing(settings: Settings) -> None:
    """It is read from the table as it stands."""
    log = land(settings, 0, 8)
    follow(settings, {bucket: log.version() + 1 for bucket in EVERY if bucket != 2})
    done = on_the_log(maintain(settings, FAMILY, retain=AT_ONCE))
    assert (done.deleted, done.held) == (16, 0)
    assert unsettled(settings) == [2, 6]


def test_what_a_lost_commit_left_behind_is_deleted(settings: Settings) -> None:
    land(settings, 0, 2)
    place, orphan = lake.uri(settings, "log", FAMILY), "verdict=accepted/part-0.parquet"
    put(f"{place}/{orphan}", b"never committed")
    assert orphan in files(place)
    maintain(settings, FAMILY, retain=AT_ONCE)
    assert orphan not in files(place)


def test_the_log_can_be_read_from_the_start_after_a_vacuum(settings: Settings) -> None:
    log = land(settings, 0, 20)
    follow(settings, dict.fromkeys(EVERY, log.version() + 1))
    done = on_the_log(maintain(settings, FAMILY, retain=AT_ONCE))
    assert done.held == 0
    with pytest.raises(Exception, match="parquet"):
        next(lake.added_since(opened(settings, "log"), -1, PLACE, f"verdict = '{ACCEPTED}'"))

    follow(settings, dict.fromkeys(EVERY, 0))  # what rebuild begins with

    assert unsettled(settings) == list(range(20))


def test_transaction_ids_outlive_compaction_vacuum_and_checkpoint(settings: Settings) -> None:
    log = land(settings, 0, 20)
    follow(settings, dict.fromkeys(EVERY, log.version() + 1))
    maintain(settings, FAMILY, retain=AT_ONCE)
    log = opened(settings, "log")
    made = files(lake.uri(settings, "log", FAMILY))
    assert [name for name in made if name.endswith(".checkpoint.parquet")]
    assert transactions(log)[OFFSET] == 20
    land(settings, 20, 21)
    assert transactions(opened(settings, "log"))[OFFSET] == 21


def test_files_are_kept_for_readers_that_have_them_open(settings: Settings) -> None:
    log = land(settings, 0, 5)
    follow(settings, dict.fromkeys(EVERY, log.version() + 1))
    reader = lake.scan(opened(settings, "log"))

    done = on_the_log(maintain(settings, FAMILY))

    assert done.files_after < done.files_before
    assert done.deleted == 0
    assert reader.collect().height == 10


def test_a_second_maintenance_has_nothing_to_do(settings: Settings) -> None:
    log = land(settings, 0, 5)
    follow(settings, dict.fromkeys(EVERY, log.version() + 1))
    maintain(settings, FAMILY, retain=AT_ONCE)
    version = opened(settings, "log").version()

    again = maintain(settings, FAMILY, retain=AT_ONCE)

    assert [(one.deleted, one.held) for one in again] == [(0, 0)] * 2
    assert opened(settings, "log").version() == version


def test_a_family_never_landed_has_no_tables_to_maintain(settings: Settings) -> None:
    assert maintain(settings, FAMILY) == []


def test_a_settling_at_work_makes_compaction_wait(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings, 0, 3)
    rows = pl.DataFrame({"bucket": [1], "topic": ["t"], "offset": [0]})
    history = lake.ensure_table(settings, "history", FAMILY, history_columns(FAMILY), ["bucket"])
    missing = {n: t for n, t in history_columns(FAMILY).items() if n not in rows.columns}
    whole = rows.with_columns(pl.lit(None, t).alias(n) for n, t in missing.items())
    for _ in range(3):
        lake.append(history, whole, {})
        history.update_incremental()
    stale = opened(settings, "history")
    lake.replace(history, whole, {watermark_id(1): 2}, [1])
    real = lake.open_table

    def opens_too_early(asked: Settings, kind: lake.Kind, family: str) -> DeltaTable | None:
        return stale if kind == "history" else real(asked, kind, family)

    monkeypatch.setattr(lake, "open_table", opens_too_early)
    done = {one.table: one for one in maintain(settings, FAMILY, retain=AT_ONCE)}

    assert done["history"].skipped is not None
    assert done["log"].skipped is None
    monkeypatch.undo()
    assert lake.scan(opened(settings, "history")).collect().height == 1

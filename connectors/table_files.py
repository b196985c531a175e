"""A table's data files, written by Polars.

deltalake's own writer takes 4.4 µs for a row of a landed batch, Polars 1.4 for files of half the
size (`docs/performance.md`). Delta knows a file only by the commit that adds it: what is written
here and never committed is rubbish for vacuum, and no reader sees it.
"""

from __future__ import annotations

import io
import json
import time
import uuid
from typing import Any, Final

import polars as pl
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from connectors import store

#: Half the bytes of Snappy and LZ4 for a tenth more time; every reader of Delta knows it.
_COMPRESSION: Final = "zstd"
_LEVEL: Final = 1
#: Types whose bounds readers skip files by. Not points in time: Delta wants those cut to
#: milliseconds, and a bound must not be cut at the upper end (PROTOCOL.md, "Per-file Statistics").
_BOUNDED: Final = (pl.String, pl.Date, pl.Int64, pl.Int32)
#: A longer text would have to be cut, too.
_LONGEST: Final = 100


def write_files(table: DeltaTable, rows: pl.DataFrame) -> list[AddAction]:
    """Write rows as files of a partitioned table, one a partition; return what a commit adds.

    Rows must have the table's columns and types. Raises OSError, StoreUnreachable.
    """
    place = store.place_of(table.table_uri)
    by = table.metadata().partition_columns
    parts = rows.partition_by(by, as_dict=True, include_key=False)
    return [_write(place, dict(zip(by, key, strict=True)), part) for key, part in parts.items()]


def _write(place: str, partition: dict[str, Any], rows: pl.DataFrame) -> AddAction:
    values = {name: str(value) for name, value in partition.items()}
    folder = "/".join(f"{name}={value}" for name, value in values.items())
    path = f"{folder}/part-00000-{uuid.uuid4()}-c000.{_COMPRESSION}.parquet"
    content = io.BytesIO()
    rows.write_parquet(content, compression=_COMPRESSION, compression_level=_LEVEL)
    store.write(f"{place}/{path}", content.getbuffer())
    now = time.time_ns() // 1_000_000
    return AddAction(path, content.tell(), values, now, data_change=True, stats=_statistics(rows))


def _statistics(rows: pl.DataFrame) -> str:
    """Return what readers skip a file by, as Delta writes it."""
    bounded = pl.col(_BOUNDED)
    kinds = rows.select(
        minValues=pl.struct(bounded.min()),
        maxValues=pl.struct(bounded.max()),
        nullCount=pl.struct(bounded.null_count()),
    ).row(0, named=True)
    told = {kind: {n: v for n, v in of.items() if _is_told(v)} for kind, of in kinds.items()}
    return json.dumps({"numRecords": rows.height} | told, ensure_ascii=False, default=str)


def _is_told(bound: Any) -> bool:
    return bound is not None and not (isinstance(bound, str) and len(bound) > _LONGEST)

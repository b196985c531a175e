"""A table's transaction ids, all at once.

deltalake tells them one by one and reads the table's whole log for each: 64 of them were 380 GETs
from a bucket. The Delta protocol has them in two places: each commit's JSON, and the checkpoint
that sums up the commits before it (PROTOCOL.md, "Transaction Identifiers" and "Checkpoints").
"""

from __future__ import annotations

import json
from typing import Final

import polars as pl
from deltalake import DeltaTable

from connectors import store

_TXN: Final = pl.Struct({"appId": pl.String, "version": pl.Int64})
_CHECKPOINT: Final = ".checkpoint.parquet"


def transactions(table: DeltaTable | None) -> dict[str, int]:
    """Return every transaction id of a table as it was opened, with the number last given to it."""
    if table is None:
        return {}
    log = f"{store.place_of(table.table_uri)}/_delta_log"
    last = _checkpoint(log, table.version())
    told = store.options(table.table_uri)
    commits = range(0 if last is None else last + 1, table.version() + 1)
    frames = []
    if last is not None:
        frames.append(
            pl.scan_parquet(f"{log}/{last:020}{_CHECKPOINT}", glob=False, storage_options=told)
        )
    if commits:
        names = [f"{log}/{version:020}.json" for version in commits]
        frames.append(pl.scan_ndjson(names, schema={"txn": _TXN}, storage_options=told))
    ids = [frame.select(pl.col("txn").struct.field("appId", "version")) for frame in frames]
    return dict(pl.concat(ids).drop_nulls().collect().iter_rows())  # the last one counts


def _checkpoint(log: str, version: int) -> int | None:
    """Return the newest checkpoint that is no younger than a version; None where there is none."""
    said = store.read(f"{log}/_last_checkpoint")
    if said is None:
        return None
    try:
        newest = int(json.loads(said)["version"])
    except (ValueError, KeyError, TypeError):
        newest = version + 1  # a hint alone, as deltalake takes it
    if newest <= version:
        return newest
    # Another run has made it since the table was opened, or the hint cannot be read.
    made = [int(n[:20]) for n in store.files(log) if n.endswith(_CHECKPOINT)]
    return max((one for one in made if one <= version), default=None)

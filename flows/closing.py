"""Closing quarantined messages: rows added to the log, in commits that no two writers both make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final

import polars as pl
from deltalake import DeltaTable

from connectors import lake
from connectors.growing import as_written
from connectors.transactions import transactions
from flows.log import CLOSED, CLOSINGS, LANDED, PLACE, landed_number, next_landed_at
from flows.remembered import to_remember

#: Landings go on meanwhile and may be first.
_TRIES: Final = 20
_TOLD: Final = (*PLACE, "reason", "closed_by", "closed_why")
_NOTHING: Final[Mapping[int, int]] = MappingProxyType({})


class Overtaken(Exception):
    """Another has closed messages since the log was read: what waits has to be read again."""


class Closings:
    """Closes messages of a log as it was opened; nobody else may have closed any since."""

    def __init__(self, log: DeltaTable) -> None:
        self._log = log
        self._count = transactions(log).get(CLOSINGS, 0)

    def write(self, rows: pl.DataFrame, learnt: Mapping[int, int] = _NOTHING) -> None:
        """Write rows (`closed`, and others with them) as landed now, in one commit.

        `learnt`: of schema ids (`connectors.schema_ids`). Raises Overtaken, SchemaChanged, and
        connectors.lake.Lost when landings were always first.
        """
        for _ in range(_TRIES):
            self._log.update_incremental()
            known = transactions(self._log)
            if known.get(CLOSINGS, 0) != self._count:
                raise Overtaken
            at = next_landed_at(known, dt.datetime.now(dt.UTC))
            ids = {CLOSINGS: self._count + 1, LANDED: landed_number(at)}
            ids |= to_remember(known, learnt)
            stamped = rows.with_columns(landed_at=pl.lit(at, pl.Datetime("us", "UTC")))
            if self._append(stamped, at, ids):
                self._count += 1
                return
        raise lake.Lost

    def _append(self, rows: pl.DataFrame, at: dt.datetime, ids: Mapping[str, int]) -> bool:
        """Append rows; return whether they are in: a lost answer, or another's commit, may mislead."""
        with suppress(lake.Lost):
            lake.append(self._log, as_written(rows, lake.schema(self._log)), ids)
        self._log.update_incremental()
        written = (pl.col("verdict") == CLOSED) & (pl.col("landed_at") == at)
        held = lake.scan(self._log).filter(written).select(_TOLD).sort(PLACE).collect()
        return held.equals(rows.filter(verdict=CLOSED).select(_TOLD).sort(PLACE))


def closing(places: pl.DataFrame, how: str, *, by: str | None, why: str | None) -> pl.DataFrame:
    """Return the rows that close the messages at some places (`PLACE`)."""
    return places.select(
        *PLACE,
        verdict=pl.lit(CLOSED),
        reason=pl.lit(how),
        closed_by=pl.lit(by, pl.String),
        closed_why=pl.lit(why, pl.String),
    )

"""What one file leaves in doubt: collected while it is published, settled at its end."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from connectors.ledger import Ledger
from flows.publish.plan import Plan
from flows.publish.waiting import WAITING, concerned, still_waiting


@dataclass
class Doubts:
    """`before`: what waited to be mended when the file came; all frames are of `WAITING`."""

    before: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=WAITING))
    refused: list[pl.DataFrame] = field(default_factory=list)
    accepted: list[pl.DataFrame] = field(default_factory=list)

    def add(self, made: Plan, *, by_facet: bool) -> None:
        """Take up a part's plan; `by_facet`: rows state one facet each, not their record."""
        whose = pl.col("facet") if by_facet else pl.lit("").alias("facet")
        self.refused.append(made.waiting.with_columns(whose))
        if not self.before.is_empty():
            self.accepted.append(concerned(made.accepted.with_columns(whose), self.before))

    def settled(self, ledger: Ledger, edition: dt.datetime) -> tuple[pl.DataFrame, int]:
        """Return what waits now, and how many of the file's refused rows are about nobody known.

        `edition`: the file's, of rows that have none of their own.
        """
        refused = _joined(self.refused).with_columns(pl.col("edition").fill_null(edition))
        if refused.is_empty() and self.before.is_empty():
            return self.before, 0
        keys = pl.concat([refused["record_key"], self.before["record_key"]])
        return still_waiting(self.before, refused, _joined(self.accepted), ledger.latest(keys))


def _joined(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=WAITING), *frames])

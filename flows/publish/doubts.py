"""What one file leaves in doubt: collected while it is published, settled at its end."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from connectors.ledger import Ledger
from flows.publish.plan import KEY, Plan
from flows.publish.waiting import WAITING, concerned, still_waiting


@dataclass
class Doubts:
    """`before`: what waited to be mended when the file came; frames are of `WAITING` unless said.

    `filled`: the state columns that any row of the file fills. `planned`: events that a dry run
    would have put into the ledger.
    """

    before: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=WAITING))
    refused: list[pl.DataFrame] = field(default_factory=list)
    accepted: list[pl.DataFrame] = field(default_factory=list)
    filled: frozenset[str] = frozenset()
    planned: list[pl.DataFrame] = field(default_factory=list)
    _faulty: list[pl.DataFrame] = field(default_factory=list)

    def note_faulty(self, events: pl.DataFrame) -> None:
        """Take up the events of rows that have faults already, for `unstated_faults`."""
        self._faulty.append(events.select("__row", "__unstated").unique(maintain_order=True))

    def unstated_faults(self) -> pl.DataFrame:
        """Return, when all is read, the empty states among the rows that have other faults."""
        empty = pl.DataFrame(schema={"__row": pl.Int64(), "__unstated": pl.String()})
        column = pl.col("__unstated")
        bad = pl.concat([empty, *self._faulty]).filter(column.is_in(sorted(self.filled)))
        return bad.select("__row", code=pl.lit("state_not_stated"), where=column)

    def without_unstated(self, spilled: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Part off the rows that leave a state empty which other rows fill; return their faults.

        Only when the whole file has been read is it known whether any row fills the column.
        """
        column = pl.col("__unstated")
        doubtful = column.is_in(sorted(self.filled))
        bad = spilled.filter(doubtful).unique("__row", maintain_order=True)
        rest = spilled if bad.is_empty() else spilled.filter(doubtful.fill_null(value=False).not_())
        whole = pl.lit("").alias("facet")
        self.refused.append(bad.with_columns(whole).select(WAITING.names()))
        why = bad.select("__row", code=pl.lit("state_not_stated"), where=column)
        return rest.drop("__unstated"), why

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
        held = self._held(ledger, keys)
        return still_waiting(self.before, refused, _joined(self.accepted), held)

    def _held(self, ledger: Ledger, keys: pl.Series) -> pl.DataFrame:
        """Return what the ledger holds of records, or would hold after this file."""
        held = ledger.latest(keys)
        if not self.planned:
            return held
        events = pl.concat(
            part.filter(pl.col("record_key").is_in(keys.implode())) for part in self.planned
        )
        planned = (
            events.sort("sequence")
            .unique(KEY, keep="last")
            .select(
                *("record_key", "facet", "sequence", "subject", "edition"), digest="content_digest"
            )
        )
        return pl.concat([held.join(planned, on=KEY, how="anti"), planned], how="diagonal")


def _joined(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=WAITING), *frames])

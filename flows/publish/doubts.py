"""What one file leaves in doubt: collected while it is published, settled at its end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from connectors.ledger import Ledger
from flows.publish.plan import KEY, Plan
from flows.publish.waiting import (
    NAMED,
    REFUSED,
    WAITING,
    concerned,
    fingerprints,
    waiting_after,
    without_key,
)
from schemas.dialect import Dialect
from schemas.names_held import is_unified

_PRINTS = pl.Schema({"__row": pl.Int64(), "subject": pl.String(), "print": pl.String()})


@dataclass
class Doubts:
    """`before`: what waited to be mended when the file came, of `WAITING`.

    `filled`: the state columns that any row of the file fills. `planned`: versions that a dry run
    would have written into the ledger.
    """

    before: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=WAITING))
    refused: list[pl.DataFrame] = field(default_factory=list)
    accepted: list[pl.DataFrame] = field(default_factory=list)
    filled: frozenset[str] = frozenset()
    planned: list[pl.DataFrame] = field(default_factory=list)
    _faulty: list[pl.DataFrame] = field(default_factory=list)
    _prints: list[pl.DataFrame] = field(default_factory=list)

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
        told = bad.with_columns(
            facet=pl.lit(""), code=pl.lit("state_not_stated"), print=pl.lit(""), row="__row"
        )
        self.refused.append(told.select(REFUSED.names()))
        why = bad.select("__row", code=pl.lit("state_not_stated"), where=column)
        return rest.drop("__unstated"), why

    def refuse(
        self, rows: pl.DataFrame, named: pl.DataFrame, why: pl.DataFrame, dialect: Dialect
    ) -> None:
        """Take up refused rows; `named`: what they are about, of `NAMED`; `why`: `__row`, `code`."""
        codes = why.select("__row", "code").unique("__row", keep="first")
        told = named.with_columns(rows["__row"].alias("__row"), fingerprints(rows, dialect))
        told = told.join(codes, on="__row", how="left", maintain_order="left")
        self.refused.append(told.rename({"__row": "row"}).select(REFUSED.names()))

    def look_for(
        self, rows: pl.DataFrame, named: Callable[[pl.DataFrame], pl.DataFrame], dialect: Dialect
    ) -> None:
        """Note the rows that may be rows without a key mended; `named`: what rows are about."""
        waits = without_key(self.before)
        if waits.is_empty():
            return
        told = rows.select("__row").with_columns(
            named(rows)["subject"].alias("own"), fingerprints(rows, dialect)
        )
        # A row that gave no code is known by its other cells, its name among them.
        uncoded = ~is_unified(pl.col("subject"))
        asked = told.join(waits, on="print").filter(uncoded | (pl.col("subject") == pl.col("own")))
        self._prints.append(asked.select(_PRINTS.names()).unique())

    def add(self, made: Plan, ledger: Ledger, *, by_facet: bool) -> None:
        """Take up a part's plan; `by_facet`: rows state one facet each, not their record."""
        whose = pl.col("facet") if by_facet else pl.lit("").alias("facet")
        self.refused.append(_not_said(made.waiting, ledger).with_columns(whose))
        if not self.before.is_empty():
            self.accepted.append(concerned(made.accepted.with_columns(whose), self.before))

    def note_planned(self, events: pl.DataFrame) -> None:
        """Keep what a dry run would have written into the ledger of some events."""
        kept = ("record_key", "facet", "sequence", "subject", "edition")
        self.planned.append(events.select(*kept, digest="content_digest"))

    def settled(
        self,
        ledger: Ledger,
        layout: str,
        edition: dt.datetime,
        file: str,
        refused: pl.DataFrame,
        *,
        known: bool,
    ) -> tuple[pl.DataFrame, int]:
        """Return what waits now, and how many of the file's refused rows are without a valid code.

        `edition`: the file's, of rows that have none of their own; `refused`: `__row` of all its
        refused rows; `known`: the file was published before.
        """
        doubts = pl.concat([pl.DataFrame(schema=REFUSED), *self.refused])
        doubts = doubts.with_columns(pl.col("edition").fill_null(edition))
        if doubts.is_empty() and self.before.is_empty():
            return self.before, 0
        prints = pl.concat([pl.DataFrame(schema=_PRINTS), *self._prints])
        keys = pl.concat([doubts["record_key"], self.before["record_key"]])
        return waiting_after(
            self.before,
            doubts,
            pl.concat([pl.DataFrame(schema=NAMED), *self.accepted]),
            prints.join(refused.select("__row"), on="__row", how="anti").drop("__row"),
            self._held(ledger, keys),
            ledger.discarded(layout),
            file=file,
            now=dt.datetime.now(dt.UTC),
            known=known,
        )

    def _held(self, ledger: Ledger, keys: pl.Series) -> pl.DataFrame:
        """Return what the ledger holds of records, or would hold after this file."""
        held = ledger.latest(keys)
        if not self.planned:
            return held
        events = pl.concat(
            part.filter(pl.col("record_key").is_in(keys.implode())) for part in self.planned
        )
        planned = events.sort("sequence").unique(KEY, keep="last")
        return pl.concat([held.join(planned, on=KEY, how="anti"), planned], how="diagonal")


def _not_said(waiting: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    """Leave out rows of an older edition that say what was said in that edition or since."""
    older = waiting.filter(pl.col("code") == "older_edition")
    if older.is_empty():
        return waiting.select(REFUSED.names())
    said = ledger.exact(older["record_key"]).select(
        "record_key", "facet", print="digest", last="edition"
    )
    again = older.join(said, on=["record_key", "facet", "print"]).filter(
        pl.col("last") >= pl.col("edition")
    )
    same = ["record_key", "facet", "print", "edition", "code"]
    return waiting.join(again, on=same, how="anti").select(REFUSED.names())

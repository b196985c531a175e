"""The rows of the enterprises asked about, made ready once for all evidence. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from flows.answer.columns.holder import with_holder
from flows.answer.columns.stopped import with_stopped
from flows.answer.facts import Facts

#: Rows of `flows.fold.whole`, by family.
Rows = Mapping[str, pl.DataFrame]


def prepared(rows: Rows, subjects: pl.Series, known: Facts) -> Rows:
    """Return the rows with what is decided of each whatever the evidence, the newest first.

    `who`: the place of its enterprise in `subjects`; `nr`: its own; `day`: since when it holds;
    `stopped`, `stopped_by`, `other_holder`, in the families that have them.
    """
    places = pl.DataFrame({"subject": subjects}).with_row_index("who")
    found = {
        family: frame.join(places, on="subject", maintain_order="left").with_row_index("nr")
        for family, frame in rows.items()
    }
    found |= {
        family: with_stopped(frame, family, found["credit"], known)
        for family, frame in found.items()
    }
    found["licence"] = with_holder(found["licence"], found["registration"])
    return {family: _newest_first(frame) for family, frame in found.items()}


def _newest_first(rows: pl.DataFrame) -> pl.DataFrame:
    begins = [name for name in ("effective_from", "valid_from") if name in rows.columns]
    dated = rows.with_columns(day=pl.coalesce(*begins, pl.lit(dt.date.min)))
    return dated.sort("who", "day", "record_key", descending=[False, True, True])

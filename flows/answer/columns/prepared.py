"""The rows of the enterprises asked about, made ready once for all evidence. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from flows.answer.columns.holder import with_holder
from flows.answer.columns.lost import with_days, with_ending
from flows.answer.columns.penalties import with_told
from flows.answer.columns.stopped import with_stopped
from flows.answer.facts import Facts

#: Rows of `flows.fold.whole`, by family.
Rows = Mapping[str, pl.DataFrame]


def prepared(rows: Rows, subjects: pl.Series, known: Facts) -> Rows:
    """Return the rows with what is decided of each whatever the evidence.

    `who`: the place of its enterprise in `subjects`; `nr`: its own; `begun`, `spoken`: since when
    it holds, or speaks against a licence; `ending`: whether it is a document that ends one; `said`,
    `told`, `stopped`, `stop`, `other_holder`, in the families that have them.
    """
    places = pl.DataFrame({"subject": subjects}).with_row_index("who")
    found = {
        family: frame.join(places, on="subject", maintain_order="left").with_row_index("nr")
        for family, frame in rows.items()
    }
    found["credit"] = with_told(found["credit"])
    found |= {
        family: with_stopped(frame, family, found["licence"], found["credit"], known)
        for family, frame in found.items()
    }
    found["licence"] = with_holder(found["licence"], found["registration"])
    return {family: with_days(with_ending(frame), known.on) for family, frame in found.items()}
